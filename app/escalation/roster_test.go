package escalation_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

func TestRosterResolve(t *testing.T) {
	t.Parallel()
	roster := newRoster()
	for name, c := range map[string]struct {
		targets []escalation.Target
		want    string
	}{
		"a position":                  {[]escalation.Target{mainOnCall}, "ana"},
		"several":                     {[]escalation.Target{backup, mainOnCall}, "ben ana"},
		"a position that is not":      {[]escalation.Target{{Schedule: paymentsSchedule, Position: "third"}}, ""},
		"a schedule that is not":      {[]escalation.Target{{Schedule: 99, Position: "main"}}, ""},
		"a user":                      {[]escalation.Target{user(dana)}, "dana"},
		"a user without a contact":    {[]escalation.Target{nobody}, ""},
		"a user who is not":           {[]escalation.Target{user(99)}, ""},
		"a team":                      {[]escalation.Target{team}, "ana ben chiara"},
		"a team that is not":          {[]escalation.Target{{Team: 99}}, ""},
		"its manager":                 {[]escalation.Target{manager}, "dana"},
		"the manager of a team alone": {[]escalation.Target{{Team: 99, Role: "manager"}}, ""},
		"a role":                      {[]escalation.Target{{Role: "responder"}}, "ana ben chiara"},
		"a role, with one reachable":  {[]escalation.Target{{Role: "administrator"}}, "root"},
		"each once":                   {[]escalation.Target{team, mainOnCall, user(ben), manager, {Role: "manager"}}, "ana ben chiara dana"},
		"nothing":                     {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []int64
			for _, r := range roster.Resolve(c.targets, monday) {
				ids = append(ids, r.UserID)
			}
			if got := names(ids); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOnCallCountsMoreThanShadow has Ben shadow main and be backup.
func TestOnCallCountsMoreThanShadow(t *testing.T) {
	t.Parallel()
	roster := newRoster()
	s := schedule(weekly(1, 2, 3))
	s.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(ben), Position: "main"}}
	roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Slug: "payments", Name: "Payments", Schedule: s}
	shadowing := roster.Resolve([]escalation.Target{mainOnCall}, monday)
	if len(shadowing) != 2 || shadowing[1].UserID != ben || !shadowing[1].Shadow || escalation.AnyNonShadow(shadowing[1:]) {
		t.Errorf("main alone: %+v", shadowing)
	}
	for _, targets := range [][]escalation.Target{{mainOnCall, backup}, {backup, mainOnCall}} {
		both := roster.Resolve(targets, monday)
		if len(both) != 2 || both[0].Shadow || both[1].Shadow {
			t.Errorf("both: %+v", both)
		}
	}
}

func TestWhyNamesOverride(t *testing.T) {
	t.Parallel()
	roster := newRoster()
	s := schedule(weekly(1, 2, 3))
	to := monday.Add(2 * time.Hour)
	s.Overrides = []oncall.Override{{ID: 7, From: monday, To: to, Position: "main", Kind: oncall.Replace, Out: 1, In: 3}}
	roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Slug: "payments", Name: "Payments", Schedule: s}
	got := roster.Resolve([]escalation.Target{mainOnCall}, monday)
	want := []escalation.Reached{{UserID: chiara, Why: escalation.Why{
		Target: "main on call in Payments", Schedule: "payments", ScheduleName: "Payments", Position: "main", Layer: "weekly", Override: 7, Until: &to,
	}}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRosterNextHandover(t *testing.T) {
	t.Parallel()
	roster := newRoster()
	s := schedule(oncall.Layer{Name: "alone", Members: []oncall.Person{1}})
	s.Overrides = []oncall.Override{{From: monday.Add(time.Hour), To: monday.Add(2 * time.Hour), Position: "main", Kind: oncall.Replace, Out: 1, In: 3}}
	roster.Schedules[11] = escalation.NamedSchedule{Schedule: s}
	other := escalation.Target{Schedule: 11, Position: "main"}
	for name, c := range map[string]struct {
		targets []escalation.Target
		want    time.Time
	}{
		"the next handover":    {[]escalation.Target{mainOnCall}, time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)},
		"the earliest of two":  {[]escalation.Target{mainOnCall, other}, monday.Add(time.Hour)},
		"in any order":         {[]escalation.Target{other, mainOnCall}, monday.Add(time.Hour)},
		"never, where no turn": {[]escalation.Target{{Schedule: 11, Position: "backup"}}, time.Time{}},
		"never, of people":     {[]escalation.Target{user(ana), team, manager, {Role: "responder"}}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := roster.NextHandover(c.targets, monday); !got.Equal(c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTargetsInWords(t *testing.T) {
	t.Parallel()
	got := newRoster().Describe([]escalation.Target{mainOnCall, user(dana), team, manager, {Role: "administrator"}})
	want := []string{"main on call in Payments", "Dana Levi", "everyone in Payments", "the manager of Payments", "every administrator"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
