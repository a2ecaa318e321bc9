// Package escalation decides who is paged next. The policy (policy.go), the next step
// (state.go), the effect of changes of the incident (running.go), the people of targets
// (roster.go) and the rows to write (decide.go) are pure functions; engine.go claims
// due escalations from a store and writes the decisions. The simulator runs the same
// engine on a store in memory.
package escalation

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Policy is an escalation policy at one version: ordered steps, the number of repeats
// of all steps, and the targets to page when nobody acknowledged.
type Policy struct {
	Steps []Step `json:"steps"`
	// Repeat is how often the steps are run again after the first run: 3 makes four
	// runs.
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
	// OutsideCover says what it means that nobody is reached outside the required
	// cover of the step's schedules. Empty is Pass.
	OutsideCover OutsideCover `json:"outside_cover,omitempty"`
}

// OutsideCover is what a step without people means outside required cover.
type OutsideCover string

// Pass passes the step over at once. Hold waits until required cover begins, unless
// the incident is of P1.
const (
	Pass OutsideCover = "pass"
	Hold OutsideCover = "hold"
)

// After is the step's timeout for a priority, nil for none.
func (s Step) After(priority *int) time.Duration {
	if priority != nil {
		if seconds, ok := s.TimeoutFor[*priority]; ok {
			return time.Duration(seconds) * time.Second
		}
	}
	return time.Duration(s.Timeout) * time.Second
}

// Target stands for people.
type Target = incident.Target

// MaxRepeats bounds Policy.Repeat.
const MaxRepeats = 100

// Validate returns a fault of kind invalid with a field for each mistake, under
// paths like "steps[0].timeout".
func (p Policy) Validate() error {
	var fields []fault.Field
	add := func(path, format string, args ...any) {
		fields = append(fields, fault.Field{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(p.Steps) == 0 {
		add("steps", "A policy needs at least one step.")
	}
	if p.Repeat < 0 || p.Repeat > MaxRepeats {
		add("repeat", "Repeats are 0 to %d.", MaxRepeats)
	}
	for i, s := range p.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		if len(s.Targets) == 0 {
			add(at+".targets", "A step needs at least one target.")
		}
		if s.Timeout < 1 {
			add(at+".timeout", "The minimum timeout is 1s.")
		}
		for level, seconds := range s.TimeoutFor {
			if seconds < 1 {
				add(fmt.Sprintf("%s.timeout_for.P%d", at, level), "The minimum timeout is 1s.")
			}
		}
		if s.OutsideCover != "" && s.OutsideCover != Pass && s.OutsideCover != Hold {
			add(at+".outside_cover", "This is pass or hold.")
		}
		for j, t := range s.Targets {
			if !valid(t) {
				add(fmt.Sprintf("%s.targets[%d]", at, j), "A target is one schedule with a position, one user, one team, or one role.")
			}
		}
	}
	for j, t := range p.Fallback {
		if !valid(t) {
			add(fmt.Sprintf("fallback[%d]", j), "A target is one schedule with a position, one user, one team, or one role.")
		}
	}
	if fields == nil {
		return nil
	}
	return fault.Invalid("The escalation policy cannot be used as it is.").With(fields...)
}

func valid(t Target) bool {
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
