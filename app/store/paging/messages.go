package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// QueueNotice queues a message that is about no incident.
func QueueNotice(ctx context.Context, tx *db.Tx, kind notify.Kind, to notify.ContactMethod, text string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO messages (kind, user_id, contact_method_id, medium, address, body, urgency, priority, gathering,
		state, due_at, attempts, provider_id, failure, created_at) VALUES ($1, $2, $3, $4, $5, $6, 'high', 9, false, 'queued', $7, 0, '', '', $7)`,
		string(kind), to.UserID, to.ID, string(to.Medium), to.Address, text, now)
	if err != nil {
		return fmt.Errorf("queue a message: %w", err)
	}
	return tx.Publish(ctx, db.News{Work: db.ToSend})
}

// insertMessages makes the messages of a plan, those that go into one that
// gathers excepted, and returns the id of each.
func insertMessages(ctx context.Context, tx *db.Tx, now time.Time, all []notify.NewMessage) ([]int64, error) {
	var fresh []notify.NewMessage
	for _, m := range all {
		if m.Into == 0 {
			fresh = append(fresh, m)
			continue
		}
		if err := tx.Write(ctx, "add to a message", "UPDATE messages SET priority = $1 WHERE id = $2 AND priority > $1", m.Priority, m.Into); err != nil {
			return nil, err
		}
	}
	made, err := tx.InsertReturning(ctx, "messages", len(fresh),
		db.ColOf("kind", "text", fresh, func(*notify.NewMessage) string { return string(notify.KindPage) }),
		db.ColOf("user_id", "bigint", fresh, func(m *notify.NewMessage) int64 { return m.Method.UserID }),
		db.ColOf("contact_method_id", "bigint", fresh, func(m *notify.NewMessage) int64 { return m.Method.ID }),
		db.ColOf("medium", "text", fresh, func(m *notify.NewMessage) string { return string(m.Method.Medium) }),
		db.ColOf("address", "text", fresh, func(m *notify.NewMessage) string { return m.Method.Address }),
		db.ColOf("body", "text", fresh, func(*notify.NewMessage) string { return "" }),
		db.ColOf("urgency", "text", fresh, func(m *notify.NewMessage) string { return m.Urgency }),
		db.ColOf("priority", "int", fresh, func(m *notify.NewMessage) int { return m.Priority }),
		db.ColOf("gathering", "bool", fresh, func(m *notify.NewMessage) bool { return m.Gathering }),
		db.ColOf("state", "text", fresh, func(*notify.NewMessage) string { return "queued" }),
		db.ColOf("due_at", "timestamptz", fresh, func(m *notify.NewMessage) time.Time { return m.DueAt }),
		db.ColOf("attempts", "int", fresh, func(*notify.NewMessage) int { return 0 }),
		db.ColOf("provider_id", "text", fresh, func(*notify.NewMessage) string { return "" }),
		db.ColOf("failure", "text", fresh, func(*notify.NewMessage) string { return "" }),
		db.ColOf("created_at", "timestamptz", fresh, func(*notify.NewMessage) time.Time { return now }))
	if err != nil {
		return nil, fmt.Errorf("make messages: %w", err)
	}
	ids := make([]int64, len(all))
	for i, m := range all {
		if ids[i] = m.Into; m.Into == 0 {
			ids[i], made = made[0], made[1:]
		}
	}
	return ids, nil
}
