package paging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Report records a provider's later report on an attempt. It may come before the
// commit of the send, twice or late; states only move forward, and the pages of a
// message that is reported as failed fail over.
//
// next is called inside a transaction and must not use the database.
func (s *Store) Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	var message int64
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		var user int64
		var kind notify.Kind
		err := tx.QueryRowContext(ctx, `SELECT m.id, COALESCE(m.user_id, 0), m.kind FROM attempts a JOIN messages m ON m.id = a.message_id WHERE a.id = $1`, attempt).Scan(&message, &user, &kind)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("There is no attempt with number %d.", attempt)
		}
		if err != nil {
			return fmt.Errorf("read an attempt: %w", err)
		}
		if err := lockPagesOf(ctx, tx, message); err != nil {
			return err
		}
		// The message first: the record of the send waits for its row.
		var current string
		if err := tx.QueryRowContext(ctx, "SELECT state FROM messages WHERE id = $1"+s.db.ForUpdate(false), message).Scan(&current); err != nil {
			return fmt.Errorf("lock a message: %w", err)
		}
		from, ofMessage := forward(state)
		if from == "" {
			return nil // an intermediate state, which is not kept
		}
		res, err := tx.ExecContext(ctx, "UPDATE attempts SET state = $1, error = $2, provider_id = CASE WHEN provider_id = '' THEN $3 ELSE provider_id END WHERE id = $4 AND "+from, state, reason, providerID, attempt)
		if err != nil {
			return fmt.Errorf("record a delivery report: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil
		}
		res, err = tx.ExecContext(ctx, `UPDATE messages SET state = $1, failure = $2, due_at = NULL, lease_owner = NULL, lease_until = NULL,
			sent_at = COALESCE(sent_at, $3) WHERE id = $4 AND `+ofMessage, state, reason, now, message)
		if err != nil {
			return fmt.Errorf("record a delivery report: %w", err)
		}
		work := db.Work(0)
		// Where an earlier attempt was delivered, the failure of this one loses nothing.
		if n, _ := res.RowsAffected(); n > 0 && state == Failed {
			if err := afterLoss(ctx, tx, message, kind, next(user), now); err != nil {
				return err
			}
			work = db.ToSend | db.ToTime
		}
		return tx.Publish(ctx, db.Wakeup{Work: work})
	})
	if err == nil {
		s.showProgress(ctx, message)
	}
	return err
}

// forward are the states of an attempt, and of its message, from which a report
// moves them on. A message whose attempt timed out, and which waits to be sent
// again, was delivered after all.
func forward(state string) (attempt, message string) {
	switch state {
	case Sent:
		return "state = '" + Sending + "'", "state = '" + Sending + "'"
	case Delivered:
		return "(state IN ('" + Sending + "', '" + Sent + "') OR state = '" + Failed + "' AND again_next)", "state IN ('" + Sending + "', '" + Sent + "', '" + Queued + "')"
	case Failed:
		return "state IN ('" + Sending + "', '" + Sent + "')", "state IN ('" + Sending + "', '" + Sent + "')"
	}
	return "", ""
}
