package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// messageRow is a message as it is inserted, queued.
type messageRow struct {
	kind     notify.Kind
	userID   int64 // 0 for a chat channel
	methodID int64 // 0 for a chat channel
	medium   notify.Medium
	address  string
	incident int64  // of a chat channel's message, 0 for none
	body     string // of a message without incidents
	urgency  string
	priority int // as incident.Rank has it
	// gathering takes further pages until it is due.
	gathering  bool
	due        time.Time
	fallbackOf int64 // the message that failed, 0 for none
}

// messageColumns are the columns of queued messages. Columns that most messages do
// not need are left out where none does, so that the statement of a page is small.
func messageColumns(now time.Time, rows []messageRow) []db.Column {
	text := func(name string, value func(*messageRow) string) db.Column {
		return db.ColOf(name, "text", rows, value)
	}
	some := func(value func(*messageRow) int64) bool {
		return slices.ContainsFunc(rows, func(r messageRow) bool { return value(&r) != 0 })
	}
	columns := []db.Column{
		text("kind", func(r *messageRow) string { return string(r.kind) }),
		text("medium", func(r *messageRow) string { return string(r.medium) }),
		text("address", func(r *messageRow) string { return r.address }),
		text("body", func(r *messageRow) string { return r.body }),
		text("urgency", func(r *messageRow) string { return r.urgency }),
		db.ColOf("priority", "int", rows, func(r *messageRow) int { return r.priority }),
		db.ColOf("gathering", "bool", rows, func(r *messageRow) bool { return r.gathering }),
		text("state", func(*messageRow) string { return Queued }),
		db.ColOf("due_at", "timestamptz", rows, func(r *messageRow) time.Time { return r.due }),
		db.ColOf("attempts", "int", rows, func(*messageRow) int { return 0 }),
		text("provider_id", func(*messageRow) string { return "" }),
		text("failure", func(*messageRow) string { return "" }),
		db.ColOf("created_at", "timestamptz", rows, func(*messageRow) time.Time { return now }),
	}
	for _, reference := range []struct {
		name  string
		value func(*messageRow) int64
	}{
		{"user_id", func(r *messageRow) int64 { return r.userID }},
		{"contact_method_id", func(r *messageRow) int64 { return r.methodID }},
		{"incident_number", func(r *messageRow) int64 { return r.incident }},
		{"fallback_of", func(r *messageRow) int64 { return r.fallbackOf }},
	} {
		if some(reference.value) {
			columns = append(columns, db.ColOf(reference.name, "bigint", rows, func(r *messageRow) *int64 { return unlessZero(reference.value(r)) }))
		}
	}
	return columns
}

func unlessZero(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// insertMessageRows inserts queued messages, and returns their ids in order. Every
// message is inserted here, in QueuePosts or in moveAside.
func insertMessageRows(ctx context.Context, tx *db.Tx, now time.Time, rows []messageRow) ([]int64, error) {
	ids, err := tx.InsertReturning(ctx, "messages", len(rows), messageColumns(now, rows)...)
	if err != nil {
		return nil, fmt.Errorf("insert messages: %w", err)
	}
	return ids, nil
}

// QueueNotice queues a message to a person without an incident.
func QueueNotice(ctx context.Context, tx *db.Tx, kind notify.Kind, to notify.ContactMethod, urgency incident.Urgency, text string, now time.Time) error {
	_, err := insertMessageRows(ctx, tx, now, []messageRow{{
		kind: kind, userID: to.UserID, methodID: to.ID, medium: to.Medium, address: to.Address, body: text,
		urgency: string(urgency), priority: incident.Rank(new(catalog.NoPriority)), due: now,
	}})
	if err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
}

// insertMessages inserts the messages of a plan, except for pages that are added to a
// gathering message, and returns the id of each.
func insertMessages(ctx context.Context, tx *db.Tx, now time.Time, all []notify.NewMessage, fallbackOf int64) ([]int64, error) {
	var rows []messageRow
	for _, m := range all {
		if m.Into == 0 {
			rows = append(rows, messageRow{
				kind: notify.KindPage, userID: m.Method.UserID, methodID: m.Method.ID, medium: m.Method.Medium, address: m.Method.Address,
				urgency: m.Urgency, priority: m.Priority, gathering: m.Gathering, due: m.DueAt, fallbackOf: fallbackOf,
			})
			continue
		}
		if err := tx.Write(ctx, "raise the priority of a message", "UPDATE messages SET priority = $1 WHERE id = $2 AND priority > $1", m.Priority, m.Into); err != nil {
			return nil, err
		}
	}
	made, err := insertMessageRows(ctx, tx, now, rows)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(all))
	for i, m := range all {
		if ids[i] = m.Into; m.Into == 0 {
			ids[i], made = made[0], made[1:]
		}
	}
	return ids, nil
}
