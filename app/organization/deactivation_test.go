package organization_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestDeactivationNotesWhatNamesThePerson(t *testing.T) {
	t.Parallel()
	named := func() *organization.State {
		s := withWeekly()
		s.Users = append(s.Users, auth.User{ID: 3, Email: "kim@x.example", Name: "Kim", Role: auth.Responder, Active: true},
			auth.User{ID: 4, Email: "eve@x.example", Name: "Eve", Role: auth.Administrator})
		s.Teams[0].ManagerID = new(int64(2))
		policy := &s.Policies[0].Policy
		policy.Steps = append(policy.Steps, escalation.Step{Timeout: 60, Targets: []escalation.Target{{User: 1}, {User: 2}}})
		policy.Fallback = []escalation.Target{{User: 2}}
		s.Schedules[0].Schedule.Versions[0].Shadows = []oncall.Shadow{{Person: 3, Position: "main", From: testNow.AddDate(0, 0, 1)}}
		return s
	}
	deactivate := func(email string) organization.Edit { return &organization.SetActive{Email: email} }
	for _, test := range []struct {
		name  string
		edits []organization.Edit
		want  string // without the changes
	}{
		{"who is on call", []organization.Edit{deactivate("ben@x.example")},
			"! schedule payments: Ben is on call in it and will no longer be paged: now as backup until 30 Nov 09:00 (nobody covers), next as main from 30 Nov 09:00 (Ana covers).\n" +
				"! escalation policy payments: Ben is a target of it and will no longer be paged: step 2, fallback.\n" +
				"! team payments: Ben is its manager and will no longer be paged.\n"},
		{"a shadow", []organization.Edit{deactivate("kim@x.example")},
			"! schedule payments: Kim is on call in it and will no longer be paged: next as shadow of main from 24 Nov 19:00.\n"},
		{"who is replaced in the same plan", []organization.Edit{deactivate("kim@x.example"), &organization.ChangeSchedule{Schedule: "payments", Version: weekly()}}, ""},
		{"in a file", []organization.Edit{&organization.PutUser{Value: organization.User{Email: "kim@x.example", Name: "Kim", Role: "responder", Deactivated: true}}},
			"! schedule payments: Kim is on call in it and will no longer be paged: next as shadow of main from 24 Nov 19:00.\n"},
		{"who is deactivated already", []organization.Edit{deactivate("eve@x.example")}, ""},
		{"who is taken back", []organization.Edit{&organization.SetActive{Email: "eve@x.example", Active: true}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, notesOf(planned(named(), test.edits...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// notesOf are the lines of a plan that are notes.
func notesOf(plan string) string {
	var notes strings.Builder
	for line := range strings.Lines(plan) {
		if strings.HasPrefix(line, "! ") {
			notes.WriteString(line)
		}
	}
	return notes.String()
}

func TestDeactivationHasAtMostSixteenNotes(t *testing.T) {
	t.Parallel()
	s := testOrg()
	for i := range 20 {
		s.Teams = append(s.Teams, s.Teams[0])
		s.Teams[i+1].ID, s.Teams[i+1].Slug, s.Teams[i+1].ManagerID = int64(i+2), fmt.Sprintf("team-%02d", i), new(int64(2))
	}
	got := notesOf(planned(s, &organization.SetActive{Email: "ben@x.example"}))
	if strings.Count(got, "\n") != 17 || !strings.HasSuffix(got, "\n! people who are deactivated are named in 4 more places.\n") {
		t.Errorf("the notes are\n%s", got)
	}
}
