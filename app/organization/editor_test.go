package organization_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// testStore is changed by somebody else before each of the first applications.
type testStore struct {
	testLoader
	conflicts int
	histories int // how often the History was read
	applied   []*organization.Plan
}

func (s *testStore) History(context.Context) (organization.History, error) {
	s.histories++
	return organization.History{}, nil
}

func (s *testStore) Apply(_ context.Context, _ auth.Actor, plan *organization.Plan) (organization.Applied, error) {
	if s.conflicts > 0 {
		s.conflicts--
		s.change(func(s *organization.State) { s.Organization.ConfigVersion++ })
	}
	if plan.Revision != s.state.Versions().Revision() {
		return organization.Applied{}, fault.Conflict("The configuration was changed in the meantime.")
	}
	s.applied = append(s.applied, plan)
	return organization.Applied{Plan: plan}, nil
}

func TestEditIsPlannedAgainAfterAConflict(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		conflicts int
		kind      fault.Kind // empty for none
	}{{0, ""}, {2, ""}, {3, fault.KindConflict}} {
		s := &testStore{testLoader: testLoader{state: testOrg()}, conflicts: test.conflicts}
		e := &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}
		_, err := e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Money"})
		if failed := err != nil; failed != (test.kind != "") || failed && !fault.Is(err, test.kind) || len(s.applied) != 1 && !failed {
			t.Errorf("%d conflicts: %v, applied %v", test.conflicts, err, s.applied)
		}
	}
}

func TestPeopleEditorReturnsTheKindOfAProblem(t *testing.T) {
	t.Parallel()
	s := &testStore{testLoader: testLoader{state: testOrg()}}
	p := organization.PeopleEditor{Editor: &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}}
	ctx, by := t.Context(), auth.Tocsin
	for _, test := range []struct {
		name string
		err  error
		kind fault.Kind
	}{
		{"the role of the last administrator", p.SetRole(ctx, by, "ana@x.example", auth.Manager), fault.KindConflict},
		{"the last administrator deactivated", p.SetActive(ctx, by, "ana@x.example", false), fault.KindConflict},
		{"the profile of nobody", p.SetProfile(ctx, by, "eve@x.example", "Eve", ""), fault.KindNotFound},
		{"nobody's role", p.SetRole(ctx, by, "eve@x.example", auth.Manager), fault.KindNotFound},
		{"nobody taken back", p.SetActive(ctx, by, "eve@x.example", true), fault.KindNotFound},
		{"no name", p.SetProfile(ctx, by, "ben@x.example", "", ""), fault.KindInvalid},
		{"no role", p.SetRole(ctx, by, "ben@x.example", auth.Read), fault.KindInvalid},
		{"name and role of the last administrator", p.SetNameAndRole(ctx, by, "ana@x.example", "Anna", auth.Manager), fault.KindConflict},
	} {
		if !fault.Is(test.err, test.kind) {
			t.Errorf("%s: %v, want a fault of kind %s", test.name, test.err, test.kind)
		}
	}
	if err := p.SetProfile(ctx, by, "ben@x.example", "Ben", ""); err != nil || s.applied != nil {
		t.Errorf("the profile as it is: %v, applied %v", err, s.applied)
	}
	if err := p.SetProfile(ctx, by, "ben@x.example", "Benno", ""); err != nil || len(s.applied) != 1 {
		t.Errorf("another name: %v, applied %v", err, s.applied)
	}
}

func TestNameAndRoleAreOnePlan(t *testing.T) {
	t.Parallel()
	s := &testStore{testLoader: testLoader{state: testOrg()}}
	p := organization.PeopleEditor{Editor: &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}}
	err := p.SetNameAndRole(t.Context(), auth.Tocsin, "ben@x.example", "Benno", auth.Manager)
	if err != nil || len(s.applied) != 1 {
		t.Fatalf("%v, applied %v", err, s.applied)
	}
	if got, want := s.applied[0].String(), "~ user ben@x.example: name Benno (was Ben); role manager (was responder)\n"; got != want {
		t.Errorf("the plan is %q", got)
	}
}

func TestNameAndRoleLeaveTheTimezone(t *testing.T) {
	t.Parallel()
	s := &testStore{testLoader: testLoader{state: testOrg()}}
	s.state.Users[1].Timezone = "Europe/Formerly"
	p := organization.PeopleEditor{Editor: &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}}
	if err := p.SetNameAndRole(t.Context(), auth.Tocsin, "ben@x.example", "Benno", auth.Manager); err != nil || len(s.applied) != 1 {
		t.Fatalf("%v, applied %v", err, s.applied)
	}
	if user := s.applied[0].Changes[0].Value.(organization.User); user.Timezone != "Europe/Formerly" {
		t.Errorf("the time zone is %q", user.Timezone)
	}
}

func TestEditThatChangesNothingIsNotApplied(t *testing.T) {
	t.Parallel()
	s := &testStore{testLoader: testLoader{state: testOrg()}}
	e := &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}
	if _, err := e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Payments"}); err != nil || s.applied != nil {
		t.Errorf("%v, applied %v", err, s.applied)
	}
}

func TestHistoryIsReadForRemovalsAlone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		edits []organization.Edit
		want  int
	}{
		{"an override", []organization.Edit{&organization.AddOverride{Schedule: "payments", Override: organization.Override{Add: "ana@x.example",
			From: organization.MomentIn(testNow, "UTC"), To: organization.MomentIn(testNow.Add(time.Hour), "UTC")}}}, 0},
		{"a removal", []organization.Edit{&organization.RenameTeam{Team: "payments", Name: "Money"}, &organization.Remove{Kind: organization.KindService, Key: "api"}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &testStore{testLoader: testLoader{state: testOrg()}}
			e := &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", nil }, Now: func() time.Time { return testNow }}
			if _, err := e.Edit(t.Context(), auth.Tocsin, test.edits...); err != nil || len(s.applied) != 1 || s.histories != test.want {
				t.Errorf("%v, applied %v, %d reads of the history, want %d", err, s.applied, s.histories, test.want)
			}
		})
	}
}

func TestKeyThatCannotBeOpenedStopsNoEdit(t *testing.T) {
	t.Parallel()
	state := testOrg()
	state.Integrations = []organization.IntegrationRecord{{Integration: catalog.Integration{ID: 1, Slug: "prom", Name: "Prom", Kind: catalog.KindSLO}}}
	damaged := errors.New("damaged")
	s := &testStore{testLoader: testLoader{state: state}}
	e := &organization.Editor{Store: s, Unseal: func([]byte) (string, error) { return "", damaged }, Now: func() time.Time { return testNow }}
	if _, err := e.Edit(t.Context(), auth.Tocsin, &organization.RenameTeam{Team: "payments", Name: "Money"}); err != nil || len(s.applied) != 1 {
		t.Errorf("%v, applied %v", err, s.applied)
	}
	opened, err := e.State(t.Context())
	if err != nil || !errors.Is(opened.KeyErr(), damaged) {
		t.Fatalf("%v, the key: %v", err, opened.KeyErr())
	}
	want := "~ integration prom: name Prometheus (was Prom)\n" +
		"! integration prom: its key stays as it is, and cannot be opened with this server's secret. Give it a new key to be shown one.\n"
	if got := planned(opened, &organization.PutIntegration{Value: organization.Integration{Slug: "prom", Name: "Prometheus"}}); got != want {
		t.Errorf("planned %s", got)
	}
}
