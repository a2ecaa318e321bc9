package incidents

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// Facts is what is measured, against the objective. Numbers are percent, nil
// where the sender gave none.
type Facts struct {
	SLO             string
	SLA             bool // what SLO names is promised by a contract
	SLI             string
	Endpoint        string
	Window          string // "28d"
	Observed        *float64
	Objective       *float64
	BrokenBy        *float64 // errors, of those that the objective allows
	BudgetRemaining *float64 // negative once overspent
	BudgetDepleted  *float64
	DepletionWindow string // "60m"
	BurnRate        *float64
	// StartedAt is when the sender says that it began; zero where it did not.
	StartedAt time.Time
	// PausedUntil is when the sender evaluates again; zero where it did not pause.
	PausedUntil time.Time
	// LastChange is the service's last one before the incident, and ChangedBefore how
	// long before it that was. The zero Change is none.
	LastChange    Change
	ChangedBefore time.Duration
}

func (f Facts) any(now time.Time) bool {
	return f.Observed != nil || f.BrokenBy != nil || f.BudgetRemaining != nil ||
		f.BurnRate != nil || !f.StartedAt.IsZero() || f.PausedUntil.After(now) || f.LastChange.Summary != ""
}

// Budgets are coloured by what is left of them, in percent.
const (
	lowBudget    = 20
	mediumBudget = 50
)

// budgetLevel is "spent", "low", "medium" or "good".
func budgetLevel(remaining float64) string {
	switch {
	case remaining < 0:
		return "spent"
	case remaining <= lowBudget:
		return "low"
	case remaining <= mediumBudget:
		return "medium"
	}
	return "good"
}

// budgetWords is how much of a budget is left, or how much too much was spent:
// "41.5 % left", "overspent by 140 %".
func budgetWords(remaining float64) string {
	if remaining < 0 {
		return "overspent by " + element.Percent(-remaining)
	}
	return element.Percent(remaining) + " left"
}

// budgetFill is how much of the bar is filled: all of it once overspent.
func budgetFill(remaining float64) float64 {
	if remaining < 0 {
		return 100
	}
	return remaining
}

// period writes "28d" as "28 days"; any other text is unchanged.
func period(s string) string {
	for suffix, unit := range map[string]string{"d": "days", "h": "hours", "m": "min", "w": "weeks"} {
		if n, ok := strings.CutSuffix(s, suffix); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			if n == "1" {
				return "1 " + strings.TrimSuffix(unit, "s")
			}
			return n + " " + unit
		}
	}
	return s
}

// objective is what the observed is measured against: "objective 99.7 %, 28 days".
func (f Facts) objective() string {
	words := ""
	if f.Objective != nil {
		words = f.promise() + " " + element.Percent(*f.Objective)
	}
	if f.Window != "" {
		words += ", " + period(f.Window)
	}
	return strings.TrimPrefix(words, ", ")
}

// promise names what was broken.
func (f Facts) promise() string {
	if f.SLA {
		return "SLA"
	}
	return "objective"
}

// errorRate is how many times the errors that the objective allows: "3.7×".
func (f Facts) errorRate() string { return element.Times(*f.BrokenBy / 100) }

// allowed completes the error rate.
func (f Facts) allowed() string {
	if f.BurnRate == nil {
		return "the " + f.promise() + " allows"
	}
	return "the " + f.promise() + " allows; burn rate " + element.Times(*f.BurnRate)
}

// burnScale says what a burn rate of 1 is.
func (f Facts) burnScale() string {
	if f.Window == "" {
		return "1× spends just the error budget"
	}
	return "1× spends the error budget in " + period(f.Window)
}

// began is the day on which it did, where that is not today, and how long ago
// that is.
func (f Facts) began(c element.Clock) templ.Component {
	switch {
	case c.SameDay(f.StartedAt, c.Now):
		return element.Ago(c, f.StartedAt)
	case c.Now.Sub(f.StartedAt) >= 14*24*time.Hour:
		return element.Say(c.Day(f.StartedAt))
	}
	return element.Say(c.Day(f.StartedAt)+", ", element.Ago(c, f.StartedAt))
}

// depletion is how quickly the budget was spent: "12 % spent in 60 min".
func (f Facts) depletion() string {
	if f.BudgetDepleted == nil {
		return ""
	}
	words := element.Percent(*f.BudgetDepleted) + " spent"
	if f.DepletionWindow != "" {
		words += " in " + period(f.DepletionWindow)
	}
	return words
}
