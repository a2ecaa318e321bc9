package organization_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

var _ ingest.Config = (*organization.Current)(nil)

// testLoader has a configuration in memory and counts how often it is read.
type testLoader struct {
	mu     sync.Mutex
	state  *organization.State
	takes  time.Duration
	loads  int
	failed error
}

func (l *testLoader) Versions(context.Context) (organization.Versions, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Versions(), l.failed
}

func (l *testLoader) Load(context.Context) (*organization.State, error) {
	time.Sleep(l.takes)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	return l.state, l.failed
}

// change puts a changed copy of the state in its place.
func (l *testLoader) change(change func(*organization.State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := *l.state
	change(&next)
	l.state = &next
}

func anyMedium(notify.Medium) bool { return true }

func newCurrent(l *testLoader) *organization.Current {
	return organization.NewCurrent(l, anyMedium, slog.New(slog.DiscardHandler))
}

func TestContactChangeKeepsTheCatalog(t *testing.T) {
	t.Parallel()
	l := &testLoader{state: testOrg()}
	c := newCurrent(l)
	before, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if people, err := c.Recipients(t.Context(), 0); err != nil || len(people[2].Methods) != 0 {
		t.Fatalf("%+v, %v", people, err)
	}
	l.change(func(s *organization.State) {
		s.Organization.PeopleVersion++
		s.Contacts = []notify.ContactMethod{{ID: 1, UserID: 2, Slug: "sms", Medium: notify.SMS, Address: "+34600000001", VerifiedAt: &testNow}}
	})
	people, err := c.Recipients(t.Context(), 0)
	if err != nil || len(people[2].Methods) != 1 {
		t.Errorf("the next page does not use the new contact: %+v, %v", people[2], err)
	}
	roster, err := c.Roster(t.Context(), l.state.Versions().Revision())
	if err != nil || !roster.People[2].Reachable || roster.People[1].Reachable {
		t.Errorf("the roster is %+v, %v", roster, err)
	}
	after, err := c.Reload(t.Context())
	if err != nil || after != before {
		t.Errorf("signals that are queued count as stale: %v", err)
	}
	l.change(func(s *organization.State) { s.Organization.ConfigVersion++ })
	if after, err = c.Reload(t.Context()); err != nil || after == before || after.Version() != 6 {
		t.Errorf("a change of routes leaves the catalog as it was: %v", err)
	}
	if l.loads != 3 {
		t.Errorf("the configuration was read %d times, not 3", l.loads)
	}
}

func TestManyCallersLoadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &testLoader{state: testOrg(), takes: time.Second}
		c := newCurrent(l)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := c.View(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, err := c.AtLeast(impatient, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who cannot wait is answered %v", err)
		}
		group.Wait()
		if l.loads != 1 {
			t.Errorf("the configuration was read %d times", l.loads)
		}
	})
}

func TestFailedLoadKeepsTheViewAtHand(t *testing.T) {
	t.Parallel()
	l := &testLoader{state: testOrg()}
	c := newCurrent(l)
	if _, err := c.View(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.failed = errors.New("down")
	if _, err := c.View(t.Context()); err == nil {
		t.Error("a view of unknown age is handed out as the present one")
	}
	if s, err := c.Snapshot(t.Context()); err != nil || s.Version() != 5 {
		t.Errorf("signals cannot be resolved: %v", err)
	}
	if r, err := c.Roster(t.Context(), 7); err != nil || r.Version != 7 {
		t.Errorf("the roster at hand is not used: %v", err)
	}
	if _, err := c.Roster(t.Context(), 8); err == nil {
		t.Error("an old roster is handed out as a later one")
	}
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	l := &testLoader{state: testOrg()}
	c := newCurrent(l)
	if p, err := c.Policy(t.Context(), 11); err != nil || p.Slug != "payments" || len(p.Policy.Steps) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := c.Policy(t.Context(), 12); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a version that does not exist is answered %v", err)
	}
	l.change(func(s *organization.State) {
		s.Organization.ConfigVersion++
		record := s.Policies[0]
		record.Versions = append(record.Versions[:1:1], organization.PolicyVersion{ID: 12, Effective: testNow, Err: errors.New("no JSON")})
		s.Policies = []organization.PolicyRecord{record}
	})
	if _, err := c.Policy(t.Context(), 12); !errors.Is(err, escalation.ErrUnreadable) {
		t.Errorf("a version that cannot be read is answered %v", err)
	}
	view, err := c.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	route := view.Routes().ByService[1]
	if before, at := route.PolicyVersionAt(testNow.Add(-1)), route.PolicyVersionAt(testNow); *before != 11 || *at != 12 {
		t.Errorf("the versions in force are %d and %d", *before, *at)
	}
	if id, ok := view.Catalog().PolicyVersionAt(1, testNow); !ok || id != 12 {
		t.Errorf("signals go by version %d", id)
	}
}

func TestUnreadableRowIsLoggedOnce(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Unreadable = []organization.Unreadable{{Table: "users", ID: 3, Err: errors.New("no time")}}
	l, log := &testLoader{state: s}, &strings.Builder{}
	c := organization.NewCurrent(l, anyMedium, slog.New(slog.NewTextHandler(log, nil)))
	for range 2 {
		if _, err := c.View(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.change(func(s *organization.State) { s.Organization.PeopleVersion++ })
	}
	if n := strings.Count(log.String(), "configuration row unreadable"); n != 1 || !strings.Contains(log.String(), "table=users id=3") {
		t.Errorf("logged %d times: %s", n, log)
	}
}

func TestRoutesTakeTheOrganisationsHours(t *testing.T) {
	t.Parallel()
	s := testOrg()
	own, common := &catalog.Hours{From: "09:00"}, &catalog.Hours{From: "10:00"}
	s.Organization.SupportHours = common
	s.Teams = append(s.Teams, catalog.Team{ID: 2, Slug: "sales", SupportHours: own})
	s.Services = append(s.Services, catalog.Service{ID: 2, Slug: "shop", TeamID: new(int64(2))})
	s.Priorities = []catalog.Priority{{Level: 1, AckExpires: 60}}
	r := s.Routes()
	if r.ByService[1].Hours != common || r.ByService[2].Hours != own || r.ByService[2].PolicyVersionAt(testNow) != nil {
		t.Errorf("the routes are %+v", r)
	}
	if r.AckExpires[1] != time.Minute || r.Version != 5 || r.Zone != "UTC" {
		t.Errorf("the routes are %+v", r)
	}
}

func TestWhoIsDeactivatedHasNoContacts(t *testing.T) {
	t.Parallel()
	s := testOrg()
	for id := int64(1); id <= 2; id++ {
		s.Contacts = append(s.Contacts, notify.ContactMethod{ID: id, UserID: id, Medium: notify.Email, VerifiedAt: &testNow})
		s.Rules = append(s.Rules, notify.Rule{ID: id, UserID: id, Urgency: "high", ContactMethodID: id})
	}
	s.Users[1].Active = false
	people, roster := s.Recipients(), s.Roster(anyMedium)
	if len(people[1].Methods) != 1 || len(people[1].Rules) != 1 || people[1].Zone != "UTC" || !roster.People[1].Reachable {
		t.Errorf("Ana is %+v, %+v", people[1], roster.People[1])
	}
	if len(people[2].Methods) != 0 || len(people[2].Rules) != 0 || roster.People[2].Reachable {
		t.Errorf("Ben is %+v, %+v", people[2], roster.People[2])
	}
}

func TestLookUps(t *testing.T) {
	t.Parallel()
	s := testOrg()
	s.Teams[0].ManagerID = new(int64(2))
	s.Services = append(s.Services, catalog.Service{ID: 2, Slug: "cart", Name: "Cart", ParentID: new(int64(1))})
	s.Deployments = []catalog.Deployment{{ID: 1, Slug: "us", Name: "US"}, {ID: 2, Slug: "eu", Name: "EU"}, {ID: 3, Slug: "lab"}}
	s.ServiceDeployments = []catalog.ServiceDeployment{{ServiceID: 1, DeploymentID: 1}, {ServiceID: 1, DeploymentID: 2}}
	v := organization.NewView(s, anyMedium)
	if team, err := v.TeamBySlug("payments"); err != nil || v.ManagerOf(&team.ID) != 2 || v.ManagerOf(nil) != 0 || len(v.MembersOf(team.ID)) != 2 {
		t.Errorf("%+v, %v", team, err)
	}
	if _, err := v.ServiceBySlug("gone"); !fault.Is(err, fault.KindNotFound) || err.Error() != "There is no service gone." {
		t.Errorf("an unknown service is answered %v", err)
	}
	if !v.IsMember(1, new(int64(1))) || v.IsMember(3, new(int64(1))) || v.IsMember(1, nil) {
		t.Error("membership is wrong")
	}
	if children := v.ChildrenOf(1); len(children) != 1 || children[0].Slug != "cart" {
		t.Errorf("the children are %+v", children)
	}
	if got := fmt.Sprint(v.DeploymentsOf(1)); got != "[{2 eu EU  } {1 us US  }]" {
		t.Errorf("the deployments are %s", got)
	}
}
