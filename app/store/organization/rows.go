package organization

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// The rows of versioned configuration. A definition's own Effective is empty: the
// column has it.

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

// reference is nil for 0, which stands for nothing.
func reference[T ~int64](id T) *int64 {
	if id == 0 {
		return nil
	}
	n := int64(id)
	return &n
}

type policyRow struct {
	ID     int64 `gorm:"primaryKey"`
	Slug   string
	Name   string
	TeamID *int64
}

func (policyRow) TableName() string { return "policies" }

type policyVersionRow struct {
	ID          int64 `gorm:"primaryKey"`
	PolicyID    int64
	EffectiveAt time.Time         // the zero time, year 1, means since ever
	Definition  escalation.Policy `gorm:"serializer:json"`
	CreatedAt   time.Time
	CreatedBy   string
}

func (policyVersionRow) TableName() string { return "policy_versions" }

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
