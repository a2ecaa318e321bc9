package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// dueToChannels locks at most one message per chat channel, so that an update
// finds the message that it updates. Where notify.BundleAfter others are due, that
// message carries them.
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

// ownPost is the condition that the incident of a message has a post of its own in the
// channel, which the message is to update.
const ownPost = "EXISTS (SELECT 1 FROM messages p WHERE p." + toChannel + ` AND p.address = messages.address AND p.incident_number = messages.incident_number
	AND p.provider_id <> '' AND NOT EXISTS (SELECT 1 FROM messages c WHERE c.carried_by = p.id))`

// carryOthers coalesces the messages that are due for one chat channel into one, from
// notify.BundleAfter others on. One that updates a post neither carries others nor is
// carried, so that the post stays true.
func carryOthers(ctx context.Context, tx *db.Tx, now time.Time, f *DueMessage) error {
	var updates bool
	if err := tx.QueryRowContext(ctx, "SELECT "+ownPost+" FROM messages WHERE id = $1", f.ID).Scan(&updates); err != nil {
		return fmt.Errorf("read an earlier post: %w", err)
	}
	if updates {
		return nil
	}
	var waiting int
	const others = toChannel + " AND state = '" + Queued + "' AND address = $1 AND due_at <= $2 AND id <> $3 AND NOT " + ownPost
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE "+others, f.To, now, f.ID).Scan(&waiting); err != nil {
		return fmt.Errorf("count a channel's messages: %w", err)
	}
	if waiting < notify.BundleAfter {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', due_at = NULL, failure = 'Carried by another message.', carried_by = $3 WHERE "+others, f.To, now, f.ID)
	if err != nil {
		return fmt.Errorf("coalesce a channel's messages: %w", err)
	}
	return nil
}
