package blueprint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestPlanOfAFileSaysForWhom(t *testing.T) {
	t.Parallel()
	s := begun()
	s.Users = append(s.Users, auth.User{ID: 4, Email: "ben@acme.example", Name: "Ben", Role: auth.Responder, Active: true})
	s.Schedules = []organization.ScheduleRecord{{ID: 1, Slug: "main", Name: "Main", Schedule: oncall.Schedule{Versions: []oncall.Version{{
		Zone: "Europe/Berlin", Positions: []oncall.Position{"main"}, Layers: []oncall.Layer{{Name: "weekly", Start: oncall.WallTime{Year: 2026, Month: 11, Day: 23, Clock: 9 * 60},
			Rotate: &oncall.Rotate{Every: 1, Unit: oncall.Week}, Members: []oncall.Person{3, 4}}},
	}}}}}
	s.Policies = []organization.PolicyRecord{{ID: 1, Slug: "main", Name: "Main", Policy: escalation.Policy{Steps: []escalation.Step{
		{Timeout: 300, Targets: []escalation.Target{{Schedule: 1, Position: "main"}}}, {Timeout: 300, Targets: []escalation.Target{{User: 3}}},
	}}}}
	file := parse(t, `
version: 1
schedules:
  - slug: main
    layers: [{name: weekly, start: "2026-11-23 09:00", rotate: {every: 2, unit: week}, members: [admin@acme.example, ben@acme.example]}]
    overrides: [{from: "2026-12-12 00:00", to: "2026-12-13 00:00", remove: ben@acme.example}]
escalation_policies:
  - slug: main
    steps:
      - {timeout: 5m, targets: [{schedule: main, position: main}]}
      - {timeout: 5m, targets: [{user: ben@acme.example}]}
`)
	plan, err := file.Plan(s, blueprint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimLeft(`
~ schedule main: layer weekly: rotate every 2 weeks (was every week); +override of every position from 2026-12-12 00:00 to 2026-12-13 00:00, without ben@acme.example
    Ada: +1 shift, 30 Nov 09:00 to 7 Dec 09:00 as main; -1 shift, 7 Dec 09:00 to 14 Dec 09:00 as main
    Ben: -1 shift, 30 Nov 09:00 to 7 Dec 09:00 as main; +2 shifts, first on 7 Dec 09:00 as main
~ escalation policy main: steps changed
    step 2: +user ben@acme.example, -user admin@acme.example
! schedule main: nobody is main from 12 Dec 00:00 to 13 Dec 00:00.
`, "\n")
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Error(diff)
	}
	if words := strings.Join(plan.Changes[0].Words, "; "); strings.Contains(words, "shift") {
		t.Errorf("the words for the audit log are %q", words)
	}
}

func TestPruneKeepsAdministrators(t *testing.T) {
	t.Parallel()
	s := begun()
	s.Users = append(s.Users,
		auth.User{ID: 4, Email: "bea@acme.example", Name: "Bea", Role: auth.Administrator, Active: true},
		auth.User{ID: 5, Email: "mo@acme.example", Name: "Mo", Role: auth.Manager, Active: true},
		auth.User{ID: 6, Email: "ray@acme.example", Name: "Ray", Role: auth.Responder, Active: true},
	)
	plan, err := parse(t, "version: 1\nusers: [{email: admin@acme.example, name: Ada, role: administrator}]\n").Plan(s, blueprint.Options{Prune: true})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimLeft(`
~ user mo@acme.example: deactivated true (was false)
~ user ray@acme.example: deactivated true (was false)
= 1 unchanged
! user bea@acme.example stays: administrators are deactivated by hand.
`, "\n")
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Error(diff)
	}
}
