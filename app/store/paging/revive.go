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
// would have been. A message that was withdrawn before it was sent is sent; a page that
// no message told of begins its personal rules anew.
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
	if err := reviveMessages(ctx, tx, now, current); err != nil {
		return err
	}
	untold, err := lostPages(ctx, tx, current)
	if err != nil || len(untold) == 0 {
		return err
	}
	where, args = tx.DB.In("id", 1, untold)
	if _, err := tx.ExecContext(ctx, "UPDATE pages SET rule = 0 WHERE "+where, args...); err != nil {
		return fmt.Errorf("begin personal rules anew: %w", err)
	}
	return nil
}

// undoTogether is how long a message waits that more pages were withdrawn with: an undo
// for several incidents is one transaction for each.
const undoTogether = 5 * time.Second

// reviveMessages queues the withdrawn messages of pages again, those that had failed
// and were to be tried again too. A claim that is under way may set pages aside, which
// is seen once its message is not locked any more.
func reviveMessages(ctx context.Context, tx *db.Tx, now time.Time, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.DB.In("mp.page_id", 1, pages)
	ofPages := "id IN (SELECT mp.message_id FROM message_pages mp WHERE " + where + ") ORDER BY id" + tx.DB.ForUpdate(false)
	if _, err := tx.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Queued+"' AND "+ofPages, args...); err != nil {
		return fmt.Errorf("lock queued messages: %w", err)
	}
	messages, err := tx.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Withdrawn+"' AND failure <> '"+replaced+"' AND "+ofPages, args...)
	if err != nil {
		return fmt.Errorf("lock messages to revive: %w", err)
	}
	slices.Sort(messages)
	where, args = tx.DB.In("id", 2, messages)
	if _, err := tx.ExecContext(ctx, "UPDATE messages SET state = '"+Queued+"', due_at = $1 WHERE "+where, append([]any{now}, args...)...); err != nil {
		return fmt.Errorf("revive messages: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET due_at = $1 WHERE EXISTS (SELECT 1 FROM message_pages mp JOIN pages p ON p.id = mp.page_id
		WHERE mp.message_id = messages.id AND p.state = '`+Withdrawn+"') AND "+where, append([]any{now.Add(undoTogether)}, args...)...); err != nil {
		return fmt.Errorf("revive messages: %w", err)
	}
	return nil
}
