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
	"github.com/tocsin-oncall/tocsin/app/fault"
)

func noEnv(string) (string, bool) { return "", false }

// begun is what a new installation has, with the example's people in it.
func begun() *blueprint.State {
	return &blueprint.State{
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
	if plan.Version != 7 {
		t.Errorf("made for version %d, not 7", plan.Version)
	}
}
