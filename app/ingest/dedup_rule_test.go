package ingest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

// ruled resolves a body by an integration with a dedup rule.
func ruled(t testing.TB, rule, body string) ingest.Signal {
	t.Helper()
	integration := catalog.Integration{ID: 1, Kind: catalog.KindSLO, ServiceID: new(int64(1)), Dedup: rule}
	snapshot := catalog.NewSnapshot(catalog.Contents{
		Services:     []catalog.Service{{ID: 1, Slug: "checkout-api", Name: "Checkout API"}},
		Deployments:  []catalog.Deployment{{ID: 1, Slug: "prod-eu"}},
		Integrations: []catalog.Integration{integration},
	})
	breach, err := slo.Decode([]byte(body), "")
	if err != nil {
		t.Fatal(err)
	}
	signal, err := ingest.Resolve(snapshot, integration, &slo.Format, &breach, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return signal
}

const ruledBreach = `{"service": " checkout-api ", "deployment": "prod-eu", "endpoint": "GET /", "sli": "availability",
	"slo": {"name": "Availability", "objective": 99.0, "window": "28d", "team": "payments"}, "incident_priority": 2,
	"environment": {"cpu": "90%"}, "build": 12345678, "none": null, "twice": "a", "twice": "b", "dedup_key": "mine"`

func TestDedupRuleMakesKey(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		``:                                     "mine",
		`event.service + "/" + event.slo.name`: "checkout-api/Availability",
		`event.deployment + " " + event.endpoint + " " + event.sli`:        "prod-eu GET / availability",
		`event.dedup_key + "@" + event.environment.cpu`:                    "mine@90%",
		`"build " + string(event.build) + event.slo.team`:                  "build 12345678payments",
		`string(event.slo.objective) + string(event.incident_priority)`:    "992",
		`has(event.none) ? "given" : event.?observed.orValue("not given")`: "not given",
		`event.twice + event.status`:                                       "bbreached",
		`"a\u0000b"`:                                                       "a\u2400b",
	} {
		signal := ruled(t, rule, ruledBreach+"}")
		if signal.Event.DedupKey != want || len(signal.Event.Warnings) != 1 { // of the field that is given twice
			t.Errorf("%s makes %q with %q, want %q", rule, signal.Event.DedupKey, signal.Event.Warnings, want)
		}
	}
}

// Ids that differ in the last digit give different keys.
func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"9223372036854775807": "9223372036854775807", "9223372036854775808": "9223372036854775808",
		"18446744073709551614": "18446744073709551614", "18446744073709551615": "18446744073709551615",
		"-9223372036854775809": "-9223372036854775809", "123456789012345678901234567890": "123456789012345678901234567890",
		"-0": "0", "1.50": "1.5", "1e3": "1000", "1e999": "+Inf",
	} {
		body := `{"service": "checkout-api", "sli": "availability", "slo": {"name": "Availability"}, "id": ` + number + `}`
		if got := ruled(t, `string(event.id)`, body).Event.DedupKey; got != want {
			t.Errorf("%s makes the key %q, want %q", number, got, want)
		}
	}
}

// Where the rule fails, the key is the one without it, and a warning says why.
func TestFailedRuleKeepsKey(t *testing.T) {
	t.Parallel()
	least := `{"service": "checkout-api", "deployment": "prod-eu", "sli": "availability", "slo": {"name": "Availability"}, "big": "` +
		strings.Repeat("x", 300_000) + `", "text": "` + strings.Repeat("x", 3000) + `"`
	for rule, words := range map[string]string{
		`event.endpoint`:               "no such key: endpoint",
		`event.endpoint.name`:          "no such key: endpoint",
		`event.big`:                    "it yields more than 512 characters",
		`event.big + event.big`:        "it reads too much",
		`event.?endpoint.orValue(" ")`: "it yields nothing",
		`event.slo`:                    "it yields map and not text",
		`event[event.text]`:            "xxx",
		`event.?big.orValue("").matches("x$") ? "a" : "b"`: "matches reads at most 2048 bytes",
		`event.gone +`: "This is no expression", // kept by an older version, perhaps
	} {
		for body, want := range map[string]string{least + "}": "prod-eu||availability|Availability", least + `, "dedup_key": "mine"}`: "mine"} {
			signal := ruled(t, rule, body)
			if signal.Event.DedupKey != want || len(signal.Event.Warnings) != 1 {
				t.Errorf("%s leaves %q with %q, want %q", rule, signal.Event.DedupKey, signal.Event.Warnings, want)
				continue
			}
			warning := signal.Event.Warnings[0]
			if !strings.HasPrefix(warning, "The integration's dedup rule cannot be used here: ") || !strings.Contains(warning, words) || len(warning) > 500 {
				t.Errorf("%s warns %q, want %q", rule, warning, words)
			}
		}
	}
}

// A recovery has the key of its breach where the rule uses fields that both carry.
// Where
// it does not, the answer has a warning.
func TestRuleKeyOfRecovery(t *testing.T) {
	t.Parallel()
	recovery := `{"status": "recovered", "service": "checkout-api", "deployment": "prod-eu", "sli": "availability", "slo": {"name": "Availability"}}`
	good := `event.service + "/" + event.slo.name`
	breach, recovered := ruled(t, good, ruledBreach+"}"), ruled(t, good, recovery)
	if breach.Event.DedupKey != recovered.Event.DedupKey || breach.Event.Action == recovered.Event.Action {
		t.Errorf("a breach is of %q, its recovery of %q", breach.Event.DedupKey, recovered.Event.DedupKey)
	}
	recovered = ruled(t, `event.service + event.endpoint`, recovery)
	if len(recovered.Event.Warnings) != 1 || !strings.Contains(recovered.Event.Warnings[0], "no such key: endpoint") {
		t.Errorf("a recovery without what the rule uses is warned of by %q", recovered.Event.Warnings)
	}
}

// A signal that is written while the rule changes is resolved again by the new rule.
func TestStaleRuleIsReplaced(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	h.contents.Integrations[0].Dedup = `event.sli`
	h.stale = 1
	answers, err := h.service.Accept(t.Context(), ingest.Request{Key: "own", Endpoint: slo.Path, ContentType: "application/json", Body: []byte(ruledBreach + "}")})
	if err != nil || answers[0].DedupKey != "availability" {
		t.Errorf("it is answered %+v, %v", answers, err)
	}
}

// A recovery ends an alert that has fired since before the rule was set, and has a
// warning where there is none.
func TestRecoveryWithoutRuleKey(t *testing.T) {
	t.Parallel()
	const recovery = `{"status": "recovered", "service": "checkout-api", "sli": "availability", "slo": {"name": "Availability"}}`
	for _, test := range []struct {
		rule, firing, key string
		status            incident.Result
		tried             int
		warned            bool
	}{
		{`event.sli`, "availability", "availability", incident.ResultResolved, 1, false},
		{`event.sli`, "||availability|Availability", "||availability|Availability", incident.ResultResolved, 2, false},
		{`event.sli`, "of another rule", "availability", incident.ResultIgnored, 2, true},
		{`"||availability|Availability"`, "of another rule", "||availability|Availability", incident.ResultIgnored, 1, true},
		{``, "of a rule", "||availability|Availability", incident.ResultIgnored, 1, false},
	} {
		for _, stale := range []int{0, 1} {
			h := newFixture(t)
			h.contents.Integrations[0].Dedup, h.firing, h.stale = test.rule, test.firing, stale
			h.cached = catalog.NewSnapshot(h.contents)
			answer, err := h.post("own", recovery)
			warned := strings.Contains(strings.Join(answer.Warnings, " "), "resolve the incident by hand")
			if told := slices.Contains(answer.Warnings, nothingOpen); told != (test.status == incident.ResultIgnored && !test.warned) {
				t.Errorf("%+v is warned by %q", test, answer.Warnings)
			}
			if err != nil || answer.Status != test.status || answer.DedupKey != test.key || len(h.submitted) != test.tried || warned != test.warned {
				t.Errorf("%+v is answered %+v, %v after %d tries", test, answer, err, len(h.submitted))
			}
		}
	}
}

// FuzzDedupRule resolves arbitrary bodies by rules of every kind: each is accepted with
// a key that can be stored.
func FuzzDedupRule(f *testing.F) {
	f.Add(`{"service":"checkout-api","sli":"a","slo":{"name":"b"}}`)
	f.Add(ruledBreach + "}")
	f.Add(`{"service":"checkout-api","sli":"a","slo":{"name":"b"},"a":[[{"b":1e999}],-0,18446744073709551616,"\ud800"],"a":{"\u0000":null}}`)
	rules := []string{
		`event.service + event.slo.name`, `event.a + event.b`, `event.a == event.b ? "x" : string(event.a)`, `event.a in event.b ? event.a : event.b`,
		`event.?a == event.?c || size(event.a) > 1 ? event.c : event.a.b`, `event.a.matches("^(.*)+$") ? "x" : "y"`, `string(event.a)`, `event.dedup_key`,
	}
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := slo.Decode([]byte(body), ""); err != nil {
			return
		}
		for _, rule := range rules {
			first, again := ruled(t, rule, body).Event, ruled(t, rule, body).Event
			if first.DedupKey != again.DedupKey || fmt.Sprint(first.Warnings) != fmt.Sprint(again.Warnings) {
				t.Errorf("%s makes %q %q and then %q %q", rule, first.DedupKey, first.Warnings, again.DedupKey, again.Warnings)
			}
			if key := first.DedupKey; key == "" || utf8.RuneCountInString(key) > ingest.MaxDedupKey || !utf8.ValidString(key) || strings.Contains(key, "\x00") {
				t.Errorf("%s makes the key %q", rule, key)
			}
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	for _, rule := range []string{"", `event.service + "/" + event.slo.name`} {
		b.Run("rule="+rule, func(b *testing.B) {
			integration := catalog.Integration{ID: 1, ServiceID: new(int64(1)), Dedup: rule}
			snapshot := catalog.NewSnapshot(catalog.Contents{Services: []catalog.Service{{ID: 1, Slug: "checkout-api"}}, Integrations: []catalog.Integration{integration}})
			breach, err := slo.Decode([]byte(ruledBreach+"}"), "")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ingest.Resolve(snapshot, integration, &slo.Format, &breach, time.Unix(0, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
