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
	Level    *int // catalog.NoPriority, or nil where nothing decides: the page asks the responder to set one
	Source   string
	Warnings []string
}

// ChoosePriority finds the priority of a new signal: its own, else its SLO's, else by
// the organisation's rules on error budgets, else it is unset. nil stands for a source
// that says nothing; catalog.NoPriority is a decision. A level that does not exist
// means the least urgent one that does, with a warning. levels are sorted, the most
// urgent first. The result shares memory with its arguments.
func ChoosePriority(sent *int, slo *int, budget Budget, levels []catalog.Priority) Choice {
	var c Choice
	for _, named := range []struct {
		level  *int
		source string
	}{{sent, SourceSignal}, {slo, SourceSLO}} {
		if c.take(named.level, named.source, levels) {
			return c
		}
	}
	for i := range budgetRules {
		if _, ok := levelNamed(levels, budgetRules[i].level); ok && budgetRules[i].met(budget) {
			c.take(&budgetRules[i].level, SourceBudget, levels)
			return c
		}
	}
	return c
}

// take takes over what a source says. It reports whether that decides.
func (c *Choice) take(level *int, source string, levels []catalog.Priority) bool {
	if level == nil {
		return false
	}
	if *level != catalog.NoPriority {
		if _, ok := levelNamed(levels, *level); !ok {
			if len(levels) == 0 {
				c.Warnings = append(c.Warnings, fmt.Sprintf("There is no priority P%d, nor any other.", *level))
				return false
			}
			least := &levels[len(levels)-1].Level
			c.Warnings = append(c.Warnings, fmt.Sprintf("There is no priority P%d; P%d, the least urgent, is used.", *level, *least))
			level = least
		}
	}
	c.Level, c.Source = level, source
	return true
}

// budgetRule is met by a budget that is on course to run out with at most
// remaining percent left, or of which more than spent percent went within a
// short time. The organisation may have a fifth level; the rules know four.
type budgetRule struct {
	level     int
	remaining float64
	spent     float64
	within    time.Duration
}

var budgetRules = [...]budgetRule{
	{level: 1, remaining: 20, spent: 75, within: 5 * time.Minute},
	{level: 2, remaining: 40, spent: 50, within: 10 * time.Minute},
	{level: 3, remaining: 60, spent: 25, within: 15 * time.Minute},
	{level: 4, remaining: 80, spent: 25, within: 20 * time.Minute},
}

func (r budgetRule) met(b Budget) bool {
	if b.Remaining != nil && *b.Remaining <= r.remaining && b.runsOut() {
		return true
	}
	return b.Depleted != nil && *b.Depleted > r.spent && b.DepletionWindow > 0 && b.DepletionWindow <= r.within
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

// oneOf lists what a priority may be: "one of P1, P2, P3, or 0 for no priority".
func oneOf(levels []catalog.Priority) string {
	names := make([]string, len(levels))
	for i, p := range levels {
		names[i] = "P" + strconv.Itoa(p.Level)
	}
	return "one of " + strings.Join(names, ", ") + ", or 0 for no priority"
}

// UrgencyOf is the default rule: an unset priority, P1 and P2 are high and the rest
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

// urgent reports whether a priority, which must be set, is P1 or P2.
func urgent(priority *int) bool { return *priority != catalog.NoPriority && *priority <= 2 }

// moreUrgent reports whether a is more urgent than b: a lower level, or any
// level where b is unset or no priority. Only levels are more urgent than anything.
func moreUrgent(a, b *int) bool {
	if a == nil || *a == catalog.NoPriority {
		return false
	}
	return b == nil || *b == catalog.NoPriority || *a < *b
}

// The ranks of what has no level.
const (
	rankUnset      = 0
	rankNoPriority = 9
)

// Rank orders by priority as lists do: what is unset comes first, then the levels, the
// most urgent first, and no priority last.
func Rank(priority *int) int {
	switch {
	case priority == nil:
		return rankUnset
	case *priority == catalog.NoPriority:
		return rankNoPriority
	}
	return *priority
}

// PageRank orders pages by how urgent they are. One whose priority is unset counts as P2,
// which is of high urgency too: a page of P1 does not wait for it.
func PageRank(priority *int) int {
	const unset = 2
	if priority == nil {
		return unset
	}
	return Rank(priority)
}

// PageRankSQL orders the incidents of a message by a column, in the SQL of both
// databases: one whose priority is unset comes after P2.
func PageRankSQL(column string) string {
	return fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN 2.5 WHEN %[1]s = %[2]d THEN %[3]d ELSE %[1]s END", column, catalog.NoPriority, rankNoPriority)
}

// RankSQL is Rank of a column, in the SQL of both databases.
func RankSQL(column string) string {
	return fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN %[2]d WHEN %[1]s = %[3]d THEN %[4]d ELSE %[1]s END", column, rankUnset, catalog.NoPriority, rankNoPriority)
}

// LevelOf is the level of a rank, nil where it has none.
func LevelOf(rank int) *int {
	if rank == rankUnset || rank == rankNoPriority {
		return nil
	}
	return &rank
}

// levelName is how a priority is written on the timeline: "P2", "no priority", or
// empty where it is unset.
func levelName(priority *int) string {
	switch {
	case priority == nil:
		return ""
	case *priority == catalog.NoPriority:
		return "no priority"
	}
	return "P" + strconv.Itoa(*priority)
}

// severities are what senders may say, the least severe first.
var severities = [...]string{"info", "warning", "error", "critical"}

// WorseSeverity reports whether a sender's severity is worse than another; one
// that is empty or not known is the least of all.
func WorseSeverity(a, b string) bool {
	return slices.Index(severities[:], a) > slices.Index(severities[:], b)
}
