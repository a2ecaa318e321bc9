package incident_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestAckDue(t *testing.T) {
	t.Parallel()
	inc := acknowledged(t)
	for _, test := range []struct {
		name    string
		minute  float64
		inc     incident.Incident
		expires time.Duration
		again   float64 // when the timer is set to, 0 for never
	}{
		{"never expires", 999, inc, 0, 0},
		{"too early", 60, inc, time.Hour, 61},
		{"not acknowledged", 999, triggered(), time.Hour, 0},
		{"resolved", 999, resolved(t), time.Hour, 0},
		{"asked, too early", 65, incident.AckDue(at(61), inc, time.Hour).Incident, 0, 66},
	} {
		c := incident.AckDue(at(test.minute), test.inc, test.expires)
		if c.Changed || c.AskOwner || c.Escalate != incident.EscalateNone || (test.again != 0) != (len(c.Timers) == 1) ||
			test.again != 0 && c.Timers[0].Due != at(test.again) {
			t.Errorf("%s: %+v", test.name, c)
		}
	}
	asked := incident.AckDue(at(61), inc, time.Hour)
	expect(t, asked.Timeline, incident.EvStillOnIt)
	if asked.Timers[0].Due != at(66) {
		t.Errorf("got %+v", asked.Timers)
	}
	expired := incident.AckDue(at(66), asked.Incident, time.Hour)
	if expired.Escalate != incident.EscalateStart || expired.Incident.Status != incident.Triggered || expired.Incident.AskedAt != nil {
		t.Errorf("got %+v", expired)
	}
	expect(t, expired.Timeline, incident.EvAckExpired)
	byToken := do(t, triggered(), bot, incident.ActAcknowledge{}, incident.Known{}).Incident
	if c := incident.AckDue(at(62), byToken, time.Hour); c.Escalate != incident.EscalateStart || c.AskOwner {
		t.Errorf("a token cannot be asked: %+v", c)
	}
}

func TestFlappingPagesWhenItStaysBroken(t *testing.T) {
	t.Parallel()
	s := flap(t)
	if s.out.Warning == "" {
		t.Error("the sender is told nothing")
	}
	due := s.timers[incident.TimerFiring]
	if due != at(11) {
		t.Errorf("it is looked at after %v", due.Sub(at(6)))
	}
	c := incident.FiringDue(due, *s.state.Incident, 1, false)
	if !c.Changed || c.Escalate != incident.EscalateStart || c.Incident.FlappingSince == nil {
		t.Errorf("it does not page, or does not flap any more: %+v", c)
	}
	expect(t, c.Timeline, incident.EvStillFiring)
	if c := incident.FiringDue(due, *s.state.Incident, 1, true); c.Changed {
		t.Errorf("it pages twice: %+v", c)
	}
	if c := incident.FiringDue(due, *s.state.Incident, 0, false); c.Changed {
		t.Errorf("it recovered: %+v", c)
	}
	acked := *s.state.Incident
	acked.Status = incident.Acknowledged
	if c := incident.FiringDue(due, acked, 1, false); c.Changed {
		t.Errorf("somebody has it: %+v", c)
	}
}

func TestQuietPeriodDue(t *testing.T) {
	t.Parallel()
	s := flap(t)
	s.recovered(20)
	c := incident.QuietPeriodDue(at(36), *s.state.Incident, 0, false)
	if c.Changed || len(c.Timers) != 1 || c.Timers[0].Due != at(50) {
		t.Errorf("not quiet yet: %+v", c)
	}
	s.breachAt(25, 3)
	if c = incident.QuietPeriodDue(at(50), *s.state.Incident, 1, false); c.Changed || c.Timers[0].Due != at(55) {
		t.Errorf("fired again: %+v", c)
	}
	s.recovered(26)
	c = incident.QuietPeriodDue(at(56), *s.state.Incident, 0, false)
	if c.Incident.Status != incident.Resolved || c.Escalate != incident.EscalateStop || c.Incident.FlappingSince != nil {
		t.Errorf("quiet: %+v", c)
	}
	expect(t, c.Timeline, incident.EvQuietPeriodOver, incident.EvResolved)
	s.act(c)
	s.breach(58) // what fails after the quiet pages again
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened)

	s = flap(t)
	c = incident.QuietPeriodDue(at(36), *s.state.Incident, 1, false)
	if c.Escalate != incident.EscalateStart || c.Incident.Status != incident.Triggered || c.Incident.FlappingSince != nil {
		t.Errorf("quiet, still firing, nobody on it: %+v", c)
	}
	expect(t, c.Timeline, incident.EvQuietPeriodOver)
	s.act(c)
	s.recovered(40)
	s.is(incident.ResultResolved, incident.EscalateStop, incident.EvRecovered, incident.EvResolved)

	s = flap(t)
	c = incident.QuietPeriodDue(at(36), *s.state.Incident, 1, true)
	if !c.Changed || c.Escalate != incident.EscalateNone || c.Incident.FlappingSince != nil {
		t.Errorf("quiet, still firing, paging already: %+v", c)
	}

	s = flap(t)
	s.do(person(7, 7), incident.ActAcknowledge{})
	c = incident.QuietPeriodDue(at(36), *s.state.Incident, 1, false)
	if !c.Changed || c.Escalate != incident.EscalateNone || c.Incident.Status != incident.Acknowledged {
		t.Errorf("quiet, still firing, in hand: %+v", c)
	}
	s.do(person(7, 8), incident.ActResolve{FixedBy: ""})
	if c = incident.QuietPeriodDue(at(36), *s.state.Incident, 0, false); c.Changed {
		t.Errorf("resolved by hand: %+v", c)
	}
}
