package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// revivePages undoes what the end of an escalation did to its pages: those of its
// current step wait for an answer again, and their next personal rules are due when they
// would have been. A message that was withdrawn before it was sent is sent.
func revivePages(ctx context.Context, tx *db.Tx, now time.Time, r running) error {
	if r.EndedAt == nil {
		return nil
	}
	ended, err := tx.Ints(ctx, "SELECT id FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND state = '"+Withdrawn+"' AND ended_at = $3 ORDER BY id"+tx.DB.ForUpdate(false),
		r.incident, r.id, *r.EndedAt)
	if err != nil {
		return fmt.Errorf("lock pages to revive: %w", err)
	}
	if len(ended) == 0 {
		return nil
	}
	began := now // no step has fired, so that no page is current
	if r.State.FiredAt != nil {
		began = *r.State.FiredAt
	}
	where, args := tx.DB.In("id", 3, ended)
	// The planner finds out when the next rule of a page is due.
	current, err := tx.Ints(ctx, "UPDATE pages SET state = '"+Active+"', notify_at = $1, ended_at = NULL WHERE created_at >= $2 AND "+where+" RETURNING id", append([]any{now, began}, args...)...)
	if err != nil {
		return fmt.Errorf("revive pages: %w", err)
	}
	where, args = tx.DB.In("id", 2, ended)
	if _, err := tx.ExecContext(ctx, "UPDATE pages SET state = '"+Superseded+"', ended_at = $1 WHERE state = '"+Withdrawn+"' AND "+where, append([]any{began}, args...)...); err != nil {
		return fmt.Errorf("revive superseded pages: %w", err)
	}
	return reviveMessages(ctx, tx, now, current)
}

// reviveMessages queues the withdrawn messages of pages again, those that had failed
// and were to be tried again too.
func reviveMessages(ctx context.Context, tx *db.Tx, now time.Time, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.DB.In("mp.page_id", 1, pages)
	messages, err := tx.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Withdrawn+"' AND failure <> '"+replaced+"' AND id IN (SELECT mp.message_id FROM message_pages mp WHERE "+where+") ORDER BY id"+tx.DB.ForUpdate(false), args...)
	if err != nil {
		return fmt.Errorf("lock messages to revive: %w", err)
	}
	slices.Sort(messages)
	where, args = tx.DB.In("id", 2, messages)
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Queued+"', due_at = $1 WHERE "+where, append([]any{now}, args...)...); err != nil {
		return fmt.Errorf("revive messages: %w", err)
	}
	return nil
}
