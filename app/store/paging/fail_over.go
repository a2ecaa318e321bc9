package paging

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// afterLoss handles a message that failed for good: its pages fail over to the next
// contact method, or fail where there is none left.
func afterLoss(ctx context.Context, tx *db.Tx, id int64, kind notify.Kind, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	switch kind {
	case notify.KindPage:
		return failOver(ctx, tx, id, next, now)
	case notify.KindChannel:
		return recordChannelFailed(ctx, tx, id, now)
	default:
		return nil
	}
}

// failOver sends the pages of a message that failed, or has not been accepted yet, by
// their next contact method, once. Each
// page has its own: methods that carried it, or are about to, are not used again.
func failOver(ctx context.Context, tx *db.Tx, id int64, next func([]int64) (notify.ContactMethod, bool), now time.Time) error {
	tried, err := triedBy(ctx, tx, id)
	if err != nil || len(tried) == 0 {
		return err
	}
	if again, err := fellOver(ctx, tx, id); err != nil {
		return err
	} else if again {
		next = func([]int64) (notify.ContactMethod, bool) { return notify.ContactMethod{}, false }
	}
	var urgency string
	var priority int
	if err := tx.QueryRowContext(ctx, "SELECT urgency, priority FROM messages WHERE id = $1", id).Scan(&urgency, &priority); err != nil {
		return fmt.Errorf("fail over: %w", err)
	}
	var messages []notify.NewMessage
	var stranded []int64
	for _, page := range slices.Sorted(maps.Keys(tried)) {
		method, ok := next(tried[page])
		if !ok {
			stranded = append(stranded, page)
			continue
		}
		i := slices.IndexFunc(messages, func(m notify.NewMessage) bool { return m.Method.ID == method.ID })
		if i < 0 {
			i = len(messages)
			messages = append(messages, notify.NewMessage{Method: method, Urgency: urgency, Priority: priority, DueAt: now})
		}
		messages[i].Pages = append(messages[i].Pages, page)
	}
	if err := insertFallbacks(ctx, tx, id, messages, now); err != nil {
		return err
	}
	lost, err := lostPages(ctx, tx, stranded)
	if err != nil {
		return err
	}
	return failPages(ctx, tx, now, lost)
}

// fellOver reports whether the pages of a message have gone by another one instead.
func fellOver(ctx context.Context, tx *db.Tx, id int64) (fell bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM message_pages mine JOIN message_pages x ON x.page_id = mine.page_id
		JOIN messages o ON o.id = x.message_id WHERE mine.message_id = $1 AND o.fallback_of = $1)`, id).Scan(&fell)
	if err != nil {
		return false, fmt.Errorf("fail over: %w", err)
	}
	return fell, nil
}

func insertFallbacks(ctx context.Context, tx *db.Tx, of int64, messages []notify.NewMessage, now time.Time) error {
	ids, err := insertMessages(ctx, tx, now, messages, of)
	if err != nil {
		return err
	}
	var into, pages []int64
	for i, m := range messages {
		for _, page := range m.Pages {
			into, pages = append(into, ids[i]), append(pages, page)
		}
	}
	if err := tx.InsertRows(ctx, "message_pages", len(pages), "", db.Col("message_id", "bigint", into), db.Col("page_id", "bigint", pages)); err != nil {
		return fmt.Errorf("fail over: %w", err)
	}
	return nil
}

// triedBy lists, for each page of a message that still waits for an answer, the
// contact methods of this round: those of messages that failed or are in progress,
// and those of messages created since the failed one was.
func triedBy(ctx context.Context, tx *db.Tx, id int64) (map[int64][]int64, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT p.id, o.contact_method_id FROM message_pages mine
		JOIN messages lost ON lost.id = mine.message_id
		JOIN pages p ON p.id = mine.page_id AND p.state = '`+Active+`'
		JOIN message_pages mp ON mp.page_id = p.id
		JOIN messages o ON o.id = mp.message_id
		WHERE mine.message_id = $1 AND (o.state IN ('`+Failed+`', '`+Queued+`', '`+Sending+`') OR o.created_at >= lost.created_at)
		GROUP BY p.id, o.contact_method_id`, id)
	if err != nil {
		return nil, fmt.Errorf("read tried contact methods: %w", err)
	}
	defer rows.Close()
	tried := map[int64][]int64{}
	for rows.Next() {
		var page, method int64
		if err := rows.Scan(&page, &method); err != nil {
			return nil, fmt.Errorf("read tried contact methods: %w", err)
		}
		tried[page] = append(tried[page], method)
	}
	return tried, rows.Err()
}

// lostPages are the pages without a message that is queued, in progress, sent or
// delivered.
func lostPages(ctx context.Context, tx *db.Tx, pages []int64) ([]int64, error) {
	if len(pages) == 0 {
		return nil, nil
	}
	where, args := tx.DB.In("p.id", 1, pages)
	return tx.Ints(ctx, `SELECT p.id FROM pages p WHERE NOT EXISTS (
		SELECT 1 FROM message_pages mp JOIN messages m ON m.id = mp.message_id
		WHERE mp.page_id = p.id AND m.state IN ('`+Queued+`', '`+Sending+`', '`+Sent+`', '`+Delivered+`')) AND `+where+" ORDER BY p.id", args...)
}

// failPages fails pages that cannot reach their person, and sets the timer that
// checks their steps.
func failPages(ctx context.Context, tx *db.Tx, now time.Time, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.DB.In("id", 2, pages)
	escalations, err := tx.Ints(ctx, "UPDATE pages SET state = '"+Failed+"', notify_at = NULL, ended_at = $1 WHERE "+Answerable+" AND "+where+" RETURNING escalation_id",
		append([]any{now}, args...)...)
	if err != nil {
		return fmt.Errorf("fail pages: %w", err)
	}
	// An owner who is asked is paged outside any escalation.
	escalations = slices.DeleteFunc(escalations, func(id int64) bool { return id == 0 })
	slices.Sort(escalations)
	escalations = slices.Compact(escalations)
	err = tx.InsertRows(ctx, "timers", len(escalations), resetTimer,
		db.ColOf("kind", "text", escalations, func(*int64) string { return TimerPassOver }),
		db.ColOf("subject", "bigint", escalations, func(id *int64) int64 { return *id }),
		db.ColOf("occurrence", "bigint", escalations, func(*int64) int64 { return 0 }),
		db.ColOf("due_at", "timestamptz", escalations, func(*int64) time.Time { return now }))
	if err != nil {
		return fmt.Errorf("set timers of steps: %w", err)
	}
	return nil
}

// recordChannelFailed records on the timeline of each incident of a post that the post
// to the chat channel failed.
func recordChannelFailed(ctx context.Context, tx *db.Tx, id int64, now time.Time) error {
	var address, reason string
	if err := tx.QueryRowContext(ctx, "SELECT address, failure FROM messages WHERE id = $1", id).Scan(&address, &reason); err != nil {
		return fmt.Errorf("read a failed post: %w", err)
	}
	numbers, err := tx.Ints(ctx, "SELECT DISTINCT incident_number FROM messages WHERE (id = $1 OR carried_by = $1) AND incident_number IS NOT NULL ORDER BY 1", id)
	if err != nil {
		return fmt.Errorf("read the incidents of a failed post: %w", err)
	}
	failed := incident.ChannelFailedPayload{Address: address, Reason: reason}
	events := make([]incident.TimelineEvent, len(numbers))
	for i, n := range numbers {
		events[i] = incident.TimelineEvent{IncidentNo: n, At: now, Actor: incident.Tocsin, Payload: failed}
	}
	return timeline.Insert(ctx, tx, events)
}
