package organization

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// The rows of what is kept in versions. A definition's own Effective is left
// empty: the column tells.

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

// readSchedules reads schedules with their versions and the overrides that were
// not taken back; all of them, or the one with a slug.
func readSchedules(g *gorm.DB, slug string) ([]blueprint.KeptSchedule, error) {
	schedules, some := g, func(q *gorm.DB) *gorm.DB { return q }
	if slug != "" {
		schedules = schedules.Where("slug = ?", slug)
		some = func(q *gorm.DB) *gorm.DB {
			return q.Where("schedule_id = (SELECT id FROM schedules WHERE slug = ?)", slug)
		}
	}
	var rows []scheduleRow
	var versions []scheduleVersionRow
	var overrides []overrideRow
	if err := schedules.Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	if err := some(g).Order("effective_at, id").Find(&versions).Error; err != nil {
		return nil, fmt.Errorf("read the versions of schedules: %w", err)
	}
	if err := some(g).Where("removed_at IS NULL").Order("id").Find(&overrides).Error; err != nil {
		return nil, fmt.Errorf("read overrides: %w", err)
	}
	return assemble(rows, versions, overrides), nil
}

// readableSchedules are all schedules as far as they can be read: a version that
// cannot be leaves the one before it in force, rather than everybody unpaged.
func readableSchedules(g *gorm.DB, log *slog.Logger) ([]blueprint.KeptSchedule, error) {
	var rows []scheduleRow
	var versions []scheduleVersionRow
	var overrides []overrideRow
	if err := errors.Join(db.ReadEach(g, log, &rows), db.ReadEach(g, log, &versions), db.ReadEach(g, log, &overrides)); err != nil {
		return nil, err
	}
	slices.SortStableFunc(versions, func(a, b scheduleVersionRow) int { return a.EffectiveAt.Compare(b.EffectiveAt) })
	overrides = slices.DeleteFunc(overrides, func(o overrideRow) bool { return o.RemovedAt != nil })
	return assemble(rows, versions, overrides), nil
}

func assemble(rows []scheduleRow, versions []scheduleVersionRow, overrides []overrideRow) []blueprint.KeptSchedule {
	schedules := make([]blueprint.KeptSchedule, len(rows))
	at := make(map[int64]*blueprint.KeptSchedule, len(rows))
	for i, r := range rows {
		schedules[i] = blueprint.KeptSchedule{ID: r.ID, Slug: r.Slug, Name: r.Name, TeamID: r.TeamID,
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

// readOrganization reads the organisation for a picture that pages go by, without
// its support hours where those cannot be read.
func readOrganization(g *gorm.DB, log *slog.Logger, o *catalog.Organization) error {
	err := db.ReadAll(g, "", o)
	if !db.IsDataError(err) {
		return err
	}
	log.ErrorContext(g.Statement.Context, "the organisation's support hours cannot be read; paging goes on without them", "error", err)
	*o = catalog.Organization{}
	return db.ReadAll(g.Omit("support_hours"), "", o)
}
