package escalation

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Running is a stored primary escalation, active or stopped. An incident has one for
// each start of its policy; only the latest can be active.
type Running struct {
	State  State
	Active bool
	// NextAction is when it is due, nil while it is stopped.
	NextAction *time.Time
	// EndedAt is when it was stopped, nil while it is active.
	EndedAt *time.Time
}

// Start returns a new escalation of an incident and its timeline events; the store
// sets the incident. With low urgency it waits for support hours until opens, which
// is now during support hours and for a service without them.
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

// Apply applies a change of an incident to its latest escalation, and reports whether
// it changes anything. opens is as for Start. EscalateStart only stops it: the new
// escalation is made by Start.
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
	case incident.EscalateRelease:
		if !r.Active || r.State.Phase != PhaseWaiting {
			return r, false
		}
		r.State.begin()
		r.State.Deadline = nil
		r.NextAction = &now
	case incident.EscalateWake:
		if !r.Active || r.State.Phase != PhaseWaiting && !opens.After(now) {
			return r, false
		}
		switch {
		case r.State.Phase != PhaseWaiting: // its people would hear of it in support hours only
			r.State.FiredAt, r.State.Deadline = nil, nil
		case r.State.Deadline == nil: // a step that is held is looked at again
			r.State.begin()
		}
		r.NextAction = &now
	case incident.EscalateNext:
		r.State.begin()
		r.State.Deadline, r.State.Owed = &now, 0 // a person does not wait
		if r.State.FiredAt != nil {              // FiredAt after Deadline: see byHand
			after := now.Add(time.Microsecond)
			r.State.FiredAt = &after
		}
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
	case incident.EscalateContinue:
		if r.Active {
			return r, false
		}
		r.Active, r.NextAction, r.EndedAt = true, &now, nil
		if r.State.Phase == PhaseWaiting {
			r.NextAction = &opens
		}
	default:
		return r, false
	}
	return r, true
}

// Moves reports whether a change continues an existing escalation, rather than stop it
// or start another.
func Moves(change incident.Escalate) bool {
	switch change {
	case incident.EscalateRefireRunning, incident.EscalateRelease, incident.EscalateWake, incident.EscalateRefire, incident.EscalateNext, incident.EscalateResume, incident.EscalateContinue:
		return true
	default:
		return false
	}
}

// begin ends a wait for support hours or required cover.
func (s *State) begin() {
	if s.Phase == PhaseWaiting {
		s.Phase = PhaseSteps
	}
}

// Ends reports whether an active escalation ends where its incident's primary one is
// stopped (EscalateStop) or started anew (EscalateStart). status is the incident's
// after the change; asked says that the escalation has paged the acting user, other
// than as a shadow. A resolve ends all escalations; an acknowledgment ends the
// primary one and the requests to the user who acknowledged; a new start ends only
// the primary one.
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

// PassOver ends a step at once where no page of it can reach its person any more, and
// returns the timeline events; the store sets the incident. reachable says that at
// least one page, those of shadows not counted, still can. It reports false where
// nothing changes, which includes a step that another process has ended first.
func PassOver(now time.Time, r Running, reachable bool) (Running, []incident.TimelineEvent, bool) {
	over := r.State.Deadline == nil || !r.State.Deadline.After(now)
	if reachable || over || !r.Active || !MayPassOver(string(r.State.Phase), r.State.Run) {
		return r, nil, false
	}
	if r.State.Phase == PhaseSteps {
		r.State.Owed += r.State.Deadline.Sub(now)
	}
	r.State.Deadline, r.NextAction = &now, &now
	return r, []incident.TimelineEvent{{
		At: now, Actor: incident.Tocsin, Payload: incident.PassedOverPayload{Reason: "Every attempt to reach somebody failed."},
	}}, true
}
