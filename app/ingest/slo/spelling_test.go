package slo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// TestAMisspeltFieldIsKeptAndWarnedOf: somebody meant something by it.
func TestAMisspeltFieldIsKeptAndWarnedOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ member, path, meant string }{
		{`"statsu":"x"`, "statsu", "status"},
		{`"Status":"x"`, "Status", "status"},
		{`"deployments":"x"`, "deployments", "deployment"},
		{`"enpoint":"x"`, "enpoint", "endpoint"},
		{`"incidentPriority":"x"`, "incidentPriority", "incident_priority"},
		{`"broken-by-percent":"x"`, "broken-by-percent", "broken_by_percent"},
		{`"startedAt":"x"`, "startedAt", "started_at"},
		{`"dedup_kye":"x"`, "dedup_kye", "dedup_key"},
		{`"links ":"x"`, `"links "`, "links"},
		{`"snooze\n":"x"`, `"snooze\n"`, "snooze"},
		{`"error_budget":{"Burn_Rate":"x"}`, "error_budget.Burn_Rate", "error_budget.burn_rate"},
		{`"dependencies":[{"service":"a","availabilityy":"x"}]`, "dependencies[0].availabilityy", "dependencies[0].availability"},
		{`"links":[{"href":"http://a"},{"href":"http://a","txet":"x"}]`, "links[1].txet", "links[1].text"},
		{`"slo":{"name":"Fast","windows":"x"}`, "slo.windows", "slo.window"},
	} {
		body := breach(test.member)
		if strings.HasPrefix(test.member, `"slo"`) {
			body = `{"service":"api","sli":"latency",` + test.member + `}`
		}
		got := decode(t, body).Event
		want := []string{fmt.Sprintf("%s is not known and is not used; did you mean %s?", test.path, test.meant)}
		if diff := cmp.Diff(want, got.Warnings); diff != "" {
			t.Errorf("%s: %s", test.member, diff)
		}
		if len(got.Facts.Unknown) != 1 || got.Facts.Unknown[0].Value != `"x"` {
			t.Errorf("%s is kept as %q", test.member, got.Facts.Unknown)
		}
	}
}

// TestAFieldOfTheSendersOwnIsNotWarnedOf where its name is clearly another.
func TestAFieldOfTheSendersOwnIsNotWarnedOf(t *testing.T) {
	t.Parallel()
	names := []string{
		"severity", "title", "state", "sla", "id", "url", "source", "summary", "priority", "region", "team", "tenant", "version", "timestamp",
		"created_at", "ended_at", "incident_severity", "service_name", "description", "event", "labels", "key", "", "_", strings.Repeat("status", 50_000),
	}
	var members []string
	for _, name := range names {
		members = append(members, fmt.Sprintf(`%q:1`, name))
	}
	inside := `"description":1,"owner":1,"target":1,"tier":1,"rel":1,"type":1,"title":1,"url":1`
	got := decode(t, `{"service":"api","sli":"latency","slo":{"name":"Fast",`+inside+`},"error_budget":{`+inside+`},"dependencies":[{"service":"a",`+inside+
		`}],"links":[{"href":"http://a",`+inside+`}],`+strings.Join(members, ",")+`}`).Event
	if len(got.Warnings) > 0 || len(got.Facts.Unknown) != len(names)+4*8 {
		t.Errorf("warnings %q, %d kept", got.Warnings, len(got.Facts.Unknown))
	}
}

// TestAMisspeltStatusIsStillABreach: what can be paged is paged.
func TestAMisspeltStatusIsStillABreach(t *testing.T) {
	t.Parallel()
	if got := decode(t, breach(`"statsu":"recovered"`)).Event; got.Action != incident.Trigger || len(got.Warnings) != 1 {
		t.Errorf("it is %s with %q", got.Action, got.Warnings)
	}
}
