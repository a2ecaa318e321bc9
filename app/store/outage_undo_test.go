package store

import (
	"context"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// undoAcknowledge takes Ana's acknowledgment back.
func (p *pipeline) undoAcknowledge(number int64) {
	p.t.Helper()
	user := ana
	out, err := p.actions.Do(context.Background(), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: incident.ActUndoAcknowledge{}})
	if err != nil || out.Incident.Status != incident.Triggered {
		p.t.Fatalf("undo: %+v, %v", out, err)
	}
}

func TestUndoneAcknowledgmentLeavesHeldMessagesWaiting(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		number := p.write(p.signal("a"))[0].Number
		p.expect(p.settle())
		p.acknowledge(number)
		p.expect(p.advance(time.Second))
		p.undoAcknowledge(number)
		p.expect(p.settle())
		mend()
		p.expect(p.probes(1), "sms-1")
	})
}

func TestUndoneAcknowledgmentTriesAgainWhatFailed(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.sms.fail = func(notify.Message) *notify.Failure {
			return &notify.Failure{Reason: "an error of its own", Scope: notify.ScopeProvider}
		}
		number := p.write(p.signal("a"))[0].Number
		p.expect(p.settle())
		p.acknowledge(number)
		p.sms.fail = nil
		p.undoAcknowledge(number)
		p.expect(p.settle(), "sms-1")
	})
}

// A probe that finds the only waiting message locked is made later.
func TestProbeOfLockedMessage(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle())
		mend()
		holder, err := st.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := holder.Exec(t.Context(), "SELECT 1 FROM messages FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		p.expect(p.probes(1))
		if err := holder.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.expect(p.probes(1), "sms-1")
	})
}

// The outage of one channel puts off no news of another's.
func TestNewsOfOutageIsNotPutOff(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle(), "email-1")
		began := p.now
		mend()
		p.sms.fail = func(notify.Message) *notify.Failure {
			return &notify.Failure{Reason: "cannot be reached", Scope: notify.ScopeChannel}
		}
		p.now = p.now.Add(10 * time.Second)
		p.write(p.signal("b"))
		p.expect(p.settle())
		if n := p.count("SELECT count(*) FROM channel_states"); n != 2 {
			t.Fatalf("%d channels are broken", n)
		}
		if due, err := st.Earliest(t.Context(), "SELECT due_at FROM timers WHERE kind = 'outage'"); err != nil || !due.Equal(began.Add(notify.TellAfter)) {
			t.Errorf("the administrators are told at %v, %v", due, err)
		}
	})
}

func TestOtherSettingsEndOutage(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.outage()
		works := true
		probe := func() {
			p.must(0, st.Paging.ProbeChannels(t.Context(), p.now, func(notify.Medium) bool { return works }))
		}
		number := p.write(p.signal("a"))[0].Number
		p.expect(p.settle())
		probe()
		if n := p.count("SELECT count(*) FROM channel_states WHERE probe_at = failed_at"); n != 1 {
			t.Errorf("%d channels are probed at once", n)
		}
		works = false
		probe()
		if n := p.count("SELECT count(*) FROM channel_states"); n != 0 {
			t.Errorf("%d channels that are not configured are broken", n)
		}
		p.expect(p.settle())
		p.acknowledge(number)
		p.expect(p.probes(1))
		works = true
		if n := p.count("SELECT count(*) FROM channel_states"); n != 1 {
			t.Fatalf("%d channels are broken", n)
		}
		probe()
		if n := p.count("SELECT count(*) FROM channel_states"); n != 0 {
			t.Errorf("%d channels are broken that nothing waits for", n)
		}
	})
}
