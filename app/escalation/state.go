package escalation

import (
	"time"
)

// Phase is the part of its policy that an escalation is in.
type Phase string

// The phases of an escalation.
const (
	PhaseWaiting        Phase = "waiting" // low urgency, for support hours
	PhaseSteps          Phase = "steps"
	PhaseFallback       Phase = "fallback"
	PhaseAdministrators Phase = "administrators"
)

// What follows an exhausted policy, which no configuration can turn off: the
// fallback, the administrators if nobody answers, then the fallback again every
// hour.
const (
	FallbackTimeout  = 15 * time.Minute
	FallbackInterval = time.Hour
)

// State is how far one escalation has come. A new one has a phase, PhaseSteps or
// Waiting, and nothing else.
type State struct {
	Phase Phase
	Step  int // counted from 0
	// Run counts the runs of the chain from 0, and then those of the fallback.
	Run int
	// Reached says that somebody was paged in this run of the chain.
	Reached bool
	// FiredAt is when the present step fired; nil when it is to fire (for the first
	// time, or again after a raise).
	FiredAt *time.Time
	// Deadline ends the present step's timeout.
	Deadline *time.Time
}

// Decision is whom to page now.
type Decision struct {
	Phase   Phase
	Step    int
	Run     int
	Targets []Target
	// Digest says that the escalation waited for support hours.
	Digest bool
}

// Next is what is due once the present step's deadline is over or its people
// could not be reached: the decision, and the state while it is carried out.
// What has not fired yet, or is to fire again after a raise, is due as it is.
// How long a deadline has been over never matters, so that an escalation that
// is overdue after an outage fires one step.
func (p Policy) Next(s State) (Decision, State) {
	unfired := s.FiredAt == nil
	switch {
	case s.Phase == PhaseFallback && unfired:
		return p.fallback(s.Run)
	case s.Phase == PhaseFallback && (s.Run == 0 || s.endedEarly()), s.Phase == PhaseAdministrators && unfired:
		return administrators(s.Run)
	case s.Phase == PhaseFallback || s.Phase == PhaseAdministrators:
		return p.fallback(s.Run + 1)
	case unfired && s.Step < len(p.Steps):
		return p.step(s)
	default:
		return p.afterStep(s)
	}
}

// endedEarly reports whether a fallback ends before its hour is over: it found
// nobody, every attempt failed, or a person escalated by hand.
func (s State) endedEarly() bool {
	return s.Deadline == nil || s.Deadline.Sub(*s.FiredAt) < FallbackInterval
}

// afterStep goes to the next step, the next run, or, when the runs are over or
// a whole run found nobody, to the fallback.
func (p Policy) afterStep(s State) (Decision, State) {
	next := State{Step: s.Step + 1, Run: s.Run, Reached: s.Reached}
	if next.Step >= len(p.Steps) {
		if !s.Reached || s.Run >= p.Repeat {
			return p.fallback(0)
		}
		next.Step, next.Run, next.Reached = 0, s.Run+1, false
	}
	return p.step(next)
}

func (p Policy) step(s State) (Decision, State) {
	s.Phase = PhaseSteps
	return Decision{Phase: PhaseSteps, Step: s.Step, Run: s.Run, Targets: p.Steps[s.Step].Targets}, s
}

// fallback pages the fallback for the first time (run 0) or, hourly, again.
func (p Policy) fallback(run int) (Decision, State) {
	return Decision{Phase: PhaseFallback, Run: run, Targets: p.Fallback}, State{Phase: PhaseFallback, Run: run}
}

func administrators(run int) (Decision, State) {
	return Decision{Phase: PhaseAdministrators, Run: run, Targets: []Target{{Role: "administrator"}}}, State{Phase: PhaseAdministrators, Run: run}
}

// fired is the state after a decision that reached somebody at now, from which
// the timeout runs.
func (p Policy) fired(s State, now time.Time, priority *int) State {
	timeout := FallbackInterval
	switch {
	case s.Phase == PhaseSteps:
		timeout = p.Steps[s.Step].After(priority)
	case s.Phase == PhaseFallback && s.Run == 0:
		timeout = FallbackTimeout
	}
	s.Reached = true
	return s.wait(now, timeout)
}

func (s State) wait(now time.Time, timeout time.Duration) State {
	deadline := now.Add(timeout)
	s.FiredAt, s.Deadline = &now, &deadline
	return s
}

// Firing is a decision and what came of it.
type Firing struct {
	Decision
	// People are whom it reaches; none that counts, and it was passed over.
	People []Reached
}

// Fire carries out what is due at now: it passes over what resolves to nobody
// until somebody is reached. It returns every decision on the way, the last
// being the one that reached somebody; where not even an administrator can be
// reached, none does, and the state tries again in an hour.
//
// It ends: a run in which nobody was reached leads to the fallback, so that at
// most the rest of one run and the whole of the next come before it.
func (p Policy) Fire(s State, now time.Time, priority *int, resolve func(Decision) []Reached) ([]Firing, State) {
	waited := s.Phase == PhaseWaiting && s.Deadline == nil // a deadline is set by a person who escalates
	var firings []Firing
	for {
		var d Decision
		d, s = p.Next(s)
		d.Digest = waited
		f := Firing{Decision: d, People: resolve(d)}
		firings = append(firings, f)
		switch {
		case AnyNonShadow(f.People):
			return firings, p.fired(s, now, priority)
		case d.Phase == PhaseAdministrators:
			return firings, s.wait(now, FallbackInterval)
		}
		s.FiredAt = &now // passed over, with no deadline to wait for
	}
}

// AnyNonShadow reports whether somebody who counts was reached: shadows do not.
func AnyNonShadow(people []Reached) bool {
	for _, r := range people {
		if !r.Shadow {
			return true
		}
	}
	return false
}

// MayPassOver reports whether the present step, in a phase and a run as a store
// keeps them, is over at once where every attempt to reach somebody has failed.
// Nothing comes after the administrators, so they are tried again after an hour.
func MayPassOver(phase string, _ int) bool {
	return Phase(phase) == PhaseSteps || Phase(phase) == PhaseFallback
}
