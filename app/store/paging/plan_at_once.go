package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// PlanAtOnce has pages planned in the transaction of the firing that makes them,
// by the decision that PlanDue uses for their later rules: a page is then written
// once instead of being written, claimed and written again, and is sent one
// transaction sooner. Where that decision fails, they are left to PlanDue.
func (s *Store) PlanAtOnce(decide func(ctx context.Context, now time.Time, configVersion int64, due []notify.DuePage, recent map[int64]notify.Recent) (notify.Plan, error)) {
	s.planAtOnce = decide
}

// makePages inserts pages and, at once, plans them. Their writes come after those
// of the pages that they supersede: pages are locked before messages.
func (s *Store) makePages(ctx context.Context, tx *db.Tx, atOnce bool, now time.Time, version int64, pages []pageRow) (db.Work, error) {
	if len(pages) == 0 {
		return 0, nil
	}
	plan, ids, ok, err := s.planNew(ctx, tx, atOnce, now, version, pages)
	if err != nil {
		return 0, err
	}
	if !ok {
		return db.ToPlan, insertPages(ctx, tx, pages)
	}
	for i, p := range plan.Pages {
		pages[i].rule, pages[i].notifyAt = p.Rule, p.NotifyAt
	}
	if ids, err = insertPlanned(ctx, tx, pages, ids); err != nil {
		return 0, err
	}
	return writeMessages(ctx, tx, now, numbered(plan, ids))
}

// insertPlanned inserts pages, under ids that were allocated already if there are
// any, and returns their ids.
func insertPlanned(ctx context.Context, tx *db.Tx, pages []pageRow, ids []int64) ([]int64, error) {
	if ids != nil {
		err := tx.InsertRows(ctx, "pages", len(pages), "", append(pageColumns(pages), db.Col("id", "bigint", ids))...)
		if err != nil {
			return nil, fmt.Errorf("page people: %w", err)
		}
		return ids, nil
	}
	ids, err := tx.InsertReturning(ctx, "pages", len(pages), pageColumns(pages)...)
	if err != nil {
		return nil, fmt.Errorf("page people: %w", err)
	}
	return ids, nil
}

// planNew plans pages that are not inserted yet, identified by their index in the
// list, and on PostgreSQL allocates their ids in the same round trip.
func (s *Store) planNew(ctx context.Context, tx *db.Tx, atOnce bool, now time.Time, version int64, pages []pageRow) (plan notify.Plan, ids []int64, ok bool, err error) {
	if s.planAtOnce == nil || !atOnce {
		return plan, nil, false, nil
	}
	users := usersOf(pages, func(p *pageRow) int64 { return p.user })
	free, active := true, 0
	recent := map[int64]notify.Recent{}
	questions := append(tryPlanner(tx, &free), staying(tx, users, true, func(int64) { active++ }), lately(tx, now, users, recent), gathering(tx, users, recent))
	if s.db.Dialect == db.Postgres {
		questions = append(questions, db.Statement{Name: "allocate page ids", Query: "SELECT nextval('pages_id_seq') FROM generate_series(1, $1)", Args: []any{len(pages)},
			Each: func(scan func(...any) error) error { return db.AppendInt(&ids, scan) }})
	}
	if err := tx.Query(ctx, questions...); err != nil || !free || active < len(users) {
		return plan, nil, false, err
	}
	due := make([]notify.DuePage, len(pages))
	for i, p := range pages {
		due[i] = notify.DuePage{ID: int64(i), UserID: p.user, Incident: p.incident, Urgency: p.urgency, Priority: p.priority, Digest: p.digest, CreatedAt: p.at, ServiceID: p.service}
	}
	plan, err = s.planAtOnce(ctx, now, version, due, recent)
	if err != nil {
		s.db.Log.ErrorContext(ctx, "plan at once failed", "error", err)
	}
	return plan, ids, err == nil, nil
}

// tryPlanner takes the planner's lock if it is free. Firing has locked incidents,
// which an acknowledgment waits for, so that it must not wait for a process that
// stops in the middle of planning.
func tryPlanner(tx *db.Tx, free *bool) []db.Statement {
	if tx.DB.Dialect == db.SQLite {
		return nil
	}
	return []db.Statement{{Name: "try to lock the planner", Query: "SELECT pg_try_advisory_xact_lock($1)", Args: []any{PlannerLock},
		Each: func(scan func(...any) error) error { return scan(free) }}}
}

// staying locks those of some people who are not being deactivated until this
// commits, so that a later deactivation sees their pages.
func staying(tx *db.Tx, users []int64, active bool, each func(id int64)) db.Statement {
	where, args := tx.DB.In("id", 1, users)
	query := "SELECT id FROM users WHERE " + where
	if active {
		query += " AND active"
	}
	if tx.DB.Dialect == db.Postgres {
		query += " ORDER BY id FOR SHARE SKIP LOCKED"
	}
	return db.Statement{Name: "lock active people", Query: query, Args: args, Each: func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		each(id)
		return err
	}}
}

// numbered replaces the indexes in a plan by ids.
func numbered(plan notify.Plan, ids []int64) notify.Plan {
	for i := range plan.Pages {
		plan.Pages[i].ID = ids[plan.Pages[i].ID]
	}
	for _, m := range plan.Messages {
		for i, place := range m.Pages {
			m.Pages[i] = ids[place]
		}
	}
	return plan
}
