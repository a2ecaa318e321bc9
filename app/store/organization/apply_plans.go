package organization

import (
	"context"
	"reflect"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// person is the id of the user with an email address.
func (a *applier) person(email string) int64 { return idOf(a.users, email) }

// idOf is the id of a name, also of a row that the plan's state left out as
// unreadable.
func idOf(numbers map[string]int64, name string) int64 {
	if id, ok := organization.IDOf(name); ok {
		return id
	}
	return numbers[name]
}

func (a *applier) schedule(ctx context.Context, c organization.ScheduleChange) error {
	s := c.Schedule
	row := scheduleRow{ID: a.schedules[s.Slug], Slug: s.Slug, Name: s.Name, TeamID: reference(idOf(a.teams, s.Team))}
	if err := a.save(&row, &row.ID, a.schedules, s.Slug); err != nil {
		return err
	}
	if c.Withdraw {
		if err := a.withdrawVersions(row.ID, c); err != nil {
			return err
		}
	}
	if c.Definition {
		if err := a.scheduleVersion(row.ID, c); err != nil {
			return err
		}
	}
	for _, o := range c.Add {
		if err := a.override(ctx, row, o.OnCall(a.person, s.Timezone), o.FromApp); err != nil {
			return err
		}
	}
	for _, id := range c.End {
		if err := endOverride(a.tx, id, a.now); err != nil {
			return err
		}
	}
	return nil
}

// override inserts an override. One made in the app gets an entry of its own in the
// audit log.
func (a *applier) override(ctx context.Context, schedule scheduleRow, o oncall.Override, fromTheApp bool) error {
	origin := fromConfig
	if fromTheApp {
		origin = fromApp
	}
	row := newOverrideRow(schedule.ID, o, origin, a.by, a.now)
	if err := a.tx.Gorm.Create(&row).Error; err != nil {
		return err
	}
	a.applied.Overrides = append(a.applied.Overrides, row.ID)
	if !fromTheApp {
		return nil
	}
	return access.Audit(ctx, a.tx, auth.Entry{At: a.now, Actor: a.by.String(), Action: "override.create", Subject: "schedule:" + schedule.Slug,
		Detail: map[string]any{"override": row.ID, "kind": o.Kind, "from": row.FromAt, "to": row.ToAt, "position": o.Position, "out": o.Out, "in": o.In}})
}

// scheduleVersion inserts the version that follows the one in force when the change
// begins. The first version is effective since ever, so that it shows for the past.
func (a *applier) scheduleVersion(scheduleID int64, c organization.ScheduleChange) error {
	from := a.now
	if c.From.After(a.now) {
		from = c.From.UTC()
	}
	var present []scheduleVersionRow
	err := a.tx.Gorm.Where("schedule_id = ? AND effective_at <= ?", scheduleID, from).Order("effective_at DESC, id DESC").Limit(1).Find(&present).Error
	if err != nil {
		return err
	}
	row := scheduleVersionRow{ScheduleID: scheduleID, CreatedAt: a.now, CreatedBy: a.by.String()}
	version := c.Schedule.Version(a.person, from)
	if len(present) > 0 {
		row.EffectiveAt = from
		version = present[0].Definition.Succeed(version)
	}
	if err := version.Validate(); err != nil {
		return err
	}
	row.Definition = version
	row.Definition.Effective = time.Time{}
	return a.tx.Gorm.Create(&row).Error
}

// withdrawVersions deletes the versions that begin after a change, none of which has
// been in force yet.
func (a *applier) withdrawVersions(scheduleID int64, c organization.ScheduleChange) error {
	return a.tx.Gorm.Where("schedule_id = ? AND effective_at > ? AND effective_at > ?", scheduleID, a.now, c.From.UTC()).
		Delete(&scheduleVersionRow{}).Error
}

func newOverrideRow(scheduleID int64, o oncall.Override, origin string, by auth.Actor, now time.Time) overrideRow {
	return overrideRow{ScheduleID: scheduleID, FromAt: o.From.UTC(), ToAt: o.To.UTC(), Position: string(o.Position), Kind: string(o.Kind),
		ReplaceUserID: reference(o.Out), WithUserID: reference(o.In), Reason: o.Reason, Origin: origin, CreatedAt: now, CreatedBy: by.String()}
}

// endOverride deletes an override that has not begun, and ends one that has, so that
// the past is not changed.
func endOverride(tx *db.Tx, id int64, now time.Time) error {
	return tx.Gorm.Exec(`UPDATE overrides SET
		removed_at = CASE WHEN from_at < ? THEN removed_at ELSE ? END,
		to_at = CASE WHEN from_at < ? THEN ? ELSE to_at END
		WHERE id = ? AND removed_at IS NULL AND to_at > ?`, now, now, now, now, id, now).Error
}

func (a *applier) policy(p organization.Policy) error {
	row := policyRow{ID: a.policies[p.Slug], Slug: p.Slug, Name: p.Name, TeamID: reference(idOf(a.teams, p.Team))}
	if err := a.save(&row, &row.ID, a.policies, p.Slug); err != nil {
		return err
	}
	definition := p.Definition(organization.Numbers{
		User:     a.person,
		Team:     func(slug string) int64 { return idOf(a.teams, slug) },
		Schedule: func(slug string) int64 { return idOf(a.schedules, slug) },
		Level:    func(name string) int { return a.levels[name] },
	})
	if err := definition.Validate(); err != nil {
		return err
	}
	var present []policyVersionRow
	err := a.tx.Gorm.Where("policy_id = ?", row.ID).Order("effective_at DESC, id DESC").Limit(1).Find(&present).Error
	if err != nil {
		return err
	}
	version := policyVersionRow{PolicyID: row.ID, Definition: definition, CreatedAt: a.now, CreatedBy: a.by.String()}
	if len(present) > 0 {
		if reflect.DeepEqual(present[0].Definition, definition) {
			return nil
		}
		version.EffectiveAt = a.now
	}
	return a.tx.Gorm.Create(&version).Error
}

func (a *applier) service(s organization.Service) error {
	row := catalog.Service{ID: a.services[s.Slug], Slug: s.Slug, Name: s.Name, Description: s.Description,
		ParentID: reference(idOf(a.services, s.Parent)), TeamID: reference(idOf(a.teams, s.Team)), PolicyID: reference(idOf(a.policies, s.EscalationPolicy)),
		Runbook: s.Runbook, Dashboards: []catalog.Link{}, ReopenWindow: seconds(s.ReopenWindow)}
	for _, l := range s.Dashboards {
		row.Dashboards = append(row.Dashboards, catalog.Link{Text: l.Text, Href: l.Href})
	}
	if err := a.save(&row, &row.ID, a.services, s.Slug); err != nil {
		return err
	}
	deployments := make([]catalog.ServiceDeployment, len(s.Deployments))
	for i, slug := range s.Deployments {
		deployments[i] = catalog.ServiceDeployment{ServiceID: row.ID, DeploymentID: idOf(a.deployments, slug)}
	}
	if err := access.Replace(a.tx.Gorm.Where("service_id = ?", row.ID), a.tx.Gorm, deployments); err != nil {
		return err
	}
	return a.slos(row.ID, s.SLOs)
}

// slos keeps the ids of unchanged SLOs.
func (a *applier) slos(serviceID int64, slos []organization.SLO) error {
	var has []catalog.SLO
	if err := a.tx.Gorm.Where("service_id = ?", serviceID).Find(&has).Error; err != nil {
		return err
	}
	ids := map[string]int64{}
	for _, o := range has {
		ids[o.Slug] = o.ID
	}
	for _, o := range slos {
		row := catalog.SLO{ID: ids[o.Slug], ServiceID: serviceID, Slug: o.Slug, Name: o.Name, Endpoint: o.Endpoint, SLI: o.SLI,
			Objective: o.Objective, Window: o.Window, Priority: o.Priority, PriorityReason: o.PriorityReason}
		if err := a.save(&row, &row.ID, ids, o.Slug); err != nil {
			return err
		}
		delete(ids, o.Slug)
	}
	for _, id := range ids {
		if err := a.tx.Gorm.Delete(&catalog.SLO{ID: id}).Error; err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) integration(i organization.Integration, fresh bool) error {
	row := catalog.Integration{CreatedAt: a.now}
	if !fresh {
		if err := a.tx.Gorm.Where("slug = ?", i.Slug).Take(&row).Error; err != nil {
			return err
		}
	}
	if i.Key == "" && fresh {
		i.Key = auth.NewIntegrationKey()
	}
	row.Slug, row.Name, row.Kind, row.ServiceID, row.RateLimit = i.Slug, i.Name, i.Kind, reference(idOf(a.services, i.Service)), i.RateLimit
	row.Dedup = i.Dedup
	if i.Key != "" {
		row.KeyHMAC, row.KeySealed = a.keys.IntegrationHMAC(i.Key), a.keys.Seal(i.Key)
	}
	return a.save(&row, &row.ID, map[string]int64{}, i.Slug)
}
