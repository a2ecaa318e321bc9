// Package timeline writes the timeline of incidents and raises their versions: what
// every slice may say of an incident.
package timeline

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Insert is the one place that writes to the timeline.
func Insert(ctx context.Context, tx *db.Tx, events []incident.TimelineEvent) error {
	if len(events) > 0 {
		tx.WroteEvents()
	}
	err := tx.InsertRows(ctx, "timeline_events", len(events), "",
		db.ColOf("incident_number", "bigint", events, func(e *incident.TimelineEvent) int64 { return e.IncidentNo }),
		db.ColOf("at", "timestamptz", events, func(e *incident.TimelineEvent) time.Time { return e.At }),
		db.ColOf("kind", "text", events, func(e *incident.TimelineEvent) string { return string(e.Kind()) }),
		db.ColOf("actor", "text", events, func(e *incident.TimelineEvent) string { return e.Actor }),
		db.ColOf("data", "text", events, func(e *incident.TimelineEvent) string { return incident.EncodePayload(e.Payload) }))
	if err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	return nil
}

// RaiseVersions raises the version of incidents, which are locked already, and returns
// what they are now.
func RaiseVersions(ctx context.Context, tx *db.Tx, numbers []int64) ([]db.Change, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	where, args := tx.DB.In("number", 1, numbers)
	return scanChanges(tx.QueryContext(ctx, "UPDATE incidents SET version = version + 1 WHERE "+where+" RETURNING number, version", args...))
}

func scanChanges(rows *sql.Rows, err error) ([]db.Change, error) {
	if err != nil {
		return nil, fmt.Errorf("raise the version of incidents: %w", err)
	}
	defer rows.Close()
	var changes []db.Change
	for rows.Next() {
		var c db.Change
		if err := rows.Scan(&c.Number, &c.Version); err != nil {
			return nil, fmt.Errorf("raise the version of incidents: %w", err)
		}
		changes = append(changes, c)
	}
	return changes, rows.Err()
}

// Lock locks incidents of which nothing is asked but that they are held,
// so that one that cannot be read holds up nothing.
func Lock(ctx context.Context, tx *db.Tx, numbers []int64) error {
	where, args := tx.DB.In("number", 1, numbers)
	if _, err := tx.Ints(ctx, "SELECT number FROM incidents WHERE "+where+" ORDER BY number"+tx.DB.ForUpdate(false), args...); err != nil {
		return fmt.Errorf("lock incidents: %w", err)
	}
	return nil
}

// InsertTrouble tells on the timeline of incidents what went wrong in Tocsin
// itself.
func InsertTrouble(ctx context.Context, tx *db.Tx, now time.Time, numbers []int64, text string) error {
	events := make([]incident.TimelineEvent, len(numbers))
	for i, n := range numbers {
		events[i] = incident.TimelineEvent{IncidentNo: n, At: now, Actor: incident.Tocsin, Payload: incident.TroublePayload{Text: text}}
	}
	return Insert(ctx, tx, events)
}
