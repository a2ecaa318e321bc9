package store

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// outage has the SMS provider refuse us until mend is called, which also counts the
// calls that were refused.
func (p *pipeline) outage() (mend func() (calls int)) {
	calls := 0
	p.sms.fail = func(m notify.Message) *notify.Failure {
		if m.Medium != notify.SMS {
			return nil
		}
		calls++
		return &notify.Failure{Reason: "the token is wrong", Scope: notify.ScopeChannel, Permanent: true}
	}
	return func() int {
		p.sms.fail = nil
		return calls
	}
}

// probes advances by some intervals of probes, and returns what was sent.
func (p *pipeline) probes(n int) []notify.Message {
	p.t.Helper()
	var sent []notify.Message
	for range n {
		sent = append(sent, p.advance(notify.ProbeEvery)...)
	}
	return sent
}

// In an outage one message is tried at a time, all go by the other method at once, and
// all leave as soon as one arrives.
func TestOutageIsProbed(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle(), "email-1")
		p.write(p.signal("b"))
		p.expect(p.settle(), "email-1")
		p.expect(p.probes(20))
		// One call found the outage, and there is one for each interval since.
		if calls := mend(); calls != 21 {
			t.Errorf("the provider was called %d times", calls)
		}
		if n := p.count("SELECT max(attempts) FROM messages"); n > notify.MaxAttempts {
			t.Errorf("%d attempts are kept", n)
		}
		if n := p.count("SELECT count(*) FROM channel_states WHERE holds AND broken_since IS NOT NULL"); n != 1 {
			t.Errorf("%d channels are broken", n)
		}
		p.expect(p.probes(1), "sms-1", "sms-1")
		if n := p.count("SELECT count(*) FROM channel_states"); n != 0 {
			t.Errorf("%d channels fail after the mending", n)
		}
		if n := p.count("SELECT count(*) FROM messages WHERE state = 'queued'"); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}

func TestAnswerWithdrawsWhatWaitsForItsChannel(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		mend := p.outage()
		number := p.write(p.signal("a"))[0].Number
		p.expect(p.settle(), "email-1")
		p.acknowledge(number)
		mend()
		p.expect(p.probes(3))
		// Nothing waited, so the next page finds out at once that it works.
		p.write(p.signal("b"))
		sent := p.settle() // by two channels at once
		slices.SortFunc(sent, func(a, b notify.Message) int { return cmp.Compare(a.To, b.To) })
		p.expect(sent, "email-1", "sms-1")
	})
}

func TestStepEndsWhatWaitsForItsChannel(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle())
		p.expect(p.advance(50 * time.Minute)) // the step keeps its timeout
		if n := p.count("SELECT count(*) FROM pages"); n != 1 {
			t.Fatalf("%d pages were made", n)
		}
		p.expect(p.advance(10 * time.Minute)) // Ben's step
		mend()
		p.expect(p.probes(2), "sms-2")
		if n := p.count("SELECT count(*) FROM messages WHERE user_id = 1 AND state NOT IN ('failed', 'withdrawn')"); n != 0 {
			t.Errorf("%d messages to Ana are left", n)
		}
	})
}

func TestRepeatsInOutageAreOneMessage(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle())
		for range 4 { // the last rule repeats every 10 minutes
			p.expect(p.advance(10 * time.Minute))
		}
		mend()
		p.expect(p.probes(2), "sms-1")
	})
}

// A message that the process was sending when it ended counts as one that may have
// arrived, in an outage too.
func TestProbeOfProcessThatEnded(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		p.write(p.signal("a"))
		p.expect(p.settle())
		p.now = p.now.Add(notify.ProbeEvery)
		if claims := p.claim(10); len(claims) != 1 {
			t.Fatalf("%d messages were claimed", len(claims))
		}
		p.lapse()
		mend()
		sent := p.settle()
		p.expect(sent, "sms-1")
		if !sent[0].Again {
			t.Error("it is not marked as sent before")
		}
	})
}

func TestFallOverDuringCall(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.write(p.signal("a"))
		p.planned()
		claim := p.claim(1)[0]
		next := func([]int64) (notify.ContactMethod, bool) {
			return notify.ContactMethod{ID: 2, UserID: ana, Medium: notify.Email, Address: "email-1"}, true
		}
		for range 2 { // once for a message
			p.must(0, p.db.Paging.FallOver(context.Background(), claim, next, p.now))
		}
		p.expect(p.settle(), "email-1")
		p.sent(claim)
		p.must(0, p.db.Paging.FallOver(context.Background(), claim, next, p.now)) // late
		p.expect(p.settle())
	})
}
