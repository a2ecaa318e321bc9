package escalation

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Running is a primary escalation as it is kept, active or stopped. An incident
// has one for each time that its policy was started; only the latest can be
// active.
type Running struct {
	State  State
	Active bool
	// NextAction is when it is due, nil while it is stopped.
	NextAction *time.Time
	// EndedAt is when it was stopped, nil while it is active.
	EndedAt *time.Time
}

// Start is a new escalation of an incident, and the events that tell of it; the
// store fills in the incident. A low urgency waits for support hours: opens is
// when they next are, now while they last or where there are none.
func Start(now time.Time, urgency incident.Urgency, opens time.Time) (Running, []incident.TimelineEvent) {
	r := Running{State: State{Phase: PhaseSteps}, Active: true, NextAction: &now}
	if urgency != incident.Low || !opens.After(now) {
		return r, nil
	}
	r.State.Phase, r.NextAction = PhaseWaiting, &opens
	return r, []incident.TimelineEvent{{
		At: now, Actor: incident.Tocsin, Payload: incident.WaitingPayload{Until: opens.UTC().Truncate(time.Second)},
	}}
}

// Apply is what a change of an incident does to its latest escalation, and
// whether it does anything. opens is as for Start. EscalateStart only stops it:
// what begins then is a new one, by Start.
func Apply(now time.Time, change incident.Escalate, r Running, opens time.Time) (Running, bool) {
	switch change {
	case incident.EscalateStop, incident.EscalateStart:
		if !r.Active {
			return r, false
		}
		r.Active, r.NextAction, r.EndedAt = false, nil, &now
	case incident.EscalateRefire, incident.EscalateRefireRunning:
		if !r.Active || change == incident.EscalateRefireRunning && r.State.Phase == PhaseWaiting {
			return r, false
		}
		r.State.begin()
		r.State.FiredAt, r.State.Deadline = nil, nil
		r.NextAction = &now
	case incident.EscalateWake:
		if !r.Active || r.State.Phase != PhaseWaiting {
			return r, false
		}
		r.State.begin()
		r.NextAction = &now
	case incident.EscalateNext:
		r.State.begin()
		r.State.Deadline = &now
		r.Active, r.NextAction, r.EndedAt = true, &now, nil
	case incident.EscalateResume:
		if r.Active {
			return r, false
		}
		r.State.FiredAt, r.State.Deadline = nil, nil
		r.Active, r.NextAction, r.EndedAt = true, &now, nil
		if r.State.Phase == PhaseWaiting {
			r.NextAction = &opens
		}
	default:
		return r, false
	}
	return r, true
}

// Moves reports whether a change goes on with an escalation that there is, rather
// than stop it or start another.
func Moves(change incident.Escalate) bool {
	switch change {
	case incident.EscalateRefireRunning, incident.EscalateWake, incident.EscalateRefire, incident.EscalateNext, incident.EscalateResume:
		return true
	default:
		return false
	}
}

// begin ends a wait for support hours.
func (s *State) begin() {
	if s.Phase == PhaseWaiting {
		s.Phase = PhaseSteps
	}
}

// Ends reports whether an active escalation ends where its incident's primary one
// is stopped (EscalateStop) or started anew (EscalateStart). status is the
// incident's after the change, asked whether the escalation has paged whoever
// acts, other than as a shadow. A resolve ends all; an acknowledgment the
// primary one and the requests that asked the person who gave it; a new start
// the primary one alone.
func Ends(purpose Purpose, status incident.Status, asked bool) bool {
	return purpose == Primary || status == incident.Resolved || status == incident.Acknowledged && asked
}

// EndsQuestion reports whether a change withdraws the page that asks an owner
// whether they are still on it.
func EndsQuestion(change incident.Escalate) bool {
	switch change {
	case incident.EscalateStop, incident.EscalateStart, incident.EscalateNext:
		return true
	default:
		return false
	}
}

// PassOver ends a step at once where no page of it can reach its person any more,
// and returns the events that tell of it; the store fills in the incident.
// reachable says that one still can, shadows' pages not counted. It reports false
// where there is nothing to do: also where the step is over, since another
// process was faster.
func PassOver(now time.Time, r Running, reachable bool) (Running, []incident.TimelineEvent, bool) {
	over := r.State.Deadline == nil || !r.State.Deadline.After(now)
	if reachable || over || !r.Active || !MayPassOver(string(r.State.Phase), r.State.Run) {
		return r, nil, false
	}
	r.State.Deadline, r.NextAction = &now, &now
	return r, []incident.TimelineEvent{{
		At: now, Actor: incident.Tocsin, Payload: incident.PassedOverPayload{Reason: "Every attempt to reach somebody failed."},
	}}, true
}
