package incident_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestRaiseRefires(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 4)
	s.breachAt(1, 3)
	s.is(incident.ResultDeduplicated, incident.EscalateRefire, incident.EvRaised)
	if inc := s.state.Incident; inc.Urgency != incident.Low || *inc.Priority != 3 || inc.PrioritySource != incident.SourceSignal {
		t.Errorf("incident %+v", inc)
	}
	s.breachAt(2, 1)
	s.is(incident.ResultDeduplicated, incident.EscalateRefire, incident.EvRaised)
	if inc := s.state.Incident; inc.Urgency != incident.High || *inc.Priority != 1 {
		t.Errorf("incident %+v", inc)
	}
}

// What had no priority was paged as urgently as a P2 is.
func TestFirstPriorityPagesAgainIfUrgent(t *testing.T) {
	t.Parallel()
	for level, want := range map[int]incident.Escalate{
		1: incident.EscalateRefire, 2: incident.EscalateRefire, 3: incident.EscalateNone, 5: incident.EscalateNone,
	} {
		s := newStory(t)
		s.breach(0)
		s.breachAt(1, level)
		s.is(incident.ResultDeduplicated, want, incident.EvRaised)
		if p := s.state.Incident.Priority; p == nil || *p != level {
			t.Errorf("P%d was not taken over: %v", level, p)
		}
	}
	s := newStory(t)
	s.breach(0)
	s.state.Incident.OwnerID, s.state.Incident.Status = new(int64(1)), incident.Acknowledged
	if out := s.breachAt(1, 3); out.AskOwner {
		t.Error("whoever is on it was asked because of a P3")
	}
	if s.breachAt(2, 2); !s.out.AskOwner {
		t.Error("whoever is on it was not asked about the P2 that it became")
	}
	s = newStory(t)
	s.send(0, incident.Event{Action: incident.Trigger, Snooze: time.Hour})
	s.recovered(1)
	s.breachAt(2, 3) // breaks no mute either
	s.is(incident.ResultSuppressed, incident.EscalateNone, incident.EvReopened, incident.EvRaised)
}

func TestRaiseAsksOwner(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 3)
	s.do(person(7, 1), incident.ActAcknowledge{})
	out := s.breachAt(2, 2)
	s.is(incident.ResultDeduplicated, incident.EscalateNone, incident.EvRaised, incident.EvStillOnIt)
	if !out.AskOwner || s.timers[incident.TimerAck] != at(7) || out.Incident.Status != incident.Acknowledged {
		t.Errorf("got %+v", out)
	}
	// A second raise pages again, and gives no further five minutes.
	out = s.breachAt(4, 1)
	if !out.AskOwner || len(out.Timers) > 0 || *out.Incident.AskedAt != at(2) {
		t.Errorf("got %+v", out)
	}
	c := s.act(incident.AckDue(at(7), *s.state.Incident, 0))
	if c.Escalate != incident.EscalateStart || c.Incident.Status != incident.Triggered || c.Incident.OwnerID != nil {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvAckExpired)
}

func TestRaiseRestartsAfterTokenAck(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 3)
	s.do(incident.By{Actor: "token:bot", At: at(1)}, incident.ActAcknowledge{})
	out := s.breachAt(2, 2)
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvRaised, incident.EvAckExpired)
	if out.AskOwner || out.Incident.Status != incident.Triggered {
		t.Errorf("got %+v", out)
	}
}

// The level that a person chose stands against repeats of what they knew.
func TestRepeatKeepsPrioritySetByHand(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 2)
	low := 3
	s.do(person(7, 1), incident.ActSetPriority{Level: &low, Reason: "only the demo tenant"})
	s.breachAt(2, 2)
	s.is(incident.ResultDeduplicated, incident.EscalateNone)
	if *s.state.Incident.Priority != 3 {
		t.Errorf("priority %d", *s.state.Incident.Priority)
	}
	s.breachAt(3, 1)
	s.is(incident.ResultDeduplicated, incident.EscalateRefire, incident.EvRaised)
	s.do(person(7, 4), incident.ActSetPriority{Level: &low, Reason: ""})
	s.breachAt(5, 1)
	s.is(incident.ResultDeduplicated, incident.EscalateNone)
}

// No priority is a decision: a signal that repeats it changes nothing, and a level
// raises it like one that was lower.
func TestNoPriorityIsLowAndRaisedByLevel(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, catalog.NoPriority)
	if inc := s.state.Incident; inc.Urgency != incident.Low || inc.Priority == nil || *inc.Priority != catalog.NoPriority {
		t.Fatalf("incident %+v", inc)
	}
	s.breachAt(1, catalog.NoPriority)
	s.is(incident.ResultDeduplicated, incident.EscalateNone)
	s.breachAt(2, 3)
	s.is(incident.ResultDeduplicated, incident.EscalateRefire, incident.EvRaised)

	unset := newStory(t)
	unset.breach(0)
	unset.breachAt(1, catalog.NoPriority)
	unset.is(incident.ResultDeduplicated, incident.EscalateNone)
	if inc := unset.state.Incident; inc.Priority != nil || inc.Urgency != incident.High {
		t.Errorf("a repeat made the incident less urgent: %+v", inc)
	}
}

func TestUnsetIsNotNoPriority(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 2)
	none := s.do(person(7, 1), incident.ActSetPriority{Level: new(catalog.NoPriority), Reason: "a test tenant"})
	if inc := s.state.Incident; inc.Priority == nil || *inc.Priority != catalog.NoPriority || inc.Urgency != incident.Low {
		t.Errorf("no priority: %+v", inc)
	}
	if p, ok := none.Timeline[0].Payload.(incident.PriorityPayload); !ok || p.From != "P2" || p.To != "no priority" {
		t.Errorf("timeline %+v", none.Timeline)
	}
	unset := s.do(person(7, 2), incident.ActSetPriority{})
	if inc := s.state.Incident; inc.Priority != nil || inc.Urgency != incident.High {
		t.Errorf("unset: %+v", inc)
	}
	if p, ok := unset.Timeline[0].Payload.(incident.PriorityPayload); !ok || p.From != "no priority" || p.To != "" {
		t.Errorf("timeline %+v", unset.Timeline)
	}
}
