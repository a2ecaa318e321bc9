package organization_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// Whatever a thing refers to cannot be removed before it.
func TestWhatIsReferredToIsNotRemoved(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Users = append(s.Users, auth.User{ID: 3, Email: "eve@x.example", Name: "Eve", Role: auth.Responder, Active: true},
		auth.User{ID: 4, Email: "kim@x.example", Name: "Kim", Role: auth.Responder, Active: true})
	s.Teams = append(s.Teams, catalog.Team{ID: 2, Slug: "sales", Name: "Sales"}, catalog.Team{ID: 3, Slug: "idle", Name: "Idle"})
	s.Deployments = []catalog.Deployment{{ID: 1, Slug: "prod", Kind: catalog.Production}, {ID: 2, Slug: "lab", Kind: "lab"}}
	s.ServiceDeployments = []catalog.ServiceDeployment{{ServiceID: 1, DeploymentID: 1}}
	s.Priorities = []catalog.Priority{{Level: 1, Name: "P1"}, {Level: 2, Name: "P2"}, {Level: 3, Name: "P3"}, {Level: 4, Name: "P4"}}
	s.SLOs = []catalog.SLO{{ID: 1, ServiceID: 1, Slug: "fast", Priority: new(1)}}
	s.Policies[0].Policy.Steps[0].TimeoutFor = map[int]int64{2: 30}
	s.Policies[0].Policy.Fallback = []escalation.Target{{Team: 2}, {User: 3}}
	s.Services = append(s.Services, catalog.Service{ID: 2, Slug: "child", ParentID: new(int64(1))}, catalog.Service{ID: 3, Slug: "hooked"},
		catalog.Service{ID: 4, Slug: "rest"}, catalog.Service{ID: 5, Slug: "old"})
	s.Integrations = []organization.IntegrationRecord{{Integration: catalog.Integration{ID: 1, Slug: "hook", ServiceID: new(int64(3)), Kind: catalog.KindSLO}}}
	s.Organization.CatchAllServiceID = new(int64(4))
	s.History = organization.History{organization.KindService: {5: {Incidents: 9, Open: []int64{3, 5, 6, 7, 8, 12}}}, organization.KindPriority: {3: {Open: []int64{12}}}}
	for _, test := range []struct {
		kind   organization.Kind
		key    string
		usedBy string // empty where it can go
	}{
		{organization.KindUser, "ben@x.example", "team payments"},
		{organization.KindUser, "eve@x.example", "escalation policy payments"},
		{organization.KindUser, "kim@x.example", ""},
		{organization.KindTeam, "payments", "service api"},
		{organization.KindTeam, "sales", "escalation policy payments"},
		{organization.KindTeam, "idle", ""},
		{organization.KindDeployment, "prod", "service api"},
		{organization.KindDeployment, "lab", ""},
		{organization.KindPriority, "1", "service api"},
		{organization.KindPriority, "2", "escalation policy payments"},
		{organization.KindPriority, "3", "open incident #12"},
		{organization.KindPriority, "4", ""},
		{organization.KindSchedule, "payments", "escalation policy payments"},
		{organization.KindPolicy, "payments", "service api"},
		{organization.KindService, "api", "service child"},
		{organization.KindService, "hooked", "integration hook"},
		{organization.KindService, "rest", "the organization, as its catch-all service"},
		{organization.KindService, "old", "open incidents #3, #5, #6, #7, #8 and 1 more"},
		{organization.KindService, "child", ""},
		{organization.KindIntegration, "hook", ""},
	} {
		got := planned(s, &organization.Remove{Kind: test.kind, Key: test.key, Path: "it"})
		want := "it: " + test.key + " is in use by " + test.usedBy + ".\n"
		if test.usedBy == "" {
			want = "- " + string(test.kind) + " " + test.key + "\n"
			if test.kind == organization.KindUser {
				want = "~ user " + test.key + ": deactivated true (was false)\n"
			}
		}
		if got != want {
			t.Errorf("without %s %s: %q, want %q", test.kind, test.key, got, want)
		}
	}
}
