package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// fireEach fires escalations singly that could not be fired together. One that
// cannot be fired singly either goes to the administrators; where it is there
// already, it is postponed.
func (s *Store) fireEach(ctx context.Context, now time.Time, limit int, decide firing) (int, error) {
	due, err := s.db.Ints(ctx, "SELECT id FROM escalations WHERE next_action_at <= $1 ORDER BY next_action_at LIMIT $2", now, limit)
	if err != nil {
		return 0, fmt.Errorf("list escalations: %w", err)
	}
	return db.OneByOne(ctx, due, func(id int64) (int, error) {
		return s.fire(ctx, now, decide, false, func(tx *db.Tx) (dueBatch, error) {
			return dueEscalations(ctx, tx, "e.next_action_at <= $1 AND e.id = $2"+tx.DB.SkipLocked("e, i"), now, id)
		})
	}, func(id int64, cause error) error {
		s.db.Log.ErrorContext(ctx, "fire failed, paging the administrators", "escalation", id, "error", cause)
		return s.db.InTx(ctx, func(tx *db.Tx) error { return toAdministrators(ctx, tx, now, id) })
	}, func(id int64) error { return s.postponeEscalation(ctx, id, now) })
}

// toAdministrators has the administrators paged for an escalation's incident. It
// reads nothing from the row that could be unreadable.
func toAdministrators(ctx context.Context, tx *db.Tx, now time.Time, id int64) error {
	numbers, err := tx.Ints(ctx, `UPDATE escalations SET phase = '`+string(escalation.PhaseAdministrators)+`', step = 0, run = 0, reached = false,
		fired_at = NULL, deadline_at = NULL, next_action_at = $1
		WHERE id = $2 AND next_action_at <= $1 AND NOT (phase = '`+string(escalation.PhaseAdministrators)+`' AND fired_at IS NULL) RETURNING incident_number`, now, id)
	if err != nil {
		return fmt.Errorf("escalate to the administrators: %w", err)
	}
	if len(numbers) == 0 { // its phase is that of the administrators already
		_, err := tx.ExecContext(ctx, "UPDATE escalations SET next_action_at = $1 WHERE id = $2 AND next_action_at IS NOT NULL", now.Add(db.PostponeFor), id)
		return err
	}
	// The step has ended, so that its pages must not be sent any more.
	if _, err := endPages(ctx, tx, now, Superseded, "state = '"+Active+"' AND escalation_id = $2 AND incident_number = $3", id, numbers[0]); err != nil {
		return err
	}
	if err := timeline.InsertTrouble(ctx, tx, now, numbers, "The escalation could not go on by its policy, so the administrators are paged. Tocsin’s log says why."); err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToEscalate})
}

func (s *Store) postponeEscalation(ctx context.Context, id int64, now time.Time) error {
	return s.db.Postpone(ctx, "escalation", id, func(tx *db.Tx) error {
		return tx.PostponeRow(ctx, "UPDATE escalations SET next_action_at = $1 WHERE id = $2 AND next_action_at IS NOT NULL", now.Add(db.PostponeFor), id)
	})
}
