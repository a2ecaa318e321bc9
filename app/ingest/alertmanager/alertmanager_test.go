package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/alertmanager"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

func decode(t *testing.T, body string) []ingest.Event {
	t.Helper()
	events, err := alertmanager.Format.Decode(input(body))
	if err != nil {
		t.Fatalf("%.80s: %v", body, err)
	}
	return events
}

// notification is one with a group key and these alerts.
func notification(alerts ...string) string {
	return `{"version":"4","groupKey":"{}:{alertname=\"Down\"}","status":"firing","receiver":"tocsin","alerts":[` + strings.Join(alerts, ",") + `]}`
}

// alert is one with a status and labels as JSON members.
func alert(status, labels string) string {
	return `{"status":"` + status + `","labels":{` + labels + `},"annotations":{},"startsAt":"2026-11-23T18:00:00Z","endsAt":"0001-01-01T00:00:00Z"}`
}

func decodeOne(t *testing.T, alert string) ingest.Event {
	t.Helper()
	events := decode(t, notification(alert))
	if len(events) != 1 {
		t.Fatalf("%d events of %s", len(events), alert)
	}
	return events[0]
}

// TestOneIncidentPerGroup follows the recorded life of a group: two fire, one of
// them resolves, then the other.
func TestOneIncidentPerGroup(t *testing.T) {
	t.Parallel()
	all := recorded(t)
	firing := decode(t, string(all["firing"].Body))
	if len(firing) != 2 || firing[0].DedupKey == firing[1].DedupKey || firing[0].Group != firing[1].Group || firing[0].Group == "" {
		t.Fatalf("the group fires as %+v", firing)
	}
	for _, test := range []struct {
		name    string
		actions map[string]incident.Action
	}{
		{"firing", map[string]incident.Action{firing[0].DedupKey: incident.Trigger, firing[1].DedupKey: incident.Trigger}},
		{"repeat", map[string]incident.Action{firing[0].DedupKey: incident.Trigger, firing[1].DedupKey: incident.Trigger}},
		{"one-of-two-resolved", map[string]incident.Action{firing[0].DedupKey: incident.Trigger, firing[1].DedupKey: incident.Resolve}},
		{"resolved", map[string]incident.Action{firing[0].DedupKey: incident.Resolve}},
	} {
		got := map[string]incident.Action{}
		for _, ev := range decode(t, string(all[test.name].Body)) {
			got[ev.DedupKey] = ev.Action
			if ev.Group != firing[0].Group || !ev.StartedAt.Equal(firing[0].StartedAt) {
				t.Errorf("%s: group %q, start %s", test.name, ev.Group, ev.StartedAt)
			}
		}
		if diff := cmp.Diff(test.actions, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{`{}`: "is missing", `{"alerts":null}`: "is missing", `{"alerts":7}`: "must be a list of alerts"} {
		_, err := alertmanager.Format.Decode(input(body))
		if f, ok := errors.AsType[*fault.Error](err); !ok || len(f.Fields) != 1 || f.Fields[0].Message != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	for _, body := range []string{`{}`, `{"alerts":null}`, `{"alerts":{}}`, `{"alerts":"x"}`, `{"alerts":[1,"x",null]}`} {
		if _, err := alertmanager.Format.Decode(input(body)); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: got %v, want invalid", body, err)
		}
	}
	for _, body := range []string{``, `[]`, `{"alerts":[`, "{\"alerts\":\"\xff\"}"} {
		if _, err := alertmanager.Format.Decode(input(body)); !fault.Is(err, fault.KindMalformed) {
			t.Errorf("%s: got %v, want malformed", body, err)
		}
	}
}

// TestAcceptsAllThatCanBePaged has what is not as Alertmanager sends it, and still
// names something that fires.
func TestAcceptsAllThatCanBePaged(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		`{"alerts":[]}`:                      0,
		`{"alerts":[{}]}`:                    1,
		`{"alerts":[{"status":"firing"},7]}`: 1,
		`{"alerts":[{"status":9,"labels":[],"annotations":"x","startsAt":"soon"}]}`:            1,
		`{"version":"3","unknown":[{"a":1}],"alerts":[{"labels":{"a":1}},{"labels":{"a":2}}]}`: 2,
	} {
		in := input(body)
		in.ContentType = "text/plain"
		events, err := alertmanager.Format.Decode(in)
		if err != nil || len(events) != want {
			t.Errorf("%s: %d events, %v", body, len(events), err)
			continue
		}
		keys := map[string]bool{}
		for _, ev := range events {
			keys[ev.DedupKey] = true
			if ev.Action != incident.Trigger || ev.DedupKey == "" || ev.Title == "" || ev.Group != "" {
				t.Errorf("%s: %+v", body, ev)
			}
		}
		if len(keys) != want {
			t.Errorf("%s: keys %v", body, keys)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	key := func(body string) string { return decode(t, body)[0].DedupKey }
	base := key(`{"groupKey":"g","alerts":[{"fingerprint":"f"}]}`)
	if other := key(`{"groupKey":"h","alerts":[{"fingerprint":"f"}]}`); other == base {
		t.Error("two groups share a key")
	}
	if same := key(`{"groupKey":"g","alerts":[{"fingerprint":"f","status":"resolved","labels":{"a":"b"}}]}`); same != base {
		t.Errorf("one alert has the keys %q and %q", base, same)
	}
	if a, b := key(`{"alerts":[{"labels":{"a":"1","b":"2"}}]}`), key(`{"alerts":[{"labels":{"b":"2","a":"1"}}]}`); a != b {
		t.Errorf("the order of labels matters: %q, %q", a, b)
	}
	long := decode(t, `{"groupKey":"`+strings.Repeat("ü", 2000)+`","alerts":[{"fingerprint":"`+strings.Repeat("é", 2000)+`"}]}`)[0]
	if utf8.RuneCountInString(long.Group) > ingest.MaxDedupKey || utf8.RuneCountInString(long.DedupKey) > ingest.MaxDedupKey {
		t.Errorf("too long: %q, %q", long.Group, long.DedupKey)
	}
	without := decode(t, `{"receiver":"r","groupLabels":{"alertname":"Down"},"alerts":[{"fingerprint":"f"}]}`)[0]
	if without.Group == "" {
		t.Error("no group without a groupKey, though the group is labelled")
	}
}

func TestSeverityLabel(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]struct {
		severity string
		low      bool
	}{
		"critical": {"critical", false}, "Critical": {"critical", false}, "page": {"critical", false},
		"error": {"error", false}, "warning": {"warning", true}, "info": {"info", true}, "none": {"info", true},
		"sev0": {"", false}, "": {"", false},
	} {
		ev := decodeOne(t, alert("firing", `"alertname":"Down","severity":"`+label+`"`))
		if ev.Severity != want.severity || ev.Facts.Severity != want.severity || ev.Low != want.low || len(ev.Warnings) > 0 {
			t.Errorf("%q: %q, low %t, %q", label, ev.Severity, ev.Low, ev.Warnings)
		}
	}
}

func TestTitleAndDescription(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ annotations, title, description string }{
		{`"summary":"S","title":"T","message":"M","description":"D"`, "S", "D"},
		{`"title":"T","message":"M"`, "T", "M"},
		{`"message":"M"`, "M", ""},
		{`"description":"two\nlines"`, "two lines", ""},
		{`"summary":" "`, "Down", ""},
		{`"summary":"` + strings.Repeat("ü", 1025) + `"`, strings.Repeat("ü", 1024), ""},
	} {
		ev := decodeOne(t, `{"status":"firing","labels":{"alertname":"Down"},"annotations":{`+test.annotations+`}}`)
		if ev.Title != test.title || ev.Facts.Description != test.description {
			t.Errorf("%.60s: title %q, description %q", test.annotations, ev.Title, ev.Facts.Description)
		}
	}
}

func TestServiceAndDeployment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ labels, service, deployment string }{
		{`"service":"checkout","sloth_service":"other","environment":"prod-eu"`, "checkout", "prod-eu"},
		{`"sloth_service":"checkout","env":"prod-eu"`, "checkout", "prod-eu"},
		{`"deployment":"prod-eu"`, "", "prod-eu"},
		{`"deployment":"api","env":"prod-eu"`, "", "prod-eu"}, // kube-state-metrics names a workload so
		{`"job":"demo","cluster":"lab"`, "", ""},
	} {
		ev := decodeOne(t, alert("firing", test.labels))
		if ev.ServiceName != test.service || ev.Deployment != test.deployment || ev.Facts.Service != test.service {
			t.Errorf("%s: %q in %q", test.labels, ev.ServiceName, ev.Deployment)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	ev := decode(t, `{"externalURL":"https://am.example/","receiver":"a b","alerts":[{"generatorURL":"https://prom.example/graph","annotations":{
		"runbook_url_internal":"https://in.example/r","dashboard_url":"https://g.example/d","__dashboardUid__":"x","other":"https://no.example"}}]}`)[0]
	want := []incident.Link{
		{Text: "Runbook (internal)", Href: "https://in.example/r"},
		{Text: "Dashboard", Href: "https://g.example/d"},
		{Text: "Source of the alert", Href: "https://prom.example/graph"},
	}
	if diff := cmp.Diff(want, ev.Facts.Links); diff != "" || ev.Facts.Runbook != "https://in.example/r" {
		t.Errorf("runbook %q\n%s", ev.Facts.Runbook, diff)
	}
	if c := ev.Facts.Client; c == nil || c.Href != "https://am.example/#/alerts?receiver=a+b" {
		t.Errorf("client %+v", c)
	}
	both := decodeOne(t, `{"annotations":{"runbook_url_internal":"https://in.example/r","runbook_url":"https://out.example/r"}}`)
	if both.Facts.Runbook != "https://out.example/r" || len(both.Facts.Links) != 2 {
		t.Errorf("%+v", both.Facts)
	}
	if ev := decodeOne(t, `{"generatorURL":"javascript:alert(1)","annotations":{"runbook_url":"/relative","dashboard":"data:x"}}`); len(ev.Facts.Links) > 0 || ev.Facts.Runbook != "" {
		t.Errorf("%+v", ev.Facts)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 18, 0, 0, 123_456_000, time.UTC)
	ev := decodeOne(t, `{"status":"resolved","startsAt":"2026-11-23T19:00:00.123456789+01:00","endsAt":"2026-11-23T18:05:00Z"}`)
	if !ev.StartedAt.Equal(at) || ev.Facts.StartedAt == nil || len(ev.Facts.Details) != 1 || ev.Facts.Details[0].Value != "2026-11-23T18:05:00Z" {
		t.Errorf("%s, %+v", ev.StartedAt, ev.Facts)
	}
	for _, none := range []string{`"0001-01-01T00:00:00Z"`, `""`, `null`} {
		if ev := decodeOne(t, `{"startsAt":`+none+`}`); !ev.StartedAt.IsZero() || ev.Facts.StartedAt != nil || len(ev.Warnings) > 0 {
			t.Errorf("%s: %s %q", none, ev.StartedAt, ev.Warnings)
		}
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	events := decode(t, `{"groupKey":"g","truncatedAlerts":7,"alerts":[{"fingerprint":"a"},{"fingerprint":"b"}]}`)
	if len(events) != 2 || events[0].Facts.Truncated != 7 || len(events[0].Warnings) != 1 || len(events[1].Warnings) != 0 {
		t.Errorf("%+v", events)
	}
}

func TestLabelsInAnyScript(t *testing.T) {
	t.Parallel()
	ev := decodeOne(t, alert("firing", `"alertname":"Störung","сервис":"оплата","名前":"\u0000\ud800","service":"checkout"`))
	want := []incident.Pair{
		{Name: "alertname", Value: "Störung"}, {Name: "сервис", Value: "оплата"}, {Name: "名前", Value: "\u2400\ufffd"}, {Name: "service", Value: "checkout"},
	}
	if diff := cmp.Diff(want, ev.Facts.Labels); diff != "" || ev.Title != "Störung" {
		t.Errorf("%q\n%s", ev.Title, diff)
	}
}

func TestAnswersAreAList(t *testing.T) {
	t.Parallel()
	for _, answers := range [][]ingest.Answer{nil, {{Status: incident.ResultCreated, DedupKey: "a", Warnings: []string{}}, {Status: incident.ResultResolved, DedupKey: "b", Warnings: []string{}}}} {
		var reply ingest.Reply
		alertmanager.Format.Answer(input(`{}`), answers, &reply)
		var got []ingest.Answer
		if err := json.Unmarshal(reply.Body, &got); err != nil || reply.Status != 202 || len(got) != len(answers) || reply.Body[0] != '[' {
			t.Errorf("%d %s: %v", reply.Status, reply.Body, err)
		}
	}
}

// TestLimitIsRetried: Alertmanager sends again after 5xx alone.
func TestLimitIsRetried(t *testing.T) {
	t.Parallel()
	reply, ok := alertmanager.Format.Refuse(input(`{}`), fault.Limited("This key may send 5 signals a minute."))
	if !ok || reply.Status != 503 || !json.Valid(reply.Body) {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
	for _, err := range []error{fault.Unauthorized("x"), fault.Unavailable("x"), fault.Invalid("x"), errors.New("x")} {
		if _, ok := alertmanager.Format.Refuse(input(`{}`), err); ok {
			t.Errorf("%v is not answered by a problem document", err)
		}
	}
}

func TestSnippets(t *testing.T) {
	t.Parallel()
	for _, s := range alertmanager.Format.Snippets("https://tocsin.example.com", "key0") {
		if !strings.Contains(s.Text, "https://tocsin.example.com/webhooks/alertmanager") || !strings.Contains(s.Text, "key0") {
			t.Errorf("%+v", s)
		}
		switch s.Language {
		case "yaml":
			var document map[string]any
			if err := yaml.Unmarshal([]byte(s.Text), &document); err != nil {
				t.Errorf("%s: %v", s.Title, err)
			}
		case "sh":
			_, body, _ := strings.Cut(s.Text, "-d '")
			if events := decode(t, strings.TrimSuffix(body, "'\n")); len(events) != 1 || len(events[0].Warnings) > 0 {
				t.Errorf("%s: %+v", s.Title, events)
			}
		}
	}
}

func TestSampleFires(t *testing.T) {
	t.Parallel()
	body := alertmanager.Format.Sample(ingest.Sample{Service: "checkout", Title: "A trial", DedupKey: "trial-1"})
	events, err := alertmanager.Format.Decode(ingest.Input{Endpoint: alertmanager.Path, Body: body})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	ev := events[0]
	if ev.Action != incident.Trigger || ev.ServiceName != "checkout" || ev.Title != "A trial" || ev.DedupKey != "trial-1" || ev.Low || len(ev.Warnings) > 0 {
		t.Errorf("%+v", ev)
	}
}

func FuzzDecodeAlertmanager(f *testing.F) {
	for _, c := range recorded(f) {
		f.Add([]byte(c.Body))
	}
	f.Add([]byte(notification(pyrraWindow("firing", "5m", "1h", "critical", "2d"), pyrraWindow("resolved", "2h", "1d", "warning", "14d"))))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		events, err := alertmanager.Format.Decode(ingest.Input{Endpoint: alertmanager.Path, Body: body})
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if !fault.Is(err, fault.KindMalformed) && !fault.Is(err, fault.KindInvalid) {
				t.Fatalf("an unexpected fault: %v", err)
			}
			return
		}
		for i := range events {
			ev := &events[i]
			if utf8.RuneCountInString(ev.DedupKey) > ingest.MaxDedupKey || utf8.RuneCountInString(ev.Group) > ingest.MaxDedupKey ||
				utf8.RuneCountInString(ev.Title) > document.MaxName || ev.DedupKey == "" || ev.Title == "" || len(ev.Warnings) > 50 {
				t.Fatalf("beyond bounds: %+v", ev)
			}
			if !json.Valid(ev.Body) {
				t.Fatalf("the body is not JSON: %s", ev.Body)
			}
			facts, err := json.Marshal(ev)
			if err != nil || !utf8.Valid(facts) || holdsNUL(t, facts) {
				t.Fatalf("not fit for a database: %v %s", err, facts)
			}
		}
	})
}

// holdsNUL reports whether a text in a JSON document has the character that no
// database here keeps.
func holdsNUL(t *testing.T, document []byte) bool {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(document))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(string); ok && strings.Contains(text, "\x00") {
			return true
		}
	}
}
