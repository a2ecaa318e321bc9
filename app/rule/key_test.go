package rule_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/rule"
)

var event = map[string]any{
	"service": "checkout-api", "deployment": "prod-eu", "incident_priority": int64(2), "observed": 98.9,
	"slo":         map[string]any{"name": "Availability"},
	"environment": map[string]any{"cpu": "90%"},
	"links":       []any{map[string]any{"text": "Logs"}, map[string]any{"text": "Traces"}},
	"large":       strings.Repeat("a", 500_000),
	"many":        manyNumbers(),
}

func manyNumbers() []any {
	all := make([]any, 100_000)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func TestAKeyIsMadeOfTheEvent(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`event.service + "/" + event.slo.name`:                                             "checkout-api/Availability",
		`event.service + event.?endpoint.orValue("")`:                                      "checkout-api",
		`has(event.endpoint) ? event.endpoint : event.service`:                             "checkout-api",
		`"P" + string(event.incident_priority) + " " + string(event.observed)`:             "P2 98.9",
		`event["environment"]["cpu"]`:                                                      "90%",
		`event.deployment.startsWith("prod-") ? event.service : event.slo.name`:            "checkout-api",
		`event.links.exists(l, l.text == "Logs") ? "a" : "b"`:                              "a",
		`event.incident_priority == 2 && event.incident_priority < 2.5 ? "urgent" : "not"`: "urgent",
		`event.links == event.links ? "same" : "other"`:                                    "same",
		`"constant"`: "constant",
	} {
		key, err := rule.CompileKey(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, err := key.Of(event); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", expression, got, err, want)
		}
	}
}

func TestWhatIsNoKeyIsRefusedInWords(t *testing.T) {
	t.Parallel()
	for expression, words := range map[string]string{
		`evnt.service`:                  "At line 1, character 1: undeclared reference to 'evnt'",
		"event.service\n+ ":             "At line 2, character 3: the expression ends too early.",
		`event.service +`:               "At line 1, character 16: the expression ends too early.",
		`event.service event.sli`:       "At line 1, character 15: mismatched input 'event'.",
		`1 + 1`:                         "has to yield text, and yields int",
		`event.service == "a"`:          "has to yield text, and yields bool",
		`event`:                         "has to yield text, and yields map(string, dyn)",
		`event.?service`:                "has to yield text, and yields optional_type(dyn)",
		``:                              "At line 1, character 1: the expression ends too early.",
		`event.links.map(l, l.text)[0]`: "undeclared reference to 'map'",
		`event.service.matches(event.sli) ? "a" : "b"`: "The pattern of matches has to be written in the expression",
		`matches("a", "a" + "b") ? "a" : "b"`:          "The pattern of matches has to be written in the expression",
		`event.service.matches("(") ? "a" : "b"`:       "missing closing )",
		`lower(event.service)`:                         "undeclared reference to 'lower'",
		strings.Repeat("a", 1001):                      "at most 1000 characters; this one has 1001",
		strings.Repeat("(", 900):                       "",
	} {
		_, err := rule.CompileKey(expression)
		if !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%.40q is answered %v, want %q", expression, err, words)
		}
	}
}

// TestWhatFailsSaysWhy, and what would cost too much ends.
func TestWhatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	for expression, words := range map[string]string{
		`event.endpoint`:                               "no such key: endpoint",
		`event.slo.name.first`:                         "no such key",
		`event.incident_priority`:                      "it yields int and not text",
		`event.links`:                                  "it yields list and not text",
		`event.service + event.observed`:               "no such overload",
		`event.links[7].text`:                          "index out of bounds",
		`event.large + event.large`:                    "it takes too long",
		`event.large.matches("(a?){50}b") ? "a" : "b"`: "it takes too long",
		`event.many.all(x, x >= 0) ? "a" : "b"`:        "it takes too long",
		`event.many.all(x, event.many.all(y, event.many.all(z, z >= 0))) ? "a" : "b"`: "it takes too long",
		`[1,2,3,4,5,6,7,8,9].all(x, event == event) ? "a" : "b"`:                      "it takes too long",
		`event.many.exists(x, event.many == x) ? "a" : "b"`:                           "it takes too long",
		`100000 in event.many ? "a" : "b"`:                                            "it takes too long",
	} {
		key, err := rule.CompileKey(expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, err := key.Of(event); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s is %.20q, %v; want %q", expression, got, err, words)
		}
	}
}

// TestAnyEventIsOneKeyOrAnError: whatever the event, an expression neither
// panics nor changes its mind.
func TestAnyEventIsOneKeyOrAnError(t *testing.T) {
	t.Parallel()
	var keys []*rule.Key
	for _, expression := range []string{
		`event.service + "/" + event.slo.name`, `string(event.a) + event.?b.c.orValue("")`, `event.a == event.b ? "x" : "y"`,
		`event.a.all(x, string(x) < "m") ? "x" : string(event.b)`, `event.a in event.b ? "x" : event.a`, `event.a.exists_one(x, x > 1) ? "x" : event.b.a`,
		`event.a.matches("^[a-z]+$") ? "x" : "y"`, `event.exists(k, event[k] == event.a) ? "x" : "y"`,
	} {
		key, err := rule.CompileKey(expression)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	rapid.Check(t, func(t *rapid.T) {
		event := map[string]any{}
		for _, name := range []string{"service", "slo", "a", "b"} {
			if rapid.Bool().Draw(t, "given") {
				event[name] = anything(3).Draw(t, name)
			}
		}
		for _, k := range keys {
			first, err := k.Of(event)
			again, errAgain := k.Of(event)
			if first != again || (err == nil) != (errAgain == nil) {
				t.Fatalf("%v is %q, %v and then %q, %v", event, first, err, again, errAgain)
			}
		}
	})
}

func anything(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Float64().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.SliceOfN(anything(depth-1), 0, 4).AsAny(),
			rapid.MapOfN(rapid.SampledFrom([]string{"name", "a", "b", "c"}), anything(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(kinds...)
}

// FuzzCompileKey has an expression neither compile nor run to a panic, whoever
// wrote it.
func FuzzCompileKey(f *testing.F) {
	f.Add(`event.service + "/" + event.slo.name`, `{"service":"a","slo":{"name":"b"}}`)
	f.Add(`event.a.all(x, x + x)`, `{"a":["b",1,null,{}]}`)
	f.Add("event.?a[?0].orValue('')", `{"a":[]}`)
	f.Fuzz(func(t *testing.T, expression, body string) {
		key, err := rule.CompileKey(expression)
		if err != nil {
			if !fault.Is(err, fault.KindInvalid) {
				t.Fatal(err)
			}
			return
		}
		var event map[string]any
		_ = json.Unmarshal([]byte(body), &event)
		_, _ = key.Of(event)
	})
}
