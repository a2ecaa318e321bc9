package services

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// Reach is whom a signal of high urgency would page first at this moment.
type Reach struct {
	People []element.Person
	By     ReachedBy
	// Step is that which pages them, counted from 1, where By is ByStep.
	Step int
	// Unreached are the people of the steps before who cannot be paged.
	Unreached []element.Person
	// HeldUntil is when the required cover begins that the step waits for; zero for
	// none.
	HeldUntil time.Time
}

// ReachedBy is the part of a policy that pages somebody first.
type ReachedBy string

// The parts, in the order in which they follow one another.
const (
	ByStep           ReachedBy = "step"
	ByFallback       ReachedBy = "fallback"
	ByAdministrators ReachedBy = "administrators"
)

// warning says that the first step pages nobody and what happens instead; empty where
// it pages somebody. Times are in the zone of the clock.
func (r Reach) warning(c element.Clock) string {
	switch who := element.Names(r.People); {
	case len(r.People) > 0 && r.By == ByStep && r.Step == 1:
		return ""
	case !r.HeldUntil.IsZero():
		return "A signal now pages nobody until cover begins, " + c.Absolute(r.HeldUntil) + "."
	case len(r.People) == 0 && len(r.Unreached) == 0:
		return "A signal now pages nobody: nobody is on call, and no administrator can be paged."
	case len(r.People) == 0:
		return "A signal now pages nobody: " + element.Names(r.Unreached) + " cannot be paged, and neither can any administrator."
	case r.By == ByAdministrators:
		return "A signal now pages the administrators (" + who + ")" + r.because() + "."
	case r.By == ByFallback:
		return "A signal now pages the fallback (" + who + ")" + r.because() + "."
	default:
		return fmt.Sprintf("A signal now pages %s first, by step %d%s.", who, r.Step, r.because())
	}
}

// because is why the steps before page nobody.
func (r Reach) because() string {
	if len(r.Unreached) == 0 {
		return ": nobody is on call before that"
	}
	return ": " + element.Names(r.Unreached) + " cannot be paged"
}
