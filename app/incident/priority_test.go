package incident_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestChoosePriority(t *testing.T) {
	t.Parallel()
	burning := func(remaining, rate float64) incident.Budget {
		return incident.Budget{Remaining: &remaining, BurnRate: &rate}
	}
	spent := func(percent float64, within time.Duration) incident.Budget {
		return incident.Budget{Depleted: &percent, DepletionWindow: within}
	}
	computed := func(remaining, depleted float64, within, window time.Duration) incident.Budget {
		return incident.Budget{Remaining: &remaining, Depleted: &depleted, DepletionWindow: within, Window: window}
	}
	const month = 28 * 24 * time.Hour
	alone := func(remaining float64) incident.Budget { return incident.Budget{Remaining: &remaining} }
	for _, test := range []struct {
		name      string
		sent, slo int // 0 where it says nothing, -1 for no priority
		budget    incident.Budget
		levels    int
		want      int // 0 for unset, -1 for no priority
		source    string
		warnings  int
	}{
		{"nothing is known", 0, 0, incident.Budget{}, 3, 0, "", 0},
		{"the signal's own wins", 3, 1, burning(0, 9), 3, 3, incident.SourceSignal, 0},
		{"the SLO's is next", 0, 2, burning(0, 9), 3, 2, incident.SourceSLO, 0},
		{"no priority ends the chain", -1, 2, burning(0, 9), 3, -1, incident.SourceSignal, 0},
		{"so does an SLO's", 0, -1, burning(0, 9), 3, -1, incident.SourceSLO, 0},
		{"a level that does not exist", 7, 2, incident.Budget{}, 3, 3, incident.SourceSignal, 1},
		{"an SLO's that no longer exists", 0, 5, incident.Budget{}, 3, 3, incident.SourceSLO, 1},
		{"a level where none exists", 7, 0, incident.Budget{}, 0, 0, "", 1},

		{"20 % left", 0, 0, burning(20, 1.1), 5, 1, incident.SourceBudget, 0},
		{"40 % left", 0, 0, burning(40, 1.1), 5, 2, incident.SourceBudget, 0},
		{"60 % left", 0, 0, burning(60, 1.1), 5, 3, incident.SourceBudget, 0},
		{"80 % left", 0, 0, burning(80, 1.1), 5, 4, incident.SourceBudget, 0},
		{"81 % left", 0, 0, burning(81, 9), 5, 0, "", 0},
		{"there is no P4", 0, 0, burning(80, 9), 3, 0, "", 0},
		{"it will last", 0, 0, burning(20, 1), 3, 0, "", 0},
		{"it ran out", 0, 0, alone(0), 3, 1, incident.SourceBudget, 0},
		{"it is overdrawn", 0, 0, alone(-12), 3, 1, incident.SourceBudget, 0},
		{"the course is not known", 0, 0, alone(10), 3, 0, "", 0},
		{"the course is computed", 0, 0, computed(40, 12, time.Hour, month), 3, 2, incident.SourceBudget, 0},
		{"the course is computed, and it lasts", 0, 0, computed(40, 0.1, time.Hour, month), 3, 0, "", 0},

		{"over 75 % in 5 min", 0, 0, spent(75.1, 5*time.Minute), 3, 1, incident.SourceBudget, 0},
		{"75 % in 5 min", 0, 0, spent(75, 5*time.Minute), 3, 2, incident.SourceBudget, 0},
		{"over 75 % in 6 min", 0, 0, spent(75.1, 6*time.Minute), 3, 2, incident.SourceBudget, 0},
		{"over 50 % in 10 min", 0, 0, spent(50.1, 10*time.Minute), 3, 2, incident.SourceBudget, 0},
		{"50 % in 10 min", 0, 0, spent(50, 10*time.Minute), 3, 3, incident.SourceBudget, 0},
		{"over 25 % in 15 min", 0, 0, spent(25.1, 15*time.Minute), 3, 3, incident.SourceBudget, 0},
		{"25 % in 15 min", 0, 0, spent(25, 15*time.Minute), 5, 0, "", 0},
		{"over 25 % in 16 min", 0, 0, spent(25.1, 16*time.Minute), 5, 4, incident.SourceBudget, 0},
		{"over 25 % in 16 min without P4", 0, 0, spent(25.1, 16*time.Minute), 3, 0, "", 0},
		{"over 25 % in 21 min", 0, 0, spent(25.1, 21*time.Minute), 5, 0, "", 0},
		{"99 % in no stated time", 0, 0, spent(99, 0), 3, 0, "", 0},
		{"no level exists", 0, 0, spent(80, time.Minute), 0, 0, "", 0},
	} {
		got := incident.ChoosePriority(orNil(test.sent), orNil(test.slo), test.budget, levels(test.levels))
		level := 0
		if got.Level != nil {
			if level = *got.Level; level == catalog.NoPriority {
				level = -1
			}
		}
		if level != test.want || got.Source != test.source || len(got.Warnings) != test.warnings {
			t.Errorf("%s: got P%d from %q, warnings %q", test.name, level, got.Source, got.Warnings)
		}
	}
}

// Where the rule's own level does not exist, the next that is met decides.
func TestBudgetRuleOfMissingLevel(t *testing.T) {
	t.Parallel()
	remaining := -5.0
	got := incident.ChoosePriority(nil, nil, incident.Budget{Remaining: &remaining}, levels(3)[1:])
	if got.Level == nil || *got.Level != 2 {
		t.Errorf("got %+v", got)
	}
}

// orNil is nil for 0, and no priority for -1.
func orNil(level int) *int {
	switch level {
	case 0:
		return nil
	case -1:
		return new(catalog.NoPriority)
	}
	return &level
}

func TestPriorityRank(t *testing.T) {
	t.Parallel()
	order := []*int{nil, new(1), new(2), new(5), new(catalog.NoPriority)}
	for i := range order[1:] {
		if a, b := incident.Rank(order[i]), incident.Rank(order[i+1]); a >= b {
			t.Errorf("ranks %d and %d at %d", a, b, i)
		}
	}
}

func TestUrgencyOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		priority          int // 0 for unset, -1 for no priority
		known, production bool
		want              incident.Urgency
	}{
		{0, true, true, incident.High}, {-1, true, true, incident.Low}, {-1, false, false, incident.Low}, {1, true, true, incident.High}, {2, true, true, incident.High},
		{3, true, true, incident.Low}, {5, true, true, incident.Low},
		{0, true, false, incident.Low}, {1, true, false, incident.Low},
		{1, false, false, incident.High}, {0, false, false, incident.High}, {3, false, false, incident.Low},
	} {
		priority := orNil(test.priority)
		if got := incident.UrgencyOf(priority, test.known, test.production, false); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
		if got := incident.UrgencyOf(priority, test.known, test.production, true); got != incident.Low {
			t.Errorf("%+v, where it may wait: got %s", test, got)
		}
	}
}
