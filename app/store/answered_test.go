package store

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// expectAnswered fails the test unless the one page was withdrawn by its answer, no
// message waits, and no timer looks at its step.
func (p *pipeline) expectAnswered() {
	p.t.Helper()
	if n := p.count("SELECT count(*) FROM pages WHERE state = 'withdrawn'"); n != 1 {
		p.t.Errorf("%d pages are withdrawn", n)
	}
	if n := p.count("SELECT count(*) FROM messages WHERE state IN ('queued', 'sending')"); n != 0 {
		p.t.Errorf("%d messages wait", n)
	}
	if n := p.count("SELECT count(*) FROM timers WHERE kind = $1", paging.TimerPassOver); n != 0 {
		p.t.Errorf("%d timers look at a step", n)
	}
}

func TestAnsweredPageDoesNotFailOver(t *testing.T) {
	for name, lose := range map[string]func(p *pipeline, c notify.Claim, answer func(), next func([]int64) (notify.ContactMethod, bool)) error{
		"its send fails": func(p *pipeline, c notify.Claim, answer func(), next func([]int64) (notify.ContactMethod, bool)) error {
			answer()
			return p.db.Paging.Failed(context.Background(), c, notify.Failure{Reason: "switched off", Permanent: true}, nil, next, p.now)
		},
		"its delivery fails": func(p *pipeline, c notify.Claim, answer func(), next func([]int64) (notify.ContactMethod, bool)) error {
			p.sent(c)
			answer()
			byUser := func(int64) func([]int64) (notify.ContactMethod, bool) { return next }
			return p.db.Paging.Report(context.Background(), c.Attempt, paging.Failed, "P1", "switched off", byUser, p.now)
		},
	} {
		for fallback, ok := range map[string]bool{"and there is another method": true, "and there is no other method": false} {
			t.Run(name+" "+fallback, func(t *testing.T) {
				ForEachDatabase(t, func(t *testing.T, st *Store) {
					p := newPipeline(t, st)
					number := p.storm(1)[0]
					p.planned()
					next := func([]int64) (notify.ContactMethod, bool) {
						return notify.ContactMethod{ID: 2, UserID: ana, Medium: notify.Email, Address: "email-1"}, ok
					}
					p.must(0, lose(p, p.claim(1)[0], func() { p.acknowledge(number) }, next))
					p.expectAnswered()
				})
			})
		}
	}
}

// onLog is a log that calls a function for each record with a message.
type onLog struct {
	slog.Handler
	message string
	call    func()
}

func (l onLog) Enabled(context.Context, slog.Level) bool { return true }

func (l onLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == l.message {
		l.call()
	}
	return nil
}

func TestPageAnsweredDuringPlanningDoesNotFail(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		st.Paging.PlanAtOnce(nil)
		number := p.storm(1)[0]
		p.must(p.engine.Sweep(t.Context()))
		p.poison("pages", "created_at", "incident_number = $1", number)
		answered := false
		st.Log = slog.New(onLog{slog.DiscardHandler, "plan failed, failing the page", func() {
			answered = true
			p.acknowledge(number)
		}})
		p.must(p.planner.Sweep(t.Context()))
		if !answered {
			t.Fatal("the page could be planned")
		}
		p.expectAnswered()
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvTrouble)); n != 0 {
			t.Errorf("the timeline tells of trouble %d times", n)
		}
	})
}

// An alert that joins an incident after an action has locked its alerts, and before it
// locks the incident, is resolved with the others.
func TestResolveIncludesAlertThatJoinsMeanwhile(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", inGroup))[0].Number
		joining, err := st.Write.BeginTx(t.Context(), nil) // on SQLite the only writer
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = joining.Rollback() }()
		if _, err := joining.ExecContext(t.Context(), "UPDATE incidents SET version = version + 1"); err != nil {
			t.Fatal(err)
		}
		waits := st.Write.Stats().WaitCount
		done := make(chan struct{})
		var failed error
		go func() {
			defer close(done)
			_, failed = p.do(context.Background(), number, incident.ActResolve{}, incident.By{Actor: "token:x"})
		}()
		if p.untilWaiting(done, waits) {
			t.Errorf("the incident was not locked: %v", failed)
		}
		if _, err := joining.ExecContext(t.Context(), `INSERT INTO alerts (service_id, dedup_key, firing, started_at, start_known, first_seen_at, last_seen_at, occurrences, incident_number, integration_id, body)
			SELECT service_id, 'b', firing, started_at, start_known, first_seen_at, last_seen_at, occurrences, incident_number, integration_id, body FROM alerts`); err != nil {
			t.Fatal(err)
		}
		if err := joining.Commit(); err != nil {
			t.Fatal(err)
		}
		<-done
		if failed != nil {
			t.Fatal(failed)
		}
		p.expectStatuses("resolved")
		if n := p.count("SELECT count(*) FROM alerts WHERE NOT firing"); n != 2 {
			t.Errorf("%d of 2 alerts are resolved", n)
		}
	})
}

// untilWaiting is untilBlocked for both databases: a writer of SQLite waits for the
// one connection that writes.
func (p *pipeline) untilWaiting(done <-chan struct{}, before int64) (ended bool) {
	p.t.Helper()
	if p.db.Dialect == db.Postgres {
		return p.untilBlocked(done)
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for p.db.Write.Stats().WaitCount == before {
		select {
		case <-done:
			return true
		case <-look.C:
		}
	}
	return false
}
