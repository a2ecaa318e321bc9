package slo_test

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

//go:embed testdata/breach.json
var fullBreach []byte

func decode(t *testing.T, body string) ingest.Event {
	t.Helper()
	b, err := slo.Decode([]byte(body), "application/json")
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return b
}

func TestDecodeFullBreach(t *testing.T) {
	t.Parallel()
	got := decode(t, string(fullBreach))
	started := time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC)
	want := ingest.Event{
		Event: incident.Event{
			Action:      incident.Trigger,
			DedupKey:    "optional",
			Title:       "Availability of get data API",
			ServiceName: "checkout-api",
			Deployment:  "prod-eu",
			StartedAt:   started,
			Snooze:      2 * time.Hour,
			Body:        fullBreach,
			Facts: incident.Facts{
				Service: "checkout-api", Endpoint: "GET /api/data/{tenant}", SLI: "availability",
				SLOName: "Availability of get data API", Window: "28d", Objective: new(99.7),
				Observed: new(98.9), BrokenBy: new(366.0),
				BudgetRemaining: new(41.5), BudgetDepleted: new(12.0), DepletionWindow: "60m", BurnRate: new(4.2),
				StartedAt:    &started,
				Environment:  []incident.Pair{{Name: "cpu", Value: "90%"}, {Name: "recycled", Value: "3 min before"}},
				Dependencies: []incident.Dependency{{Service: "ledger", Availability: new(99.2), BudgetRemaining: new(-12.0)}},
				Links:        []incident.Link{{Text: "Event logs", Href: "https://logs.example.com/q/1"}},
			},
		},
		Priority: new(2),
		Budget: incident.Budget{
			Remaining: new(41.5), Depleted: new(12.0), BurnRate: new(4.2),
			DepletionWindow: time.Hour, Window: 28 * 24 * time.Hour,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// breach is the least that is accepted, with further members.
func breach(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"service":"api","sli":"latency","slo":{"name":"Fast"}` + members + `}`
}

func TestLeastBreach(t *testing.T) {
	t.Parallel()
	got := decode(t, breach(""))
	if got.Event.DedupKey != "||latency|Fast" || got.Event.Action != incident.Trigger || len(got.Event.Warnings) > 0 {
		t.Errorf("got %+v", got.Event)
	}
	if got := decode(t, breach(`"status":"recovered"`)); got.Event.Action != incident.Resolve {
		t.Errorf("recovered became %q", got.Event.Action)
	}
	if got := decode(t, "\ufeff "+breach(`"status":null,"observed":null,"links":null`)+"\n"); len(got.Event.Warnings) > 0 || len(got.Event.Facts.Unknown) > 0 {
		t.Errorf("null should be absent: %+v", got.Event)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"service", "sli", "slo.name"}},
		{`{"service":"api","sli":"latency","slo":{}}`, []string{"slo.name"}},
		{`{"service":"api","sli":"latency","slo":"Fast"}`, []string{"slo"}},
		{`{"service":"api","sli":"latency","slo":[]}`, []string{"slo"}},
		{`{"service":1,"sli":{"a":1},"slo":{"name":false}}`, []string{"service", "sli", "slo.name"}},
		{`{"service":" \t","sli":null,"slo":{"name":""}}`, []string{"service", "sli", "slo.name"}},
		{breach(`"status":"firing"`), []string{"status"}},
		{breach(`"status":7`), []string{"status"}},
	}
	for _, test := range tests {
		_, err := slo.Decode([]byte(test.body), "application/json")
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.KindInvalid {
			t.Errorf("%.60s: got %v, want invalid", test.body, err)
			continue
		}
		var got []string
		for _, field := range f.Fields {
			got = append(got, field.Path)
		}
		if diff := cmp.Diff(test.fields, got); diff != "" {
			t.Errorf("%.60s: %s", test.body, diff)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":            "",
		"blank":            " \n\t",
		"cut off":          breach("")[:30],
		"cut in a string":  `{"service":"ap`,
		"trailing garbage": breach("") + "x",
		"two documents":    breach("") + breach(""),
		"a list":           "[" + breach("") + "]",
		"a string":         `"breached"`,
		"null":             "null",
		"not JSON":         "service=api",
		"single quotes":    "{'service':'api'}",
		"trailing comma":   `{"service":"api",}`,
		"NaN":              breach(`"observed":NaN`),
		"leading zero":     breach(`"observed":01`),
		"raw newline":      "{\"service\":\"a\nb\"}",
		"raw NUL":          "{\"service\":\"a\x00b\"}",
		"not UTF-8":        "{\"service\":\"\xff\xfe\"}",
		"Latin-1":          "{\"service\":\"caf\xe9\"}",
		"UTF-16":           "\xff\xfe{\x00}\x00",
		"deep":             breach(`"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)),
		"very deep":        strings.Repeat(`{"a":`, 100_000),
		"bad escape":       `{"service":"\q"}`,
	} {
		if _, err := slo.Decode([]byte(body), "application/json"); !fault.Is(err, fault.KindMalformed) {
			t.Errorf("%s: got %v, want malformed", name, err)
		}
	}
	nested := breach(`"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63))
	if _, err := slo.Decode([]byte(nested), ""); err != nil {
		t.Errorf("64 levels: %v", err)
	}
}

func TestMalformedSaysWhere(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"{\n\"service\": api}": "The body is not JSON from byte 13 on, in line 2.",
		`{"service":`:          "The body is cut off: it ends inside the JSON object.",
		`{} {}`:                "Something follows the JSON object, from byte 2 on.",
	} {
		_, err := slo.Decode([]byte(body), "")
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Message != want {
			t.Errorf("%q: got %v, want %s", body, err, want)
		}
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	for contentType, ok := range map[string]bool{
		"":                                  true,
		"application/json":                  true,
		"Application/JSON; charset=UTF-8":   true,
		"application/vnd.acme.breach+json":  true,
		"application/json; charset=utf-16":  false,
		"application/x-www-form-urlencoded": false,
		"text/plain":                        false,
		"text/json":                         false,
		"application/jsonp":                 false,
		"json":                              false,
		";;;":                               false,
	} {
		_, err := slo.Decode([]byte(breach("")), contentType)
		if ok != (err == nil) || !ok && !fault.Is(err, fault.KindUnsupported) {
			t.Errorf("%q: got %v", contentType, err)
		}
	}
}

// What is informational and wrong is not used, kept, and warned of.
func TestUnusedIsKeptAndWarnedOf(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", document.MaxName+1)
	for _, test := range []struct{ member, path, value string }{
		{`"deployment":7`, "deployment", "7"},
		{`"deployment":"` + long + `"`, "deployment", `"` + long + `"`},
		{`"endpoint":["GET"]`, "endpoint", `["GET"]`},
		{`"incident_priority":"urgent"`, "incident_priority", `"urgent"`},
		{`"incident_priority":2.5`, "incident_priority", "2.5"},
		{`"incident_priority":1e99`, "incident_priority", "1e99"},
		{`"incident_priority":true`, "incident_priority", "true"},
		{`"observed":"low"`, "observed", `"low"`},
		{`"observed":"0x10"`, "observed", `"0x10"`},
		{`"observed":"98,9"`, "observed", `"98,9"`},
		{`"observed":"98.9%"`, "observed", `"98.9%"`},
		{`"observed":"101"`, "observed", `"101"`},
		{`"observed":""`, "observed", `""`},
		{`"observed":1e400`, "observed", "1e400"},
		{`"observed":100.1`, "observed", "100.1"},
		{`"observed":-1`, "observed", "-1"},
		{`"broken_by_percent":-1`, "broken_by_percent", "-1"},
		{`"error_budget":5`, "error_budget", "5"},
		{`"error_budget":{"remaining_percent":101}`, "error_budget.remaining_percent", "101"},
		{`"error_budget":{"depletion_window":"60 minutes"}`, "error_budget.depletion_window", `"60 minutes"`},
		{`"error_budget":{"depletion_window":"0s"}`, "error_budget.depletion_window", `"0s"`},
		{`"error_budget":{"burn_rate":{}}`, "error_budget.burn_rate", "{}"},
		{`"started_at":"yesterday"`, "started_at", `"yesterday"`},
		{`"started_at":1763920000`, "started_at", "1763920000"},
		{`"started_at":"0001-01-01T00:00:00Z"`, "started_at", `"0001-01-01T00:00:00Z"`},
		{`"snooze":"31d"`, "snooze", `"31d"`},
		{`"snooze":120`, "snooze", "120"},
		{`"environment":"cpu"`, "environment", `"cpu"`},
		{`"dependencies":{}`, "dependencies", "{}"},
		{`"dependencies":["ledger"]`, "dependencies[0]", `"ledger"`},
		{`"dependencies":[{"service":"a"},{"availability":1,"n":1}]`, "dependencies[1]", `{"availability":1,"n":1}`},
		{`"dependencies":[{"service":"a","availability":"high"}]`, "dependencies[0].availability", `"high"`},
		{`"links":"https://x.example"`, "links", `"https://x.example"`},
		{`"links":[{"text":"x","href":"javascript:alert(1)","n":1}]`, "links[0]", `{"text":"x","href":"javascript:alert(1)","n":1}`},
		{`"dedup_key":9`, "dedup_key", "9"},
	} {
		got := decode(t, breach(test.member)).Event
		if diff := cmp.Diff([]incident.Pair{{Name: test.path, Value: test.value}}, got.Facts.Unknown); diff != "" {
			t.Errorf("%.60s: unknown: %s", test.member, diff)
		}
		if len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], test.path+" ") {
			t.Errorf("%.60s: warnings %q", test.member, got.Warnings)
		}
	}
}

func TestUnknownFieldsAreKept(t *testing.T) {
	t.Parallel()
	got := decode(t, `{"a":{"b":[1, 2]},"service":"api","sli":"latency","slo":{"name":"Fast","owner":"\u0000"},
		"error_budget":{"currency":null},"dependencies":[{"service":"a","tier":1}],"links":[{"href":"http://a","rel":"x"}],"a":"again"}`).Event
	want := []incident.Pair{
		{Name: "a", Value: `{"b":[1, 2]}`}, {Name: "a", Value: `"again"`}, {Name: "slo.owner", Value: `"\u0000"`},
		{Name: "error_budget.currency", Value: "null"}, {Name: "dependencies[0].tier", Value: "1"}, {Name: "links[0].rel", Value: `"x"`},
	}
	if diff := cmp.Diff(want, got.Facts.Unknown); diff != "" {
		t.Error(diff)
	}
	if len(got.Warnings) != 0 {
		t.Errorf("warnings %q", got.Warnings)
	}
}

func TestLastOfRepeatedFieldsCounts(t *testing.T) {
	t.Parallel()
	got := decode(t, `{"service":5,"service":"api","sli":"latency","slo":{"name":"A"},"slo":{"name":"B","n\u0061me":"C"}}`).Event
	if got.ServiceName != "api" || got.Facts.SLOName != "C" {
		t.Errorf("got %q, %q", got.ServiceName, got.Facts.SLOName)
	}
	want := []incident.Pair{{Name: "service", Value: "5"}, {Name: "slo", Value: `{"name":"A"}`}, {Name: "slo.name", Value: `"B"`}}
	if diff := cmp.Diff(want, got.Facts.Unknown); diff != "" {
		t.Error(diff)
	}
	if len(got.Warnings) != 3 {
		t.Errorf("warnings %q", got.Warnings)
	}
}

func TestTextIsFitForADatabaseAndATitle(t *testing.T) {
	t.Parallel()
	got := decode(t, `{"service":" a\r\nb ","sli":"x\u0000y","slo":{"name":"half \ud83d of \ud83d\ude00"},
		"environment":{"k\u0000":"two\nlines","n":{"deep":[1]}},"dedup_key":"a\u0000b"}`).Event
	for what, pair := range map[string][2]string{
		"service":   {got.ServiceName, "a  b"},
		"sli":       {got.Facts.SLI, "x\u2400y"},
		"title":     {got.Title, "half \ufffd of \U0001F600"},
		"key":       {got.Facts.Environment[0].Name, "k\u2400"},
		"value":     {got.Facts.Environment[0].Value, "two\nlines"},
		"nested":    {got.Facts.Environment[1].Value, `{"deep":[1]}`},
		"dedup key": {got.DedupKey, "a\u2400b"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
}

func TestPriorityAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`2`: 2, `2.0`: 2, `"2"`: 2, `"P2"`: 2, `" p2 "`: 2, `0`: 0, `-3`: -3, `99`: 99} {
		got := decode(t, breach(`"incident_priority":`+text))
		if got.Priority == nil || *got.Priority != want || len(got.Event.Warnings) > 0 {
			t.Errorf("%s: got %v, warnings %q", text, got.Priority, got.Event.Warnings)
		}
	}
	for _, text := range []string{`"P"`, `"PP2"`, `"P-2"`, `""`} {
		if got := decode(t, breach(`"incident_priority":`+text)); got.Priority != nil || len(got.Event.Warnings) != 1 {
			t.Errorf("%s: got %v", text, got.Priority)
		}
	}
}

// Senders that quote all they send are understood, and told of it.
func TestNumbersInQuotes(t *testing.T) {
	t.Parallel()
	got := decode(t, breach(`"observed":"98.9","broken_by_percent":" 366 ","error_budget":{"remaining_percent":"-1e1","burn_rate":"4.2"},
		"dependencies":[{"service":"ledger","availability":"99.2"}]`))
	facts := got.Event.Facts
	if *facts.Observed != 98.9 || *facts.BrokenBy != 366 || *facts.BudgetRemaining != -10 || *got.Budget.BurnRate != 4.2 || *facts.Dependencies[0].Availability != 99.2 {
		t.Errorf("got %+v", facts)
	}
	var want []string
	for _, path := range []string{"observed", "broken_by_percent", "error_budget.remaining_percent", "error_budget.burn_rate", "dependencies[0].availability"} {
		want = append(want, path+" is a number in quotes and was read as a number.")
	}
	if diff := cmp.Diff(want, got.Event.Warnings); diff != "" {
		t.Error(diff)
	}
	if len(facts.Unknown) > 0 {
		t.Errorf("what was used is among what was not: %v", facts.Unknown)
	}
}

func TestASnoozeOfZeroIsNone(t *testing.T) {
	t.Parallel()
	for _, zero := range []string{`"0"`, `0`, `"0s"`} {
		if got := decode(t, breach(`"snooze":`+zero)).Event; got.Snooze != 0 || len(got.Warnings) > 0 {
			t.Errorf("%s: got %v, warnings %q", zero, got.Snooze, got.Warnings)
		}
	}
}

func TestAStartBeyondReasonIsToldSo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1970-01-01T00:00:00Z": "started_at lies before the year 2000 and is not used.",
		"9999-01-01T00:00:00Z": "started_at lies after the year 9998 and is not used.",
		"1970-01-01":           `started_at must be a time such as "2026-11-23T18:04:05Z" and is not used.`,
	} {
		got := decode(t, breach(fmt.Sprintf(`"started_at":%q`, text))).Event
		if diff := cmp.Diff([]string{want}, got.Warnings); diff != "" || !got.StartedAt.IsZero() {
			t.Errorf("%s: starts at %v, %s", text, got.StartedAt, diff)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "2h": 2 * time.Hour, "1h30m": 90 * time.Minute, "1d": 24 * time.Hour,
		"1w": 7 * 24 * time.Hour, "1w2d3h4m5s": 9*24*time.Hour + 3*time.Hour + 4*time.Minute + 5*time.Second, "120m": 2 * time.Hour,
		"": 0, "5": 0, "m": 0, "1m1h": 0, "1h1h": 0, "1.5h": 0, "-5m": 0, "5 m": 0, "5M": 0, "1y": 0, "99999999999999999999s": 0, "1000w": 0,
	} {
		got := decode(t, breach(fmt.Sprintf(`"slo":{"name":"Fast","window":%q}`, text)))
		if got.Budget.Window != want {
			t.Errorf("%q: got %v, want %v", text, got.Budget.Window, want)
		}
	}
}

func TestStartedAtIsUTCAndWholeMicroseconds(t *testing.T) {
	t.Parallel()
	got := decode(t, breach(`"started_at":"2026-11-23T19:04:05.1234567+01:00"`)).Event.StartedAt
	if want := time.Date(2026, 11, 23, 18, 4, 5, 123456000, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWarningsAreBounded(t *testing.T) {
	t.Parallel()
	got := decode(t, breach(`"links":[1`+strings.Repeat(",1", 999)+`]`)).Event
	if n := len(got.Warnings); n != 22 || got.Warnings[20] != "980 further warnings are not listed." {
		t.Errorf("%d warnings, the last %q", n, got.Warnings[n-1])
	}
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	many := func(entry string) string { return entry + strings.Repeat(","+entry, 299) }
	got := decode(t, breach(many(`"x":1`)+`,"environment":{`+many(`"a":1`)+`},"links":[`+many(`{"href":"http://a"}`)+
		`],"dependencies":[`+many(`{"service":"a"}`)+`]`)).Event
	facts := got.Facts
	for what, n := range map[string]int{
		"unknown": len(facts.Unknown), "environment": len(facts.Environment), "links": len(facts.Links), "dependencies": len(facts.Dependencies),
	} {
		if n != 250 {
			t.Errorf("%d of %s", n, what)
		}
	}
	if diff := cmp.Diff([]string{"200 further entries stand only in the raw signal."}, got.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestDedupKey(t *testing.T) {
	t.Parallel()
	if got := decode(t, breach(`"deployment":"prod|eu","endpoint":"a\\b"`)).Event.DedupKey; got != `prod\|eu|a\\b|latency|Fast` {
		t.Errorf("got %s", got)
	}
	exact := strings.Repeat("ä", ingest.MaxDedupKey)
	if got := decode(t, breach(`"dedup_key":"`+exact+`"`)).Event; got.DedupKey != exact || len(got.Warnings) > 0 {
		t.Errorf("a key of the greatest length was changed")
	}
	long := decode(t, breach(`"dedup_key":"`+exact+`x"`)).Event
	if !strings.HasPrefix(long.DedupKey, "sha256:") || len(long.Warnings) != 1 {
		t.Errorf("got %q, warnings %q", long.DedupKey, long.Warnings)
	}
	if other := decode(t, breach(`"dedup_key":"`+exact+`y"`)).Event; other.DedupKey == long.DedupKey {
		t.Error("two long keys became one")
	}
	if got := decode(t, breach(`"dedup_key":"  "`)).Event.DedupKey; got != "||latency|Fast" {
		t.Errorf("a blank key: got %q", got)
	}
}

// Two breaches share a default key only if they name the same thing.
func TestDefaultDedupKeyIsInjective(t *testing.T) {
	t.Parallel()
	part := rapid.StringMatching(`[a|\\]{1,4}`)
	rapid.Check(t, func(t *rapid.T) {
		var key, parts [2]string
		for i := range key {
			p := []any{part.Draw(t, "deployment"), part.Draw(t, "endpoint"), part.Draw(t, "sli"), part.Draw(t, "slo")}
			parts[i] = fmt.Sprintf("%q", p)
			b, err := slo.Decode(fmt.Appendf(nil, `{"service":"s","deployment":%q,"endpoint":%q,"sli":%q,"slo":{"name":%q}}`, p...), "")
			if err != nil {
				t.Fatal(err)
			}
			key[i] = b.Event.DedupKey
		}
		if (key[0] == key[1]) != (parts[0] == parts[1]) {
			t.Fatalf("%s and %s: keys %s and %s", parts[0], parts[1], key[0], key[1])
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(fullBreach, "application/json")
	f.Add([]byte(breach(`"incident_priority":"P1","status":"recovered"`)), "")
	f.Add([]byte(breach(`"environment":{"a":[{"b":"\ud800"}]},"x":"\u0000"`)), "application/problem+json")
	f.Add([]byte(`{"service":"a","service":"b","slo":{"name":"\\"},"sli":"|","dedup_key":"\u0000"}`), "application/json; charset=utf-8")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		got, err := slo.Decode(body, contentType)
		again, errAgain := slo.Decode(body, contentType)
		if diff := cmp.Diff(got, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("decoded differently: %s %v %v", diff, err, errAgain)
		}
		if err != nil {
			if k := fault.KindOf(err); k != fault.KindInvalid && k != fault.KindMalformed && k != fault.KindUnsupported {
				t.Fatalf("kind %s: %v", k, err)
			}
			if diff := cmp.Diff(ingest.Event{}, got); diff != "" {
				t.Fatalf("an error and an event: %s", diff)
			}
			return
		}
		ev := got.Event
		for what, s := range map[string]string{
			"dedup key": ev.DedupKey, "title": ev.Title, "service": ev.ServiceName, "sli": ev.Facts.SLI,
		} {
			if s == "" && (what == "dedup key" || ev.Action == incident.Trigger) || !utf8.ValidString(s) || strings.Contains(s, "\x00") || utf8.RuneCountInString(s) > document.MaxName {
				t.Fatalf("%s is %q", what, s)
			}
		}
		for _, p := range append(ev.Facts.Unknown, ev.Facts.Environment...) {
			if !utf8.ValidString(p.Name+p.Value) || strings.Contains(p.Name+p.Value, "\x00") {
				t.Fatalf("kept %q", p)
			}
		}
		if utf8.RuneCountInString(ev.DedupKey) > ingest.MaxDedupKey || len(ev.Warnings) > 22 {
			t.Fatalf("key %q, %d warnings", ev.DedupKey, len(ev.Warnings))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(fullBreach)))
	for b.Loop() {
		if _, err := slo.Decode(fullBreach, "application/json"); err != nil {
			b.Fatal(err)
		}
	}
}
