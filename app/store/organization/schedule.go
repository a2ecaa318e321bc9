package organization

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func scheduleKind() kind {
	k := slugged(organization.KindSchedule, "schedules")
	k.load = (*stateLoad).schedules
	k.apply = applying(applySchedule)
	return k
}

type scheduleRow struct {
	ID     int64 `gorm:"primaryKey"`
	Slug   string
	Name   string
	TeamID *int64
}

func (scheduleRow) TableName() string { return "schedules" }

type scheduleVersionRow struct {
	ID          int64 `gorm:"primaryKey"`
	ScheduleID  int64
	EffectiveAt time.Time      // the zero time, year 1, means since ever
	Definition  oncall.Version `gorm:"serializer:json"`
	CreatedAt   time.Time
	CreatedBy   string
}

func (scheduleVersionRow) TableName() string { return "schedule_versions" }

// Where an override came from.
const (
	fromConfig = "config"
	fromApp    = "app"
)

type overrideRow struct {
	ID            int64 `gorm:"primaryKey"`
	ScheduleID    int64
	FromAt        time.Time
	ToAt          time.Time
	Position      string
	Kind          string
	ReplaceUserID *int64
	WithUserID    *int64
	Reason        string
	Origin        string
	CreatedAt     time.Time
	CreatedBy     string
	RemovedAt     *time.Time
}

func (overrideRow) TableName() string { return "overrides" }

func (r overrideRow) override() oncall.Override {
	return oncall.Override{ID: r.ID, From: r.FromAt.UTC(), To: r.ToAt.UTC(), Position: oncall.Position(r.Position),
		Kind: oncall.Kind(r.Kind), Out: personOf(r.ReplaceUserID), In: personOf(r.WithUserID), By: r.CreatedBy, Reason: r.Reason}
}

func personOf(id *int64) oncall.Person {
	if id == nil {
		return oncall.Nobody
	}
	return oncall.Person(*id)
}

func (l *stateLoad) schedules() {
	var rows []scheduleRow
	var versions []scheduleVersionRow
	var overrides []overrideRow
	load(l, &rows, "id", "id")
	load(l, &versions, "id", "effective_at, id")
	all := l.g
	l.g = all.Where("removed_at IS NULL").Session(&gorm.Session{})
	load(l, &overrides, "id", "id")
	l.g = all
	l.s.Schedules = assemble(rows, versions, overrides)
}

func assemble(rows []scheduleRow, versions []scheduleVersionRow, overrides []overrideRow) []organization.ScheduleRecord {
	schedules := make([]organization.ScheduleRecord, len(rows))
	at := make(map[int64]*organization.ScheduleRecord, len(rows))
	for i, r := range rows {
		schedules[i] = organization.ScheduleRecord{ID: r.ID, Slug: r.Slug, Name: r.Name, TeamID: r.TeamID,
			Schedule: oncall.Schedule{Slug: r.Slug}, FromApp: map[int64]bool{}}
		at[r.ID] = &schedules[i]
	}
	for _, v := range versions {
		if at[v.ScheduleID] == nil {
			continue
		}
		definition := v.Definition
		definition.Effective = v.EffectiveAt.UTC()
		if definition.Effective.IsZero() {
			at[v.ScheduleID].MadeAt = v.CreatedAt.UTC()
		}
		at[v.ScheduleID].Schedule.Versions = append(at[v.ScheduleID].Schedule.Versions, definition)
	}
	for _, o := range overrides {
		s := at[o.ScheduleID]
		if s == nil {
			continue
		}
		s.Schedule.Overrides = append(s.Schedule.Overrides, o.override())
		if o.Origin == fromApp {
			s.FromApp[o.ID] = true
		}
	}
	return schedules
}

func applySchedule(_ context.Context, a *applier, c organization.ScheduleChange, _ bool) error {
	s := c.Schedule
	row := scheduleRow{ID: a.id(organization.KindSchedule, s.Slug), Slug: s.Slug, Name: s.Name, TeamID: a.reference(organization.KindTeam, s.Team)}
	if err := a.save(&row, &row.ID, organization.KindSchedule, s.Slug); err != nil {
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
		if err := a.override(row, o.OnCall(a.person, s.Timezone), o.FromApp); err != nil {
			return err
		}
	}
	for _, ended := range c.End {
		if err := a.endOverride(s.Slug, ended); err != nil {
			return err
		}
	}
	return nil
}

// override inserts an override. One made in the app gets an entry of its own in the
// audit log.
func (a *applier) override(schedule scheduleRow, o oncall.Override, fromTheApp bool) error {
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
	a.entries = append(a.entries, auth.Entry{At: a.now, Actor: a.by.String(), Action: "override.create", Subject: "schedule:" + schedule.Slug,
		Detail: map[string]any{"override": row.ID, "kind": o.Kind, "from": row.FromAt, "to": row.ToAt, "position": o.Position, "out": o.Out, "in": o.In}})
	return nil
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
// the past is not changed. One that somebody asked for gets an entry of its own in the
// audit log.
func (a *applier) endOverride(schedule string, ended organization.EndedOverride) error {
	id, now := ended.ID, a.now
	err := a.tx.Gorm.Exec(`UPDATE overrides SET
		removed_at = CASE WHEN from_at < ? THEN removed_at ELSE ? END,
		to_at = CASE WHEN from_at < ? THEN ? ELSE to_at END
		WHERE id = ? AND removed_at IS NULL AND to_at > ?`, now, now, now, now, id, now).Error
	if err != nil || !ended.InApp {
		return err
	}
	a.entries = append(a.entries, auth.Entry{At: now, Actor: a.by.String(), Action: "override.delete", Subject: "schedule:" + schedule,
		Detail: map[string]any{"override": id, "reason": ended.Reason}})
	return nil
}
