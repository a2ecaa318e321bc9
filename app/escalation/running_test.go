package escalation_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestStart(t *testing.T) {
	t.Parallel()
	soon := monday.Add(time.Hour)
	for name, c := range map[string]struct {
		urgency incident.Urgency
		opens   time.Time
		waits   bool
	}{
		"high in support hours":   {incident.High, monday, false},
		"high out of them":        {incident.High, soon, false},
		"low in support hours":    {incident.Low, monday, false},
		"low out of them":         {incident.Low, soon, true},
		"low, opened in the past": {incident.Low, monday.Add(-time.Hour), false},
	} {
		r, events := escalation.Start(monday, c.urgency, c.opens)
		want := escalation.Running{State: escalation.State{Phase: escalation.PhaseSteps}, Active: true, NextAction: &monday}
		var told []incident.TimelineEvent
		if c.waits {
			want.State.Phase, want.NextAction = escalation.PhaseWaiting, &soon
			told = []incident.TimelineEvent{{At: monday, Actor: incident.Tocsin, Payload: incident.WaitingPayload{Until: soon}}}
		}
		if diff := gocmp.Diff(want, r); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := gocmp.Diff(told, events); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", name, diff)
		}
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	now, opens := monday, monday.Add(13*time.Hour)
	fired, deadline := now.Add(-time.Minute), now.Add(time.Hour)
	fires := func(s escalation.State) escalation.State { s.FiredAt, s.Deadline = nil, nil; return s }
	second := escalation.State{Phase: escalation.PhaseSteps, Step: 1, Run: 2, Reached: true, FiredAt: &fired, Deadline: &deadline}
	skipped := second
	skippedAt := now.Add(time.Microsecond)
	skipped.Deadline, skipped.FiredAt = &now, &skippedAt
	falling := escalation.State{Phase: escalation.PhaseFallback, Run: 1, Reached: true, FiredAt: &fired, Deadline: &deadline}
	waiting, begun := escalation.State{Phase: escalation.PhaseWaiting}, escalation.State{Phase: escalation.PhaseSteps}
	held := escalation.State{Phase: escalation.PhaseWaiting, Step: 1, Deadline: &opens}
	begunAtOnce := escalation.State{Phase: escalation.PhaseSteps, Step: 1}
	unheld := begunAtOnce
	unheld.Deadline = &now
	begunByHand := begun
	begunByHand.Deadline = &now

	active := func(s escalation.State, next time.Time) escalation.Running {
		return escalation.Running{State: s, Active: true, NextAction: &next}
	}
	stopped := func(s escalation.State, at time.Time) escalation.Running {
		return escalation.Running{State: s, EndedAt: &at}
	}
	for _, c := range []struct {
		name   string
		change incident.Escalate
		from   escalation.Running
		to     escalation.Running // as before where it is empty
	}{
		{"nothing", incident.EscalateNone, active(second, deadline), escalation.Running{}},
		{"stop", incident.EscalateStop, active(second, deadline), stopped(second, now)},
		{"stop while it waits", incident.EscalateStop, active(waiting, opens), stopped(waiting, now)},
		{"stop again", incident.EscalateStop, stopped(second, fired), escalation.Running{}},
		{"start anew", incident.EscalateStart, active(second, deadline), stopped(second, now)},
		{"start after it was stopped", incident.EscalateStart, stopped(second, fired), escalation.Running{}},
		{"refire", incident.EscalateRefire, active(second, deadline), active(fires(second), now)},
		{"refire in the fallback", incident.EscalateRefire, active(falling, deadline), active(fires(falling), now)},
		{"refire while it waits", incident.EscalateRefire, active(waiting, opens), active(begun, now)},
		{"refire after it was stopped", incident.EscalateRefire, stopped(second, fired), escalation.Running{}},
		{"refire of what runs", incident.EscalateRefireRunning, active(second, deadline), active(fires(second), now)},
		{"refire of what runs, while it waits", incident.EscalateRefireRunning, active(waiting, opens), escalation.Running{}},
		{"wake", incident.EscalateWake, active(waiting, opens), active(begun, now)},
		{"wake of what runs, outside support hours", incident.EscalateWake, active(second, deadline), active(fires(second), now)},
		{"wake of what is held", incident.EscalateWake, active(held, opens), active(held, now)},
		{"release of what is held", incident.EscalateRelease, active(held, opens), active(begunAtOnce, now)},
		{"release of what waits", incident.EscalateRelease, active(waiting, opens), active(begun, now)},
		{"release of what runs, outside support hours", incident.EscalateRelease, active(second, deadline), escalation.Running{}},
		{"release after it was stopped", incident.EscalateRelease, stopped(waiting, fired), escalation.Running{}},
		{"refire of what is held", incident.EscalateRefire, active(held, opens), active(begunAtOnce, now)},
		{"next of what is held", incident.EscalateNext, active(held, opens), active(unheld, now)},
		{"wake after it was stopped", incident.EscalateWake, stopped(waiting, fired), escalation.Running{}},
		{"next", incident.EscalateNext, active(second, deadline), active(skipped, now)},
		{"next after it was stopped", incident.EscalateNext, stopped(second, fired), active(skipped, now)},
		{"next while it waits", incident.EscalateNext, active(waiting, opens), active(begunByHand, now)},
		{"resume", incident.EscalateResume, stopped(second, fired), active(fires(second), now)},
		{"resume of what waited", incident.EscalateResume, stopped(waiting, fired), active(waiting, opens)},
		{"resume of what runs", incident.EscalateResume, active(second, deadline), escalation.Running{}},
	} {
		want, changes := c.to, c.to != escalation.Running{}
		if !changes {
			want = c.from
		}
		got, changed := escalation.Apply(now, c.change, c.from, opens)
		if changed != changes {
			t.Errorf("%s: changed is %v", c.name, changed)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	running := active(second, deadline)
	if got, changed := escalation.Apply(now, incident.EscalateWake, running, now); changed || got != running {
		t.Errorf("wake of what runs, in support hours: %+v", got)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		purpose escalation.Purpose
		status  incident.Status
		asked   bool
		want    bool
	}{
		{escalation.Primary, incident.Resolved, false, true},
		{escalation.Primary, incident.Acknowledged, false, true},
		{escalation.Primary, incident.Triggered, false, true},
		{escalation.Responder, incident.Resolved, false, true},
		{escalation.Responder, incident.Acknowledged, true, true},
		{escalation.Responder, incident.Acknowledged, false, false},
		{escalation.Responder, incident.Triggered, true, false},
		{escalation.ForRole, incident.Resolved, false, true},
		{escalation.ForRole, incident.Acknowledged, true, true},
		{escalation.ForRole, incident.Acknowledged, false, false},
	} {
		if got := escalation.Ends(c.purpose, c.status, c.asked); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestEndsQuestion(t *testing.T) {
	t.Parallel()
	for change, want := range map[incident.Escalate]bool{
		incident.EscalateNone: false, incident.EscalateRefireRunning: false, incident.EscalateRelease: false, incident.EscalateWake: false, incident.EscalateRefire: false, incident.EscalateNext: true,
		incident.EscalateStart: true, incident.EscalateResume: false, incident.EscalateStop: true,
	} {
		if got := escalation.EndsQuestion(change); got != want {
			t.Errorf("%d: %v", change, got)
		}
	}
}

func TestPassOver(t *testing.T) {
	t.Parallel()
	now, fired, deadline := monday, monday.Add(-time.Minute), monday.Add(time.Hour)
	running := func(phase escalation.Phase, deadline *time.Time) escalation.Running {
		return escalation.Running{State: escalation.State{Phase: phase, FiredAt: &fired, Deadline: deadline}, Active: true, NextAction: deadline}
	}
	stopped := running(escalation.PhaseSteps, &deadline)
	stopped.Active = false
	for name, c := range map[string]struct {
		from      escalation.Running
		reachable bool
		want      bool
	}{
		"nobody can be reached":  {running(escalation.PhaseSteps, &deadline), false, true},
		"somebody can":           {running(escalation.PhaseSteps, &deadline), true, false},
		"nobody of the fallback": {running(escalation.PhaseFallback, &deadline), false, true},
		"no administrator":       {running(escalation.PhaseAdministrators, &deadline), false, false},
		"over at this instant":   {running(escalation.PhaseSteps, &now), false, false},
		"to fire again":          {running(escalation.PhaseSteps, nil), false, false},
		"stopped":                {stopped, false, false},
	} {
		got, events, ok := escalation.PassOver(now, c.from, c.reachable)
		want := c.from
		if c.want {
			want.State.Deadline, want.NextAction = &now, &now
			if want.State.Phase == escalation.PhaseSteps {
				want.State.Owed = time.Hour
			}
		}
		if ok != c.want || (len(events) == 1) != c.want {
			t.Errorf("%s: %v with %d events", name, ok, len(events))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
