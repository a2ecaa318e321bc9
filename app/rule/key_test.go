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
	"page":        strings.Repeat("a", 2000),
	"many":        manyNumbers(),
}

func manyNumbers() []any {
	all := make([]any, 100_000)
	for i := range all {
		all[i] = int64(i)
	}
	return all
}

func TestKeyOfEvent(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`event.service + "/" + event.slo.name`:                                             "checkout-api/Availability",
		`event.service + event.?endpoint.orValue("")`:                                      "checkout-api",
		`has(event.endpoint) ? event.endpoint : event.service`:                             "checkout-api",
		`"P" + string(event.incident_priority) + " " + string(event.observed)`:             "P2 98.9",
		`event["environment"]["cpu"]`:                                                      "90%",
		`event.deployment.startsWith("prod-") ? event.service : event.slo.name`:            "checkout-api",
		`event.deployment in ["prod-eu", "prod-us"] ? event.service : "test"`:              "checkout-api",
		`event.service.matches("^[a-z-]+$") && "x" in event.slo == false ? "a" : "b"`:      "a",
		`event.links[1].text + event.links[?7].text.orValue("")`:                           "Traces",
		`event.?endpoint.or(event.?service).orValue("")`:                                   "checkout-api",
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

func TestInvalidExpressionMessage(t *testing.T) {
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

// Loops over an event, and results that depend on the order of an object, are refused.
func TestExpensiveRuleIsRefused(t *testing.T) {
	t.Parallel()
	for expression, words := range map[string]string{
		`[[1,1]].exists(a,[[a,a]].exists(b,[[b,b]].exists(c,c==c))) ? "a" : "b"`: "undeclared reference to 'exists'",
		`event.many.all(x, event.many.all(y, y >= x)) ? "a" : "b"`:               "undeclared reference to 'all'",
		`event.many.exists_one(x, x == 1) ? "a" : "b"`:                           "undeclared reference to 'exists_one'",
		`event.m.exists(k, k < "b" || event.m[k].x) ? "a" : "b"`:                 "undeclared reference to 'exists'",
		`event.many.filter(x, x > 1)[0]`:                                         "undeclared reference to 'filter'",
		`event.?large.optMap(l, l + l).orValue("")`:                              "undeclared reference to 'optMap'",
		`event.?large.optFlatMap(l, event.?large).orValue("")`:                   "undeclared reference to 'optFlatMap'",
		`[event, event] == [event, event] ? "a" : "b"`:                           "may only hold texts and numbers",
		`[[1, 1], [1, 1]] == [[1]] ? "a" : "b"`:                                  "may only hold texts and numbers",
		`{"a": event} == {"a": event} ? "a" : "b"`:                               "no objects of its own",
		`optional.of(event) == optional.of(event) ? "a" : "b"`:                   "optional.of is not among",
		`optional.unwrap(event.many)[0]`:                                         "optional.unwrap is not among",
		`string(bytes(event.large) + bytes(event.large))`:                        "bytes is not among",
		`event.large.matches("(a?){1000}b") ? "a" : "b"`:                         "repeats too much",
		`event.large.matches("[a-z]{1,300}b") ? "a" : "b"`:                       "repeats too much",
		`event.large.matches("((a{9}){9}){9}b") ? "a" : "b"`:                     "repeats too much",
		`matches(event.large, "(x+x+){200}y") ? "a" : "b"`:                       "repeats too much",
		`event.large.matches("((a{100}){100}){100}") ? "a" : "b"`:                "invalid repeat count",
	} {
		_, err := rule.CompileKey(expression)
		if !fault.Is(err, fault.KindInvalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s is answered %v, want %q", expression, err, words)
		}
	}
}

// An evaluation that exceeds maxCost is an error too.
func TestEvaluationErrors(t *testing.T) {
	t.Parallel()
	for expression, words := range map[string]string{
		`event.endpoint`:                     "no such key: endpoint",
		`event.slo.name.first`:               "no such key",
		`event.incident_priority`:            "it yields int and not text",
		`event.links`:                        "it yields list and not text",
		`event.service + event.observed`:     "no such overload",
		`event.links.matches("a") ? "a":"b"`: "no such overload",
		`event.links[7].text`:                "index out of bounds",
		`event.large + event.large`:          "it reads too much",
		`event.page + event.page + event.pag` + strings.Repeat(`e + event.pag`, 60) + `e`: "it reads too much",
		`event.large.matches("a") ? "a" : "b"`:                                            "matches reads at most 2048 bytes, and this text has 500000",
		strings.Repeat(`event.page.matches("(a?){90}b") || `, 25) + `true ? "a" : "b"`:    "it reads too much",
		`event == event ? "a" : "b"`:                                                      "it reads too much",
		`event.?many == event.?many ? "a" : "b"`:                                          "it reads too much",
		`(event.many + event.many)[0] == 0 ? "a" : "b"`:                                   "it reads too much",
		`event.many == event.links || event == event || true ? "a" : "b"`:                 "it reads too much",
		`100000 in event.many ? "a" : "b"`:                                                "it reads too much",
		`event.large < event.large ? "a" : "b"`:                                           "it reads too much",
		`event.large.contains("aab") ? "a" : "b"`:                                         "it reads too much",
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

// For every event an expression does not panic, and has the same result each time.
func TestKeyProperties(t *testing.T) {
	t.Parallel()
	var keys []*rule.Key
	for _, expression := range []string{
		`event.service + "/" + event.slo.name`, `string(event.a) + event.?b.c.orValue("")`, `event.a == event.b ? "x" : "y"`,
		`string(event.a) < "m" ? "x" : string(event.b)`, `event.a in event.b ? "x" : event.a`, `event.a in [1, "a"] ? "x" : event.b.a`,
		`event.a.matches("^[a-z]+$") ? "x" : "y"`, `event.?a == event.?b || event.a > event.b ? "x" : "y"`, `event.a + event.b`,
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
	f.Add(`event.a in [1, "b"] && event.a.matches('a+') ? event.a + event.a : 'x'`, `{"a":["b",1,null,{}]}`)
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
