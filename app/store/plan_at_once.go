package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// PlanAtOnce has pages planned in the transaction of the firing that makes them,
// by the decision that PlanDue is given for their later rules: a page is then
// written once instead of being written, claimed and written again, and leaves a
// transaction sooner. Where that decision fails, they are left to PlanDue.
func (db *DB) PlanAtOnce(decide func(ctx context.Context, now time.Time, configVersion int64, due []notify.DuePage, recent map[int64]notify.Recent) (notify.Plan, error)) {
	db.planAtOnce = decide
}

// makePages inserts pages and, at once, plans them. Their writes come after those
// of the pages that they supersede: pages are locked before messages.
func (db *DB) makePages(ctx context.Context, tx *Tx, atOnce bool, now time.Time, version int64, pages []pageRow) (Work, error) {
	if len(pages) == 0 {
		return 0, nil
	}
	plan, ids, ok, err := db.planNew(ctx, tx, atOnce, now, version, pages)
	if err != nil {
		return 0, err
	}
	if !ok {
		return ToPlan, tx.insertPages(ctx, pages)
	}
	for i, p := range plan.Pages {
		pages[i].rule, pages[i].notifyAt = p.Rule, p.NotifyAt
	}
	if ids, err = tx.insertPlanned(ctx, pages, ids); err != nil {
		return 0, err
	}
	return tx.writeMessages(ctx, now, numbered(plan, ids))
}

// insertPlanned inserts pages, under ids that were taken for them already if
// there are any, and returns their ids.
func (tx *Tx) insertPlanned(ctx context.Context, pages []pageRow, ids []int64) ([]int64, error) {
	if ids != nil {
		err := tx.insertRows(ctx, "pages", len(pages), "", append(pageColumns(pages), col("id", "bigint", ids))...)
		if err != nil {
			return nil, fmt.Errorf("page people: %w", err)
		}
		return ids, nil
	}
	ids, err := tx.insertReturning(ctx, "pages", len(pages), pageColumns(pages)...)
	if err != nil {
		return nil, fmt.Errorf("page people: %w", err)
	}
	return ids, nil
}

// planNew decides about pages that do not stand there yet, by their place in the
// list, and on PostgreSQL takes their ids with what it reads.
func (db *DB) planNew(ctx context.Context, tx *Tx, atOnce bool, now time.Time, version int64, pages []pageRow) (plan notify.Plan, ids []int64, ok bool, err error) {
	if db.planAtOnce == nil || !atOnce {
		return plan, nil, false, nil
	}
	users := usersOf(pages, func(p *pageRow) int64 { return p.user })
	free, staying := true, 0
	recent := map[int64]notify.Recent{}
	questions := append(tx.tryPlanner(&free), tx.staying(users, true, func(int64) { staying++ }), tx.lately(now, users, recent), tx.gathering(users, recent))
	if db.dialect == onPostgres {
		questions = append(questions, statement{what: "number pages", query: "SELECT nextval('pages_id_seq') FROM generate_series(1, $1)", args: []any{len(pages)},
			each: func(scan func(...any) error) error { return appendInt(&ids, scan) }})
	}
	if err := tx.reads(ctx, questions...); err != nil || !free || staying < len(users) {
		return plan, nil, false, err
	}
	due := make([]notify.DuePage, len(pages))
	for i, p := range pages {
		due[i] = notify.DuePage{ID: int64(i), UserID: p.user, Incident: p.incident, Urgency: p.urgency, Priority: p.priority, Digest: p.digest, CreatedAt: p.at}
	}
	plan, err = db.planAtOnce(ctx, now, version, due, recent)
	if err != nil {
		db.log.ErrorContext(ctx, "pages cannot be planned at once; the planner will", "error", err)
	}
	return plan, ids, err == nil, nil
}

// tryPlanner takes the planner's lock if nobody has it. Firing holds incidents,
// which an acknowledgment waits for: it must not wait for a process that stands
// still while it plans.
func (tx *Tx) tryPlanner(free *bool) []statement {
	if tx.db.dialect == onSQLite {
		return nil
	}
	return []statement{{what: "ask for the planner", query: "SELECT pg_try_advisory_xact_lock($1)", args: []any{plannerLock},
		each: func(scan func(...any) error) error { return scan(free) }}}
}

// staying tells of people who are not being deactivated, and keeps them from it
// until this is committed, so that whoever deactivates them finds their pages.
func (tx *Tx) staying(users []int64, active bool, each func(id int64)) statement {
	where, args := tx.db.in("id", 1, users)
	query := "SELECT id FROM users WHERE " + where
	if active {
		query += " AND active"
	}
	if tx.db.dialect == onPostgres {
		query += " ORDER BY id FOR SHARE SKIP LOCKED"
	}
	return statement{what: "look who stays", query: query, args: args, each: func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		each(id)
		return err
	}}
}

// numbered puts ids where the plan has places in the list.
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
