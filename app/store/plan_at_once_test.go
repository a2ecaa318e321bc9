package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func TestFiringPlansItsPages(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(notify.BundleAfter + 2)
		p.must(p.engine.Sweep(t.Context()))
		if n := p.must(p.planner.Sweep(t.Context())); n != 0 {
			t.Errorf("%d pages were left to the planner", n)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE rule = 1 AND notify_at = $1", p.now.Add(5*time.Minute)); n != notify.BundleAfter+2 {
			t.Errorf("%d pages wait for their next rule", n)
		}
		if n := p.count("SELECT count(*) FROM messages WHERE NOT gathering AND due_at = $1", p.now); n != notify.BundleAfter {
			t.Errorf("%d messages leave at once", n)
		}
		// What comes later joins what gathers already.
		p.storm(3)
		p.must(p.engine.Sweep(t.Context()))
		if n := p.count("SELECT count(*) FROM message_pages WHERE message_id = (SELECT id FROM messages WHERE gathering)"); n != 5 {
			t.Errorf("%d pages gather", n)
		}
	})
}

func TestUnreachablePagePlannedAtOncePassesOver(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		nobody := p.planner.People.(fixedDirectory).people[ana]
		nobody.Methods, nobody.Rules = nil, nil
		p.planner.People.(fixedDirectory).people[ana] = nobody
		p.storm(1)
		p.expect(p.settle(), "sms-2")
		if n := p.count("SELECT count(*) FROM pages WHERE state = 'failed' AND notify_at IS NULL AND user_id = $1", ana); n != 1 {
			t.Errorf("%d pages failed", n)
		}
	})
}

func TestFailedPlanAtOnceIsLeftToPlanner(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		st.Paging.PlanAtOnce(func(context.Context, time.Time, int64, []notify.DuePage, map[int64]notify.Recent) (notify.Plan, error) {
			return notify.Plan{}, errors.New("nobody can be read")
		})
		p.storm(2)
		p.must(p.engine.Sweep(t.Context()))
		if n := p.count("SELECT count(*) FROM pages WHERE rule = 0 AND notify_at = $1", p.now); n != 2 {
			t.Errorf("%d pages are due", n)
		}
		p.expect(p.settle(), "sms-1", "sms-1")
	})
}

// A message that cannot be read says nothing about the escalation whose page
// would have joined it.
func TestBrokenMessageFailsNoEscalation(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.expect(p.settle(), "sms-1")
		// SQLite takes a word for a number; PostgreSQL takes a NULL where none
		// was allowed.
		if st.Dialect == db.Postgres {
			p.exec("ALTER TABLE messages ALTER COLUMN priority DROP NOT NULL")
			p.exec("UPDATE messages SET priority = NULL")
		} else {
			p.exec("UPDATE messages SET priority = 'urgent'")
		}
		p.storm(1)
		p.must(p.engine.Sweep(t.Context()))
		if n := p.count("SELECT count(*) FROM escalations WHERE phase = 'steps' AND fired_at = $1", p.now); n != 2 {
			t.Errorf("%d of 2 escalations fired their step", n)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE state = 'active' AND rule = 0 AND notify_at = $1", p.now); n != 1 {
			t.Errorf("%d pages are left to the planner", n)
		}
	})
}

// A process that stands still while it plans holds the planner's lock. Whoever
// fires must not wait for it with incidents in hand.
func TestFiringDoesNotWaitForThePlanner(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.storm(1)[0]
		planning, err := st.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = planning.Rollback(context.Background()) }()
		if _, err := planning.Exec(t.Context(), "SELECT pg_advisory_xact_lock($1)", paging.PlannerLock); err != nil {
			t.Fatal(err)
		}
		if n := p.must(p.engine.Sweep(t.Context())); n != 1 {
			t.Errorf("%d escalations fired", n)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE rule = 0 AND notify_at = $1", p.now); n != 1 {
			t.Errorf("%d pages are left to the planner", n)
		}
		p.acknowledge(number)
		if err := planning.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expect(p.settle())
	})
}

// Whoever is being deactivated while a step fires is not paged by what was true
// before, and whoever comes next does not wait for the step to end.
func TestFiringDuringDeactivationPagesNext(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		leaving, err := st.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = leaving.Rollback(context.Background()) }()
		if _, err := leaving.Exec(t.Context(), "SELECT id FROM users WHERE id = $1 FOR UPDATE", ana); err != nil { // as leave does
			t.Fatal(err)
		}
		p.must(p.engine.Sweep(t.Context()))
		p.must(p.planner.Sweep(t.Context()))
		if n := p.count("SELECT count(*) FROM messages"); n != 0 {
			t.Errorf("%d messages were made for somebody who is leaving", n)
		}
		if _, err := leaving.Exec(t.Context(), "UPDATE users SET active = false WHERE id = $1", ana); err != nil {
			t.Fatal(err)
		}
		if err := leaving.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		delete(p.planner.People.(fixedDirectory).people, ana)
		p.expect(p.settle(), "sms-2")
	})
}
