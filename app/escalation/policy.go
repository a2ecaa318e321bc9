// Package escalation decides who is paged next and sees to it that they are.
// This file and roster.go are pure: the engine, the simulator and the tests
// share them, so that what is simulated is what happens.
package escalation

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Policy is an escalation policy at one version: ordered steps, repeats of the
// whole chain, and whom to page when nobody answered.
type Policy struct {
	Steps []Step `json:"steps"`
	// Repeat is how often the chain is run again after the first time: 3 makes
	// four runs.
	Repeat   int      `json:"repeat"`
	Fallback []Target `json:"fallback,omitempty"`
}

// Step is whom to page, and how long to wait for an acknowledgment.
type Step struct {
	Targets []Target `json:"targets"`
	// Timeout is in seconds, at least one.
	Timeout int64 `json:"timeout"`
	// TimeoutFor overrides Timeout for incidents of a priority level.
	TimeoutFor map[int]int64 `json:"timeout_for,omitempty"`
}

// After is the step's timeout for a priority, nil for none.
func (s Step) After(priority *int) time.Duration {
	if priority != nil {
		if seconds, ok := s.TimeoutFor[*priority]; ok {
			return time.Duration(seconds) * time.Second
		}
	}
	return time.Duration(s.Timeout) * time.Second
}

// Target stands for people. Exactly one of Schedule, User, Team and Role is
// set, but for a role within a team.
type Target struct {
	// Schedule is a schedule's id: the people in Position when the step fires.
	Schedule int64  `json:"schedule,omitempty"`
	Position string `json:"position,omitempty"`
	User     int64  `json:"user,omitempty"`
	// Team is a team's id: everyone in it, or with Role "manager" its manager.
	Team int64 `json:"team,omitempty"`
	// Role alone is everyone with that role in the organisation:
	// "administrator", "manager" or "responder".
	Role string `json:"role,omitempty"`
}

// What follows an exhausted policy, which no configuration can turn off: the
// fallback, the administrators if nobody answers, then the fallback again every
// hour.
const (
	FallbackTimeout = 15 * time.Minute
	FallbackAgain   = time.Hour
)

// MostRepeats bounds Policy.Repeat.
const MostRepeats = 100

// Validate names what is wrong with a policy, with paths like
// "steps[0].timeout".
func (p Policy) Validate() error {
	var wrong []fault.Field
	add := func(path, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(p.Steps) == 0 {
		add("steps", "A policy needs at least one step.")
	}
	if p.Repeat < 0 || p.Repeat > MostRepeats {
		add("repeat", "Repeats are 0 to %d.", MostRepeats)
	}
	for i, s := range p.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		if len(s.Targets) == 0 {
			add(at+".targets", "A step needs at least one target.")
		}
		if s.Timeout < 1 {
			add(at+".timeout", "The least timeout is 1s.")
		}
		for level, seconds := range s.TimeoutFor {
			if seconds < 1 {
				add(fmt.Sprintf("%s.timeout_for.P%d", at, level), "The least timeout is 1s.")
			}
		}
		for j, t := range s.Targets {
			if !t.valid() {
				add(fmt.Sprintf("%s.targets[%d]", at, j), "A target is one schedule with a position, one user, one team, or one role.")
			}
		}
	}
	for j, t := range p.Fallback {
		if !t.valid() {
			add(fmt.Sprintf("fallback[%d]", j), "A target is one schedule with a position, one user, one team, or one role.")
		}
	}
	if wrong == nil {
		return nil
	}
	return fault.Invalid("The escalation policy cannot be used as it is.").With(wrong...)
}

func (t Target) valid() bool {
	switch {
	case t.Schedule != 0:
		return t.Position != "" && t.User == 0 && t.Team == 0 && t.Role == ""
	case t.User != 0:
		return t.Team == 0 && t.Role == "" && t.Position == ""
	case t.Team != 0:
		return t.Position == "" && (t.Role == "" || t.Role == "manager")
	default:
		return t.Position == "" && (t.Role == "administrator" || t.Role == "manager" || t.Role == "responder")
	}
}

// Phase is where an escalation stands.
type Phase string

// The phases of an escalation.
const (
	Waiting        Phase = "waiting" // low urgency, for support hours
	Stepping       Phase = "steps"
	Falling        Phase = "fallback"
	Administrators Phase = "administrators"
)

// State is how far one escalation has come. The zero value, with a phase of
// Stepping or Waiting, has paged nobody yet.
type State struct {
	Phase Phase
	Step  int // counted from 0
	Run   int // counted from 0
	// Reached says that somebody was paged in this run of the chain.
	Reached bool
	// FiredAt is when the present step really fired; nil when it is to fire (for
	// the first time, or again after a raise).
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
	// Digest says that the page waited for the morning.
	Digest bool
	// Again says that the step fires once more for a raised priority.
	Again bool
}

// Next is what is due at now: the decision, and the state as it is while the
// decision is carried out. It is called when the present step's deadline is
// over or its people could not be reached; the time itself never matters
// beyond that, so that an escalation that is overdue after an outage fires one
// step. Call Settle with what became of it.
func (p Policy) Next(s State, now time.Time) (Decision, State) {
	digest := s.Phase == Waiting
	if s.FiredAt == nil && (s.Phase == Waiting || s.Phase == Stepping) && s.Step < len(p.Steps) {
		again := s.Reached
		s.Phase = Stepping
		return p.fire(s, digest, again)
	}
	switch {
	case s.Phase == Waiting || s.Phase == Stepping:
		return p.afterStep(s)
	case s.Phase == Falling && (s.Run == 0 || !s.Reached):
		return Decision{Phase: Administrators, Run: s.Run, Targets: []Target{{Role: "administrator"}}},
			State{Phase: Administrators, Run: s.Run}
	default:
		return p.fallback(s.Run + 1)
	}
}

func (p Policy) fire(s State, digest, again bool) (Decision, State) {
	return Decision{Phase: Stepping, Step: s.Step, Run: s.Run, Targets: p.Steps[s.Step].Targets, Digest: digest, Again: again}, s
}

// afterStep goes to the next step, the next run, or, when the runs are over or
// a whole run found nobody, to the fallback.
func (p Policy) afterStep(s State) (Decision, State) {
	next := State{Phase: Stepping, Step: s.Step + 1, Run: s.Run, Reached: s.Reached}
	if next.Step >= len(p.Steps) {
		if !s.Reached || s.Run >= p.Repeat {
			return p.fallback(0)
		}
		next.Step, next.Run, next.Reached = 0, s.Run+1, false
	}
	return p.fire(next, false, false)
}

// fallback pages the fallback for the first time (run 0) or, hourly, again.
func (p Policy) fallback(run int) (Decision, State) {
	return Decision{Phase: Falling, Run: run, Targets: p.Fallback}, State{Phase: Falling, Run: run}
}

// Settle is the state after a decision was carried out at now and reached
// somebody: the timeout runs from when it really fired.
func (p Policy) Settle(s State, now time.Time, priority *int) State {
	timeout := FallbackAgain
	switch {
	case s.Phase == Stepping:
		timeout = p.Steps[s.Step].After(priority)
	case s.Phase == Falling && s.Run == 0:
		timeout = FallbackTimeout
	}
	return s.wait(now, timeout)
}

func (s State) wait(now time.Time, timeout time.Duration) State {
	deadline := now.Add(timeout)
	s.FiredAt, s.Deadline, s.Reached = &now, &deadline, true
	return s
}

// MayPassOver reports whether a step whose every attempt has failed for good is
// passed over at once. Where nothing is left to pass over to, the next try
// waits for its hour.
func (s State) MayPassOver() bool {
	return s.Phase == Stepping || s.Phase == Falling && s.Run == 0
}

// Firing is a decision and what came of it.
type Firing struct {
	Decision
	// People are whom it reaches; none, and it was passed over.
	People []Reached
}

// Fire carries out what is due at now: it passes over what resolves to nobody
// until somebody is reached. It returns every decision on the way, the last
// being the one that reached somebody; where not even an administrator can be
// reached, none does, and the state tries again in an hour.
func (p Policy) Fire(s State, now time.Time, priority *int, resolve func(Decision) []Reached) ([]Firing, State) {
	var firings []Firing
	for {
		var d Decision
		d, s = p.Next(s, now)
		f := Firing{Decision: d, People: resolve(d)}
		firings = append(firings, f)
		switch {
		case Covered(f.People):
			return firings, p.Settle(s, now, priority)
		case d.Phase == Administrators:
			return firings, s.wait(now, FallbackAgain)
		}
		s.FiredAt = &now // passed over
	}
}

// Covered reports whether somebody who counts was reached: shadows do not.
func Covered(people []Reached) bool {
	for _, r := range people {
		if !r.Shadow {
			return true
		}
	}
	return false
}

// MayPassOver is State.MayPassOver for the columns that a store keeps.
func MayPassOver(phase string, run int) bool {
	return State{Phase: Phase(phase), Run: run}.MayPassOver()
}
