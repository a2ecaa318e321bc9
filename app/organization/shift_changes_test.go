package organization_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// weekly is a schedule of Ana and Ben, who take turns as main and backup on
// Mondays at 09:00 in Berlin; Ana is main at testNow.
func weekly() organization.ScheduleVersion {
	return organization.ScheduleVersion{Timezone: "Europe/Berlin", Positions: []string{"main", "backup"}, Layers: []organization.Layer{{
		Name: "weekly", Start: wall("2026-11-09 09:00"), Rotate: &organization.Rotate{Every: 1, Unit: "week"}, Members: []string{"ana@x.example", "ben@x.example"},
	}}}
}

func wall(text string) oncall.WallTime {
	w, err := oncall.ParseWallTime(text)
	if err != nil {
		panic(err)
	}
	return w
}

func moment(text string) organization.Moment {
	var m organization.Moment
	if err := m.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return m
}

// withWeekly is testOrg with the weekly schedule, which has always held.
func withWeekly(overrides ...oncall.Override) *organization.State {
	s := testOrg()
	v := weekly()
	id := func(email string) int64 { return map[string]int64{"ana@x.example": 1, "ben@x.example": 2}[email] }
	schedule := organization.Schedule{Timezone: v.Timezone, Positions: v.Positions, Layers: v.Layers}
	s.Schedules[0].Schedule = oncall.Schedule{Versions: []oncall.Version{schedule.Version(id, time.Time{})}, Overrides: overrides}
	return s
}

func TestPlanSaysWhoseShiftsChange(t *testing.T) {
	t.Parallel()
	change := func(f func(*organization.ScheduleVersion)) organization.Edit {
		v := weekly()
		f(&v)
		return &organization.ChangeSchedule{Schedule: "payments", Version: v}
	}
	later := func(f func(*organization.ScheduleVersion), from time.Time) organization.Edit {
		e := change(f).(*organization.ChangeSchedule)
		e.From = from
		return e
	}
	override := func(o organization.Override) organization.Edit {
		return &organization.AddOverride{Schedule: "payments", Override: o}
	}
	begun := oncall.Override{ID: 7, From: testNow.Add(-time.Hour), To: testNow.Add(3 * time.Hour), Position: "main", Kind: oncall.Replace, Out: 1, In: 2}
	onMondays := []organization.Window{{Days: []oncall.Weekday{oncall.Monday}, To: 24 * 60}}
	mondays := withWeekly()
	mondays.Schedules[0].Schedule.Versions[0].Layers[0].Restrictions = []oncall.Window{{Days: onMondays[0].Days, To: 24 * 60}}
	leaving := withWeekly()
	versions := &leaving.Schedules[0].Schedule.Versions
	next := (*versions)[0]
	next.Effective = testNow.Add(72 * time.Hour)
	next.Layers = []oncall.Layer{{Name: "all", Members: []oncall.Person{2}}}
	*versions = append(*versions, next)
	for _, test := range []struct {
		name  string
		state *organization.State
		edit  organization.Edit
		want  string
	}{
		{"longer turns", withWeekly(), change(func(v *organization.ScheduleVersion) { v.Layers[0].Rotate.Every = 2 }),
			"~ schedule payments: layer weekly: rotate every 2 weeks (was every week)\n" +
				"    Ana: +2 shifts, first now as backup; -2 shifts, first now as main; -1 shift, 14 Dec 09:00 to 21 Dec 09:00 as backup; +1 shift, 14 Dec 09:00 to 21 Dec 09:00 as main\n" +
				"    Ben: -2 shifts, first now as backup; +2 shifts, first now as main; +1 shift, 14 Dec 09:00 to 21 Dec 09:00 as backup; -1 shift, 14 Dec 09:00 to 21 Dec 09:00 as main\n"},
		{"another handoff", withWeekly(), change(func(v *organization.ScheduleVersion) { v.Layers[0].Start = wall("2026-11-09 17:00") }),
			"~ schedule payments: layer weekly: start 2026-11-09 17:00 (was 2026-11-09 09:00)\n" +
				"    Ana: -2 shifts, first on 30 Nov 09:00 as backup; +2 shifts, first on 30 Nov 09:00 as main; +2 shifts, first on 7 Dec 09:00 as backup; -2 shifts, first on 7 Dec 09:00 as main\n" +
				"    Ben: +2 shifts, first on 30 Nov 09:00 as backup; -2 shifts, first on 30 Nov 09:00 as main; -2 shifts, first on 7 Dec 09:00 as backup; +2 shifts, first on 7 Dec 09:00 as main\n"},
		{"an exchange", withWeekly(), override(organization.Override{From: moment("2026-12-05 09:00"), To: moment("2026-12-06 09:00"), Position: "main", Replace: "ben@x.example", With: "ana@x.example"}),
			"~ schedule payments: +override of main from 2026-12-05 09:00 to 2026-12-06 09:00, ana@x.example for ben@x.example\n" +
				"    Ana: +1 shift, 5 Dec 09:00 to 6 Dec 09:00 as main\n" +
				"    Ben: -1 shift, 5 Dec 09:00 to 6 Dec 09:00 as main\n"},
		{"beyond four weeks", withWeekly(), override(organization.Override{From: moment("2027-08-05 09:00"), To: moment("2027-08-06 09:00"), Position: "main", Add: "ben@x.example"}),
			"~ schedule payments: +override of main from 2027-08-05 09:00 to 2027-08-06 09:00, with ben@x.example too\n" +
				"    Ben: +1 shift, 5 Aug 2027 09:00 to 6 Aug 2027 09:00 as main\n"},
		{"one that has begun is ended", withWeekly(begun), &organization.EndOverride{Schedule: "payments", ID: 7},
			"~ schedule payments: -override of main from 2026-11-23T18:00:00+01:00 to 2026-11-23T22:00:00+01:00, ben@x.example for ana@x.example\n" +
				"    Ana: +1 shift, now to 23 Nov 22:00 as main\n" +
				"    Ben: -1 shift, now to 23 Nov 22:00 as main\n"},
		{"nobody for a day", withWeekly(), override(organization.Override{From: moment("2026-12-05 09:00"), To: moment("2026-12-06 09:00"), Position: "main", Remove: organization.Everyone}),
			"~ schedule payments: +override of main from 2026-12-05 09:00 to 2026-12-06 09:00, without everyone\n" +
				"    Ben: -1 shift, 5 Dec 09:00 to 6 Dec 09:00 as main\n" +
				"! schedule payments: nobody is main from 5 Dec 09:00 to 6 Dec 09:00.\n"},
		{"Mondays alone", withWeekly(), later(func(v *organization.ScheduleVersion) {
			v.Layers[0].Restrictions = onMondays
		}, testNow.Add(6*time.Hour)),
			"~ schedule payments: layer weekly: restrictions changed; from 2026-11-24T01:00:00+01:00\n" +
				"    Ana: -3 shifts, first on 24 Nov 01:00 as main; -2 shifts, first on 1 Dec 00:00 as backup\n" +
				"    Ben: -3 shifts, first on 24 Nov 01:00 as backup; -2 shifts, first on 1 Dec 00:00 as main\n" +
				"! schedule payments: nobody is main from 24 Nov 01:00 to 30 Nov 00:00, and 4 more times by 22 Dec 01:00.\n" +
				"! schedule payments: nobody is backup from 24 Nov 01:00 to 30 Nov 00:00, and 4 more times by 22 Dec 01:00.\n"},
		{"a position less", withWeekly(), change(func(v *organization.ScheduleVersion) { v.Positions = []string{"main"} }),
			"~ schedule payments: positions -backup\n" +
				"    Ben: -3 shifts, first now as backup\n" +
				"    Ana: -2 shifts, first on 30 Nov 09:00 as backup\n"},
		{"what was not covered before", mondays, change(func(v *organization.ScheduleVersion) {
			v.Layers[0].Restrictions = []organization.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Tuesday}, To: 24 * 60}}
		}),
			"~ schedule payments: layer weekly: restrictions changed\n" +
				"    Ana: +2 shifts, first on 24 Nov 00:00 as main; +2 shifts, first on 1 Dec 00:00 as backup\n" +
				"    Ben: +2 shifts, first on 24 Nov 00:00 as backup; +2 shifts, first on 1 Dec 00:00 as main\n"},
		{"a planned version withdrawn", leaving, later(func(*organization.ScheduleVersion) {}, testNow.Add(time.Hour)),
			"~ schedule payments: +layer weekly; -layer all; from 2026-11-23T20:00:00+01:00; what was planned from then on is withdrawn\n" +
				"    Ana: +3 shifts, first on 26 Nov 19:00 as main; +2 shifts, first on 30 Nov 09:00 as backup\n" +
				"    Ben: +3 shifts, first on 26 Nov 19:00 as backup; -3 shifts, first on 26 Nov 19:00 as main\n"},
		{"only covered periods", withWeekly(), change(func(v *organization.ScheduleVersion) { v.Layers[0].CountsOnlyCovered = true }),
			"~ schedule payments: layer weekly: counts only covered true (was false)\n"},
		{"a shadow", withWeekly(), change(func(v *organization.ScheduleVersion) {
			v.Shadows = []organization.Shadow{{User: "ben@x.example", Position: "main"}}
		}),
			"~ schedule payments: definition changed\n" +
				"    Ben: +1 shift, from now until at least 21 Dec 19:00 as shadow of main\n"},
		{"another name", withWeekly(), &organization.PutSchedule{Value: organization.Schedule{Slug: "payments", Name: "Money"},
			Input: organization.Input{Source: only{"slug", "name"}}},
			"~ schedule payments: name Money (was Payments)\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, planned(test.state, test.edit)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// only is a source that gives some keys of a schedule.
type only []string

func (o only) Where(path string) string { return path }

func (o only) Given(path string) bool {
	key, _ := strings.CutPrefix(path, "schedules[payments].")
	return slices.Contains(o, key)
}

func TestPlanSaysWhenChangesBeyondFourWeeksEnd(t *testing.T) {
	t.Parallel()
	remove := func(from, to string) organization.Edit {
		return &organization.AddOverride{Schedule: "payments",
			Override: organization.Override{From: moment(from), To: moment(to), Position: "main", Remove: organization.Everyone}}
	}
	add := func(from, to string) organization.Edit {
		return &organization.AddOverride{Schedule: "payments", Override: organization.Override{From: moment(from), To: moment(to), Position: "main", Add: "ben@x.example"}}
	}
	// Ana is main and Ben is backup for ever.
	fixed := func() *organization.State {
		s := withWeekly()
		s.Schedules[0].Schedule.Versions[0].Layers[0].Rotate = nil
		return s
	}
	long := withWeekly()
	long.Schedules[0].Schedule.Versions[0].Layers[0].Rotate.Every = 8
	change := func(f func(*organization.ScheduleVersion)) organization.Edit {
		v := weekly()
		f(&v)
		return &organization.ChangeSchedule{Schedule: "payments", Version: v}
	}
	second := organization.Layer{Name: "second", Start: wall("2027-01-11 09:00"), Members: []string{"ben@x.example"}, Positions: []string{"main"}}
	for _, test := range []struct {
		name  string
		state *organization.State
		edits []organization.Edit
		want  string // without the lines of changes
	}{
		{"an override of five weeks", fixed(), []organization.Edit{add("2026-12-05 09:00", "2027-01-09 09:00")},
			"    Ben: +1 shift, 5 Dec 09:00 to 9 Jan 09:00 as main\n"},
		{"one of exactly four weeks", fixed(), []organization.Edit{add("2026-12-05 09:00", "2027-01-02 09:00")},
			"    Ben: +1 shift, 5 Dec 09:00 to 2 Jan 09:00 as main\n"},
		{"nobody for five weeks", fixed(), []organization.Edit{remove("2026-12-05 09:00", "2027-01-09 09:00")},
			"    Ana: -1 shift, 5 Dec 09:00 to 9 Jan 09:00 as main\n" +
				"! schedule payments: nobody is main from 5 Dec 09:00 to 9 Jan 09:00.\n"},
		{"nobody for three years", fixed(), []organization.Edit{remove("2026-12-05 09:00", "2029-12-05 09:00")},
			"    Ana: -1 shift, from 5 Dec 09:00 until at least 4 Dec 2027 09:00 as main\n" +
				"! schedule payments: nobody is main from 5 Dec 09:00 until at least 4 Dec 2027 09:00.\n"},
		{"twice, far apart", fixed(), []organization.Edit{remove("2026-12-05 09:00", "2026-12-06 09:00"), remove("2027-01-25 09:00", "2027-01-26 09:00")},
			"    Ana: -2 shifts, first on 5 Dec 09:00 as main\n" +
				"! schedule payments: nobody is main from 5 Dec 09:00 to 6 Dec 09:00, and from 25 Jan 09:00 to 26 Jan 09:00.\n"},
		{"a layer that starts in seven weeks", fixed(), []organization.Edit{change(func(v *organization.ScheduleVersion) {
			v.Layers[0].Rotate = nil
			v.Layers = append(v.Layers, second)
		})},
			"    Ana: -1 shift, from 11 Jan 09:00 until at least 8 Feb 09:00 as main\n" +
				"    Ben: +1 shift, from 11 Jan 09:00 until at least 8 Feb 09:00 as main\n"},
		{"a change that goes on while another begins", fixed(), []organization.Edit{
			change(func(v *organization.ScheduleVersion) {
				v.Layers[0].Rotate, v.Layers[0].Members = nil, []string{"ben@x.example", "ana@x.example"}
			}),
			remove("2027-01-25 09:00", "2027-01-26 09:00")},
			"    Ana: +1 shift, from now until at least 27 Jan 09:00 as backup; -1 shift, from now until at least 27 Jan 09:00 as main\n" +
				"    Ben: -1 shift, from now until at least 27 Jan 09:00 as backup; +2 shifts, first now as main\n" +
				"! schedule payments: nobody is main from 25 Jan 09:00 to 26 Jan 09:00.\n"},
		{"members after a turn of eight weeks", long, []organization.Edit{change(func(v *organization.ScheduleVersion) {
			v.Layers[0].Rotate.Every, v.Layers[0].Members = 8, []string{"ana@x.example"}
		})},
			"    Ana: -1 shift, from 4 Jan 09:00 until at least 1 Feb 09:00 as backup; +1 shift, from 4 Jan 09:00 until at least 1 Feb 09:00 as main\n" +
				"    Ben: -1 shift, from 4 Jan 09:00 until at least 1 Feb 09:00 as main\n" +
				"! schedule payments: nobody is backup from 4 Jan 09:00 until at least 1 Feb 09:00.\n"},
		{"members after a turn of eight weeks, and an override", long, []organization.Edit{change(func(v *organization.ScheduleVersion) {
			v.Layers[0].Rotate.Every, v.Layers[0].Members = 8, []string{"ben@x.example", "ana@x.example", "ben@x.example"}
		}), add("2026-12-05 09:00", "2026-12-06 09:00")},
			"    Ben: +1 shift, 5 Dec 09:00 to 6 Dec 09:00 as main; +1 shift, from 4 Jan 09:00 until at least 1 Feb 09:00 as backup\n" +
				"    Ana: -1 shift, from 4 Jan 09:00 until at least 1 Feb 09:00 as backup\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lines := slices.DeleteFunc(strings.SplitAfter(planned(test.state, test.edits...), "\n"), func(line string) bool { return strings.HasPrefix(line, "~") })
			if diff := cmp.Diff(test.want, strings.Join(lines, "")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanNamesAtMostEightPeople(t *testing.T) {
	t.Parallel()
	s := withWeekly()
	v := weekly()
	v.Positions = []string{"main", "backup"}
	v.Layers[0].Members = nil
	for i := range 11 {
		u := auth.User{ID: int64(10 + i), Email: fmt.Sprintf("p%02d@x.example", i), Name: "P", Role: auth.Responder, Active: true}
		s.Users = append(s.Users, u)
		v.Positions = append(v.Positions, fmt.Sprint("p", i))
		v.Layers[0].Members = append(v.Layers[0].Members, u.Email)
	}
	got := planned(s, &organization.ChangeSchedule{Schedule: "payments", Version: v})
	if !strings.Contains(got, "    P (p00@x.example): ") || !strings.HasSuffix(got, "\n    and 5 more\n") || strings.Count(got, "\n    ") != 9 {
		t.Errorf("the plan is\n%s", got)
	}
}

func TestPeopleWithoutANameHaveOneAddress(t *testing.T) {
	t.Parallel()
	s := withWeekly()
	s.Users[0].Name, s.Users[1].Name = "", ""
	got := planned(s, &organization.AddOverride{Schedule: "payments",
		Override: organization.Override{From: moment("2026-12-05 09:00"), To: moment("2026-12-06 09:00"), Position: "main", Add: "ana@x.example"}})
	if !strings.Contains(got, "\n    ana@x.example: ") {
		t.Errorf("the plan is\n%s", got)
	}
}

func TestPlanSaysWhomAPolicyPages(t *testing.T) {
	t.Parallel()
	s := withWeekly()
	s.Policies[0].Policy.Fallback = []escalation.Target{{Role: "administrator"}}
	main, minute := organization.Target{Schedule: "payments", Position: "main"}, organization.Duration(time.Minute)
	got := planned(s, &organization.PutPolicy{Value: organization.Policy{Slug: "payments", Steps: []organization.Step{
		{Timeout: minute, Targets: []organization.Target{{Schedule: "payments", Position: "backup"}, {User: "ben@x.example"}}},
		{Timeout: minute, Targets: []organization.Target{main, {Team: "payments"}, {Team: "payments", Role: "manager"}}},
	}}})
	want := strings.TrimLeft(`
~ escalation policy payments: name payments (was Payments); fallback changed; steps changed
    step 1: +schedule payments as backup, +user ben@x.example, -schedule payments as main
    step 2: +schedule payments as main, +team payments, +manager of team payments
    fallback: -everybody of role administrator
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
