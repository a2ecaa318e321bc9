package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// eventRow is a row of timeline_events as pages read it.
type eventRow struct {
	ID             int64 `gorm:"primaryKey"`
	IncidentNumber int64
	At             time.Time
	Kind           incident.EventKind
	Actor          string
	Data           string // JSON
}

func (eventRow) TableName() string { return "timeline_events" }

func (r eventRow) event() incident.TimelineEvent {
	return incident.TimelineEvent{ID: r.ID, IncidentNo: r.IncidentNumber, At: r.At.UTC(), Actor: r.Actor, Payload: incident.DecodePayload(r.Kind, []byte(r.Data))}
}

func insertIncidents(ctx context.Context, tx *db.Tx, rows []*paging.IncidentState) error {
	cols := append(incidentColumns(rows),
		db.ColOf("number", "bigint", rows, func(s **paging.IncidentState) int64 { return (*s).Inc.Number }),
		db.ColOf("service_id", "bigint", rows, func(s **paging.IncidentState) int64 { return (*s).Inc.ServiceID }),
		db.ColOf("dedup_key", "text", rows, func(s **paging.IncidentState) string { return (*s).Inc.DedupKey }),
		db.ColOf("group_key", "text", rows, func(s **paging.IncidentState) string { return (*s).Inc.Group }),
		db.ColOf("created_at", "timestamptz", rows, func(s **paging.IncidentState) time.Time { return (*s).Inc.CreatedAt }))
	if err := tx.InsertRows(ctx, "incidents", len(rows), "", cols...); err != nil {
		return fmt.Errorf("insert incidents: %w", err)
	}
	return nil
}

func updateIncidents(ctx context.Context, tx *db.Tx, rows []*paging.IncidentState) error {
	err := tx.UpdateRows(ctx, "incidents", len(rows),
		db.ColOf("number", "bigint", rows, func(s **paging.IncidentState) int64 { return (*s).Inc.Number }), incidentColumns(rows)...)
	if err != nil {
		return fmt.Errorf("write incidents: %w", err)
	}
	return nil
}

// incidentColumns are the columns of incidents that change.
func incidentColumns(rows []*paging.IncidentState) []db.Column {
	text := func(name string, field func(*incident.Incident) string) db.Column {
		return db.ColOf(name, "text", rows, func(s **paging.IncidentState) string { return field(&(*s).Inc) })
	}
	when := func(name string, field func(*incident.Incident) *time.Time) db.Column {
		return db.ColOf(name, "timestamptz", rows, func(s **paging.IncidentState) *time.Time { return field(&(*s).Inc) })
	}
	return []db.Column{
		db.ColOf("version", "bigint", rows, func(s **paging.IncidentState) int64 { return (*s).Inc.Version }),
		db.ColOf("priority", "int", rows, func(s **paging.IncidentState) *int { return (*s).Inc.Priority }),
		db.ColOf("occurrences", "bigint", rows, func(s **paging.IncidentState) int64 { return (*s).Inc.Occurrences }),
		db.ColOf("owner_id", "bigint", rows, func(s **paging.IncidentState) *int64 { return (*s).Inc.OwnerID }),
		text("title", func(i *incident.Incident) string { return i.Title }),
		text("status", func(i *incident.Incident) string { return string(i.Status) }),
		text("urgency", func(i *incident.Incident) string { return string(i.Urgency) }),
		text("deployment", func(i *incident.Incident) string { return i.Deployment }),
		text("priority_source", func(i *incident.Incident) string { return i.PrioritySource }),
		text("severity", func(i *incident.Incident) string { return i.Severity }),
		text("facts", func(i *incident.Incident) string { return db.AsJSON(i.Facts) }),
		text("acknowledged_by", func(i *incident.Incident) string { return i.AcknowledgedBy }),
		text("resolved_by", func(i *incident.Incident) string { return i.ResolvedBy }),
		text("resolution", func(i *incident.Incident) string { return i.Resolution }),
		text("reopened_at", func(i *incident.Incident) string { return db.AsJSON(i.ReopenedAt) }),
		when("last_seen_at", func(i *incident.Incident) *time.Time { return &i.LastSeenAt }),
		when("changed_at", func(i *incident.Incident) *time.Time { return &i.ChangedAt }),
		when("acknowledged_at", func(i *incident.Incident) *time.Time { return i.AcknowledgedAt }),
		when("asked_at", func(i *incident.Incident) *time.Time { return i.AskedAt }),
		when("resolved_at", func(i *incident.Incident) *time.Time { return i.ResolvedAt }),
		when("flapping_since", func(i *incident.Incident) *time.Time { return i.FlappingSince }),
		when("muted_until", func(i *incident.Incident) *time.Time { return i.MutedUntil }),
		when("snoozed_until", func(i *incident.Incident) *time.Time { return i.SnoozedUntil }),
	}
}
