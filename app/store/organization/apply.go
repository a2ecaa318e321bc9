package organization

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Apply carries out a plan in one transaction, and writes each of its changes to the
// audit log. Fault: Conflict where the configuration has changed since the plan was
// made. The keys of integrations are sealed with keys.
func (s *Store) Apply(ctx context.Context, by auth.Actor, keys *auth.Keyring, plan *organization.Plan) (organization.Applied, error) {
	if plan.Empty() {
		return organization.Applied{Plan: plan}, nil
	}
	return db.Returning(ctx, s.db, func(tx *db.Tx) (organization.Applied, error) {
		applied := organization.Applied{Plan: plan}
		if err := tx.ClaimRevision(ctx, plan.Revision); err != nil {
			return applied, err
		}
		a := &applier{tx: tx, by: by, keys: keys, now: s.db.Now(), origin: plan.Origin, applied: &applied}
		if err := a.readNumbers(); err != nil {
			return applied, err
		}
		if err := paging.WakeEscalations(ctx, tx, a.now); err != nil {
			return applied, err
		}
		for _, c := range plan.Changes {
			if err := a.apply(ctx, c); err != nil {
				return applied, fmt.Errorf("%s %s %s: %w", c.Op, c.Kind, c.Key, err)
			}
			if err := a.audit(ctx, c); err != nil {
				return applied, err
			}
		}
		return applied, nil
	})
}

// applier carries out the changes of one plan.
type applier struct {
	tx   *db.Tx
	by   auth.Actor
	keys *auth.Keyring
	now  time.Time
	// origin is that of the plan.
	origin  string
	applied *organization.Applied
	// The ids of existing rows by their names in the file; those of new rows are
	// added.
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
	if err := db.ReadAll(a.tx.Gorm.Select("level", "name"), "level", &priorities); err != nil {
		return err
	}
	a.levels = map[string]int{}
	for _, p := range priorities {
		a.levels[p.Name] = p.Level
	}
	return nil
}

func (a *applier) apply(ctx context.Context, c organization.Change) error {
	if c.Op == organization.Delete {
		return a.remove(c)
	}
	fresh := c.Op == organization.Create
	switch v := c.Value.(type) {
	case organization.Organization:
		return a.organization(v)
	case organization.Priority:
		return a.priority(v, c.Op == organization.Create)
	case organization.User:
		return a.user(ctx, v, fresh)
	case organization.Team:
		return a.team(v)
	case organization.Deployment:
		row := catalog.Deployment{ID: a.deployments[v.Slug], Slug: v.Slug, Name: v.Name, Region: v.Region, Kind: v.Kind}
		return a.save(&row, &row.ID, a.deployments, v.Slug)
	case organization.ScheduleChange:
		return a.schedule(ctx, v)
	case organization.Policy:
		return a.policy(v)
	case organization.Service:
		return a.service(v)
	case organization.Integration:
		return a.integration(v, fresh)
	}
	return fmt.Errorf("no way to apply a %T", c.Value)
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

// removals are the statements that delete rows by kind. The schema deletes dependent
// rows with them, and refuses a deletion that other rows refer to.
var removals = map[organization.Kind]struct{ table, key string }{
	organization.KindPriority:    {"priorities", "level"},
	organization.KindTeam:        {"teams", "slug"},
	organization.KindDeployment:  {"deployments", "slug"},
	organization.KindSchedule:    {"schedules", "slug"},
	organization.KindPolicy:      {"policies", "slug"},
	organization.KindService:     {"services", "slug"},
	organization.KindIntegration: {"integrations", "slug"},
}

func (a *applier) remove(c organization.Change) error {
	from, known := removals[c.Kind]
	if !known {
		return fmt.Errorf("kind %s cannot be deleted", c.Kind)
	}
	return a.tx.Gorm.Exec(fmt.Sprintf("DELETE FROM %s WHERE CAST(%s AS text) = ?", from.table, from.key), c.Key).Error
}

func (a *applier) audit(ctx context.Context, c organization.Change) error {
	kind := string(c.Kind)
	if c.Kind == organization.KindPolicy {
		kind = "policy"
	}
	e := auth.Entry{At: a.now, Actor: a.by.String(), Action: kind + "." + string(c.Op), Subject: strings.TrimSuffix(kind+":"+c.Key, ":"),
		Detail: map[string]any{}}
	if a.origin != "" {
		e.Detail["by"] = a.origin
	}
	if len(c.Words) > 0 {
		e.Detail["changes"] = c.Words
	}
	return access.Audit(ctx, a.tx, e)
}

func (a *applier) organization(o organization.Organization) error {
	var row catalog.Organization
	if err := a.tx.Gorm.Take(&row).Error; err != nil {
		return err
	}
	row.Name, row.Timezone, row.SupportHours = o.Name, o.Timezone, o.SupportHours.Record()
	row.CatchAllServiceID = reference(idOf(a.services, o.CatchAllService))
	return a.tx.Gorm.Save(&row).Error
}

func (a *applier) priority(p organization.Priority, fresh bool) error {
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

func seconds(d organization.Duration) int64 { return int64(time.Duration(d) / time.Second) }

func (a *applier) team(t organization.Team) error {
	row := catalog.Team{ID: a.teams[t.Slug], Slug: t.Slug, Name: t.Name, ManagerID: reference(idOf(a.users, t.Manager)),
		SlackChannel: t.Chat.Slack, SupportHours: t.SupportHours.Record()}
	if err := a.save(&row, &row.ID, a.teams, t.Slug); err != nil {
		return err
	}
	members := make([]catalog.TeamMember, len(t.Members))
	for i, m := range t.Members {
		members[i] = catalog.TeamMember{TeamID: row.ID, UserID: a.person(m)}
	}
	return access.Replace(a.tx.Gorm.Where("team_id = ?", row.ID), a.tx.Gorm, members)
}
