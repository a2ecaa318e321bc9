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

// posted is the condition that the channel of a message already shows its incident.
const posted = "EXISTS (SELECT 1 FROM messages m WHERE m." + toChannel + ` AND m.address = messages.address AND m.incident_number = messages.incident_number
	AND (m.provider_id <> '' OR EXISTS (SELECT 1 FROM messages p WHERE p.id = m.carried_by AND p.provider_id <> '')))`

// post is the message that first told a channel of an incident, alone or among others,
// and stands there under providerID; 0 for none.
func post(ctx context.Context, tx *db.Tx, channel string, incident int64) (id int64, providerID string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT p.id, p.provider_id FROM messages m JOIN messages p ON p.id = COALESCE(m.carried_by, m.id) WHERE m."+toChannel+`
		AND m.address = $1 AND m.incident_number = $2 AND p.provider_id <> '' ORDER BY p.id LIMIT 1`, channel, incident).Scan(&id, &providerID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, "", fmt.Errorf("read an earlier post: %w", err)
	}
	return id, providerID, nil
}

// carryOthers coalesces messages that are due for one chat channel into one. A message
// that updates a post carries all that update the same one. Any other carries those
// whose incidents the channel does not show yet, from notify.BundleAfter of them on.
func carryOthers(ctx context.Context, tx *db.Tx, now time.Time, f *DueMessage) error {
	updated, _, err := post(ctx, tx, f.To, f.incident.Int64)
	if err != nil {
		return err
	}
	others, args := toChannel+" AND state = '"+Queued+"' AND address = $1 AND due_at <= $2 AND id <> $3 AND ", []any{f.To, now, f.ID}
	if updated != 0 {
		others += "incident_number IN (SELECT o.incident_number FROM messages o WHERE o.id = $4 OR o.carried_by = $4)"
		args = append(args, updated)
	} else {
		others += "NOT " + posted
		var waiting int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE "+others, args...).Scan(&waiting); err != nil {
			return fmt.Errorf("count a channel's messages: %w", err)
		}
		if waiting < notify.BundleAfter {
			return nil
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE messages SET state = '"+Withdrawn+"', due_at = NULL, failure = 'Carried by another message.', carried_by = $3 WHERE "+others, args...)
	if err != nil {
		return fmt.Errorf("coalesce a channel's messages: %w", err)
	}
	return nil
}
