package incident_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestSnoozeStopsPagingUntilItsEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		inc   incident.Incident
		owner int64
	}{"triggered": {triggered(), 8}, "acknowledged by another": {acknowledged(t), 7}} {
		c := do(t, test.inc, person(8, 9), incident.ActSnooze{For: time.Hour}, expiring(0))
		inc := c.Incident
		if inc.Status != incident.Acknowledged || *inc.OwnerID != test.owner || *inc.SnoozedUntil != at(69) || c.Escalate != incident.EscalateStop {
			t.Errorf("%s: %+v", name, c)
		}
		expect(t, c.Timeline, incident.EvSnoozed)
		if len(c.Timers) != 1 || c.Timers[0] != (incident.Timer{Kind: incident.TimerSnooze, Due: at(69)}) {
			t.Errorf("%s: timers %+v", name, c.Timers)
		}
		if early := incident.SnoozeDue(at(68), inc); early.Changed || len(early.Timers) != 1 {
			t.Errorf("%s: before its end %+v", name, early)
		}
		if expiry := incident.AckDue(at(600), inc, time.Hour); expiry.Changed {
			t.Errorf("%s: an acknowledgment expired while snoozed", name)
		}
		over := incident.SnoozeDue(at(69), inc)
		if over.Incident.Status != incident.Triggered || over.Incident.SnoozedUntil != nil || over.Incident.OwnerID != nil || over.Escalate != incident.EscalateStart {
			t.Errorf("%s: at its end %+v", name, over)
		}
		expect(t, over.Timeline, incident.EvSnoozeOver)
	}
	if c, out, _ := try(triggered(), person(8, 9), incident.ActSnooze{For: time.Hour}, incident.Known{Shadow: true}); out.Kind != incident.Shadow || c.Changed {
		t.Errorf("of a shadow: %+v", out)
	}
}

func snoozed(t *testing.T) incident.Incident {
	t.Helper()
	return do(t, triggered(), person(7, 1), incident.ActSnooze{For: time.Hour}, incident.Known{}).Incident
}

func TestAnswersEndSnooze(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]incident.Act{
		"acknowledge": incident.ActAcknowledge{}, "take over": incident.ActTakeOver{}, "unacknowledge": incident.ActUnacknowledge{},
		"resolve": incident.ActResolve{}, "reassign": incident.ActEscalate{Reassign: true},
	} {
		if c := do(t, snoozed(t), person(8, 9), act, incident.Known{}); c.Incident.SnoozedUntil != nil {
			t.Errorf("%s leaves it snoozed", name)
		}
	}
}

func TestUndoOfResolveRestoresSnooze(t *testing.T) {
	t.Parallel()
	c, _ := undo(t, snoozed(t), person(7, 2), 10)
	if c.Incident.SnoozedUntil == nil || *c.Incident.SnoozedUntil != at(61) {
		t.Errorf("snoozed until %v", c.Incident.SnoozedUntil)
	}
}

func TestRaiseEndsSnooze(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 3)
	s.do(person(7, 1), incident.ActSnooze{For: time.Hour})
	out := s.breachAt(2, 1)
	if out.Incident.SnoozedUntil != nil || !out.AskOwner || out.Incident.Status != incident.Acknowledged {
		t.Errorf("got %+v", out)
	}
	expect(t, out.Timeline, incident.EvRaised, incident.EvSnoozeOver, incident.EvStillOnIt)
}
