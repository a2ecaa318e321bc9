package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// withdrawPages withdraws the pages that escalations made for incidents, and the
// queued messages that carry no other pages.
func withdrawPages(ctx context.Context, tx *db.Tx, now time.Time, numbers, escalations []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	ofIncidents, args := tx.DB.In("incident_number", 2, numbers)
	ofEscalations, more := tx.DB.In("escalation_id", 2+len(args), escalations)
	pages, err := endPages(ctx, tx, now, Withdrawn, Answerable+" AND "+ofIncidents+" AND "+ofEscalations, append(args, more...)...)
	if err != nil {
		return err
	}
	slices.Sort(pages)
	return withdrawMessages(ctx, tx, pages)
}

// endPages gives the pages that a condition selects their last state, and returns their
// ids. The condition's parameters are counted from 2. Pages are locked in the order of
// their ids, as by every writer: UPDATE alone takes them as it finds them.
func endPages(ctx context.Context, tx *db.Tx, now time.Time, state, where string, args ...any) ([]int64, error) {
	locked := "id IN (SELECT id FROM pages WHERE " + where + ")"
	if tx.DB.Dialect == db.Postgres {
		// An array, so that the primary key serves the update whatever the planner
		// estimates for the query within; which it must not walk for the order.
		locked = "id = ANY(ARRAY(SELECT id FROM pages WHERE " + where + " ORDER BY id + 0 FOR UPDATE))"
	}
	ids, err := tx.Ints(ctx, "UPDATE pages SET state = '"+state+"', notify_at = NULL, ended_at = $1 WHERE "+locked+" RETURNING id", append([]any{now}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("set pages to %s: %w", state, err)
	}
	return ids, nil
}

// withdrawMessages locks the queued messages that carry pages, and withdraws those
// that carry no other pages.
func withdrawMessages(ctx context.Context, tx *db.Tx, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.DB.In("mp.page_id", 1, pages)
	waiting, err := tx.Ints(ctx, "SELECT id FROM messages WHERE state = '"+Queued+"' AND id IN (SELECT mp.message_id FROM message_pages mp WHERE "+where+") ORDER BY id"+tx.DB.ForUpdate(false), args...)
	if err != nil {
		return fmt.Errorf("lock messages: %w", err)
	}
	if len(waiting) == 0 {
		return nil
	}
	where, args = tx.DB.In("id", 1, waiting)
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = '`+Withdrawn+`', due_at = NULL WHERE state = '`+Queued+`' AND `+where+`
		AND NOT EXISTS (SELECT 1 FROM message_pages mp JOIN pages p ON p.id = mp.page_id WHERE mp.message_id = messages.id AND p.`+Answerable+`)`, args...); err != nil {
		return fmt.Errorf("withdraw messages: %w", err)
	}
	return nil
}
