package paging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// dueToChannels locks at most one message per chat channel, so that an update
// finds the message that it updates. It carries others: see carryOthers.
func dueToChannels(ctx context.Context, tx *db.Tx, now time.Time, limit int, which string) ([]*DueMessage, error) {
	all, err := scanMessages(ctx, tx, claimColumns+`m.state = '`+Queued+`' AND m.due_at <= $1 AND m.`+toChannel+` AND `+which+`
		AND m.address NOT IN (SELECT s.address FROM messages s WHERE s.`+toChannel+` AND s.state = '`+Sending+`')
		ORDER BY m.priority, m.due_at, m.id LIMIT $2`+tx.DB.SkipLocked("m"), now, limit)
	if err != nil {
		return nil, err
	}
	var first []*DueMessage
	for _, f := range all {
		if slices.ContainsFunc(first, func(o *DueMessage) bool { return o.To == f.To }) {
			continue
		}
		first = append(first, f)
		if err := carryOthers(ctx, tx, now, f); err != nil {
			return nil, err
		}
	}
	return first, nil
}

// posted is the condition that the channel of a message m shows its incident already.
const posted = "EXISTS (SELECT 1 FROM chat_posts p WHERE p.address = m.address AND p.incident_number = m.incident_number)"

// post is the post in which a channel shows an incident; empty for none.
func post(ctx context.Context, tx *db.Tx, channel string, incident int64) (providerID string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT provider_id FROM chat_posts WHERE address = $1 AND incident_number = $2", channel, incident).Scan(&providerID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read an earlier post: %w", err)
	}
	return providerID, nil
}

// carryOthers coalesces messages that are due for one chat channel into one. A message
// that updates a post carries all that update the same one. Any other carries those
// whose incidents the channel does not show yet, from notify.BundleAfter of them on.
func carryOthers(ctx context.Context, tx *db.Tx, now time.Time, f *DueMessage) error {
	updated, err := post(ctx, tx, f.To, f.incident.Int64)
	if err != nil {
		return err
	}
	due, args := "SELECT m.id FROM messages m WHERE m."+toChannel+" AND m.state = '"+Queued+"' AND m.address = $1 AND m.due_at <= $2 AND m.id <> $3 AND ", []any{f.To, now, f.ID}
	if updated != "" {
		due += "m.incident_number IN (SELECT p.incident_number FROM chat_posts p WHERE p.address = $1 AND p.provider_id = $4)"
		args = append(args, updated)
	} else {
		due += "NOT " + posted
	}
	others, err := tx.Ints(ctx, due, args...)
	if err != nil {
		return fmt.Errorf("read a channel's messages: %w", err)
	}
	if len(others) == 0 || updated == "" && len(others) < notify.BundleAfter {
		return nil
	}
	for some := range slices.Chunk(others, 1000) {
		where, ids := tx.DB.In("id", 2, some)
		_, err = tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', due_at = NULL, failure = 'Carried by another message.', carried_by = $1 WHERE state = '"+Queued+"' AND "+where,
			append([]any{f.ID}, ids...)...)
		if err != nil {
			return fmt.Errorf("coalesce a channel's messages: %w", err)
		}
		// What failed before may carry others itself.
		where, ids = tx.DB.In("carried_by", 2, some)
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET carried_by = $1 WHERE "+where, append([]any{f.ID}, ids...)...); err != nil {
			return fmt.Errorf("move carried messages: %w", err)
		}
	}
	return nil
}

// recordPost records, for a message that was sent to a chat channel, in which post the
// channel shows its incidents: in a new one those that it did not show before; and where
// an update was posted anew, those of the old post.
func recordPost(ctx context.Context, tx *db.Tx, c notify.Claim, providerID string) error {
	var err error
	switch {
	case providerID == "":
	case c.Update == "":
		_, err = tx.ExecContext(ctx, `INSERT INTO chat_posts (address, incident_number, provider_id)
			SELECT DISTINCT address, incident_number, CAST($1 AS text) FROM messages WHERE id = $2 OR carried_by = $2 ON CONFLICT (address, incident_number) DO NOTHING`, providerID, c.ID)
	case c.Update != providerID:
		_, err = tx.ExecContext(ctx, "UPDATE chat_posts SET provider_id = $1 WHERE address = $2 AND provider_id = $3", providerID, c.To, c.Update)
	}
	if err != nil {
		return fmt.Errorf("record a post: %w", err)
	}
	return nil
}
