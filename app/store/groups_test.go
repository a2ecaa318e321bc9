package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

func inGroup(s *ingest.Signal)    { s.Event.Group = "g" }
func neverAgain(s *ingest.Signal) { s.Rules.ReopenWindow = 0 }

func acknowledges(s *ingest.Signal) { s.Event.Action = incident.AcknowledgeAlert }

// statuses are where incidents stand, in the order of their numbers.
func (p *pipeline) statuses() []string {
	p.t.Helper()
	rows, err := p.db.Read.QueryContext(context.Background(), "SELECT status FROM incidents ORDER BY number")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var status string
		if err := rows.Scan(&status); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, status)
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return all
}

func (p *pipeline) expectStatuses(want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.statuses()); diff != "" {
		p.t.Error(diff)
	}
}

func TestGroupSharesOneIncident(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		first := p.write(p.signal("a", inGroup), p.signal("b", inGroup))
		if first[0].Status != incident.ResultCreated || first[1].Status != incident.ResultDeduplicated || first[0].Number != first[1].Number {
			t.Fatalf("got %+v", first)
		}
		p.expect(p.settle(), "sms-1")
		if r := p.write(p.signal("c", inGroup)); r[0].Number != first[0].Number {
			t.Errorf("a third alert: %+v", r)
		}
		p.expect(p.settle(), "sms-1") // it is news
		if r := p.write(p.signal("c", inGroup)); r[0].Status != incident.ResultDeduplicated {
			t.Errorf("a repeat: %+v", r)
		}
		p.expect(p.settle())
		p.write(p.signal("a", inGroup, resolve), p.signal("c", inGroup, resolve))
		p.expectStatuses("triggered")
		p.write(p.signal("b", inGroup, resolve))
		p.expectStatuses("resolved")
		if r := p.write(p.signal("b", inGroup)); r[0].Number != first[0].Number || r[0].Status != incident.ResultDeduplicated {
			t.Errorf("within the window it reopens: %+v", r)
		}
		p.expectStatuses("triggered")
	})
}

func TestGroupsAreSeparate(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		results := p.write(p.signal("a", inGroup), p.signal("b"),
			p.signal("c", func(s *ingest.Signal) { s.Event.Group = "h" }),
			p.signal("a", inGroup, func(s *ingest.Signal) { s.ServiceID, s.Rules.ServiceID = 2, 2 }))
		for i, r := range results {
			if r.Status != incident.ResultCreated {
				t.Errorf("%d: %+v", i, r)
			}
		}
	})
}

func TestNewAlertOfGroupAsksOwner(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", inGroup))[0].Number
		p.settle()
		user := ben
		if _, err := p.do(t.Context(), number, incident.ActAcknowledge{}, incident.By{Actor: "ben@acme.example", UserID: &user, Via: "sms"}); err != nil {
			t.Fatal(err)
		}
		p.settle()
		p.write(p.signal("b", inGroup))
		p.expect(p.settle(), "sms-2")
		p.expectStatuses("acknowledged")
	})
}

// Alerts that were resolved before do not keep open what reopens and recovers.
func TestReopenAndRecoveryInOneBatchResolve(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		alone := func(*ingest.Signal) {}
		for _, group := range []func(*ingest.Signal){alone, inGroup} {
			p.write(p.signal("a", group), p.signal("b", group))
			p.write(p.signal("a", group, resolve), p.signal("b", group, resolve))
			p.write(p.signal("a", group), p.signal("a", group, resolve))
			if n := p.count("SELECT count(*) FROM incidents WHERE status <> 'resolved'"); n != 0 {
				t.Errorf("%d incidents are open", n)
			}
			p.exec("UPDATE alerts SET dedup_key = 'alone ' || dedup_key")
		}
	})
}

// The index of open groups must not mind in which order a batch is written.
func TestGroupReopensInOneBatch(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.write(p.signal("a", inGroup))
		p.write(p.signal("a", inGroup, resolve), p.signal("b", inGroup, neverAgain))
		p.expectStatuses("resolved", "triggered")
		p.write(p.signal("b", inGroup, resolve), p.signal("a", inGroup))
		p.expectStatuses("triggered", "resolved")
		p.write(p.signal("b", inGroup)) // joins the first, which is open
		p.expectStatuses("triggered", "resolved")
		p.write(p.signal("a", inGroup, resolve))
		p.expectStatuses("triggered", "resolved")
		p.write(p.signal("b", inGroup, resolve))
		p.expectStatuses("resolved", "resolved")
	})
}

func TestReopenKeepsOneOpenIncidentPerGroup(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", inGroup))[0].Number
		p.write(p.signal("a", inGroup, resolve))
		p.write(p.signal("b", inGroup))
		if _, err := p.do(t.Context(), number, incident.ActReopen{}, incident.By{Actor: "token:x"}); !fault.Is(err, fault.KindConflict) {
			t.Errorf("beside another one that is open: %v", err)
		}
		p.write(p.signal("b", inGroup, resolve))
		if _, err := p.do(t.Context(), number, incident.ActReopen{}, incident.By{Actor: "token:x"}); err != nil {
			t.Errorf("once that is resolved: %v", err)
		}
		p.expectStatuses("triggered", "resolved")
	})
}

// Two processes that begin a group at once have one incident in the end.
func TestConcurrentGroupStartOpensOneIncident(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		const rounds = 20
		batchers := [2]*ingest.Batcher{ingest.NewBatcher(st.Incidents, ingest.BatcherOptions{}), ingest.NewBatcher(st.Incidents, ingest.BatcherOptions{})}
		for round := range rounds {
			var done sync.WaitGroup
			for i, b := range batchers {
				s := p.signal(fmt.Sprint(round, i), func(s *ingest.Signal) { s.Event.Group = fmt.Sprint("g", round) })
				done.Go(func() {
					if _, err := b.Submit(context.Background(), []ingest.Signal{s}); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
		}
		for _, b := range batchers {
			if err := b.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if n := p.count("SELECT count(*) FROM incidents"); n != rounds {
			t.Errorf("%d groups have %d incidents", rounds, n)
		}
		if n := p.count("SELECT count(*) FROM alerts WHERE firing"); n != 2*rounds {
			t.Errorf("%d alerts fire", n)
		}
	})
}

func TestSenderAck(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		if r := p.write(p.signal("a", acknowledges)); r[0].Status != incident.ResultIgnored || r[0].Warning == "" || r[0].Number != 0 {
			t.Errorf("with nothing open: %+v", r)
		}
		p.write(p.signal("a"))
		if r := p.write(p.signal("a", acknowledges)); r[0].Status != incident.ResultAcknowledged {
			t.Errorf("got %+v", r)
		}
		p.expectStatuses("acknowledged")
		p.expect(p.advance(24 * time.Hour)) // nobody was paged yet, and nobody is
		if r := p.write(p.signal("a", acknowledges)); r[0].Status != incident.ResultIgnored {
			t.Errorf("again: %+v", r)
		}
		p.write(p.signal("a", resolve))
		p.expectStatuses("resolved")
	})
}

func TestChangesBefore(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		at := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
		change := func(service int64, summary string, after time.Duration) ingest.RecordedChange {
			return ingest.RecordedChange{ServiceID: service, IntegrationID: 1, Summary: summary, Source: "ci", At: at.Add(after), ReceivedAt: at.Add(time.Hour),
				Links: []incident.Link{{Text: "build", Href: "https://ci.example/1"}}, Details: []incident.Pair{{Name: "version", Value: summary}}}
		}
		all := []ingest.RecordedChange{change(1, "v1", 0), change(1, "v2", time.Minute), change(1, "v3", 2*time.Minute), change(2, "other", 0)}
		for range 2 { // a repeat is kept once
			if err := st.Incidents.RecordChanges(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		got, err := st.Incidents.ChangesBefore(t.Context(), 1, at.Add(time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			got[i].ID, got[i].At, got[i].ReceivedAt = 0, got[i].At.UTC(), got[i].ReceivedAt.UTC()
		}
		if diff := cmp.Diff([]ingest.RecordedChange{all[1], all[0]}, got); diff != "" {
			t.Error(diff)
		}
		if last, err := st.Incidents.ChangesBefore(t.Context(), 1, at.Add(time.Hour), 1); err != nil || len(last) != 1 || last[0].Summary != "v3" {
			t.Errorf("the last one: %+v, %v", last, err)
		}
	})
}

// Another alert that may wait is no reason to page before support hours; one that
// may not wait is.
func TestLowAlertWaitsForSupportHours(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		mayWait := func(s *ingest.Signal) { s.Event.Low = true }
		p.write(p.signal("a", inGroup, mayWait))
		p.exec("UPDATE escalations SET phase = 'waiting', next_action_at = $1", p.now.Add(8*time.Hour))
		p.write(p.signal("b", inGroup, mayWait))
		p.expect(p.settle())
		p.write(p.signal("c", inGroup))
		p.expect(p.settle(), "sms-1")
	})
}

// What is acknowledged in the batch that opens it never had an escalation: one that
// is escalated by hand starts it.
func TestEscalatingWhatWasAcknowledgedAtOnceStartsItsPolicy(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a"), p.signal("a", func(s *ingest.Signal) { s.Event.Action = incident.AcknowledgeAlert }))[0].Number
		p.expect(p.settle())
		user := ben
		if _, err := p.do(t.Context(), number, incident.ActEscalate{}, incident.By{Actor: "ben@acme.example", UserID: &user, Via: "web"}); err != nil {
			t.Fatal(err)
		}
		p.expect(p.settle(), "sms-1")
	})
}

// do carries out an act on an incident; one that is not allowed is an error.
func (p *pipeline) do(ctx context.Context, number int64, act incident.Act, by incident.By) (incident.Incident, error) {
	out, err := p.actions.Do(ctx, incident.Command{Number: number, By: by, Act: act})
	return out.Incident, errors.Join(err, out.Err())
}
