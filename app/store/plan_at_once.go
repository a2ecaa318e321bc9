package store

import (
	"context"
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
func (tx *Tx) makePages(ctx context.Context, now time.Time, version int64, pages []pageRow) (Work, error) {
	if len(pages) == 0 {
		return 0, nil
	}
	plan, ok, err := tx.planNew(ctx, now, version, pages)
	if err != nil {
		return 0, err
	}
	if !ok {
		return ToPlan, tx.insertPages(ctx, pages)
	}
	for i, p := range plan.Pages {
		pages[i].rule, pages[i].notifyAt = p.Rule, p.NotifyAt
	}
	ids, err := tx.insertPagesReturning(ctx, pages)
	if err != nil {
		return 0, err
	}
	return tx.writeMessages(ctx, now, numbered(plan, ids))
}

// planNew decides about pages that have no ids yet, by their place in the list.
func (tx *Tx) planNew(ctx context.Context, now time.Time, version int64, pages []pageRow) (plan notify.Plan, ok bool, err error) {
	if tx.db.planAtOnce == nil || !tx.planAtOnce {
		return plan, false, nil
	}
	due := make([]notify.DuePage, len(pages))
	for i, p := range pages {
		due[i] = notify.DuePage{ID: int64(i), UserID: p.user, Incident: p.incident, Urgency: p.urgency, Priority: p.priority, Digest: p.digest, CreatedAt: p.at}
	}
	if err := tx.lockPlanner(ctx); err != nil {
		return plan, false, err
	}
	recent, err := tx.recentMessages(ctx, now, usersOf(due))
	if err != nil {
		return plan, false, err
	}
	plan, err = tx.db.planAtOnce(ctx, now, version, due, recent)
	if err != nil {
		tx.db.log.ErrorContext(ctx, "pages cannot be planned at once; the planner will", "error", err)
	}
	return plan, err == nil, nil
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
