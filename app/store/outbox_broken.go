package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// claimEach claims messages alone that could not be claimed together. Those that
// cannot be claimed alone either come back as broken; what was claimed before
// any other error comes back with it.
func (db *DB) claimEach(ctx context.Context, now time.Time, limit int, busy []notify.Medium) ([]notify.Claim, int, error) {
	lapsed, clock := db.lapsed(3)
	due, err := scanInts(db.read.QueryContext(ctx, db.rebind(`SELECT m.id FROM messages m
		WHERE `+lapsed+" OR m.state = 'queued' AND m.due_at <= $1 AND "+choice{busy: busy}.due()+`
		ORDER BY CASE WHEN m.state = 'sending' THEN 0 WHEN m.kind <> 'channel' THEN 1 ELSE 2 END, m.priority, m.due_at, m.id LIMIT $2`), append([]any{now, limit}, clock...)...))
	if err != nil {
		return nil, 0, fmt.Errorf("list messages: %w", err)
	}
	var claims []notify.Claim
	found, err := oneByOne(ctx, due, func(id int64) (int, error) {
		one, n, err := db.claim(ctx, now, 1, choice{busy: busy, only: id}) // nothing where it did not commit
		claims = append(claims, one...)
		return n, err
	}, func(id int64, cause error) error {
		db.log.ErrorContext(ctx, "a message cannot be claimed and is given up", "message", id, "error", cause)
		c := notify.Claim{Broken: true}
		err := db.read.QueryRowContext(ctx, db.rebind("SELECT id, kind, medium, COALESCE(user_id, 0), COALESCE(contact_method_id, 0) FROM messages WHERE id = $1"), id).
			Scan(&c.ID, &c.Kind, &c.Medium, &c.UserID, &c.MethodID)
		if err == nil {
			claims = append(claims, c)
		}
		return err
	}, func(id int64) error { return db.putOff(ctx, id, now) })
	return claims, found, err
}

// Why a broken message failed, for people; the cause is in the log.
const (
	brokenAlone    = "Tocsin could not put the message together. Its log says why."
	brokenTogether = "Tocsin could not put the message together, and sends what it was about in smaller ones."
)

// GiveUp implements notify.OutboxStore.
func (db *DB) GiveUp(ctx context.Context, c notify.Claim, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	err := db.inTx(ctx, func(tx *Tx) error { return tx.giveUp(ctx, c, next, now) })
	if isDataError(err) {
		db.log.ErrorContext(ctx, "a message cannot even be given up and is put off", "message", c.ID, "until", now.Add(tryAgainAfter), "error", err)
		return db.putOff(ctx, c.ID, now)
	}
	return err
}

func (tx *Tx) giveUp(ctx context.Context, c notify.Claim, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	if err := tx.lockPagesOf(ctx, c.ID); err != nil {
		return err
	}
	pages, err := scanInts(tx.QueryContext(ctx, "SELECT page_id FROM message_pages WHERE message_id = $1 ORDER BY page_id", c.ID))
	if err != nil {
		return fmt.Errorf("read the pages of a message: %w", err)
	}
	reason := brokenAlone
	if len(pages) > 1 {
		reason = brokenTogether
	}
	lapsed, clock := tx.db.lapsed(3)
	res, err := tx.ExecContext(ctx, `UPDATE messages AS m SET state = 'failed', gathering = false, due_at = NULL, failure = $1, lease_owner = NULL, lease_until = NULL
		WHERE m.id = $2 AND (m.state = 'queued' OR `+lapsed+")", append([]any{reason, c.ID}, clock...)...)
	if err != nil {
		return fmt.Errorf("give a message up: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return nil // withdrawn meanwhile, or in other hands
	}
	if err := tx.lapse(ctx, &found{Claim: c, lapsed: true}); err != nil {
		return err
	}
	if len(pages) > 1 {
		err = tx.halve(ctx, c.ID, pages, now)
	} else {
		err = tx.afterLoss(ctx, c.ID, c.Kind, next, now)
	}
	if err != nil {
		return err
	}
	return tx.tell(ctx, News{Work: ToSend | ToTime})
}

// halve sends the pages of a broken message by the same contact method in two
// messages, so that after a few rounds the one that breaks them stands alone.
func (tx *Tx) halve(ctx context.Context, id int64, pages []int64, now time.Time) error {
	for half := range slices.Chunk(pages, (len(pages)+1)/2) {
		var made int64
		err := tx.QueryRowContext(ctx, `INSERT INTO messages (kind, user_id, contact_method_id, medium, address, body, urgency, priority,
				gathering, state, due_at, attempts, provider_id, failure, created_at)
			SELECT kind, user_id, contact_method_id, medium, address, body, urgency, priority, false, 'queued', $1, 0, '', '', $1
			FROM messages WHERE id = $2 RETURNING id`, now, id).Scan(&made)
		if err != nil {
			return fmt.Errorf("halve a message: %w", err)
		}
		into := make([]int64, len(half))
		for i := range into {
			into[i] = made
		}
		if err := tx.insertRows(ctx, "message_pages", len(half), "", col("message_id", "bigint", into), col("page_id", "bigint", half)); err != nil {
			return fmt.Errorf("halve a message: %w", err)
		}
	}
	return nil
}

// putOff has a message wait that can be neither claimed nor given up, unless
// somebody else sends it. What a dead process may have sent stays marked.
func (db *DB) putOff(ctx context.Context, id int64, now time.Time) error {
	lapsed, clock := db.lapsed(3)
	return db.quietly(ctx, "a message", id, func(tx *Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE messages AS m SET state = 'queued', due_at = $1, lease_owner = NULL, lease_until = NULL
			WHERE m.id = $2 AND (m.state = 'queued' OR `+lapsed+")", append([]any{now.Add(tryAgainAfter), id}, clock...)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return err
		}
		f := &found{lapsed: true}
		f.ID = id
		return tx.lapse(ctx, f)
	})
}
