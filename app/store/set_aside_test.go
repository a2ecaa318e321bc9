package store

import (
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// messagesOf are the states of the messages of which an incident’s record tells, and with how many other incidents each was sent.
func (p *pipeline) messagesOf(number int64) (states []incident.AttemptState, with []int) {
	p.t.Helper()
	records, err := p.db.Paging.IncidentPages(p.t.Context(), number)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range records {
		states, with = append(states, r.State), append(with, r.With)
	}
	return states, with
}

// gathered has five incidents of one message that is not due yet, after three that were
// sent at once, and acknowledges the first three of the five two seconds before it is.
func (p *pipeline) gathered() (numbers []int64) {
	p.t.Helper()
	p.onlyBySMS(ana)
	numbers = p.storm(8)[3:]
	p.expect(p.settle(), "sms-1", "sms-1", "sms-1")
	p.expect(p.advance(notify.GatherFor - 2*time.Second))
	for _, n := range numbers[:3] {
		p.acknowledge(n)
	}
	return numbers
}

func TestMessageTellsOnlyOfWhatItContained(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		numbers := p.gathered()
		sent := p.advance(2 * time.Second)
		p.expect(sent, "sms-1")
		if n := sent[0].Count(); n != 2 {
			t.Fatalf("the message is about %d incidents", n)
		}
		p.now = p.now.Add(time.Second)
		for _, n := range numbers[:3] {
			p.undoAcknowledge(n)
		}
		for i, n := range numbers {
			states, with := p.messagesOf(n)
			if told := slices.Contains(states, incident.AttemptSent); told != (i >= 3) {
				t.Errorf("incident %d: messages are %v", n, states)
			}
			if i >= 3 && !slices.Equal(with, []int{1}) {
				t.Errorf("incident %d was sent together with %v others", n, with)
			}
		}
	})
}

func TestUndoPagesAtOnceWhoeverWasNotTold(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		numbers := p.gathered()
		p.expect(p.advance(2*time.Second), "sms-1")
		p.now = p.now.Add(time.Second)
		for _, n := range numbers[:3] {
			p.undoAcknowledge(n)
			p.expect(p.settle())
		}
		sent := p.advance(5 * time.Second)
		p.expect(sent, "sms-1")
		if got := p.told(sent); !slices.Equal(got, numbers[:3]) {
			t.Errorf("the undo sends %v, want %v", got, numbers[:3])
		}
	})
}

// A message that failed has its attempts on the record of what was answered before the
// next one.
func TestAttemptsOfAnsweredPagesAreKept(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		numbers := p.storm(5)[3:]
		p.settle()
		p.sms.fail = func(notify.Message) *notify.Failure { return &notify.Failure{Reason: "busy"} }
		p.expect(p.advance(time.Minute))
		p.acknowledge(numbers[0])
		p.sms.fail = nil
		p.expect(p.advance(10*time.Second), "sms-1")
		for i, want := range [][]incident.AttemptState{{incident.AttemptFailed}, {incident.AttemptFailed, incident.AttemptSent}} {
			if states, _ := p.messagesOf(numbers[i]); !slices.Equal(states, want) {
				t.Errorf("incident %d: messages are %v, want %v", numbers[i], states, want)
			}
		}
	})
}

// A page whose message failed for good while its incident was acknowledged is sent anew.
func TestUndoPagesAfterFailureDuringAcknowledgment(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		number := p.write(p.signal("a"))[0].Number
		p.must(p.engine.Sweep(t.Context()))
		p.must(p.planner.Sweep(t.Context()))
		claim := p.claim(1)[0]
		p.acknowledge(number)
		none := func([]int64) (notify.ContactMethod, bool) { return notify.ContactMethod{}, false }
		p.must(0, st.Paging.Failed(t.Context(), claim, notify.Failure{Reason: "switched off", Permanent: true}, nil, none, p.now))
		p.now = p.now.Add(time.Second)
		p.undoAcknowledge(number)
		p.expect(p.settle(), "sms-1")
	})
}
