package organization_test

import (
	"testing"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestRemovalArchivesWhatResolvedIncidentsReferTo(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Services = append(s.Services, catalog.Service{ID: 5, Slug: "old"}, catalog.Service{ID: 6, Slug: "once"}, catalog.Service{ID: 7, Slug: "never"})
	s.Policies = append(s.Policies, organization.PolicyRecord{ID: 9, Slug: "nights", Policy: s.Policies[0].Policy})
	s.History = organization.History{organization.KindService: {5: {Incidents: 12}, 6: {Incidents: 1}}, organization.KindPolicy: {9: {Incidents: 2}}}
	for _, test := range []struct {
		kind organization.Kind
		key  string
		want string
	}{
		{organization.KindService, "old", "- service old: archived (12 incidents keep it)\n"},
		{organization.KindService, "once", "- service once: archived (1 incident keeps it)\n"},
		{organization.KindService, "never", "- service never\n"},
		{organization.KindPolicy, "nights", "- escalation policy nights: archived (2 incidents keep it)\n"},
	} {
		if got := planned(s, &organization.Remove{Kind: test.kind, Key: test.key}); got != test.want {
			t.Errorf("without %s: %q, want %q", test.key, got, test.want)
		}
	}
}

func TestPutBringsBackWhatIsArchived(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Archived.Services = []catalog.Service{{ID: 5, Slug: "old"}}
	got := planned(s, &organization.PutService{Value: organization.Service{Slug: "old"}})
	if want := "+ service old: brought back from the archive\n"; got != want {
		t.Errorf("the plan is %q, want %q", got, want)
	}
}

func TestViewFindsArchivedByIDAlone(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Archived.Services = []catalog.Service{{ID: 5, Slug: "old", Name: "Old"}}
	s.Archived.Policies = []organization.PolicyRecord{{ID: 9, Slug: "nights", Name: "Nights",
		Versions: []organization.PolicyVersion{{ID: 77, Policy: escalation.Policy{Repeat: 2}}}}}
	v := organization.NewView(s, func(notify.Medium) bool { return true })
	if got := v.Service(5).Name; got != "Old" {
		t.Errorf("service 5 is called %q", got)
	}
	if got := v.Policy(9).Name; got != "Nights" {
		t.Errorf("policy 9 is called %q", got)
	}
	if p, err := v.PolicyVersion(77); err != nil || p.Name != "Nights" || p.Policy.Repeat != 2 {
		t.Errorf("policy version 77 is %+v, %v", p, err)
	}
	if _, err := v.ServiceBySlug("old"); err == nil {
		t.Error("an archived service is found by its slug")
	}
	if _, err := v.PolicyBySlug("nights"); err == nil {
		t.Error("an archived policy is found by its slug")
	}
	if _, found := v.Catalog().ServiceNamed("old"); found {
		t.Error("signals find an archived service")
	}
}
