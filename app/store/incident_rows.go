package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func (tx *Tx) insertIncidents(ctx context.Context, rows []*incidentState) error {
	cols := append(incidentColumns(rows),
		colOf("number", "bigint", rows, func(s **incidentState) int64 { return (*s).inc.Number }),
		colOf("service_id", "bigint", rows, func(s **incidentState) int64 { return (*s).inc.ServiceID }),
		colOf("dedup_key", "text", rows, func(s **incidentState) string { return (*s).inc.DedupKey }),
		colOf("group_key", "text", rows, func(s **incidentState) string { return (*s).inc.Group }),
		colOf("created_at", "timestamptz", rows, func(s **incidentState) time.Time { return (*s).inc.CreatedAt }))
	if err := tx.insertRows(ctx, "incidents", len(rows), "", cols...); err != nil {
		return fmt.Errorf("open incidents: %w", err)
	}
	return nil
}

func (tx *Tx) updateIncidents(ctx context.Context, rows []*incidentState) error {
	err := tx.updateRows(ctx, "incidents", len(rows),
		colOf("number", "bigint", rows, func(s **incidentState) int64 { return (*s).inc.Number }), incidentColumns(rows)...)
	if err != nil {
		return fmt.Errorf("write incidents: %w", err)
	}
	return nil
}

// incidentColumns are those that change.
func incidentColumns(rows []*incidentState) []column {
	text := func(name string, field func(*incident.Incident) string) column {
		return colOf(name, "text", rows, func(s **incidentState) string { return field(&(*s).inc) })
	}
	when := func(name string, field func(*incident.Incident) *time.Time) column {
		return colOf(name, "timestamptz", rows, func(s **incidentState) *time.Time { return field(&(*s).inc) })
	}
	return []column{
		colOf("version", "bigint", rows, func(s **incidentState) int64 { return (*s).inc.Version }),
		colOf("priority", "int", rows, func(s **incidentState) *int { return (*s).inc.Priority }),
		colOf("occurrences", "bigint", rows, func(s **incidentState) int64 { return (*s).inc.Occurrences }),
		colOf("owner_id", "bigint", rows, func(s **incidentState) *int64 { return (*s).inc.OwnerID }),
		text("title", func(i *incident.Incident) string { return i.Title }),
		text("status", func(i *incident.Incident) string { return string(i.Status) }),
		text("urgency", func(i *incident.Incident) string { return string(i.Urgency) }),
		text("deployment", func(i *incident.Incident) string { return i.Deployment }),
		text("priority_source", func(i *incident.Incident) string { return i.PrioritySource }),
		text("severity", func(i *incident.Incident) string { return i.Severity }),
		text("facts", func(i *incident.Incident) string { return asJSON(i.Facts) }),
		text("acknowledged_by", func(i *incident.Incident) string { return i.AcknowledgedBy }),
		text("resolved_by", func(i *incident.Incident) string { return i.ResolvedBy }),
		text("resolution", func(i *incident.Incident) string { return i.Resolution }),
		text("reopened_at", func(i *incident.Incident) string { return asJSON(i.ReopenedAt) }),
		when("last_seen_at", func(i *incident.Incident) *time.Time { return &i.LastSeenAt }),
		when("changed_at", func(i *incident.Incident) *time.Time { return &i.ChangedAt }),
		when("acknowledged_at", func(i *incident.Incident) *time.Time { return i.AcknowledgedAt }),
		when("asked_at", func(i *incident.Incident) *time.Time { return i.AskedAt }),
		when("resolved_at", func(i *incident.Incident) *time.Time { return i.ResolvedAt }),
		when("flapping_since", func(i *incident.Incident) *time.Time { return i.FlappingSince }),
		when("muted_until", func(i *incident.Incident) *time.Time { return i.MutedUntil }),
	}
}

// asJSON writes plain data, which always can be.
func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}
