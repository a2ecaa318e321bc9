package paging

import (
	"context"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// WithdrawPerson withdraws the queued messages of a person who is deactivated, and
// fails their pages. A timer checks the step of each page, so that a step that paged
// only them ends at once. A message whose call to the provider has begun is sent.
//
// It locks the person before pages and pages before messages, as every writer does.
// A firing meanwhile leaves their pages to the planner, and the planner leaves them
// to its next poll, after the deactivation has committed.
func WithdrawPerson(ctx context.Context, tx *db.Tx, userID int64, name string) error {
	now := tx.DB.Now()
	if _, err := tx.Ints(ctx, "SELECT id FROM users WHERE id = $1"+tx.DB.ForUpdate(false), userID); err != nil {
		return fmt.Errorf("lock a person: %w", err)
	}
	pages, err := tx.Ints(ctx, "SELECT id FROM pages WHERE user_id = $1 AND "+Answerable+" AND "+ofOpenIncidents+" ORDER BY id"+tx.DB.ForUpdate(false), userID)
	if err != nil {
		return fmt.Errorf("lock a person's pages: %w", err)
	}
	numbers, err := tx.Ints(ctx, "SELECT DISTINCT incident_number FROM pages WHERE user_id = $1 AND state = '"+Active+"' AND "+ofOpenIncidents+" ORDER BY 1", userID)
	if err != nil {
		return fmt.Errorf("read a person's pages: %w", err)
	}
	for some := range slices.Chunk(pages, 1000) {
		if err := failPages(ctx, tx, now, some); err != nil {
			return err
		}
	}
	if err := withdrawFrom(ctx, tx, userID, name); err != nil {
		return err
	}
	left := incident.LeftPayload{Text: name + " was paged and has been deactivated", People: []int64{userID}}
	events := make([]incident.TimelineEvent, len(numbers))
	for i, n := range numbers {
		events[i] = incident.TimelineEvent{IncidentNo: n, At: now, Actor: incident.Tocsin, Payload: left}
	}
	if err := timeline.Insert(ctx, tx, events); err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToTime})
}

// ofOpenIncidents restricts pages to those of open incidents, by the indexes
// incidents_open and pages_incident.
const ofOpenIncidents = "incident_number IN (SELECT number FROM incidents WHERE " + OpenIncident + ")"

// withdrawFrom withdraws a person's queued messages of every kind.
func withdrawFrom(ctx context.Context, tx *db.Tx, userID int64, name string) error {
	waiting, err := tx.Ints(ctx, "SELECT id FROM messages WHERE user_id = $1 AND state = '"+Queued+"' ORDER BY id"+tx.DB.ForUpdate(false), userID)
	if err != nil {
		return fmt.Errorf("lock a person's messages: %w", err)
	}
	for some := range slices.Chunk(waiting, 1000) {
		where, args := tx.DB.In("id", 2, some)
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', gathering = false, due_at = NULL, failure = $1 WHERE state = '"+Queued+"' AND "+where,
			append([]any{name + " has been deactivated."}, args...)...); err != nil {
			return fmt.Errorf("withdraw a person's messages: %w", err)
		}
	}
	return nil
}
