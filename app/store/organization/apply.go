package organization

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Apply carries a plan out, all of it or nothing, and writes each of its
// changes to the audit log. A configuration that has changed since the plan was
// made is a conflict: make the plan again.
func (s *Store) Apply(ctx context.Context, by auth.Actor, keys *auth.Keyring, plan *blueprint.Plan) error {
	if plan.Empty() {
		return nil
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := tx.ClaimConfigVersion(ctx, plan.Version); err != nil {
			return err
		}
		a := &applier{tx: tx, by: by, keys: keys, now: tx.DB.Now()}
		if err := a.readNumbers(); err != nil {
			return err
		}
		for _, c := range plan.Changes {
			if err := a.apply(ctx, c); err != nil {
				return fmt.Errorf("%s %s %s: %w", c.Op, c.Kind, c.Key, err)
			}
			if err := a.audit(ctx, c); err != nil {
				return err
			}
		}
		return paging.WakeEscalations(ctx, tx, a.now)
	})
}

// applier carries the changes of one plan out.
type applier struct {
	tx   *db.Tx
	by   auth.Actor
	keys *auth.Keyring
	now  time.Time
	// The ids of what there is, by what the file calls it. What is made on the
	// way is added.
	users, teams, deployments, schedules, policies, services map[string]int64
	levels                                                   map[string]int // by the name of the priority
}

func (a *applier) readNumbers() error {
	for table, into := range map[string]*map[string]int64{
		"users": &a.users, "teams": &a.teams, "deployments": &a.deployments, "schedules": &a.schedules, "policies": &a.policies, "services": &a.services,
	} {
		name := "slug"
		if table == "users" {
			name = "email"
		}
		var rows []struct {
			ID   int64
			Name string
		}
		if err := a.tx.Gorm.Table(table).Select("id", name+" AS name").Scan(&rows).Error; err != nil {
			return fmt.Errorf("read the configuration: %w", err)
		}
		*into = make(map[string]int64, len(rows))
		for _, r := range rows {
			(*into)[r.Name] = r.ID
		}
	}
	var priorities []catalog.Priority
	if err := db.ReadAll(a.tx.Gorm, "level", &priorities); err != nil {
		return err
	}
	a.levels = map[string]int{}
	for _, p := range priorities {
		a.levels[p.Name] = p.Level
	}
	return nil
}

func (a *applier) apply(ctx context.Context, c blueprint.Change) error {
	if c.Op == blueprint.Delete {
		return a.remove(c)
	}
	fresh := c.Op == blueprint.Create
	switch v := c.Value.(type) {
	case blueprint.Organization:
		return a.organization(v)
	case blueprint.Priority:
		return a.priority(v, c.Op == blueprint.Create)
	case blueprint.User:
		return a.user(ctx, v, fresh)
	case blueprint.Team:
		return a.team(v)
	case blueprint.Deployment:
		row := catalog.Deployment{ID: a.deployments[v.Slug], Slug: v.Slug, Name: v.Name, Region: v.Region, Kind: v.Kind}
		return a.save(&row, &row.ID, a.deployments, v.Slug)
	case blueprint.ScheduleChange:
		return a.schedule(v)
	case blueprint.Policy:
		return a.policy(v)
	case blueprint.Service:
		return a.service(v)
	case blueprint.Integration:
		return a.integration(v, fresh)
	}
	return fmt.Errorf("there is no way to apply a %T", c.Value)
}

// save inserts or updates a row whose slug or address is key.
func (a *applier) save(row any, id *int64, numbers map[string]int64, key string) error {
	var err error
	if *id == 0 {
		err = a.tx.Gorm.Create(row).Error
	} else {
		err = a.tx.Gorm.Save(row).Error
	}
	numbers[key] = *id
	return err
}

// removals say where what is deleted stands. What depends on it goes with it by
// the schema; what refers to it would be refused by it.
var removals = map[blueprint.Kind]struct{ table, key string }{
	blueprint.OfPriority:    {"priorities", "level"},
	blueprint.OfTeam:        {"teams", "slug"},
	blueprint.OfDeployment:  {"deployments", "slug"},
	blueprint.OfSchedule:    {"schedules", "slug"},
	blueprint.OfPolicy:      {"policies", "slug"},
	blueprint.OfService:     {"services", "slug"},
	blueprint.OfIntegration: {"integrations", "slug"},
}

func (a *applier) remove(c blueprint.Change) error {
	from, known := removals[c.Kind]
	if !known {
		return fmt.Errorf("a thing of kind %s is never deleted", c.Kind)
	}
	return a.tx.Gorm.Exec(fmt.Sprintf("DELETE FROM %s WHERE CAST(%s AS text) = ?", from.table, from.key), c.Key).Error
}

func (a *applier) audit(ctx context.Context, c blueprint.Change) error {
	kind := string(c.Kind)
	if c.Kind == blueprint.OfPolicy {
		kind = "policy"
	}
	e := auth.Entry{At: a.now, Actor: a.by.String(), Action: kind + "." + string(c.Op), Subject: strings.TrimSuffix(kind+":"+c.Key, ":"),
		Detail: map[string]any{"by": "file"}}
	if len(c.Words) > 0 {
		e.Detail["changes"] = c.Words
	}
	return access.Audit(ctx, a.tx, e)
}

func (a *applier) organization(o blueprint.Organization) error {
	var row catalog.Organization
	if err := a.tx.Gorm.Take(&row).Error; err != nil {
		return err
	}
	row.Name, row.Timezone, row.SupportHours = o.Name, o.Timezone, o.SupportHours.Record()
	row.CatchAllServiceID = reference(a.services[o.CatchAllService])
	return a.tx.Gorm.Save(&row).Error
}

func (a *applier) priority(p blueprint.Priority, fresh bool) error {
	row := catalog.Priority{Level: p.Level, Name: p.Name, Hotfix: p.Hotfix, Postmortem: p.Postmortem,
		NotifyManagement: p.NotifyManagement, NotifyStakeholders: p.NotifyStakeholders,
		StatusUpdateEvery: seconds(p.StatusUpdateEvery), AckExpires: seconds(p.AckExpires), Criteria: p.Criteria}
	if row.Criteria == nil {
		row.Criteria = map[string]string{}
	}
	a.levels[p.Name] = p.Level
	if fresh {
		return a.tx.Gorm.Create(&row).Error
	}
	return a.tx.Gorm.Save(&row).Error
}

func seconds(d blueprint.Duration) int64 { return int64(time.Duration(d) / time.Second) }

func (a *applier) team(t blueprint.Team) error {
	row := catalog.Team{ID: a.teams[t.Slug], Slug: t.Slug, Name: t.Name, ManagerID: reference(a.users[t.Manager]),
		SlackChannel: t.Chat.Slack, SupportHours: t.SupportHours.Record()}
	if err := a.save(&row, &row.ID, a.teams, t.Slug); err != nil {
		return err
	}
	members := make([]catalog.TeamMember, len(t.Members))
	for i, m := range t.Members {
		members[i] = catalog.TeamMember{TeamID: row.ID, UserID: a.users[m]}
	}
	return access.Replace(a.tx.Gorm.Where("team_id = ?", row.ID), a.tx.Gorm, members)
}
