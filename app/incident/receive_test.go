package incident_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

var start = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

// story plays signals on one dedup key, feeding each outcome into the next, as
// the store does.
type story struct {
	t     testing.TB
	state incident.State
	rules incident.Rules
	out   incident.SignalChange
	next  int64 // incident number
	// settle and ack are the timers that are set.
	timers map[string]time.Time
}

func newStory(t testing.TB) *story {
	return &story{t: t, timers: map[string]time.Time{}, rules: incident.Rules{
		ServiceID: 3, IntegrationID: 5, Actor: "integration:SRE", ReopenWindow: 5 * time.Minute,
		DeploymentKnown: true, Production: true,
	}}
}

func (s *story) send(minute float64, ev incident.Event) incident.SignalChange {
	s.t.Helper()
	ev.DedupKey = "key"
	s.out = incident.Receive(at(minute), s.state, ev, s.rules)
	if s.out.Result == incident.ResultIgnored {
		return s.out
	}
	if s.out.NewIncident {
		if s.out.Alert.IncidentNo != 0 || s.out.Incident.Number != 0 {
			s.t.Error("a new incident has a number already")
		}
		s.next++
		s.out.Incident.Number = s.next
		s.out.Alert.IncidentNo = s.next
	}
	alert := s.out.Alert
	s.state.Alert, s.state.Incident = &alert, s.out.Incident
	for _, timer := range s.out.Timers {
		s.timers[timer.Kind] = timer.Due
	}
	return s.out
}

func (s *story) breach(minute float64) incident.SignalChange {
	s.t.Helper()
	return s.send(minute, incident.Event{Action: incident.Trigger, Title: "Fast"})
}

func (s *story) breachAt(minute float64, level int) incident.SignalChange {
	s.t.Helper()
	return s.send(minute, incident.Event{Action: incident.Trigger, Title: "Fast", Priority: &level, PrioritySource: incident.SourceSignal})
}

func (s *story) recovered(minute float64) incident.SignalChange {
	s.t.Helper()
	return s.send(minute, incident.Event{Action: incident.Resolve})
}

// act takes over what a person or a timer did.
func (s *story) act(c incident.Change) incident.Change {
	inc := c.Incident
	s.state.Incident = &inc
	if c.EndAlerts {
		alert := *s.state.Alert
		alert.Firing = false
		s.state.Alert = &alert
	}
	for _, timer := range c.Timers {
		s.timers[timer.Kind] = timer.Due
	}
	return c
}

// do has a person act, on an incident in production.
func (s *story) do(by incident.By, act incident.Act) incident.Change {
	s.t.Helper()
	return s.act(do(s.t, *s.state.Incident, by, act, expiring(0)))
}

// is checks what came of the last signal: its result, what the escalation does,
// and the kinds of what the timeline tells.
func (s *story) is(result incident.Result, escalate incident.Escalate, timeline ...incident.EventKind) {
	s.t.Helper()
	if s.out.Result != result || s.out.Escalate != escalate {
		s.t.Errorf("got %s and %d, want %s and %d", s.out.Result, s.out.Escalate, result, escalate)
	}
	expect(s.t, s.out.Timeline, timeline...)
}

func expect(t testing.TB, events []incident.TimelineEvent, want ...incident.EventKind) {
	t.Helper()
	var got []incident.EventKind
	for _, e := range events {
		got = append(got, e.Kind())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("timeline: %s", diff)
	}
}

func at(minute float64) time.Time { return start.Add(time.Duration(minute * float64(time.Minute))) }

func person(id int64, minute float64) incident.By {
	return incident.By{Actor: fmt.Sprintf("person%d@acme.example", id), UserID: &id, Via: "web", At: at(minute)}
}

func TestFirstBreachOpensAnIncident(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	level := 2
	out := s.send(0, incident.Event{
		Action: incident.Trigger, Title: "Fast", Deployment: "prod-eu", Priority: &level, PrioritySource: incident.SourceSLO,
		StartedAt: at(-1), Snooze: time.Hour, Body: []byte("{}"), Warnings: []string{"w"}, Facts: incident.Facts{Sender: "SRE", SLI: "latency"},
	})
	s.is(incident.ResultCreated, incident.EscalateStart, incident.EvReceived)
	if !out.NewIncident || out.AskOwner || len(out.Timers) > 0 {
		t.Errorf("got %+v", out)
	}
	snoozed := at(60)
	if diff := cmp.Diff(incident.Alert{
		ServiceID: 3, DedupKey: "key", Title: "Fast", Firing: true, StartedAt: at(-1), StartKnown: true, FirstSeenAt: at(0), LastSeenAt: at(0),
		Occurrences: 1, IncidentNo: 1, IntegrationID: 5, Priority: &level, SnoozedUntil: &snoozed, Body: []byte("{}"),
	}, *s.state.Alert); diff != "" {
		t.Errorf("alert: %s", diff)
	}
	if diff := cmp.Diff(&incident.Incident{
		Number: 1, Title: "Fast", Status: incident.Triggered, Urgency: incident.High, ServiceID: 3, Deployment: "prod-eu",
		DedupKey: "key", Priority: &level, PrioritySource: incident.SourceSLO, Occurrences: 1,
		Facts: incident.Facts{Sender: "SRE", SLI: "latency"}, CreatedAt: at(0), LastSeenAt: at(0), ChangedAt: at(0),
	}, out.Incident); diff != "" {
		t.Errorf("incident: %s", diff)
	}
	want := []incident.TimelineEvent{{At: at(0), Actor: "integration:SRE", Payload: incident.ReceivedPayload{Sender: "SRE", Warnings: []string{"w"}}}}
	if diff := cmp.Diff(want, out.Timeline); diff != "" {
		t.Errorf("timeline: %s", diff)
	}
}

func TestRepeatPagesNobody(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breachAt(0, 2)
	for i := range 3 {
		s.breachAt(float64(i+1), 2+i%2) // the same or a lower priority
		s.is(incident.ResultDeduplicated, incident.EscalateNone)
	}
	s.send(3, incident.Event{Action: incident.Trigger, Facts: incident.Facts{Observed: new(97.5)}, Body: []byte("latest")})
	if *s.state.Incident.Facts.Observed != 97.5 || string(s.state.Alert.Body) != "latest" {
		t.Error("the latest breach is not shown")
	}
	if a, inc := s.state.Alert, s.state.Incident; a.Occurrences != 5 || inc.Occurrences != 5 || inc.LastSeenAt != at(3) || inc.ChangedAt != at(0) || *inc.Priority != 2 {
		t.Errorf("alert %+v, incident %+v", a, inc)
	}
}

func TestAlertOfResolvedIncidentDoesNotFire(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	c := do(t, *s.state.Incident, person(7, 1), incident.ActResolve{}, incident.Known{})
	s.state.Incident = &c.Incident // and the alert was left as it was
	s.recovered(2)
	s.is(incident.ResultIgnored, incident.EscalateNone)
	s.breach(3)
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened)
}

func TestRecoveryResolves(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	s.recovered(3)
	s.is(incident.ResultResolved, incident.EscalateStop, incident.EvRecovered, incident.EvResolved)
	if inc := s.state.Incident; inc.Status != incident.Resolved || *inc.ResolvedAt != at(3) || inc.ResolvedBy != "integration:SRE" || s.state.Alert.Firing {
		t.Errorf("incident %+v", inc)
	}
	s.recovered(4)
	s.is(incident.ResultIgnored, incident.EscalateNone)
	if out := newStory(t).recovered(0); out.Result != incident.ResultIgnored || out.Incident != nil {
		t.Errorf("an unknown alert: %+v", out)
	}
}

func TestLastAlertResolves(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	s.state.OtherFiring = 1
	s.recovered(1)
	s.is(incident.ResultResolved, incident.EscalateNone, incident.EvRecovered)
	if s.state.Incident.Status != incident.Triggered {
		t.Error("resolved too early")
	}
	s.breach(2) // fires again while the other still does
	s.is(incident.ResultDeduplicated, incident.EscalateNone, incident.EvRepeated)
	s.state.OtherFiring = 0
	s.recovered(3)
	s.is(incident.ResultResolved, incident.EscalateStop, incident.EvRecovered, incident.EvResolved)
}

func TestOldResolveIsIgnored(t *testing.T) {
	t.Parallel()
	first, second := at(-10), at(5)
	for _, test := range []struct {
		name               string
		breached, repeated time.Time
		recovered          time.Time
		want               incident.Result
	}{
		{"of this firing", first, first, first, incident.ResultResolved},
		{"without a time", first, first, time.Time{}, incident.ResultResolved},
		{"of an earlier firing", second, second, first, incident.ResultIgnored},
		{"of a firing whose repeat began anew", first, second, first, incident.ResultIgnored},
		{"with a late repeat of an earlier one", second, first, second, incident.ResultResolved},
		// Our clock may be ahead of the sender's: only its own times compare.
		{"the breach had no time", time.Time{}, time.Time{}, first, incident.ResultResolved},
		{"only the repeat had one", time.Time{}, second, first, incident.ResultIgnored},
	} {
		s := newStory(t)
		s.send(6, incident.Event{Action: incident.Trigger, StartedAt: test.breached})
		s.send(7, incident.Event{Action: incident.Trigger, StartedAt: test.repeated})
		before := s.state
		out := s.send(8, incident.Event{Action: incident.Resolve, StartedAt: test.recovered})
		if out.Result != test.want {
			t.Errorf("%s: got %s", test.name, out.Result)
		}
		if out.Result == incident.ResultIgnored {
			if diff := cmp.Diff(before, s.state); diff != "" || len(out.Timeline) > 0 {
				t.Errorf("%s: changed %s", test.name, diff)
			}
		}
	}
}

// TestIgnoredRecoveryWarns: the sender is told nothing but what is so.
func TestIgnoredRecoveryWarns(t *testing.T) {
	t.Parallel()
	is := func(what string, out incident.SignalChange, want string) {
		t.Helper()
		if out.Result != incident.ResultIgnored || out.Warning != want {
			t.Errorf("%s: %s with %q", what, out.Result, out.Warning)
		}
	}
	const nothing = "Nothing is open under this dedup key, so the recovery ended nothing."
	s := newStory(t)
	is("of a key that was never seen", s.recovered(0), nothing)
	s.send(1, incident.Event{Action: incident.Trigger, StartedAt: at(1)})
	is("older than the breach", s.send(2, incident.Event{Action: incident.Resolve, StartedAt: at(0)}),
		"The recovery started before what is open under this dedup key, so it ended nothing.")
	s.state.OtherFiring = 1
	if out := s.recovered(3); out.Result != incident.ResultResolved || out.Warning != "" {
		t.Errorf("what ended something: %s with %q", out.Result, out.Warning)
	}
	is("twice, while another alert keeps the incident open", s.recovered(4),
		"What is open under this dedup key no longer fires, so the recovery ended nothing.")
	s.state.OtherFiring = 0
	s.breach(5)
	s.recovered(6)
	is("of what is resolved", s.recovered(7), nothing)
}

func TestReopenWindow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		minute float64
		window time.Duration
		same   bool
	}{
		{1, 5 * time.Minute, true}, {6, 5 * time.Minute, true}, {6.01, 5 * time.Minute, false}, {1, 0, false}, {1.5, time.Minute, true},
	} {
		s := newStory(t)
		s.rules.ReopenWindow = test.window
		s.breach(0)
		s.do(person(7, 0.5), incident.ActAcknowledge{})
		s.recovered(1)
		out := s.breach(test.minute)
		if !test.same {
			s.is(incident.ResultCreated, incident.EscalateStart, incident.EvReceived)
			if s.state.Incident.Number != 2 || s.state.Alert.IncidentNo != 2 || s.state.Alert.Occurrences != 2 || !s.state.Alert.FirstSeenAt.Equal(at(0)) {
				t.Errorf("%+v: %+v", test, s.state.Alert)
			}
			continue
		}
		s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened)
		inc := out.Incident
		if out.NewIncident || inc.Number != 1 || inc.Status != incident.Triggered || inc.OwnerID != nil || inc.ResolvedAt != nil || len(inc.ReopenedAt) != 1 {
			t.Errorf("%+v: %+v", test, inc)
		}
	}
}

func TestReopenWindowAfterResolveByHand(t *testing.T) {
	t.Parallel()
	for minute, want := range map[float64]incident.Result{3: incident.ResultDeduplicated, 9: incident.ResultCreated} {
		s := newStory(t)
		s.breach(0)
		c := s.do(person(7, 2), incident.ActResolve{FixedBy: "restarted"})
		if !c.EndAlerts || c.Escalate != incident.EscalateStop {
			t.Errorf("got %+v", c)
		}
		s.breach(minute)
		if s.out.Result != want || s.out.Escalate != incident.EscalateStart {
			t.Errorf("minute %v: got %s", minute, s.out.Result)
		}
	}
}

func TestSnoozeMutesReopen(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.send(0, incident.Event{Action: incident.Trigger, Snooze: 30 * time.Minute})
	s.is(incident.ResultCreated, incident.EscalateStart, incident.EvReceived) // never a first page
	s.recovered(1)
	out := s.breach(2)
	s.is(incident.ResultSuppressed, incident.EscalateNone, incident.EvReopened)
	if out.Incident.Status != incident.Triggered || s.timers[incident.TimerQuietPeriod] != at(30) {
		t.Errorf("got %+v", out)
	}
	if c := incident.QuietPeriodDue(at(29), *out.Incident, 1, false); c.Changed || len(c.Timers) != 1 || c.Timers[0].Due != at(30) {
		t.Errorf("too early: %+v", c)
	}
	taken := do(t, *out.Incident, person(7, 3), incident.ActAcknowledge{}, incident.Known{})
	if c := incident.QuietPeriodDue(at(30), taken.Incident, 1, false); c.Changed {
		t.Errorf("somebody has it: %+v", c)
	}
	if c := incident.QuietPeriodDue(at(30), *out.Incident, 1, false); c.Escalate != incident.EscalateStart || c.Incident.MutedUntil != nil {
		t.Errorf("lost in silence: %+v", c)
	}
	s.breachAt(3, 2) // never a raise
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvRaised)
	if c := incident.QuietPeriodDue(at(30), *s.state.Incident, 1, false); c.Changed || c.Escalate != incident.EscalateNone {
		t.Errorf("paged twice: %+v", c)
	}
}

func TestSnoozeDoesNotMuteRaise(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.send(0, incident.Event{Action: incident.Trigger, Snooze: time.Hour})
	s.recovered(1)
	s.breachAt(2, 2)
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened, incident.EvRaised)
	if len(s.out.Timers) > 0 || s.out.Incident.MutedUntil != nil {
		t.Errorf("muted all the same: %+v", s.out)
	}
	s.recovered(3)
	s.breach(9)
	s.is(incident.ResultCreated, incident.EscalateStart, incident.EvReceived)
}

func TestSignalDoesNotMuteItself(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	s.recovered(1)
	s.send(2, incident.Event{Action: incident.Trigger, Snooze: time.Hour})
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened)
}

// flap plays a breach and three reopens: minutes 0, 2, 4 and 6.
func flap(t testing.TB) *story {
	s := newStory(t)
	s.breachAt(0, 3)
	for _, minute := range []float64{1, 3, 5} {
		s.recovered(minute)
		s.breachAt(minute+1, 3)
	}
	return s
}

func TestThirdReopenIsFlapping(t *testing.T) {
	t.Parallel()
	s := flap(t)
	s.is(incident.ResultSuppressed, incident.EscalateNone, incident.EvReopened, incident.EvFlapping)
	if inc := s.state.Incident; inc.FlappingSince == nil || *inc.FlappingSince != at(6) || s.timers[incident.TimerQuietPeriod] != at(36) {
		t.Errorf("incident %+v, timers %v", inc, s.timers)
	}
	s.recovered(7)
	s.is(incident.ResultSuppressed, incident.EscalateNone, incident.EvRecovered)
	if s.state.Incident.Status != incident.Triggered {
		t.Error("a recovery resolved what is held open")
	}
	s.breachAt(8, 3)
	s.is(incident.ResultSuppressed, incident.EscalateNone, incident.EvRepeated)
	s.breachAt(9, 2)
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvRaised)
	s.recovered(10)
	s.breachAt(11, 1)
	s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvRepeated, incident.EvRaised)
}

func TestSlowReopensAreNotFlapping(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	for _, minute := range []float64{1, 31, 61} {
		s.recovered(minute)
		s.breach(minute + 1)
		s.is(incident.ResultDeduplicated, incident.EscalateStart, incident.EvReopened)
	}
	if n := len(s.state.Incident.ReopenedAt); n != 2 {
		t.Errorf("%d reopens are kept", n)
	}
}
