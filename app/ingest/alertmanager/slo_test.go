package alertmanager_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// slothRules are the parts of Sloth's specification and of the rules that it
// generated from it which say what its alerts are labelled with.
type slothRules struct {
	service, slo string
	id           string              // sloth_id of the recorded series
	alerts       []map[string]string // the labels of each alert
}

func readSloth(t *testing.T) slothRules {
	t.Helper()
	var spec struct {
		Service string
		Labels  map[string]string
		SLOs    []struct{ Name string } `yaml:"slos"`
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Record, Alert, Expr string
				Labels              map[string]string
			}
		}
	}
	for name, into := range map[string]any{"sloth-spec.yml": &spec, "sloth-generated-rules.yml": &rules} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(spec.SLOs) != 1 {
		t.Fatalf("%d SLOs in the specification", len(spec.SLOs))
	}
	sloth := slothRules{service: spec.Service, slo: spec.SLOs[0].Name}
	// What an alert's expression selects becomes its labels, with those of the
	// series that are not aggregated away and the rule's own.
	selected := regexp.MustCompile(`(sloth_\w+)="([^"]*)"`)
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Record == "sloth_slo_info" {
				sloth.id = rule.Labels["sloth_id"]
			}
			if rule.Alert == "" {
				continue
			}
			labels := map[string]string{"alertname": rule.Alert, "team": spec.Labels["team"]}
			for _, match := range selected.FindAllStringSubmatch(rule.Expr, -1) {
				labels[match[1]] = match[2]
			}
			for name, value := range rule.Labels {
				labels[name] = value
			}
			sloth.alerts = append(sloth.alerts, labels)
		}
	}
	if sloth.id == "" || len(sloth.alerts) != 2 {
		t.Fatalf("the rules say %+v", sloth)
	}
	return sloth
}

func labelsOf(ev ingest.Event) map[string]string {
	labels := map[string]string{}
	for _, l := range ev.Facts.Labels {
		labels[l.Name] = l.Value
	}
	return labels
}

// TestSlothPageAndTicketAreOneEvent has the recorded notification of a burn rate
// that both pages and opens a ticket; what it is labelled with comes from the
// rules that it fired by.
func TestSlothPageAndTicketAreOneEvent(t *testing.T) {
	t.Parallel()
	sloth := readSloth(t)
	events := decode(t, string(recorded(t)["sloth-burn-firing"].Body))
	if len(events) != 1 {
		t.Fatalf("%d events, want one for the SLO", len(events))
	}
	ev := events[0]
	if ev.ServiceName != sloth.service || ev.Facts.SLOName != sloth.slo || ev.Group != "sloth:"+sloth.id {
		t.Errorf("service %q, SLO %q, group %q; the rules say %+v", ev.ServiceName, ev.Facts.SLOName, ev.Group, sloth)
	}
	page := sloth.alerts[0]
	if page["sloth_severity"] != "page" {
		t.Fatalf("the first alert is %v", page)
	}
	page["cluster"] = "lab" // an external label of the Prometheus that fired
	if diff := cmp.Diff(page, labelsOf(ev)); diff != "" {
		t.Errorf("the page does not count: %s", diff)
	}
	if ev.Action != incident.Trigger || ev.Severity != "critical" || ev.Low {
		t.Errorf("%s, severity %q, low %t", ev.Action, ev.Severity, ev.Low)
	}
	want := []incident.Pair{{Name: "Also firing", Value: "severity=" + sloth.alerts[1]["severity"] + ", sloth_severity=ticket"}}
	if diff := cmp.Diff(want, ev.Facts.Details); diff != "" {
		t.Error(diff)
	}
}

const slothLabels = `"alertname":"Burn","sloth_id":"checkout-availability","sloth_service":"checkout","sloth_slo":"availability"`

func TestSlothSeverities(t *testing.T) {
	t.Parallel()
	page, ticket := slothLabels+`,"sloth_severity":"page"`, slothLabels+`,"sloth_severity":"ticket"`
	var keys []string
	for _, test := range []struct {
		name     string
		alerts   []string
		action   incident.Action
		severity string
		low      bool
	}{
		{"both", []string{alert("firing", ticket), alert("firing", page)}, incident.Trigger, "critical", false},
		{"the ticket alone", []string{alert("firing", ticket)}, incident.Trigger, "warning", true},
		{"the page alone", []string{alert("firing", page)}, incident.Trigger, "critical", false},
		{"the page is over", []string{alert("resolved", page), alert("firing", ticket)}, incident.Trigger, "warning", true},
		{"the ticket is over", []string{alert("firing", page), alert("resolved", ticket)}, incident.Trigger, "critical", false},
		{"both are over", []string{alert("resolved", ticket), alert("resolved", page)}, incident.Resolve, "critical", false},
		{"a page labelled as a warning", []string{alert("firing", page+`,"severity":"warning"`)}, incident.Trigger, "warning", false},
	} {
		events := decode(t, notification(test.alerts...))
		if len(events) != 1 {
			t.Fatalf("%s: %d events", test.name, len(events))
		}
		ev := events[0]
		if ev.Action != test.action || ev.Severity != test.severity || ev.Low != test.low {
			t.Errorf("%s: %s, severity %q, low %t", test.name, ev.Action, ev.Severity, ev.Low)
		}
		keys = append(keys, ev.DedupKey, ev.Group)
	}
	for i := range keys {
		if keys[i] != keys[i%2] {
			t.Errorf("one SLO has the keys %q", keys)
		}
	}
}

func TestSeveralSLOsInOneNotification(t *testing.T) {
	t.Parallel()
	events := decode(t, notification(
		alert("firing", slothLabels+`,"sloth_severity":"ticket"`),
		alert("firing", `"alertname":"Down","instance":"a"`),
		alert("resolved", `"alertname":"Burn","sloth_service":"search","sloth_slo":"latency","sloth_severity":"page"`),
		alert("firing", slothLabels+`,"sloth_severity":"page"`),
		alert("firing", slothLabels+`,"sloth_severity":"page","environment":"prod-us"`),
	))
	var got []string
	for _, ev := range events {
		got = append(got, ev.Group+" "+string(ev.Action)+" "+ev.ServiceName)
	}
	want := []string{
		"sloth:checkout-availability trigger checkout",
		`{}:{alertname="Down"} trigger `,
		"sloth:search/latency resolve search",
		"sloth:checkout-availability@prod-us trigger checkout",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// pyrraWindow is one of the four burn-rate alerts that Pyrra generates for an SLO.
func pyrraWindow(status, short, long, severity, exhaustion string) string {
	return alert(status, `"alertname":"ErrorBudgetBurn","slo":"checkout-errors","short":"`+short+`","long":"`+long+`","severity":"`+severity+`","exhaustion":"`+exhaustion+`"`)
}

// TestPyrraWindowsAreOneEvent has the four windows of one SLO fire and end one
// after the other.
func TestPyrraWindowsAreOneEvent(t *testing.T) {
	t.Parallel()
	window := func(n int, status string) string {
		labels := [...][4]string{{"5m", "1h", "critical", "2d"}, {"30m", "6h", "critical", "4d"}, {"2h", "1d", "warning", "14d"}, {"6h", "4d", "warning", "28d"}}[n]
		return pyrraWindow(status, labels[0], labels[1], labels[2], labels[3])
	}
	started := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	after := func(days int) *time.Time { return new(started.AddDate(0, 0, days)) }
	key := ""
	for _, test := range []struct {
		name      string
		alerts    []string
		action    incident.Action
		low       bool
		exhausted *time.Time
	}{
		{"a slow one", []string{window(3, "firing")}, incident.Trigger, true, after(28)},
		{"all", []string{window(3, "firing"), window(1, "firing"), window(0, "firing"), window(2, "firing")}, incident.Trigger, false, after(2)},
		{"the fastest is over", []string{window(0, "resolved"), window(1, "firing"), window(2, "firing")}, incident.Trigger, false, after(4)},
		{"a slow one is left", []string{window(1, "resolved"), window(2, "firing")}, incident.Trigger, true, after(14)},
		{"none is left", []string{window(2, "resolved"), window(3, "resolved")}, incident.Resolve, true, nil},
	} {
		events := decode(t, notification(test.alerts...))
		if len(events) != 1 {
			t.Fatalf("%s: %d events", test.name, len(events))
		}
		ev := events[0]
		if key == "" {
			key = ev.DedupKey
		}
		if ev.Action != test.action || ev.Low != test.low || ev.DedupKey != key || ev.Group != "pyrra:checkout-errors" || ev.Facts.SLOName != "checkout-errors" {
			t.Errorf("%s: %s, low %t, key %q, group %q", test.name, ev.Action, ev.Low, ev.DedupKey, ev.Group)
		}
		if diff := cmp.Diff(test.exhausted, ev.Facts.ExhaustionAt); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// TestSplitSLOIsOneIncident has a route that parts the alerts of an SLO into
// groups: none may resolve what fires in another.
func TestSplitSLOIsOneIncident(t *testing.T) {
	t.Parallel()
	page := decode(t, strings.Replace(notification(alert("firing", slothLabels+`,"sloth_severity":"page"`)), "Down", "page", 1))[0]
	ticket := decode(t, strings.Replace(notification(alert("resolved", slothLabels+`,"sloth_severity":"ticket"`)), "Down", "ticket", 1))[0]
	if page.Group != ticket.Group || page.DedupKey == ticket.DedupKey {
		t.Errorf("groups %q and %q, keys %q and %q", page.Group, ticket.Group, page.DedupKey, ticket.DedupKey)
	}
}

// TestTruncatedSLOIsNotResolved: an alert that was left out may still fire.
func TestTruncatedSLOIsNotResolved(t *testing.T) {
	t.Parallel()
	body := notification(alert("resolved", slothLabels+`,"sloth_severity":"page"`))
	if events := decode(t, strings.Replace(body, `"alerts"`, `"truncatedAlerts":1,"alerts"`, 1)); len(events) != 0 {
		t.Errorf("%+v", events)
	}
}

// TestStartsOfAnSLO: what fires began with its first alert, what is over ended
// with its last.
func TestStartsOfAnSLO(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]int{"firing": 18, "resolved": 19} {
		first := alert(status, slothLabels+`,"sloth_severity":"page"`)
		second := strings.Replace(alert(status, slothLabels+`,"sloth_severity":"ticket"`), "T18:", "T19:", 1)
		for _, alerts := range [][]string{{first, second}, {second, first}} {
			if ev := decode(t, notification(alerts...))[0]; ev.StartedAt.Hour() != want || ev.Facts.StartedAt.Hour() != want {
				t.Errorf("%s: %s, %s", status, ev.StartedAt, ev.Facts.StartedAt)
			}
		}
	}
}

func TestLabelSLOAloneIsNoBurnRate(t *testing.T) {
	t.Parallel()
	if ev := decodeOne(t, alert("firing", `"alertname":"SLOMetricAbsent","slo":"checkout-errors"`)); ev.Facts.SLOName != "" || ev.Group == "pyrra:checkout-errors" {
		t.Errorf("%+v", ev)
	}
}
