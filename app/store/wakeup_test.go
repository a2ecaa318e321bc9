package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// peer is another process on the database of a pipeline.
type peer struct {
	p       *pipeline
	wakeups <-chan db.Wakeup
}

// newPeer returns once the other process listens.
func (p *pipeline) newPeer(t *testing.T, address string) *peer {
	t.Helper()
	other := opened(t, address)
	wakeups, stop := other.Bus().Listen()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		other.Listen(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		stop()
	})
	o := &peer{p, wakeups}
	o.next() // that it listens
	return o
}

func (o *peer) next() db.Wakeup {
	o.p.t.Helper()
	select {
	case w := <-o.wakeups:
		return w
	case <-time.After(20 * time.Second):
		o.p.t.Fatal("the other process heard nothing")
		return db.Wakeup{}
	}
}

// heard is all that came since it was asked last: notifications come in the order of
// the commits, so that what a marker follows is there when it comes.
func (o *peer) heard() (work db.Work, changed []int64) {
	o.p.t.Helper()
	const marker = -1
	err := o.p.db.InTx(o.p.t.Context(), func(tx *db.Tx) error {
		return tx.Publish(o.p.t.Context(), db.Wakeup{Changes: []db.Change{{Number: marker}}})
	})
	if err != nil {
		o.p.t.Fatal(err)
	}
	for {
		w := o.next()
		if w.From != o.p.db.Owner {
			o.p.t.Errorf("heard %+v, which is of another", w)
		}
		if len(w.Changes) == 1 && w.Changes[0].Number == marker {
			return work, changed
		}
		work |= w.Work
		for _, c := range w.Changes {
			changed = append(changed, c.Number)
		}
	}
}

// TestOtherProcessHearsEveryStage follows a page from one process while another
// listens: whatever falls due by a commit wakes the loops of both.
func TestOtherProcessHearsEveryStage(t *testing.T) {
	t.Parallel()
	address := newPostgres(t)
	p := newPipeline(t, opened(t, address))
	other := p.newPeer(t, address)
	expect := func(stage string, work db.Work, changed ...int64) {
		t.Helper()
		gotWork, gotChanged := other.heard()
		if gotWork&work != work {
			t.Errorf("%s: the loops %b are woken, want %b", stage, gotWork, work)
		}
		for _, n := range changed {
			if !slices.Contains(gotChanged, n) {
				t.Errorf("%s: incidents %v changed, want %d", stage, gotChanged, n)
			}
		}
	}
	ctx := t.Context()
	number := p.write(p.signal("a"))[0].Number
	expect("a breach", db.ToEscalate|db.ToEffects, number)
	p.must(p.engine.Sweep(ctx))
	expect("a step that is planned at once", db.ToSend, number)
	claim := p.claim(1)[0]
	p.sent(claim)
	expect("a message that was sent", 0, number)
	next := func(int64) func([]int64) (notify.ContactMethod, bool) { return lostTo(2) }
	p.must(0, p.db.Paging.Report(ctx, claim.Attempt, "failed", "P1", "refused", next, p.now))
	expect("a message that was not delivered", db.ToSend|db.ToTime, number)
	claim = p.claim(1)[0]
	retry := p.now.Add(time.Second)
	p.must(0, p.db.Paging.Failed(ctx, claim, notify.Failure{}, &retry, lostTo(0), p.now))
	expect("a message that is tried again", db.ToSend, number)
	p.now = retry
	claim = p.claim(1)[0]
	p.must(0, p.db.Paging.Failed(ctx, claim, notify.Failure{Permanent: true}, nil, lostTo(0), p.now))
	expect("a message that is lost", db.ToSend|db.ToTime, number)
	p.must(p.timers.Sweep(ctx))
	expect("a step that is passed over", db.ToEscalate, number)
	p.acknowledge(number)
	expect("an acknowledgment", db.ToEffects, number)
	if _, err := p.do(ctx, number, incident.ActUnacknowledge{}, incident.By{Actor: "token:x"}); err != nil {
		t.Fatal(err)
	}
	expect("an acknowledgment that is taken back", db.ToEscalate, number)
	p.db.Paging.PlanAtOnce(nil)
	p.must(p.engine.Sweep(ctx))
	expect("a step", db.ToPlan, number)
	p.must(p.planner.Sweep(ctx))
	expect("a plan", db.ToSend)
	p.must(0, p.db.Paging.QueuePosts(ctx, []chat.Post{{Incident: chat.Incident{Number: number, Channel: "#payments"}, Due: p.now}}, p.now))
	expect("a post", db.ToSend)
	p.must(0, p.db.Organization.PeopleEditor().SetActive(ctx, auth.Tocsin, "ana@acme.example", false))
	expect("a person who leaves", db.ToReload)
}
