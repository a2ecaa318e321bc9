package store

import (
	"context"
	"fmt"
	"time"
)

// fireEach fires escalations alone that could not be fired together. One that
// cannot be fired alone either goes to the administrators; where it is there
// already, it is put off.
func (db *DB) fireEach(ctx context.Context, now time.Time, limit int, decide firing) (int, error) {
	due, err := scanInts(db.read.QueryContext(ctx, db.rebind("SELECT id FROM escalations WHERE next_action_at <= $1 ORDER BY next_action_at LIMIT $2"), now, limit))
	if err != nil {
		return 0, fmt.Errorf("list escalations: %w", err)
	}
	return oneByOne(ctx, due, func(id int64) (int, error) {
		return db.fire(ctx, now, decide, false, func(tx *Tx) (dueBatch, error) {
			return tx.dueEscalations(ctx, "e.next_action_at <= $1 AND e.id = $2"+tx.db.skipping("e, i"), now, id)
		})
	}, func(id int64, cause error) error {
		db.log.ErrorContext(ctx, "an escalation cannot go on by its policy", "escalation", id, "error", cause)
		return db.inTx(ctx, func(tx *Tx) error { return tx.toAdministrators(ctx, now, id) })
	}, func(id int64) error { return db.putEscalationOff(ctx, id, now) })
}

// toAdministrators has the administrators paged of what an escalation is about,
// whatever else stands in its row.
func (tx *Tx) toAdministrators(ctx context.Context, now time.Time, id int64) error {
	numbers, err := scanInts(tx.QueryContext(ctx, `UPDATE escalations SET phase = 'administrators', step = 0, run = 0, reached = false,
		fired_at = NULL, deadline_at = NULL, next_action_at = $1
		WHERE id = $2 AND next_action_at <= $1 AND NOT (phase = 'administrators' AND fired_at IS NULL) RETURNING incident_number`, now, id))
	if err != nil {
		return fmt.Errorf("turn to the administrators: %w", err)
	}
	if len(numbers) == 0 { // that has been tried
		_, err := tx.ExecContext(ctx, "UPDATE escalations SET next_action_at = $1 WHERE id = $2 AND next_action_at IS NOT NULL", now.Add(tryAgainAfter), id)
		return err
	}
	// The step's people are told no more: it is not their step that goes on.
	if _, err := tx.ExecContext(ctx, "UPDATE pages SET state = 'superseded', notify_at = NULL, ended_at = $1 WHERE state = 'active' AND escalation_id = $2 AND incident_number = $3", now, id, numbers[0]); err != nil {
		return fmt.Errorf("end the pages of the step: %w", err)
	}
	if err := tx.noteTrouble(ctx, now, numbers, "The escalation could not go on by its policy, so the administrators are paged. Tocsin’s log says why."); err != nil {
		return err
	}
	return tx.tell(ctx, News{Work: ToEscalate})
}

func (db *DB) putEscalationOff(ctx context.Context, id int64, now time.Time) error {
	return db.quietly(ctx, "an escalation", id, func(tx *Tx) error {
		return tx.postpone(ctx, "UPDATE escalations SET next_action_at = $1 WHERE id = $2 AND next_action_at IS NOT NULL", now.Add(tryAgainAfter), id)
	})
}
