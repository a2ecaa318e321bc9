package organization_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

var testNow = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

// testOrg has a team of Ana and Ben with a schedule, a policy and a service.
func testOrg() *organization.State {
	version := oncall.Version{Zone: "UTC", Positions: []oncall.Position{"main"}, Layers: []oncall.Layer{{Name: "all", Members: []oncall.Person{1, 2}}}}
	policy := escalation.Policy{Steps: []escalation.Step{{Timeout: 60, Targets: []escalation.Target{{Schedule: 1, Position: "main"}}}}}
	return &organization.State{
		At:           testNow,
		Organization: catalog.Organization{ID: 1, Name: "Acme", Timezone: "UTC", ConfigVersion: 5, PeopleVersion: 2},
		Users: []auth.User{{ID: 1, Email: "ana@x.example", Name: "Ana", Role: auth.Administrator, Active: true},
			{ID: 2, Email: "ben@x.example", Name: "Ben", Role: auth.Responder, Active: true}},
		Teams:     []catalog.Team{{ID: 1, Slug: "payments", Name: "Payments"}},
		Members:   []catalog.TeamMember{{TeamID: 1, UserID: 1}, {TeamID: 1, UserID: 2}},
		Schedules: []organization.ScheduleRecord{{ID: 1, Slug: "payments", Name: "Payments", Schedule: oncall.Schedule{Versions: []oncall.Version{version}}, FromApp: map[int64]bool{}}},
		Policies: []organization.PolicyRecord{{ID: 1, Slug: "payments", Name: "Payments", Policy: policy,
			Versions: []organization.PolicyVersion{{ID: 11, Policy: policy}}}},
		Services: []catalog.Service{{ID: 1, Slug: "api", Name: "API", TeamID: new(int64(1)), PolicyID: new(int64(1)), ReopenWindow: 300}},
	}
}

// planned is the plan of edits in words, or what is wrong with them.
func planned(s *organization.State, edits ...organization.Edit) string {
	plan, err := organization.MakePlan(s, edits, organization.Options{})
	if problems, ok := errors.AsType[organization.Problems](err); ok && fault.Is(err, fault.KindInvalid) {
		return problems.Error() + "\n"
	}
	if err != nil {
		return err.Error()
	}
	return plan.String()
}

func TestEditsArePlannedInWords(t *testing.T) {
	t.Parallel()
	tomorrow := organization.MomentIn(testNow.Add(24*time.Hour), "UTC")
	dayAfter := organization.MomentIn(testNow.Add(48*time.Hour), "UTC")
	for _, test := range []struct {
		name  string
		edits []organization.Edit
		want  string
	}{
		{"nothing", []organization.Edit{&organization.RenameTeam{Team: "payments", Name: "Payments"}}, "Nothing to change.\n"},
		{"a team's name", []organization.Edit{&organization.RenameTeam{Team: "payments", Name: "Money"}}, "~ team payments: name Money (was Payments)\n"},
		{"an unknown team", []organization.Edit{&organization.RenameTeam{Team: "sales", Name: "Money"}}, "teams[sales].name: There is no team sales.\n"},
		{"a profile", []organization.Edit{&organization.SetProfile{Email: "Ben@X.example", Name: "Benno", Timezone: "Europe/Berlin"}},
			"~ user ben@x.example: name Benno (was Ben); timezone Europe/Berlin (was none)\n"},
		{"a wrong profile", []organization.Edit{&organization.SetProfile{Email: "ben@x.example", Name: " ", Timezone: "Berlin"}},
			"name: Write a name.\ntimezone: \"Berlin\" is not a time zone such as Europe/Berlin.\n"},
		{"the last administrator", []organization.Edit{&organization.SetRole{Email: "ana@x.example", Role: "responder"}},
			"users[ana@x.example].role: ana@x.example is the last administrator. Make somebody else one first.\n"},
		{"another administrator", []organization.Edit{&organization.SetRole{Email: "ben@x.example", Role: "administrator"}, &organization.SetActive{Email: "ana@x.example"}},
			"~ user ana@x.example: deactivated true (was false)\n~ user ben@x.example: role administrator (was responder)\n" +
				"! schedule payments: Ana is on call in it and will no longer be paged: now as main (Ben covers).\n"},
		{"a new service", []organization.Edit{
			&organization.PutService{Value: organization.Service{Name: "Web Shop", Team: "sales", ReopenWindow: organization.Duration(time.Minute)}, Input: organization.Input{New: true}},
			&organization.PutTeam{Value: organization.Team{Slug: "sales", Members: []string{"ben@x.example"}}},
		}, "+ team sales\n+ service web-shop\n"},
		{"a service that exists", []organization.Edit{&organization.PutService{Value: organization.Service{Slug: "api"}, Input: organization.Input{New: true, Path: "service"}}},
			"service: There is a service api already.\n"},
		{"a target that does not exist", []organization.Edit{&organization.PutPolicy{Value: organization.Policy{Slug: "payments",
			Steps: []organization.Step{{Timeout: organization.Duration(time.Minute), Targets: []organization.Target{{User: "eve@x.example"}}}}}}},
			"escalation_policies[payments].steps[0].targets[0].user: There is no user eve@x.example.\n"},
		{"a version from tomorrow", []organization.Edit{&organization.ChangeSchedule{Schedule: "payments", From: testNow.Add(24 * time.Hour),
			Version: organization.ScheduleVersion{Timezone: "UTC", Positions: []string{"main"}, Layers: []organization.Layer{{Name: "all", Members: []string{"ben@x.example"}}}}}},
			"~ schedule payments: layer all: members -ana@x.example; from 2026-11-24T18:00:00Z\n" +
				"    Ana: -1 shift, from 24 Nov 18:00 until at least 22 Dec 18:00 as main\n    Ben: +1 shift, from 24 Nov 18:00 until at least 22 Dec 18:00 as main\n"},
		{"a version in the past", []organization.Edit{&organization.ChangeSchedule{Schedule: "payments", From: testNow.Add(-time.Hour),
			Version: organization.ScheduleVersion{Timezone: "UTC", Positions: []string{"main"}, Layers: []organization.Layer{{Name: "all", Members: []string{"eve@x.example"}}}}}},
			"schedules[payments].from: A change begins now or later: the past stays as it was.\nschedules[payments].layers[0].members[0]: There is no user eve@x.example.\n"},
		{"an override", []organization.Edit{&organization.AddOverride{Schedule: "payments",
			Override: organization.Override{From: tomorrow, To: dayAfter, Position: "main", Replace: "ana@x.example", With: "ben@x.example"}}},
			"~ schedule payments: +override of main from 2026-11-24T18:00:00Z to 2026-11-25T18:00:00Z, ben@x.example for ana@x.example\n" +
				"    Ana: -1 shift, 24 Nov 18:00 to 25 Nov 18:00 as main\n    Ben: +1 shift, 24 Nov 18:00 to 25 Nov 18:00 as main\n"},
		{"an override that matches nobody", []organization.Edit{&organization.AddOverride{Schedule: "payments",
			Override: organization.Override{From: tomorrow, To: dayAfter, Remove: "ben@x.example"}}},
			"~ schedule payments: +override of every position from 2026-11-24T18:00:00Z to 2026-11-25T18:00:00Z, without ben@x.example\n" +
				"! schedule payments: the override of every position from 2026-11-24T18:00:00Z to 2026-11-25T18:00:00Z, without ben@x.example matches nobody.\n"},
		{"a wrong override", []organization.Edit{&organization.AddOverride{Schedule: "payments",
			Override: organization.Override{From: dayAfter, To: tomorrow, Position: "mian", Add: "eve@x.example"}}},
			"add: There is no user eve@x.example.\nposition: There is no position mian. Did you mean main?\nto: The override has to end after it begins.\n"},
		{"an override that is over", []organization.Edit{&organization.AddOverride{Schedule: "payments",
			Override: organization.Override{From: organization.MomentIn(testNow.Add(-2*time.Hour), "UTC"), To: organization.MomentIn(testNow.Add(-time.Hour), "UTC"), Add: "ana@x.example"}}},
			"to: The override would be over already.\n"},
		{"what is in use", []organization.Edit{&organization.Remove{Kind: organization.KindPolicy, Key: "payments"}},
			"escalation_policies[payments]: payments is in use by service api.\n"},
		{"what is used by what is removed too", []organization.Edit{&organization.Remove{Kind: organization.KindPolicy, Key: "payments"}, &organization.Remove{Kind: organization.KindService, Key: "api"}},
			"- service api\n- escalation policy payments\n"},
		{"what does not exist", []organization.Edit{&organization.Remove{Kind: organization.KindTeam, Key: "sales"}}, "teams[sales]: There is no team sales.\n"},
		{"the organisation", []organization.Edit{&organization.Remove{Kind: organization.KindOrganization, Path: "kind"}}, "kind: A thing of kind organization cannot be removed.\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, planned(testOrg(), test.edits...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlanIsOfTheRevisionOfItsState(t *testing.T) {
	t.Parallel()
	plan, err := organization.MakePlan(testOrg(), nil, organization.Options{})
	if err != nil || plan.Revision != 7 {
		t.Errorf("the revision is %d, %v", plan.Revision, err)
	}
}

func TestPlannedVersionIsWithdrawnByAnEarlierOne(t *testing.T) {
	t.Parallel()
	s := testOrg()
	record := &s.Schedules[0]
	later := record.Schedule.Versions[0]
	later.Effective = testNow.Add(48 * time.Hour)
	later.Layers = []oncall.Layer{{Name: "all", Members: []oncall.Person{2}}}
	record.Schedule.Versions = append(record.Schedule.Versions, later)
	both := organization.ScheduleVersion{Timezone: "UTC", Positions: []string{"main"}, Layers: []organization.Layer{{Name: "all", Members: []string{"ana@x.example", "ben@x.example"}}}}
	change := func(from time.Time, v organization.ScheduleVersion) organization.ScheduleChange {
		t.Helper()
		plan, err := organization.MakePlan(s, []organization.Edit{&organization.ChangeSchedule{Schedule: "payments", From: from, Version: v}}, organization.Options{})
		if err != nil || len(plan.Changes) != 1 {
			t.Fatalf("%v, %v", plan, err)
		}
		return plan.Changes[0].Value.(organization.ScheduleChange)
	}
	if c := change(testNow.Add(24*time.Hour), both); c.Definition || !c.Withdraw {
		t.Errorf("to go on as it is now, the planned version is not just withdrawn: %+v", c)
	}
	both.Positions = []string{"main", "backup"}
	if c := change(testNow.Add(24*time.Hour), both); !c.Definition || !c.Withdraw {
		t.Errorf("the earlier version does not replace the planned one: %+v", c)
	}
	if c := change(testNow.Add(72*time.Hour), both); !c.Definition || c.Withdraw {
		t.Errorf("a later version withdraws the planned one: %+v", c)
	}
}

func TestOverrideIsEndedOnce(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Schedules[0].Schedule.Overrides = []oncall.Override{
		{ID: 7, From: testNow.Add(-time.Hour), To: testNow.Add(time.Hour), Kind: oncall.Add, In: 2},
		{ID: 8, From: testNow.Add(-2 * time.Hour), To: testNow.Add(-time.Hour), Kind: oncall.Add, In: 2},
	}
	s.Schedules[0].FromApp[7] = true
	if got := planned(s, &organization.EndOverride{Schedule: "payments", ID: 7}); !strings.Contains(got, "-override of every position") {
		t.Errorf("the plan is %q", got)
	}
	if got, want := planned(s, &organization.EndOverride{Schedule: "payments", ID: 8}), "schedules[payments].overrides: There is no override 8 that is not over.\n"; got != want {
		t.Errorf("the plan is %q, want %q", got, want)
	}
}

// What edits break elsewhere is a problem; what was broken before is none.
func TestOnlyNewProblemsOfUntouchedThingsCount(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Policies[0].Policy.Steps[0].Targets = append(s.Policies[0].Policy.Steps[0].Targets, escalation.Target{Schedule: 1, Position: "gone"})
	if got, want := planned(s, &organization.RenameTeam{Team: "payments", Name: "Money"}), "~ team payments: name Money (was Payments)\n"; got != want {
		t.Errorf("the plan is %q, want %q", got, want)
	}
	got := planned(s, &organization.ChangeSchedule{Schedule: "payments", Version: organization.ScheduleVersion{
		Timezone: "UTC", Positions: []string{"first"}, Layers: []organization.Layer{{Name: "all", Members: []string{"ana@x.example"}}}}})
	want := "escalation_policies[payments].steps[0].targets[0].position: The escalation policy payments would no longer fit: The schedule payments has no position main."
	if !strings.HasPrefix(got, want) {
		t.Errorf("the plan is %q, want %q", got, want)
	}
}

// A person whose row cannot be read stays in rotations and teams.
func TestUnreadablePersonStaysWhereTheyAre(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Users = s.Users[:1]
	from, to := organization.MomentIn(testNow, "UTC"), organization.MomentIn(testNow.Add(time.Hour), "UTC")
	plan, err := organization.MakePlan(s, []organization.Edit{
		&organization.RenameTeam{Team: "payments", Name: "Money"},
		&organization.AddOverride{Schedule: "payments", Override: organization.Override{From: from, To: to, Add: "ana@x.example"}},
	}, organization.Options{})
	if err != nil {
		t.Fatal(err)
	}
	members := plan.Changes[0].Value.(organization.Team).Members
	if id, ok := organization.IDOf(members[0]); !ok || id != 2 || plan.Changes[1].Value.(organization.ScheduleChange).Definition {
		t.Errorf("the plan is\n%v with the members %v", plan, members)
	}
}

func TestMakingAPlanChangesNoState(t *testing.T) {
	t.Parallel()
	s, same := testOrg(), testOrg()
	planned(s, &organization.RenameTeam{Team: "payments", Name: "Money"}, &organization.SetRole{Email: "ben@x.example", Role: "manager"},
		&organization.PutTeam{Value: organization.Team{Slug: "payments", Members: []string{"ben@x.example"}}}, &organization.Remove{Kind: organization.KindService, Key: "api"})
	if diff := cmp.Diff(same, s, cmp.AllowUnexported(oncall.WallTime{})); diff != "" {
		t.Error(diff)
	}
}

func TestOverrideOfAPastPositionBlocksNoEdit(t *testing.T) {
	t.Parallel()
	s := testOrg()
	record := &s.Schedules[0]
	first := record.Schedule.Versions[0]
	first.Positions = []oncall.Position{"main", "backup"}
	next := record.Schedule.Versions[0]
	next.Effective = testNow.Add(-time.Hour)
	record.Schedule.Versions = []oncall.Version{first, next}
	record.Schedule.Overrides = []oncall.Override{{ID: 7, From: testNow.Add(time.Hour), To: testNow.Add(2 * time.Hour), Position: "backup", Kind: oncall.Add, In: 1}}
	record.FromApp[7] = true
	for name, edit := range map[string]organization.Edit{
		"another override": &organization.AddOverride{Schedule: "payments", Override: organization.Override{Position: "main", Add: "ben@x.example",
			From: organization.MomentIn(testNow.Add(24*time.Hour), "UTC"), To: organization.MomentIn(testNow.Add(48*time.Hour), "UTC")}},
		"its end": &organization.EndOverride{Schedule: "payments", ID: 7},
	} {
		if got := planned(s, edit); !strings.HasPrefix(got, "~ schedule payments: ") {
			t.Errorf("%s: %s", name, got)
		}
	}
	given := organization.Schedule{Slug: "payments", Timezone: "UTC", Positions: []string{"main"}, Layers: []organization.Layer{{Name: "all", Members: []string{"ana@x.example"}}},
		Overrides: []organization.Override{{Position: "backup", Add: "ana@x.example", From: organization.MomentIn(testNow, "UTC"), To: organization.MomentIn(testNow.Add(time.Hour), "UTC")}}}
	if got, want := planned(s, &organization.PutSchedule{Value: given}), "schedules[payments].overrides[0].position: There is no position backup.\n"; got != want {
		t.Errorf("given: %s", got)
	}
}
