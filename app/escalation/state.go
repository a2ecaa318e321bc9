package escalation

import (
	"time"
)

// Phase is the part of its policy that an escalation is in.
type Phase string

// The phases of an escalation.
const (
	PhaseWaiting        Phase = "waiting" // for support hours or for required cover
	PhaseSteps          Phase = "steps"
	PhaseFallback       Phase = "fallback"
	PhaseAdministrators Phase = "administrators"
)

// What follows an exhausted policy, which no configuration can turn off: the
// fallback, then the administrators if nobody acknowledged within FallbackTimeout,
// then the fallback again every FallbackInterval.
const (
	FallbackTimeout  = 15 * time.Minute
	FallbackInterval = time.Hour
)

// State is the position of one escalation in its policy. A new escalation has a
// phase, PhaseSteps or PhaseWaiting, and no other field set.
type State struct {
	Phase Phase
	Step  int // counted from 0
	// Run counts the runs of the chain from 0, and then those of the fallback.
	Run int
	// Reached says that somebody was paged in this run of the chain.
	Reached bool
	// FiredAt is when the current step fired; nil while it has yet to fire, for the
	// first time or again after a raise.
	FiredAt *time.Time
	// Deadline is the end of the current step's timeout; nil for none. Of a step that is
	// held (see HeldUntil of Firing) it is when required cover begins, with PhaseWaiting.
	Deadline *time.Time
	// Owed is what is left of the timeouts of the steps of this run that ended early,
	// since every attempt to reach somebody failed. The next run waits for it, so that
	// a policy does not use up its runs within seconds.
	Owed time.Duration
}

// byHand reports whether a person ended the current step or the wait before it: see
// incident.EscalateNext in Apply.
func (s State) byHand() bool {
	switch {
	case s.Deadline == nil:
		return false
	case s.FiredAt == nil:
		return s.Phase != PhaseWaiting
	}
	return s.FiredAt.After(*s.Deadline)
}

// NobodyReached reports whether a policy ended at the administrators and not even they
// could be reached.
func (s State) NobodyReached() bool {
	return s.Phase == PhaseAdministrators && s.FiredAt != nil && !s.Reached
}

// Decision is the people to page now, as targets.
type Decision struct {
	Phase   Phase
	Step    int
	Run     int
	Targets []Target
	// Digest says that the escalation waited for support hours or required cover.
	Digest bool
}

// Next returns the decision that is due once the deadline of the current step is over
// or its people could not be reached, and the state in which the decision is carried
// out. A step that has not fired yet, or is to fire again after a raise, is due
// itself. How long ago the deadline passed does not matter: an escalation that is
// overdue after an outage fires one step.
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

// endedEarly reports whether a fallback ends before its FallbackInterval is over: it
// found nobody, every attempt failed, or a person escalated by hand.
func (s State) endedEarly() bool {
	return s.Deadline == nil || s.Deadline.Sub(*s.FiredAt) < FallbackInterval
}

// afterStep returns the next step, in the same or the next run, or the fallback after
// the last run or after a run that found nobody.
func (p Policy) afterStep(s State) (Decision, State) {
	next := State{Step: s.Step + 1, Run: s.Run, Reached: s.Reached, Owed: s.Owed}
	if next.Step >= len(p.Steps) {
		if !s.Reached || s.Run >= p.Repeat {
			return p.fallback(0)
		}
		next.Step, next.Run, next.Reached, next.Owed = 0, s.Run+1, false, 0
	}
	return p.step(next)
}

// waits reports whether the next run has to wait for what this one is owed.
func (p Policy) waits(s State) bool {
	return s.Phase == PhaseSteps && s.FiredAt != nil && s.Step+1 >= len(p.Steps) && s.Reached && s.Run < p.Repeat && s.Owed > 0
}

// length is how long a run lasts. What a run is owed is bounded by it, since a timeout
// that counted support hours only may have had a night or a weekend in it.
func (p Policy) length(priority *int) time.Duration {
	var all time.Duration
	for _, s := range p.Steps {
		all += s.After(priority)
	}
	return all
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

// fired is the state after a decision that reached somebody at now, when the timeout
// starts.
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

// Firing is a decision and its result.
type Firing struct {
	Decision
	// People are those it reaches. Where all are shadows, or there are none, the
	// decision was passed over or held.
	People []Reached
	// HeldUntil is when the required cover begins that the step waits for; zero for a
	// decision that is not held.
	HeldUntil time.Time
}

// Resolver says whom the targets of a decision stand for at the instant of Fire, and
// when their schedules next have to be covered: see Roster.At.
type Resolver interface {
	Resolve(d Decision) []Reached
	NextCover(d Decision) time.Time
}

// Fire carries out what is due at now. It passes over decisions that resolve to
// nobody until somebody is reached, and returns every decision, the last being the
// one that reached somebody. Where not even an administrator can be reached, no
// decision does, and the state is due again after FallbackInterval.
//
// Where the next run has to wait for what the last one is owed, it returns without a
// decision, and the last step goes on until then.
//
// Outside the required cover of its schedules a step that says Hold is not passed over:
// it is the last decision, and the state is due again at its Deadline. Nothing is held
// for an incident of P1, or after a person escalated.
//
// It ends: a run in which nobody was reached leads to the fallback, so at most the
// rest of one run and the whole of the next come before it.
func (p Policy) Fire(s State, now time.Time, priority *int, r Resolver) ([]Firing, State) {
	waited := s.Phase == PhaseWaiting
	mayHold := !s.byHand() && (priority == nil || *priority != 1)
	var firings []Firing
	for {
		if p.waits(s) {
			deadline := now.Add(min(s.Owed, p.length(priority)))
			s.Deadline, s.Owed = &deadline, 0
			return firings, s
		}
		var d Decision
		d, s = p.Next(s)
		d.Digest = waited
		f := Firing{Decision: d, People: r.Resolve(d)}
		reached := AnyNonShadow(f.People)
		if !reached && mayHold && d.Phase == PhaseSteps && p.Steps[d.Step].OutsideCover == Hold {
			if until := r.NextCover(d); until.After(now) {
				f.HeldUntil = until
			}
		}
		firings = append(firings, f)
		switch {
		case reached:
			return firings, p.fired(s, now, priority)
		case d.Phase == PhaseAdministrators:
			return firings, s.wait(now, FallbackInterval)
		case !f.HeldUntil.IsZero():
			s.Phase, s.FiredAt, s.Deadline = PhaseWaiting, nil, &f.HeldUntil
			return firings, s
		}
		s.FiredAt = &now // passed over, with no deadline to wait for
	}
}

// AnyNonShadow reports whether one of the people is no shadow. A shadow is paged
// beside the person on call, but a step that reaches only shadows is passed over.
func AnyNonShadow(people []Reached) bool {
	for _, r := range people {
		if !r.Shadow {
			return true
		}
	}
	return false
}

// MayPassOver reports whether a step, given by the phase and run that a store holds,
// ends at once where every attempt to reach somebody has failed. Nothing follows the
// administrators, so they are paged again after FallbackInterval.
func MayPassOver(phase string, _ int) bool {
	return Phase(phase) == PhaseSteps || Phase(phase) == PhaseFallback
}
