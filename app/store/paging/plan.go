package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// PlannerLock is the advisory lock that keeps two processes from gathering pages for
// one person into two messages. It ends with the transaction, which is short.
const PlannerLock = 0x70c51

// lockPlanner waits for at most half a second, since this process's firing waits too.
func lockPlanner(ctx context.Context, tx *db.Tx) error {
	if tx.DB.Dialect == db.SQLite {
		return nil
	}
	if err := tx.Write(ctx, "set lock_timeout", "SET LOCAL lock_timeout TO '500ms'"); err != nil {
		return err
	}
	if err := tx.Write(ctx, "lock the planner", "SELECT pg_advisory_xact_lock($1)", PlannerLock); err != nil {
		return err
	}
	return tx.Write(ctx, "reset lock_timeout", "SET LOCAL lock_timeout TO DEFAULT")
}

// planning is notify's decision about pages that are due.
type planning = func(configVersion int64, due []notify.DuePage, recent map[int64]notify.Recent) (notify.Plan, error)

// PlanDue implements notify.PlanStore.
func (s *Store) PlanDue(ctx context.Context, now time.Time, limit int, decide planning) (int, error) {
	planned, err := s.plan(ctx, now, limit, 0, decide)
	if db.IsDataError(err) {
		s.db.Log.ErrorContext(ctx, "plan batch failed, planning one by one", "error", err)
		return s.planEach(ctx, now, limit, decide)
	}
	return planned, err
}

// planEach plans pages singly that could not be planned together. One that cannot be
// planned singly either fails for good, and a timer checks its step.
func (s *Store) planEach(ctx context.Context, now time.Time, limit int, decide planning) (int, error) {
	due, err := s.db.Ints(ctx, "SELECT id FROM pages WHERE notify_at <= $1 ORDER BY notify_at, id LIMIT $2", now, limit)
	if err != nil {
		return 0, fmt.Errorf("list pages: %w", err)
	}
	return db.OneByOne(ctx, due, func(id int64) (int, error) {
		return s.plan(ctx, now, 1, id, decide)
	}, func(id int64, cause error) error {
		s.db.Log.ErrorContext(ctx, "plan failed, failing the page", "page", id, "error", cause)
		return s.db.InTx(ctx, func(tx *db.Tx) error {
			// An answer may have come since the page was found due.
			number, err := tx.Ints(ctx, "SELECT incident_number FROM pages WHERE id = $1 AND state = '"+Active+"'"+tx.DB.ForUpdate(false), id)
			if err != nil || len(number) == 0 {
				return err
			}
			if err := failPages(ctx, tx, now, []int64{id}); err != nil {
				return err
			}
			if err := timeline.InsertTrouble(ctx, tx, now, number, "A page could not be turned into messages. Tocsin’s log says why."); err != nil {
				return err
			}
			return tx.Publish(ctx, db.Wakeup{Work: db.ToTime})
		})
	}, func(id int64) error {
		return s.db.Postpone(ctx, "page", id, func(tx *db.Tx) error {
			return tx.PostponeRow(ctx, "UPDATE pages SET notify_at = $1 WHERE id = $2 AND notify_at IS NOT NULL", now.Add(db.PostponeFor), id)
		})
	})
}

// plan plans what is due in one transaction; only narrows it down to one page.
func (s *Store) plan(ctx context.Context, now time.Time, limit int, only int64, decide planning) (int, error) {
	s.planning.Lock()
	defer s.planning.Unlock()
	planned := 0
	err := s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		if err := lockPlanner(ctx, tx); err != nil {
			return err
		}
		due, err := duePages(ctx, tx, now, limit, only)
		if planned = len(due); err != nil || planned == 0 {
			return err
		}
		var version int64
		users, stay := usersOf(due, func(p *notify.DuePage) int64 { return p.UserID }), map[int64]bool{}
		recent := map[int64]notify.Recent{}
		err = tx.Query(ctx, staying(tx, users, false, func(id int64) { stay[id] = true }), db.ReadRevision(&version), lately(tx, now, users, recent), gathering(tx, users, recent))
		if err != nil {
			return err
		}
		// A deactivation that has not committed is not visible yet.
		due = slices.DeleteFunc(due, func(p notify.DuePage) bool { return !stay[p.UserID] })
		planned = len(due)
		plan, err := decide(version, due, recent)
		if err != nil {
			return db.DecisionError{Err: err}
		}
		return writePlan(ctx, tx, now, plan)
	})
	if err != nil {
		return 0, err
	}
	return planned, nil
}

// StepEnds is how long a page whose rule is due when its step ends waits for the
// engine to end the step, which ends the page too. Where the engine does not run, the
// rule is carried out after that.
const StepEnds = 10 * time.Second

// duePages is served by the index pages_due. A page that is due no sooner than its
// step ends is left out, so that the result does not depend on whether the engine or
// the planner runs first at that instant. The subquery is one read by primary key for
// each page, and none for a new page; for a join the planner might read all
// escalations.
func duePages(ctx context.Context, tx *db.Tx, now time.Time, limit int, only int64) ([]notify.DuePage, error) {
	which := ""
	if only != 0 {
		which = fmt.Sprintf(" AND id = %d", only)
	}
	var due []notify.DuePage
	err := tx.Query(ctx, db.Statement{
		Name: "claim pages",
		Query: `SELECT id, user_id, incident_number, urgency, priority, digest, rule, created_at,
			CASE WHEN urgency = '` + string(incident.Low) + `' THEN (SELECT i.service_id FROM incidents i WHERE i.number = pages.incident_number) ELSE 0 END
			FROM pages WHERE notify_at <= $1` + which + ` AND (notify_at <= created_at OR NOT COALESCE((SELECT e.state = '` + Active + `' AND e.deadline_at <= pages.notify_at
				AND e.deadline_at > $3 FROM escalations e WHERE e.id = pages.escalation_id), false))
			ORDER BY notify_at, id LIMIT $2` + tx.DB.ForUpdate(true),
		Args: []any{now, limit, now.Add(-StepEnds)},
		Each: func(scan func(...any) error) error {
			var p notify.DuePage
			err := scan(&p.ID, &p.UserID, &p.Incident, &p.Urgency, &p.Priority, &p.Digest, &p.Rule, &p.CreatedAt, &p.ServiceID)
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
// notify.BundleWithin that arrived, may have, or still can. Served by
// messages_user_recent.
func lately(tx *db.Tx, now time.Time, users []int64, recent map[int64]notify.Recent) db.Statement {
	where, args := tx.DB.In("user_id", 2, users)
	return db.Statement{
		Name: "read recent messages",
		Query: `SELECT contact_method_id, priority FROM messages
			WHERE kind = '` + string(notify.KindPage) + `' AND created_at > $1 AND NOT (state = '` + Withdrawn + `' AND attempts = 0)
			AND (state <> '` + Failed + `' OR EXISTS (SELECT 1 FROM attempts a WHERE a.message_id = messages.id AND a.again_next)) AND ` + where,
		Args: append([]any{now.Add(-notify.BundleWithin)}, args...),
		Each: func(scan func(...any) error) error {
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
func gathering(tx *db.Tx, users []int64, recent map[int64]notify.Recent) db.Statement {
	where, args := tx.DB.In("user_id", 1, users)
	return db.Statement{
		Name:  "lock messages that gather",
		Query: "SELECT id, contact_method_id, priority FROM messages WHERE kind = '" + string(notify.KindPage) + "' AND gathering AND state = '" + Queued + "' AND " + where + " ORDER BY id" + tx.DB.ForUpdate(false),
		Args:  args,
		Each: func(scan func(...any) error) error {
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

func writePlan(ctx context.Context, tx *db.Tx, now time.Time, plan notify.Plan) error {
	err := tx.UpdateRows(ctx, "pages", len(plan.Pages),
		db.ColOf("id", "bigint", plan.Pages, func(p *notify.PagePlan) int64 { return p.ID }),
		db.ColOf("rule", "int", plan.Pages, func(p *notify.PagePlan) int { return p.Rule }),
		db.ColOf("notify_at", "timestamptz", plan.Pages, func(p *notify.PagePlan) *time.Time { return p.NotifyAt }))
	if err != nil {
		return fmt.Errorf("update pages: %w", err)
	}
	work, err := writeMessages(ctx, tx, now, plan)
	if err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: work})
}

// writeMessages writes the messages of a plan for pages that are in the database, and
// returns the loops for which something is due.
func writeMessages(ctx context.Context, tx *db.Tx, now time.Time, plan notify.Plan) (db.Work, error) {
	ids, err := insertMessages(ctx, tx, now, plan.Messages, 0)
	if err != nil {
		return 0, err
	}
	var messages, pages []int64
	for i, m := range plan.Messages {
		for _, page := range m.Pages {
			messages, pages = append(messages, ids[i]), append(pages, page)
		}
	}
	if err := tx.InsertRows(ctx, "message_pages", len(pages), "ON CONFLICT DO NOTHING",
		db.Col("message_id", "bigint", messages), db.Col("page_id", "bigint", pages)); err != nil {
		return 0, fmt.Errorf("put pages into messages: %w", err)
	}
	var failed []int64
	for _, p := range plan.Pages {
		if p.Failed {
			failed = append(failed, p.ID)
		}
	}
	if failed == nil {
		return db.ToSend, nil
	}
	return db.ToSend | db.ToTime, failPages(ctx, tx, now, failed)
}
