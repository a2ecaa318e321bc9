package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// plannerLock keeps two processes from gathering pages for one person into two
// messages. Planning is short, and the lock ends with the transaction.
const plannerLock = 0x70c51

// lockPlanner waits half a second at a time: this process's firing waits with it.
func (tx *Tx) lockPlanner(ctx context.Context) error {
	if tx.db.dialect == onSQLite {
		return nil
	}
	if err := tx.write(ctx, "wait for the planner for half a second", "SET LOCAL lock_timeout TO '500ms'"); err != nil {
		return err
	}
	if err := tx.write(ctx, "wait for the planner", "SELECT pg_advisory_xact_lock($1)", plannerLock); err != nil {
		return err
	}
	return tx.write(ctx, "wait for rows as ever", "SET LOCAL lock_timeout TO DEFAULT")
}

// planning is notify's decision about pages that are due.
type planning = func(configVersion int64, due []notify.DuePage, recent map[int64]notify.Recent) (notify.Plan, error)

// PlanDue implements notify.PlanStore.
func (db *DB) PlanDue(ctx context.Context, now time.Time, limit int, decide planning) (int, error) {
	planned, err := db.plan(ctx, now, limit, 0, decide)
	if isDataError(err) {
		db.log.ErrorContext(ctx, "pages cannot be planned together; they are planned one by one", "error", err)
		return db.planEach(ctx, now, limit, decide)
	}
	return planned, err
}

// planEach plans pages alone that could not be planned together. One that cannot
// be planned alone either has failed for good, and its step is looked at.
func (db *DB) planEach(ctx context.Context, now time.Time, limit int, decide planning) (int, error) {
	due, err := scanInts(db.read.QueryContext(ctx, db.rebind("SELECT id FROM pages WHERE notify_at <= $1 ORDER BY notify_at, id LIMIT $2"), now, limit))
	if err != nil {
		return 0, fmt.Errorf("list pages: %w", err)
	}
	return oneByOne(ctx, due, func(id int64) (int, error) {
		return db.plan(ctx, now, 1, id, decide)
	}, func(id int64, cause error) error {
		db.log.ErrorContext(ctx, "a page cannot be planned and has failed", "page", id, "error", cause)
		return db.inTx(ctx, func(tx *Tx) error {
			if err := tx.failPages(ctx, now, []int64{id}); err != nil {
				return err
			}
			number, err := scanInts(tx.QueryContext(ctx, "SELECT incident_number FROM pages WHERE id = $1", id))
			if err != nil {
				return fmt.Errorf("read the incident of a page: %w", err)
			}
			if err := tx.noteTrouble(ctx, now, number, "A page could not be turned into messages. Tocsin’s log says why."); err != nil {
				return err
			}
			return tx.tell(ctx, News{Work: ToTime})
		})
	}, func(id int64) error {
		return db.quietly(ctx, "a page", id, func(tx *Tx) error {
			return tx.postpone(ctx, "UPDATE pages SET notify_at = $1 WHERE id = $2 AND notify_at IS NOT NULL", now.Add(tryAgainAfter), id)
		})
	})
}

// plan plans what is due in one transaction; only narrows it down to one page.
func (db *DB) plan(ctx context.Context, now time.Time, limit int, only int64, decide planning) (int, error) {
	db.planning.Lock()
	defer db.planning.Unlock()
	planned := 0
	err := db.derived(ctx, func(tx *Tx) error {
		if err := tx.lockPlanner(ctx); err != nil {
			return err
		}
		due, err := tx.duePages(ctx, now, limit, only)
		if planned = len(due); err != nil || planned == 0 {
			return err
		}
		var version int64
		users, stay := usersOf(due, func(p *notify.DuePage) int64 { return p.UserID }), map[int64]bool{}
		recent := map[int64]notify.Recent{}
		err = tx.reads(ctx, tx.staying(users, false, func(id int64) { stay[id] = true }), configVersion(&version), tx.lately(now, users, recent), tx.gathering(users, recent))
		if err != nil {
			return err
		}
		// Of somebody who is just being deactivated it is not known yet.
		due = slices.DeleteFunc(due, func(p notify.DuePage) bool { return !stay[p.UserID] })
		planned = len(due)
		plan, err := decide(version, due, recent)
		if err != nil {
			return undecided{err}
		}
		return tx.writePlan(ctx, now, plan)
	})
	if err != nil {
		return 0, err
	}
	return planned, nil
}

// stepEnds is how long a page whose rule is due when its step is over waits for
// the engine to end the step, which ends the page too. An engine that does not
// come leaves the people whom it paged last to be told again.
const stepEnds = 10 * time.Second

// duePages is served by the index pages_due. What is due no sooner than its step
// ends is left out, so that it is not a matter of who looks first, the engine or
// the planner, whether somebody is told once more at that instant. The subquery
// is one look by primary key a page, and none for a page that is new; a join
// would be free to read every escalation that there ever was.
func (tx *Tx) duePages(ctx context.Context, now time.Time, limit int, only int64) ([]notify.DuePage, error) {
	which := ""
	if only != 0 {
		which = fmt.Sprintf(" AND id = %d", only)
	}
	var due []notify.DuePage
	err := tx.reads(ctx, statement{
		what: "claim pages",
		query: `SELECT id, user_id, incident_number, urgency, priority, digest, rule, created_at
			FROM pages WHERE notify_at <= $1` + which + ` AND (notify_at <= created_at OR NOT COALESCE((SELECT e.state = 'active' AND e.deadline_at <= pages.notify_at
				AND e.deadline_at > $3 FROM escalations e WHERE e.id = pages.escalation_id), false))
			ORDER BY notify_at, id LIMIT $2` + tx.db.forUpdate(true),
		args: []any{now, limit, now.Add(-stepEnds)},
		each: func(scan func(...any) error) error {
			var p notify.DuePage
			err := scan(&p.ID, &p.UserID, &p.Incident, &p.Urgency, &p.Priority, &p.Digest, &p.Rule, &p.CreatedAt)
			due = append(due, p)
			return err
		},
	})
	return due, err
}

// usersOf are the people of pages, each once.
func usersOf[P any](pages []P, user func(*P) int64) []int64 {
	var users []int64
	seen := map[int64]bool{}
	for i := range pages {
		if u := user(&pages[i]); !seen[u] {
			seen[u] = true
			users = append(users, u)
		}
	}
	return users
}

// lately counts, by contact method, the messages of people within
// notify.BundleWithin. Served by messages_user_recent.
func (tx *Tx) lately(now time.Time, users []int64, recent map[int64]notify.Recent) statement {
	where, args := tx.db.in("user_id", 2, users)
	return statement{
		what: "read recent messages",
		query: `SELECT contact_method_id, priority FROM messages
			WHERE kind = 'page' AND created_at > $1 AND NOT (state = 'withdrawn' AND attempts = 0) AND ` + where,
		args: append([]any{now.Add(-notify.BundleWithin)}, args...),
		each: func(scan func(...any) error) error {
			var method int64
			var priority int
			if err := scan(&method, &priority); err != nil {
				return err
			}
			r, ok := recent[method]
			if !ok || priority < r.Priority {
				r.Priority = priority
			}
			r.Messages++
			recent[method] = r
			return nil
		},
	}
}

// gathering locks the messages of people that take further pages, and nothing
// else: the outbox must be able to claim and renew the rest.
func (tx *Tx) gathering(users []int64, recent map[int64]notify.Recent) statement {
	where, args := tx.db.in("user_id", 1, users)
	return statement{
		what:  "lock messages that gather",
		query: "SELECT id, contact_method_id, priority FROM messages WHERE kind = 'page' AND gathering AND state = 'queued' AND " + where + " ORDER BY id" + tx.db.forUpdate(false),
		args:  args,
		each: func(scan func(...any) error) error {
			var id, method int64
			var priority int
			if err := scan(&id, &method, &priority); err != nil {
				return err
			}
			r, ok := recent[method]
			if !ok {
				r = notify.Recent{Messages: notify.BundleAfter, Priority: priority}
			}
			r.Gathering = id
			recent[method] = r
			return nil
		},
	}
}

func (tx *Tx) writePlan(ctx context.Context, now time.Time, plan notify.Plan) error {
	err := tx.updateRows(ctx, "pages", len(plan.Pages),
		colOf("id", "bigint", plan.Pages, func(p *notify.PagePlan) int64 { return p.ID }),
		colOf("rule", "int", plan.Pages, func(p *notify.PagePlan) int { return p.Rule }),
		colOf("notify_at", "timestamptz", plan.Pages, func(p *notify.PagePlan) *time.Time { return p.NotifyAt }))
	if err != nil {
		return fmt.Errorf("move pages on: %w", err)
	}
	work, err := tx.writeMessages(ctx, now, plan)
	if err != nil {
		return err
	}
	return tx.tell(ctx, News{Work: work})
}

// writeMessages writes what follows from a plan for pages that stand in the
// database, and returns where something is due.
func (tx *Tx) writeMessages(ctx context.Context, now time.Time, plan notify.Plan) (Work, error) {
	ids, err := tx.insertMessages(ctx, now, plan.Messages)
	if err != nil {
		return 0, err
	}
	var messages, pages []int64
	for i, m := range plan.Messages {
		for _, page := range m.Pages {
			messages, pages = append(messages, ids[i]), append(pages, page)
		}
	}
	if err := tx.insertRows(ctx, "message_pages", len(pages), "ON CONFLICT DO NOTHING",
		col("message_id", "bigint", messages), col("page_id", "bigint", pages)); err != nil {
		return 0, fmt.Errorf("put pages into messages: %w", err)
	}
	var failed []int64
	for _, p := range plan.Pages {
		if p.Failed {
			failed = append(failed, p.ID)
		}
	}
	if failed == nil {
		return ToSend, nil
	}
	return ToSend | ToTime, tx.failPages(ctx, now, failed)
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
		if err := tx.write(ctx, "add to a message", "UPDATE messages SET priority = $1 WHERE id = $2 AND priority > $1", m.Priority, m.Into); err != nil {
			return nil, err
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
