package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// Where the priority of an incident may come from, besides an actor.
const (
	SourceSignal = "signal"
	SourceSLO    = "slo"
	SourceBudget = "error budget"
)

// Budget is what a breach says of its error budget. Percentages are of the
// budget of the SLO's whole window; nil and 0 stand for what it does not say.
type Budget struct {
	Remaining       *float64
	Depleted        *float64 // how much was spent within DepletionWindow
	BurnRate        *float64
	DepletionWindow time.Duration
	Window          time.Duration // the SLO's
}

// Choice is a priority and where it came from.
type Choice struct {
	Level    *int // nil for none: the page asks the responder to set one
	Source   string
	Warnings []string
}

// ChoosePriority finds the priority of a new signal: its own, else its SLO's
// (nil for none), else by the organisation's rules on error budgets, else none.
// Only levels that exist count; one that does not is warned of, and the next
// source decides. The result shares memory with levels.
func ChoosePriority(sent *int, slo *int, budget Budget, levels []catalog.Priority) Choice {
	var c Choice
	if c.take(sent, SourceSignal, levels) {
		return c
	}
	if sent != nil {
		c.Warnings = append(c.Warnings, fmt.Sprintf("There is no priority P%d; the next rule decided.", *sent))
	}
	if c.take(slo, SourceSLO, levels) {
		return c
	}
	for i := range budgetRules {
		if budgetRules[i].met(budget) && c.take(&budgetRules[i].level, SourceBudget, levels) {
			return c
		}
	}
	return c
}

func (c *Choice) take(level *int, source string, levels []catalog.Priority) bool {
	if level == nil {
		return false
	}
	for i := range levels {
		if levels[i].Level == *level {
			c.Level, c.Source = &levels[i].Level, source
			return true
		}
	}
	return false
}

// budgetRule is met by a budget that is on course to run out with at most
// remaining percent left, or of which at least spent percent went within a
// short time. The organisation may have a fifth level; the rules know four.
type budgetRule struct {
	level     int
	remaining float64
	spent     float64
	within    time.Duration // 0 for no rule on spending
}

var budgetRules = [...]budgetRule{
	{level: 1, remaining: 20, spent: 75, within: 5 * time.Minute},
	{level: 2, remaining: 40, spent: 50, within: 10 * time.Minute},
	{level: 3, remaining: 60, spent: 25, within: 15 * time.Minute},
	{level: 4, remaining: 80},
}

func (r budgetRule) met(b Budget) bool {
	if b.Remaining != nil && *b.Remaining <= r.remaining && b.runsOut() {
		return true
	}
	return r.within > 0 && b.Depleted != nil && *b.Depleted >= r.spent &&
		b.DepletionWindow > 0 && b.DepletionWindow <= r.within
}

// runsOut reports whether the budget is on course to run out: it has, or it
// burns faster than the rate that spends just all of it in the SLO's window,
// which is a burn rate of 1. A burn rate that was not sent is computed from
// what was spent in the depletion window. Where neither can be known it is not
// on course.
func (b Budget) runsOut() bool {
	switch {
	case *b.Remaining <= 0:
		return true
	case b.BurnRate != nil:
		return *b.BurnRate > 1
	case b.Depleted != nil && b.DepletionWindow > 0 && b.Window > 0:
		return *b.Depleted/100*float64(b.Window)/float64(b.DepletionWindow) > 1
	}
	return false
}

func levelNamed(levels []catalog.Priority, level int) (catalog.Priority, bool) {
	for _, p := range levels {
		if p.Level == level {
			return p, true
		}
	}
	return catalog.Priority{}, false
}

// oneOf lists the levels for a sentence: "one of P1, P2, P3".
func oneOf(levels []catalog.Priority) string {
	names := make([]string, len(levels))
	for i, p := range levels {
		names[i] = "P" + strconv.Itoa(p.Level)
	}
	return "one of " + strings.Join(names, ", ")
}

// UrgencyOf is the default rule: no priority, P1 and P2 are high and the rest
// low; what is known not to be production is low, and so is what its sender lets
// wait, whatever its priority. A deployment that nobody knows may be production.
func UrgencyOf(priority *int, deploymentKnown, production, mayWait bool) Urgency {
	if mayWait || deploymentKnown && !production {
		return Low
	}
	if priority == nil || urgent(priority) {
		return High
	}
	return Low
}

// urgent reports whether a level, which must not be nil, is P1 or P2.
func urgent(level *int) bool { return *level <= 2 }

// moreUrgent reports whether a is more urgent than b: a lower level, or any
// level where b is none.
func moreUrgent(a, b *int) bool {
	return a != nil && (b == nil || *a < *b)
}

// levelName is how a level is written on the timeline: "P2", or empty for none.
func levelName(level *int) string {
	if level == nil {
		return ""
	}
	return "P" + strconv.Itoa(*level)
}

// severities are what senders may say, the least severe first.
var severities = [...]string{"info", "warning", "error", "critical"}

// WorseSeverity reports whether a sender's severity is worse than another; one
// that is empty or not known is the least of all.
func WorseSeverity(a, b string) bool {
	return slices.Index(severities[:], a) > slices.Index(severities[:], b)
}
