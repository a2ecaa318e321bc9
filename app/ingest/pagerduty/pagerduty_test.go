package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
)

const key = "0123456789abcdef0123456789abcdef"

func event(body string) ingest.Input {
	return ingest.Input{Endpoint: pagerduty.EventPath, ContentType: "application/json", Body: []byte(body)}
}

func decode(t *testing.T, body string) ingest.Event {
	t.Helper()
	events, err := pagerduty.Format.Decode(event(body))
	if err != nil || len(events) != 1 {
		t.Fatalf("%.80s: %d events, %v", body, len(events), err)
	}
	return events[0]
}

// trigger is the least that is accepted, with further members of the payload.
func trigger(payload string) string {
	if payload != "" {
		payload = "," + payload
	}
	return `{"routing_key":"` + key + `","event_action":"trigger","dedup_key":"k","payload":{"summary":"Disk full","source":"db-1","severity":"critical"` + payload + `}}`
}

func TestRefusedFields(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body   string
		errors []string
	}{
		{`{}`, []string{"'event_action' is missing or blank"}},
		{`{"event_action":"snooze"}`, []string{"'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"}},
		{`{"event_action":"trigger"}`, []string{"'payload.summary' is missing or blank", "'payload.source' is missing or blank", "'payload.severity' is missing or blank"}},
		{`{"event_action":"trigger","payload":null}`, []string{"'payload.summary' is missing or blank", "'payload.source' is missing or blank", "'payload.severity' is missing or blank"}},
		{`{"event_action":"trigger","payload":{"summary":" ","source":"s","severity":"info"}}`, []string{"'payload.summary' is missing or blank"}},
		{`{"event_action":"trigger","payload":{"summary":{},"source":"s","severity":""}}`, []string{"'payload.summary' is missing or blank"}},
		{`{"event_action":"acknowledge"}`, []string{"'dedup_key' is missing or blank"}},
		{`{"event_action":"resolve","dedup_key":" "}`, []string{"'dedup_key' is missing or blank"}},
	} {
		in := event(test.body)
		_, err := pagerduty.Format.Decode(in)
		if !fault.Is(err, fault.KindInvalid) {
			t.Errorf("%s: got %v, want invalid", test.body, err)
			continue
		}
		reply, ok := pagerduty.Format.Refuse(in, err)
		want := refusal{Status: "invalid event", Message: "Event object is invalid", Errors: test.errors}
		if diff := cmp.Diff(want, read(t, reply)); !ok || reply.Status != 400 || diff != "" {
			t.Errorf("%s: %d\n%s", test.body, reply.Status, diff)
		}
	}
}

type refusal struct {
	Status, Message string
	Errors          []string
	Warnings        []string
	DedupKey        string `json:"dedup_key"`
}

func read(t *testing.T, reply ingest.Reply) refusal {
	t.Helper()
	var r refusal
	if err := json.Unmarshal(reply.Body, &r); err != nil || reply.ContentType != "application/json" {
		t.Fatalf("%s %q: %v", reply.ContentType, reply.Body, err)
	}
	return r
}

func TestRefusalsSpeakPagerDuty(t *testing.T) {
	t.Parallel()
	unknown := fault.Unauthorized("Nobody here knows this key.")
	for _, test := range []struct {
		body   string
		err    error
		status int
		want   refusal
	}{
		{`{"routing_key":"` + key + `"}`, unknown, 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"Invalid routing key"}}},
		{`{"routing_key":"R0"}`, unknown, 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"Length of 'routing_key' is incorrect (should be 32 characters)"}}},
		{`{}`, unknown, 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"'routing_key' is missing or blank"}}},
		{`{"routing_key"`, unknown, 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"'routing_key' is missing or blank"}}},
		{`{"`, fault.Malformed("Cut off."), 400, refusal{Status: "unrecognized object", Message: "Event object format is unrecognized", Errors: []string{"JSON parse error", "Cut off."}}},
		{`{}`, fault.Unsupported("No brotli."), 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"No brotli."}}},
		{`{}`, fault.Invalid("There is no service."), 400, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"There is no service."}}},
		{`{}`, fault.TooLarge("Too large."), 413, refusal{Status: "invalid event", Message: "Event object is invalid", Errors: []string{"Too large."}}},
		{`{}`, fault.Limited("Slow down."), 429, refusal{Status: "throttle exceeded", Message: "Requests for this service are arriving too quickly. Please retry later.", Errors: []string{"Slow down."}}},
	} {
		reply, ok := pagerduty.Format.Refuse(event(test.body), test.err)
		if !ok || reply.Status != test.status {
			t.Errorf("%s, %v: %d", test.body, test.err, reply.Status)
			continue
		}
		if diff := cmp.Diff(test.want, read(t, reply)); diff != "" {
			t.Errorf("%s, %v: %s", test.body, test.err, diff)
		}
	}
	large := event(strings.Repeat(" ", ingest.MaxBody+1))
	if reply, _ := pagerduty.Format.Refuse(large, unknown); reply.Status != 413 {
		t.Errorf("a large body is answered %d", reply.Status)
	}
	for _, err := range []error{fault.Unavailable("Busy."), fault.Internal(errors.New("x")), errors.New("x")} {
		if reply, ok := pagerduty.Format.Refuse(event(`{}`), err); ok {
			t.Errorf("%v is answered %d; a client must see 5xx and send again", err, reply.Status)
		}
	}
}

func TestAnswersSpeakPagerDuty(t *testing.T) {
	t.Parallel()
	answers := []ingest.Answer{{Status: incident.ResultCreated, DedupKey: "k", Warnings: []string{}}}
	var reply ingest.Reply
	pagerduty.Format.Answer(event(`{}`), answers, &reply)
	if got := string(reply.Body); reply.Status != 202 || got != `{"status":"success","message":"Event processed","dedup_key":"k"}`+"\n" {
		t.Errorf("%d %s", reply.Status, got)
	}
	answers[0].Warnings = []string{"payload.severity is odd."}
	pagerduty.Format.Answer(event(`{}`), answers, &reply)
	if got := read(t, reply); len(got.Warnings) != 1 {
		t.Errorf("the warning is not answered: %+v", got)
	}
	pagerduty.Format.Answer(ingest.Input{Endpoint: pagerduty.ChangePath}, []ingest.Answer{{}}, &reply)
	if got := string(reply.Body); reply.Status != 202 || got != `{"status":"success","message":"Change event processed"}`+"\n" {
		t.Errorf("%d %s", reply.Status, got)
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "[]", "null", `{"event_action":"trigger"`, "routing_key=x", "{\"event_action\":\"\xff\"}", strings.Repeat(`{"a":`, 100_000)} {
		if _, err := pagerduty.Format.Decode(event(body)); !fault.Is(err, fault.KindMalformed) {
			t.Errorf("%.40q: got %v, want malformed", body, err)
		}
	}
}

func TestContentTypeDoesNotCount(t *testing.T) {
	t.Parallel()
	in := event(trigger(""))
	in.ContentType = "application/x-www-form-urlencoded" // as curl -d says
	if _, err := pagerduty.Format.Decode(in); err != nil {
		t.Error(err)
	}
}

func TestSeverity(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sent, want string
		low, warns bool
	}{
		{`"critical"`, "critical", false, false},
		{`"Error"`, "error", false, false},
		{`"warning"`, "warning", true, false},
		{`"info"`, "info", true, false},
		{`""`, "", false, false},
		{`"page"`, "", false, true},
		{`3`, "", false, true},
		{`{}`, "", false, true},
	} {
		ev := decode(t, `{"event_action":"trigger","payload":{"summary":"Disk full","source":"db-1","severity":`+test.sent+`}}`)
		if ev.Severity != test.want || ev.Facts.Severity != test.want || ev.Low != test.low || (len(ev.Warnings) > 0) != test.warns {
			t.Errorf("%s: %q, low %t, %q", test.sent, ev.Severity, ev.Low, ev.Warnings)
		}
	}
}

func TestTriggerWithoutDedupKey(t *testing.T) {
	t.Parallel()
	for _, member := range []string{``, `"dedup_key":null,`, `"dedup_key":"",`, `"dedup_key":{},`} {
		ev := decode(t, `{"event_action":"trigger",`+member+`"payload":{"summary":"s","source":"x","severity":""}}`)
		if ev.DedupKey != "" {
			t.Errorf("%s: got %q, want none, so that one is made", member, ev.DedupKey)
		}
	}
	if ev := decode(t, `{"event_action":"resolve","dedup_key":17}`); ev.DedupKey != "17" {
		t.Errorf("a number became %q", ev.DedupKey)
	}
	long := strings.Repeat("ä", ingest.MaxDedupKey+1)
	first := decode(t, `{"event_action":"resolve","dedup_key":"`+long+`"}`)
	again := decode(t, `{"event_action":"resolve","dedup_key":"`+first.DedupKey+`"}`)
	if first.DedupKey != again.DedupKey || len(first.Warnings) != 1 || len(again.Warnings) != 0 {
		t.Errorf("a long key became %q %q and then %q", first.DedupKey, first.Warnings, again.DedupKey)
	}
}

func TestLongSummaryIsCut(t *testing.T) {
	t.Parallel()
	ev := decode(t, `{"event_action":"trigger","payload":{"summary":"`+strings.Repeat("ü", 1025)+`","source":"x","severity":"error"}}`)
	if utf8.RuneCountInString(ev.Title) != 1024 || len(ev.Warnings) != 1 {
		t.Errorf("%d characters, %q", utf8.RuneCountInString(ev.Title), ev.Warnings)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 18, 0, 0, 250_000_000, time.UTC)
	for sent, want := range map[string]*time.Time{
		`"2026-11-23T18:00:00.250Z"`:      &at,
		`"2026-11-23T20:00:00.250+02:00"`: &at,
		`"2026-11-23T20:00:00.250+0200"`:  &at,
		`"2026-11-23T18:00:00.250"`:       &at,
		`"2026-11-23 18:00:00.250"`:       &at,
		`1795456800.25`:                   &at,
		`1795456800250`:                   &at,
		`""`:                              nil,
		`null`:                            nil,
		`"yesterday"`:                     nil,
		`"0001-01-01T00:00:00Z"`:          nil,
		`-5`:                              nil,
	} {
		ev := decode(t, trigger(`"timestamp":`+sent))
		if diff := cmp.Diff(want, ev.Facts.StartedAt); diff != "" {
			t.Errorf("%s: %s", sent, diff)
		}
		if !ev.StartedAt.IsZero() {
			t.Errorf("%s orders events", sent)
		}
		if none := sent == `""` || sent == "null" || want != nil; none != (len(ev.Warnings) == 0) {
			t.Errorf("%s: %q", sent, ev.Warnings)
		}
	}
}

func TestCustomDetails(t *testing.T) {
	t.Parallel()
	ev := decode(t, trigger(`"custom_details":{"service":"checkout-api","environment":"prod-eu","runbook_url":"https://x.example/r","free":3,"nested":{"a":[1]},"none":""}`))
	if ev.ServiceName != "checkout-api" || ev.Deployment != "prod-eu" || ev.Facts.Runbook != "https://x.example/r" {
		t.Errorf("service %q, deployment %q, runbook %q", ev.ServiceName, ev.Deployment, ev.Facts.Runbook)
	}
	want := []incident.Pair{
		{Name: "service", Value: "checkout-api"}, {Name: "environment", Value: "prod-eu"}, {Name: "runbook_url", Value: "https://x.example/r"},
		{Name: "free", Value: "3"}, {Name: "nested", Value: `{"a":[1]}`},
	}
	if diff := cmp.Diff(want, ev.Facts.Details); diff != "" {
		t.Error(diff)
	}
	if ev := decode(t, trigger(`"custom_details":"two\nlines"`)); ev.Facts.Description != "two\nlines" {
		t.Errorf("a text became %+v", ev.Facts)
	}
	if ev := decode(t, trigger(`"custom_details":[1,2]`)); len(ev.Facts.Details) != 1 || ev.Facts.Details[0].Value != "[1,2]" {
		t.Errorf("a list became %+v", ev.Facts.Details)
	}
}

// TestAlertmanagerDetails compares what Alertmanager before 0.28 and 0.34 send
// for one alert: text and counts as text, then a list and counts as numbers.
func TestAlertmanagerDetails(t *testing.T) {
	t.Parallel()
	older := `{"firing":"Labels:\n - alertname = Down\nAnnotations:\n - summary = It is down\nSource: http://p/graph\n","num_firing":"1","num_resolved":"0","resolved":""}`
	newer := `{"firing":[{"labels":{"alertname":"Down"},"annotations":{"summary":"It is down"},"generatorURL":"http://p/graph"}],"num_firing":1,"num_resolved":0,"resolved":[]}`
	if diff := cmp.Diff(decode(t, trigger(`"custom_details":`+older)).Facts, decode(t, trigger(`"custom_details":`+newer)).Facts); diff != "" {
		t.Error(diff)
	}
}

func TestImagesAndLinks(t *testing.T) {
	t.Parallel()
	ev := decode(t, `{"event_action":"trigger","payload":{"summary":"s","source":"x","severity":"error"},
		"client":"Lab","client_url":"javascript:alert(1)",
		"images":[{"src":"https://x.example/g.png","href":"https://x.example/g","alt":"Graph"},{"src":"data:x"},"x"],
		"links":[{"href":"https://x.example/r","text":"Runbook"},{"href":"https://x.example/q"},{"text":"no address"},{"href":"javascript:alert(1)"}]}`)
	want := incident.Facts{
		Severity: "error", Source: "x", Runbook: "https://x.example/r",
		Client: &incident.Link{Text: "Lab"},
		Images: []incident.Link{{Text: "Graph", Href: "https://x.example/g.png"}},
		Links: []incident.Link{
			{Text: "Graph", Href: "https://x.example/g"},
			{Text: "Runbook", Href: "https://x.example/r"}, {Text: "https://x.example/q", Href: "https://x.example/q"},
		},
	}
	got := ev.Facts
	unknown := len(got.Unknown)
	got.Unknown = nil
	if diff := cmp.Diff(want, got); diff != "" || unknown != 5 || len(ev.Warnings) != 5 {
		t.Errorf("%d unknown, %q\n%s", unknown, ev.Warnings, diff)
	}
}

func TestChangeEvent(t *testing.T) {
	t.Parallel()
	in := event(`{"routing_key":"` + key + `","payload":{"summary":"Deployed 1.2","source":"ci","timestamp":"2026-11-23T18:00:00.000+0000","custom_details":{"service":"checkout","build":7},"extra":true},"links":[{"href":"https://ci.example/1","text":"Run"}]}`)
	in.Endpoint = pagerduty.ChangePath
	events, err := pagerduty.Format.Decode(in)
	if err != nil {
		t.Fatal(err)
	}
	want := &ingest.Change{
		Summary: "Deployed 1.2", Source: "ci", At: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC),
		Links: []incident.Link{{Text: "Run", Href: "https://ci.example/1"}},
		Details: []incident.Pair{
			{Name: "service", Value: "checkout"}, {Name: "build", Value: "7"}, {Name: "payload.extra", Value: "true"},
		},
	}
	if diff := cmp.Diff(want, events[0].Change); diff != "" || events[0].ServiceName != "checkout" {
		t.Errorf("service %q\n%s", events[0].ServiceName, diff)
	}
	in.Body = []byte(`{"payload":{"source":"ci"}}`)
	if _, err := pagerduty.Format.Decode(in); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("without a summary: %v", err)
	}
}

func TestKeyIsHidden(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		trigger(""),
		strings.Replace(trigger(""), `{`, `{"routing_key":"`+key+`x",`, 1),
	} {
		ev := decode(t, body)
		shown := fmt.Sprintf("%s %+v %q", ev.Body, ev.Facts, ev.Warnings)
		if strings.Contains(shown, key) || !json.Valid(ev.Body) {
			t.Errorf("the key is shown: %s", shown)
		}
	}
}

func TestSnippetsNameAddressAndKey(t *testing.T) {
	t.Parallel()
	for _, s := range pagerduty.Format.Snippets("https://tocsin.example.com", key) {
		if !strings.Contains(s.Text, "https://tocsin.example.com") || !strings.Contains(s.Text, key) || s.Title == "" || s.Language == "" {
			t.Errorf("%+v", s)
		}
		if _, body, ok := strings.Cut(s.Text, "-d '"); ok {
			in := event(strings.TrimSuffix(body, "'\n"))
			if strings.Contains(s.Text, pagerduty.ChangePath) {
				in.Endpoint = pagerduty.ChangePath
			}
			if _, err := pagerduty.Format.Decode(in); err != nil {
				t.Errorf("%s: %v", s.Title, err)
			}
		}
	}
}

func TestSampleFires(t *testing.T) {
	t.Parallel()
	body := pagerduty.Format.Sample(ingest.Sample{Service: "checkout", Title: "A trial", DedupKey: "trial-1"})
	events, err := pagerduty.Format.Decode(ingest.Input{Endpoint: pagerduty.EventPath, Body: body})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	ev := events[0]
	if ev.Action != incident.Trigger || ev.ServiceName != "checkout" || ev.Title != "A trial" || ev.DedupKey != "trial-1" || ev.Low || len(ev.Warnings) > 0 {
		t.Errorf("%+v", ev)
	}
}

func TestLongNumberIsCut(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("1", document.MaxName+1)
	body := `{"event_action":"trigger","payload":{"summary":` + digits + `,"source":"a","severity":"critical"}}`
	events, err := pagerduty.Format.Decode(ingest.Input{Endpoint: pagerduty.EventPath, Body: []byte(body)})
	if err != nil || events[0].Title != digits[:document.MaxName] || len(events[0].Warnings) != 1 || events[0].Facts.Unknown[0].Value != digits {
		t.Errorf("%v, %+v", err, events)
	}
}

func FuzzDecodePagerDuty(f *testing.F) {
	for _, c := range recorded(f) {
		f.Add([]byte(c.Body), c.Path == pagerduty.ChangePath)
	}
	f.Add([]byte(trigger(`"custom_details":{"firing":[{"labels":[]}]}`)), false)
	f.Fuzz(func(t *testing.T, body []byte, change bool) {
		in := ingest.Input{Endpoint: pagerduty.EventPath, Body: body}
		if change {
			in.Endpoint = pagerduty.ChangePath
		}
		before := bytes.Clone(body)
		_ = pagerduty.Format.Endpoints[0].Key(body)
		_ = pagerduty.Format.Endpoints[0].Redact(body)
		events, err := pagerduty.Format.Decode(in)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if reply, ok := pagerduty.Format.Refuse(in, err); !ok || reply.Status != 400 || !json.Valid(reply.Body) {
				t.Fatalf("%v is answered %d %s", err, reply.Status, reply.Body)
			}
			return
		}
		ev := events[0]
		if utf8.RuneCountInString(ev.DedupKey) > ingest.MaxDedupKey || utf8.RuneCountInString(ev.Title) > document.MaxName || len(ev.Warnings) > 22 {
			t.Fatalf("beyond bounds: %+v", ev)
		}
		if ev.Change == nil && ev.Action != incident.Trigger && ev.DedupKey == "" {
			t.Fatalf("%s of nothing", ev.Action)
		}
		facts, err := json.Marshal(ev)
		if err != nil || !utf8.Valid(facts) || holdsNUL(t, facts) {
			t.Fatalf("not fit for a database: %v %s", err, facts)
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
