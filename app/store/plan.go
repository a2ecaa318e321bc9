package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// plannerLock keeps two processes from gathering pages for one person into two
// messages. Planning is short, and the lock ends with the transaction.
const plannerLock = 0x70c51

// PlanDue implements notify.PlanStore.
func (db *DB) PlanDue(ctx context.Context, now time.Time, limit int, decide func(int64, []notify.DuePage, map[int64]notify.Recent) (notify.Plan, error)) (int, error) {
	planned := 0
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.derived(ctx); err != nil {
			return err
		}
		if db.dialect == onPostgres {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", plannerLock); err != nil {
				return fmt.Errorf("wait for the planner: %w", err)
			}
		}
		due, err := tx.duePages(ctx, now, limit)
		if planned = len(due); err != nil || planned == 0 {
			return err
		}
		recent, err := tx.recentMessages(ctx, now, due)
		if err != nil {
			return err
		}
		var version int64
		if err := tx.QueryRowContext(ctx, "SELECT config_version FROM organization").Scan(&version); err != nil {
			return fmt.Errorf("read the version of the configuration: %w", err)
		}
		plan, err := decide(version, due, recent)
		if err != nil {
			return err
		}
		return tx.writePlan(ctx, now, plan)
	})
	return planned, err
}

// duePages is served by the index pages_due.
func (tx *Tx) duePages(ctx context.Context, now time.Time, limit int) ([]notify.DuePage, error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, user_id, incident_number, urgency, priority, digest, rule, created_at
		FROM pages WHERE notify_at <= $1 ORDER BY notify_at, id LIMIT $2`+tx.db.forUpdate(true), now, limit)
	if err != nil {
		return nil, fmt.Errorf("claim pages: %w", err)
	}
	defer rows.Close()
	var due []notify.DuePage
	for rows.Next() {
		var p notify.DuePage
		if err := rows.Scan(&p.ID, &p.UserID, &p.Incident, &p.Urgency, &p.Priority, &p.Digest, &p.Rule, &p.CreatedAt); err != nil {
			return nil, fmt.Errorf("claim pages: %w", err)
		}
		due = append(due, p)
	}
	return due, rows.Err()
}

// recentMessages reads, by contact method, what the people of pages were sent
// lately, and locks what still gathers, and nothing else: the outbox must be
// able to claim and renew the rest. Served by messages_user_recent.
func (tx *Tx) recentMessages(ctx context.Context, now time.Time, due []notify.DuePage) (map[int64]notify.Recent, error) {
	var users []int64
	seen := map[int64]bool{}
	for _, p := range due {
		if !seen[p.UserID] {
			seen[p.UserID] = true
			users = append(users, p.UserID)
		}
	}
	where, args := tx.db.in("user_id", 2, users)
	rows, err := tx.QueryContext(ctx, `
		SELECT contact_method_id, priority FROM messages
		WHERE kind = 'page' AND created_at > $1 AND NOT (state = 'withdrawn' AND attempts = 0) AND `+where,
		append([]any{now.Add(-notify.BundleWithin)}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read recent messages: %w", err)
	}
	defer rows.Close()
	recent := map[int64]notify.Recent{}
	for rows.Next() {
		var method int64
		var priority int
		if err := rows.Scan(&method, &priority); err != nil {
			return nil, fmt.Errorf("read recent messages: %w", err)
		}
		r, ok := recent[method]
		if !ok || priority < r.Priority {
			r.Priority = priority
		}
		r.Messages++
		recent[method] = r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read recent messages: %w", err)
	}
	return recent, tx.gathering(ctx, users, recent)
}

// gathering locks the messages of people that take further pages.
func (tx *Tx) gathering(ctx context.Context, users []int64, recent map[int64]notify.Recent) error {
	where, args := tx.db.in("user_id", 1, users)
	rows, err := tx.QueryContext(ctx, "SELECT id, contact_method_id, priority FROM messages WHERE kind = 'page' AND gathering AND state = 'queued' AND "+where+" ORDER BY id"+tx.db.forUpdate(false), args...)
	if err != nil {
		return fmt.Errorf("lock messages that gather: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, method int64
		var priority int
		if err := rows.Scan(&id, &method, &priority); err != nil {
			return fmt.Errorf("lock messages that gather: %w", err)
		}
		r, ok := recent[method]
		if !ok {
			r = notify.Recent{Messages: notify.BundleAfter, Priority: priority}
		}
		r.Gathering = id
		recent[method] = r
	}
	return rows.Err()
}

func (tx *Tx) writePlan(ctx context.Context, now time.Time, plan notify.Plan) error {
	err := tx.updateRows(ctx, "pages", len(plan.Pages),
		colOf("id", "bigint", plan.Pages, func(p *notify.PagePlan) int64 { return p.ID }),
		colOf("rule", "int", plan.Pages, func(p *notify.PagePlan) int { return p.Rule }),
		colOf("notify_at", "timestamptz", plan.Pages, func(p *notify.PagePlan) *time.Time { return p.NotifyAt }))
	if err != nil {
		return fmt.Errorf("move pages on: %w", err)
	}
	ids, err := tx.insertMessages(ctx, now, plan.Messages)
	if err != nil {
		return err
	}
	var messages, pages []int64
	for i, m := range plan.Messages {
		for _, page := range m.Pages {
			messages, pages = append(messages, ids[i]), append(pages, page)
		}
	}
	if err := tx.insertRows(ctx, "message_pages", len(pages), "ON CONFLICT DO NOTHING",
		col("message_id", "bigint", messages), col("page_id", "bigint", pages)); err != nil {
		return fmt.Errorf("put pages into messages: %w", err)
	}
	work := ToSend
	var failed []int64
	for _, p := range plan.Pages {
		if p.Failed {
			failed = append(failed, p.ID)
		}
	}
	if failed != nil {
		if err := tx.failPages(ctx, now, failed); err != nil {
			return err
		}
		work |= ToTime
	}
	return tx.tell(ctx, News{Work: work})
}

// insertMessages makes the messages of a plan, those that go into one that
// gathers excepted, and returns the id of each.
func (tx *Tx) insertMessages(ctx context.Context, now time.Time, all []notify.NewMessage) ([]int64, error) {
	var fresh []notify.NewMessage
	for _, m := range all {
		if m.Into == 0 {
			fresh = append(fresh, m)
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE messages SET priority = $1 WHERE id = $2 AND priority > $1", m.Priority, m.Into); err != nil {
			return nil, fmt.Errorf("add to a message: %w", err)
		}
	}
	made, err := tx.insertReturning(ctx, "messages", len(fresh),
		colOf("kind", "text", fresh, func(*notify.NewMessage) string { return string(notify.KindPage) }),
		colOf("user_id", "bigint", fresh, func(m *notify.NewMessage) int64 { return m.Method.UserID }),
		colOf("contact_method_id", "bigint", fresh, func(m *notify.NewMessage) int64 { return m.Method.ID }),
		colOf("medium", "text", fresh, func(m *notify.NewMessage) string { return string(m.Method.Medium) }),
		colOf("address", "text", fresh, func(m *notify.NewMessage) string { return m.Method.Address }),
		colOf("body", "text", fresh, func(*notify.NewMessage) string { return "" }),
		colOf("urgency", "text", fresh, func(m *notify.NewMessage) string { return m.Urgency }),
		colOf("priority", "int", fresh, func(m *notify.NewMessage) int { return m.Priority }),
		colOf("gathering", "bool", fresh, func(m *notify.NewMessage) bool { return m.Gathering }),
		colOf("state", "text", fresh, func(*notify.NewMessage) string { return "queued" }),
		colOf("due_at", "timestamptz", fresh, func(m *notify.NewMessage) time.Time { return m.DueAt }),
		colOf("attempts", "int", fresh, func(*notify.NewMessage) int { return 0 }),
		colOf("provider_id", "text", fresh, func(*notify.NewMessage) string { return "" }),
		colOf("failure", "text", fresh, func(*notify.NewMessage) string { return "" }),
		colOf("created_at", "timestamptz", fresh, func(*notify.NewMessage) time.Time { return now }))
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
