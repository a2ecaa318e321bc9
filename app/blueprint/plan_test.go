package blueprint_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func noEnv(string) (string, bool) { return "", false }

// begun is what a new installation has, with the example's people in it.
func begun() *organization.State {
	return &organization.State{
		At:           time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC),
		Organization: catalog.Organization{ID: 1, Timezone: "UTC", ConfigVersion: 7},
		Priorities:   []catalog.Priority{{Level: 1, Name: "P1", Hotfix: true, Postmortem: true, NotifyManagement: true, NotifyStakeholders: true, StatusUpdateEvery: 7200}},
		Users:        []auth.User{{ID: 3, Email: "admin@acme.example", Name: "Ada", Role: auth.Administrator, Active: true}},
	}
}

func parse(t *testing.T, text string) *blueprint.File {
	t.Helper()
	f, err := blueprint.Parse("acme.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func example(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/examples/acme.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// mistakes are the lines of what is wrong, or nothing.
func mistakes(err error) string {
	if err == nil {
		return ""
	}
	var all blueprint.Mistakes
	if !errors.As(err, &all) || !fault.Is(err, fault.KindInvalid) {
		return "not mistakes: " + err.Error()
	}
	return all.Error()
}

func TestExampleIsPlannedInWords(t *testing.T) {
	t.Parallel()
	plan, err := parse(t, example(t)).Plan(begun(), blueprint.Options{TrustVerified: true})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimLeft(`
~ priority 1: criteria changed
+ priority 2
+ priority 3
+ user ana@acme.example
+ user ben@acme.example
+ user chiara@acme.example
+ user dev.manager@acme.example
+ team payments
+ deployment prod-eu
+ deployment prod-us
+ schedule payments
+ schedule coordinators
+ escalation policy payments
+ escalation policy coordinators
+ service online-shop
+ service checkout-api
+ integration sre
~ organization: name Acme (was none); timezone Europe/Berlin (was UTC)
`, "\n")
	if diff := cmp.Diff(want, plan.String()); diff != "" {
		t.Error(diff)
	}
	if plan.Revision != 7 {
		t.Errorf("made for version %d, not 7", plan.Revision)
	}
}

func plan(t *testing.T, text string, s *organization.State, o blueprint.Options) string {
	t.Helper()
	p, err := parse(t, text).Plan(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return p.String()
}

func TestAPlanSaysWhatIsDifferentAndWhatStays(t *testing.T) {
	t.Parallel()
	s := begun()
	verified := s.At
	s.Users[0].Timezone = "Europe/Berlin"
	s.Contacts = []notify.ContactMethod{{ID: 1, UserID: 3, Slug: "sms", Medium: notify.SMS, Address: "+34600000001", VerifiedAt: &verified}}
	s.Rules = []notify.Rule{{ID: 1, UserID: 3, Urgency: "high", AfterSeconds: 60, ContactMethodID: 1}}
	got := plan(t, `
version: 1
organization: {name: Acme, timezone: UTC}
users:
  - email: Admin@acme.example
    timezone: Europe/Madrid
    contacts:
      - {id: sms, type: sms, value: "+34 600 000 002"}
      - {id: mail, type: email, value: admin@acme.example, verified: true}
    rules:
      - {urgency: high, after: 0s, contact: sms}
      - {urgency: low, after: 0s, contact: mail}
priorities: [{level: 1, hotfix: true}]
`, s, blueprint.Options{})
	want := strings.TrimLeft(`
~ user admin@acme.example: timezone Europe/Madrid (was Europe/Berlin); contacts changed; rules changed
~ organization: name Acme (was none)
= 1 unchanged
! user admin@acme.example: the contact sms stays what its owner made of it.
! user admin@acme.example: the contact mail has to be verified by its owner.
! user admin@acme.example: the rules for high urgency stay as their owner made them.
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A file may mend its own mistake, and nobody's choice.
func TestAContactIsCorrectedWhereItIsStillTheFiles(t *testing.T) {
	t.Parallel()
	const stays = "the contact sms stays what its owner made of it."
	const again = "the contact sms is another now and has to be verified by its owner; until then the present one stays in use."
	for _, test := range []struct {
		name              string
		fromFile, trusted bool
		replaced          bool
		note              string
	}{
		{"the owner's", false, true, false, stays},
		{"the file's, at the server", true, true, false, ""},
		{"the file's, from elsewhere", true, false, false, again},
		{"about to be replaced", true, true, true, stays},
	} {
		s := begun()
		s.Contacts = []notify.ContactMethod{{ID: 1, UserID: 3, Slug: "sms", Medium: notify.SMS, Address: "+34600000001", VerifiedAt: &s.At, FromFile: test.fromFile}}
		if test.replaced {
			s.Contacts = append(s.Contacts, notify.ContactMethod{ID: 2, UserID: 3, Slug: "sms-2", Medium: notify.SMS, Address: "+34600000005", ReplacesID: new(int64(1))})
		}
		got := plan(t, `
version: 1
users: [{email: admin@acme.example, contacts: [{id: sms, type: sms, value: "+34600000002", verified: true}]}]
`, s, blueprint.Options{TrustVerified: test.trusted})
		if corrected := strings.Contains(got, "contacts changed"); corrected != (test.note != stays) || !strings.Contains(got, test.note) {
			t.Errorf("%s: %s", test.name, got)
		}
	}
}

func TestAnOverrideThatDoesNothingIsReported(t *testing.T) {
	t.Parallel()
	got := plan(t, `
version: 1
schedules:
  - slug: main
    timezone: Europe/Berlin
    positions: [main]
    layers: [{name: always, members: [admin@acme.example]}]
    overrides:
      - {from: "2026-12-24 09:00", to: "2026-12-25 09:00", remove: eve@acme.example}
      - {from: "2025-12-24 09:00", to: "2025-12-25 09:00", remove: everyone}
users: [{email: eve@acme.example, name: Eve}]
`, begun(), blueprint.Options{})
	want := strings.TrimLeft(`
+ user eve@acme.example
+ schedule main
! schedule main: the override in line 10 is over and was left out: the past stays as it was.
! schedule main: the override of every position from 2026-12-24T09:00:00+01:00 to 2026-12-25T09:00:00+01:00, without eve@acme.example matches nobody.
`, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPoliciesFollowARenamedPriority(t *testing.T) {
	t.Parallel()
	s := begun()
	s.Policies = []organization.PolicyRecord{{ID: 1, Slug: "a", Name: "A", Policy: escalation.Policy{
		Steps: []escalation.Step{{Timeout: 60, TimeoutFor: map[int]int64{1: 5}, Targets: []escalation.Target{{Role: "administrator"}}}},
	}}}
	got := plan(t, "version: 1\npriorities: [{level: 1, name: urgent}]\n", s, blueprint.Options{})
	if want := "~ priority 1: name urgent (was P1)\n"; got != want {
		t.Errorf("the plan is %q", got)
	}
}
