package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// ClaimEach claims messages singly that could not be claimed together. Those that
// cannot be claimed singly either are given up; on any other error it returns the
// claims made before it together with the error.
func (s *Store) ClaimEach(ctx context.Context, now time.Time, limit int, busy notify.Busy) ([]notify.Claim, int, error) {
	lapsed, clock := leaseEnded(s.db, 3)
	states, err := s.ChannelStates(ctx)
	if err != nil {
		return nil, 0, err
	}
	due, err := s.db.Ints(ctx, `SELECT m.id FROM messages m
		WHERE `+lapsed+" OR m.state = '"+Queued+"' AND m.due_at <= $1 AND "+Choice{busy: busy, held: holding(states)}.due()+`
		ORDER BY CASE WHEN m.state = '`+Sending+`' THEN 0 WHEN m.`+toPerson+` THEN 1 ELSE 2 END, m.priority, m.due_at, m.id LIMIT $2`, append([]any{now, limit}, clock...)...)
	if err != nil {
		return nil, 0, fmt.Errorf("list messages: %w", err)
	}
	var claims []notify.Claim
	n, err := db.OneByOne(ctx, due, func(id int64) (int, error) {
		one, n, err := s.Claim(ctx, now, 1, Choice{busy: busy, only: id}) // nothing where it did not commit
		claims = append(claims, one...)
		return n, err
	}, func(id int64, cause error) error {
		s.db.Log.ErrorContext(ctx, "claim failed, giving the message up", "message", id, "error", cause)
		c := notify.Claim{Broken: true}
		err := s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT id, kind, medium, COALESCE(user_id, 0), COALESCE(contact_method_id, 0) FROM messages WHERE id = $1"), id).
			Scan(&c.ID, &c.Kind, &c.Medium, &c.UserID, &c.MethodID)
		if err == nil {
			claims = append(claims, c)
		}
		return err
	}, func(id int64) error { return s.postpone(ctx, id, now) })
	return claims, n, err
}

// Why a broken message failed, for people; the cause is in the log.
const (
	BrokenAlone    = "Tocsin could not put the message together. Its log says why."
	brokenTogether = "Tocsin could not put the message together, and sends what it was about in smaller ones."
)

// GiveUp implements notify.OutboxStore.
func (s *Store) GiveUp(ctx context.Context, c notify.Claim, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error { return giveUp(ctx, tx, c, next, now) })
	if db.IsDataError(err) {
		s.db.Log.ErrorContext(ctx, "give up failed, postponing the message", "message", c.ID, "until", now.Add(db.PostponeFor), "error", err)
		return s.postpone(ctx, c.ID, now)
	}
	return err
}

func giveUp(ctx context.Context, tx *db.Tx, c notify.Claim, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	if err := lockPagesOf(ctx, tx, c.ID); err != nil {
		return err
	}
	pages, err := tx.Ints(ctx, "SELECT page_id FROM message_pages WHERE message_id = $1 ORDER BY page_id", c.ID)
	if err != nil {
		return fmt.Errorf("read the pages of a message: %w", err)
	}
	reason := BrokenAlone
	if len(pages) > 1 {
		reason = brokenTogether
	}
	lapsed, clock := leaseEnded(tx.DB, 3)
	res, err := tx.ExecContext(ctx, `UPDATE messages AS m SET state = '`+Failed+`', gathering = false, due_at = NULL, failure = $1, lease_owner = NULL, lease_until = NULL
		WHERE m.id = $2 AND (m.state = '`+Queued+`' OR `+lapsed+")", append([]any{reason, c.ID}, clock...)...)
	if err != nil {
		return fmt.Errorf("give up a message: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return nil // withdrawn or claimed meanwhile
	}
	if err := failLostAttempt(ctx, tx, &DueMessage{Claim: c, lapsed: true}); err != nil {
		return err
	}
	if len(pages) > 1 {
		err = split(ctx, tx, c.ID, pages, now)
	} else {
		err = afterLoss(ctx, tx, c.ID, c.Kind, next, now)
	}
	if err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToSend | db.ToTime})
}

// split makes two messages of a broken one, with half of the pages each and by the
// same contact method, so that after a few rounds the page that breaks it is alone.
func split(ctx context.Context, tx *db.Tx, id int64, pages []int64, now time.Time) error {
	m := messageRow{kind: notify.KindPage, due: now}
	err := tx.QueryRowContext(ctx, "SELECT user_id, contact_method_id, medium, address, body, urgency, priority FROM messages WHERE id = $1", id).
		Scan(&m.userID, &m.methodID, &m.medium, &m.address, &m.body, &m.urgency, &m.priority)
	if err != nil {
		return fmt.Errorf("read a message to split: %w", err)
	}
	for half := range slices.Chunk(pages, (len(pages)+1)/2) {
		made, err := insertMessageRows(ctx, tx, now, []messageRow{m})
		if err != nil {
			return err
		}
		into := make([]int64, len(half))
		for i := range into {
			into[i] = made[0]
		}
		if err := tx.InsertRows(ctx, "message_pages", len(half), "", db.Col("message_id", "bigint", into), db.Col("page_id", "bigint", half)); err != nil {
			return fmt.Errorf("split a message: %w", err)
		}
	}
	return nil
}

// postpone postpones a message that can be neither claimed nor given up, unless
// another process sends it. An attempt that may have been sent stays marked.
func (s *Store) postpone(ctx context.Context, id int64, now time.Time) error {
	lapsed, clock := leaseEnded(s.db, 3)
	return s.db.Postpone(ctx, "message", id, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE messages AS m SET state = '`+Queued+`', due_at = $1, lease_owner = NULL, lease_until = NULL
			WHERE m.id = $2 AND (m.state = '`+Queued+`' OR `+lapsed+")", append([]any{now.Add(db.PostponeFor), id}, clock...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return err
		}
		f := &DueMessage{lapsed: true}
		f.ID = id
		return failLostAttempt(ctx, tx, f)
	})
}
