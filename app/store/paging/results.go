package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// Sent implements notify.OutboxStore. A receipt that came by callback before
// this commit is kept.
func (s *Store) Sent(ctx context.Context, c notify.Claim, r notify.Receipt, now time.Time) error {
	state := Sent
	if r.Delivered {
		state = Delivered
	}
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, provider_id = $2, sent_at = $3, failure = '', due_at = NULL, lease_owner = NULL, lease_until = NULL,
			body = CASE WHEN kind = '`+string(notify.KindVerify)+`' THEN '' ELSE body END -- a code is deleted once it is sent
			WHERE id = $4 AND state = '`+Sending+`' AND lease_owner = $5 AND attempts = $6`, state, r.ProviderID, now, c.ID, s.db.Owner, c.Number)
		if err != nil {
			return fmt.Errorf("record delivery result: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			if _, err := tx.ExecContext(ctx, "UPDATE messages SET provider_id = $1 WHERE id = $2 AND provider_id = ''", r.ProviderID, c.ID); err != nil {
				return fmt.Errorf("record delivery result: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE attempts SET provider_id = $1, finished_at = $2,
			state = CASE WHEN state = '`+Sending+`' THEN $3 ELSE state END WHERE id = $4`, r.ProviderID, now, state, c.Attempt); err != nil {
			return fmt.Errorf("record delivery result: %w", err)
		}
		if c.Kind == notify.KindChannel {
			return recordPost(ctx, tx, c, r.ProviderID)
		}
		return nil
	})
	if err == nil {
		s.showProgress(ctx, c.ID)
	}
	return err
}

// showProgress has live pages reload the incidents of a message. It is a transaction
// of its own, so that the result is recorded even where the locks of incidents are
// not granted.
func (s *Store) showProgress(ctx context.Context, message int64) {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		numbers, err := tx.Ints(ctx, `SELECT DISTINCT p.incident_number + 0 AS number FROM pages p
			WHERE p.id IN (SELECT page_id FROM message_pages WHERE message_id = $1) ORDER BY number LIMIT $2`, message, maxRaised+1)
		if err != nil || len(numbers) == 0 {
			return err
		}
		if len(numbers) > maxRaised {
			return tx.Publish(ctx, db.Wakeup{Changes: []db.Change{{}}})
		}
		if err := timeline.Lock(ctx, tx, numbers); err != nil {
			return err
		}
		changed, err := timeline.RaiseVersions(ctx, tx, numbers)
		if err != nil {
			return err
		}
		return tx.Publish(ctx, db.Wakeup{Changes: changed})
	})
	if err != nil && ctx.Err() == nil {
		s.db.Log.WarnContext(ctx, "publish delivery progress failed", "message", message, "error", err)
	}
}

// Failed implements notify.OutboxStore.
func (s *Store) Failed(ctx context.Context, c notify.Claim, f notify.Failure, retry *time.Time, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		holds := false
		if f.Scope != notify.ScopeMessage && !f.Uncalled {
			state, err := noteFailure(ctx, tx, c.Medium, f, now)
			if err != nil {
				return err
			}
			holds = state.Holds
		}
		if err := lockPagesOf(ctx, tx, c.ID); err != nil {
			return err
		}
		retry, carried := retry, false
		var heldAt *time.Time
		if retry != nil && c.Kind == notify.KindChannel {
			var err error
			if carried, err = overtaken(ctx, tx, c); err != nil {
				return err
			}
		}
		if retry != nil && f.Scope != notify.ScopeMessage && c.Kind == notify.KindPage {
			over, err := stepsOver(ctx, tx, c.ID)
			if err != nil {
				return err
			}
			if over {
				retry = nil
			}
		}
		state := Failed
		switch {
		case carried:
			retry, state = nil, Withdrawn
		case retry != nil && holds:
			state, retry, heldAt = Queued, nil, &now
		case retry != nil:
			state = Queued
		}
		res, err := tx.ExecContext(ctx, `UPDATE messages SET state = $1, due_at = $2, failure = $3, held_at = $4, lease_owner = NULL, lease_until = NULL
			WHERE id = $5 AND state = '`+Sending+`' AND lease_owner = $6 AND attempts = $7`, state, retry, f.Reason, heldAt, c.ID, s.db.Owner, c.Number)
		if err != nil {
			if db.IsDuplicate(err) {
				return db.ErrRaced // a newer message to the channel was queued meanwhile
			}
			return fmt.Errorf("record delivery result: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE attempts SET state = '"+Failed+"', again_next = $1, error = $2, finished_at = $3 WHERE id = $4 AND state = '"+Sending+"'",
			f.Uncertain, f.Reason, now, c.Attempt); err != nil {
			return fmt.Errorf("record delivery result: %w", err)
		}
		if n, _ := res.RowsAffected(); n == 0 {
			return nil // another process has the lease, and decides
		}
		if heldAt != nil {
			if err := withdrawRepeated(ctx, tx, c.ID); err != nil {
				return err
			}
		}
		work := db.ToSend
		if state == Failed {
			if err := afterLoss(ctx, tx, c.ID, c.Kind, next, now); err != nil {
				return err
			}
			work |= db.ToTime
		} else if state == Queued && c.Kind == notify.KindPage && notify.FallsOver(c.Number, f) {
			if err := failOver(ctx, tx, c.ID, next, now); err != nil {
				return err
			}
		}
		if f.Scope != notify.ScopeMessage {
			work |= db.ToTime
		}
		return tx.Publish(ctx, db.Wakeup{Work: work})
	})
	if err == nil {
		s.showProgress(ctx, c.ID)
	}
	return err
}

// stepsOver reports whether no page of a message is of a step that still waits.
func stepsOver(ctx context.Context, tx *db.Tx, id int64) (over bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM message_pages x JOIN pages p ON p.id = x.page_id WHERE x.message_id = $1 AND p.state = '"+Active+"')", id).Scan(&over)
	if err != nil {
		return false, fmt.Errorf("read the pages of a message: %w", err)
	}
	return over, nil
}

// overtaken reports whether a newer message to the same channel about the same
// incident is queued, and has that carry the messages that this one carried.
func overtaken(ctx context.Context, tx *db.Tx, c notify.Claim) (bool, error) {
	newer, err := tx.Ints(ctx, `SELECT o.id FROM messages o JOIN messages m ON m.id = $1
		WHERE o.`+toChannel+` AND o.state = '`+Queued+`' AND o.address = m.address AND o.incident_number = m.incident_number`, c.ID)
	if err != nil {
		return false, fmt.Errorf("read newer messages: %w", err)
	}
	if len(newer) == 0 {
		return false, nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET carried_by = $1 WHERE carried_by = $2", newer[0], c.ID); err != nil {
		return false, fmt.Errorf("move carried messages: %w", err)
	}
	return true, nil
}

// maxRaised bounds how many incidents one message's progress is shown on at
// once; beyond it, live pages reload everything.
const maxRaised = 20

// lockPagesOf locks a message's pages, which come before messages in the order
// of locks.
func lockPagesOf(ctx context.Context, tx *db.Tx, id int64) error {
	_, err := tx.Ints(ctx, "SELECT id FROM pages WHERE id IN (SELECT page_id FROM message_pages WHERE message_id = $1) ORDER BY id"+tx.DB.ForUpdate(false), id)
	if err != nil {
		return fmt.Errorf("lock the pages of a message: %w", err)
	}
	return nil
}
