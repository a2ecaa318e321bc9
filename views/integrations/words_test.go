package integrations

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func TestInvalidFieldsAreMarkedInBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fields []string
		body   string
		wrong  []string
	}{
		{"a nested field", []string{"slo.objective"}, `{"slo":{"objective":997}}`, []string{`"objective"`}},
		{"an element of a list", []string{"links[0].href"}, `{"links":[{"href":1}]}`, []string{`"href"`}},
		{"a list itself", []string{"links[0]"}, `{"links":[1]}`, []string{`"links"`}},
		{"a field that is missing", []string{"sli"}, `{"service":"a"}`, nil},
		{"no field at all", []string{""}, `not JSON`, nil},
		{"part of a longer name", []string{"slo"}, `{"slope":1}`, nil},
	} {
		r := Rejected{Body: test.body}
		for _, f := range test.fields {
			r.Fields = append(r.Fields, FieldFault{Path: f})
		}
		var whole strings.Builder
		var wrong []string
		for _, part := range r.marked() {
			whole.WriteString(part.text)
			if part.wrong {
				wrong = append(wrong, part.text)
			}
		}
		if whole.String() != test.body {
			t.Errorf("%s: the body became %q", test.name, whole.String())
		}
		if diff := cmp.Diff(test.wrong, wrong); diff != "" {
			t.Errorf("%s: marked (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestCommandHidesKey(t *testing.T) {
	t.Parallel()
	p := Page{Endpoint: "https://tocsin.example/webhooks/slo", KeyEnd: "key1", ExampleService: "checkout-api"}
	if got := p.curl(); !strings.Contains(got, "$TOCSIN_KEY") || strings.Contains(got, "key1") {
		t.Errorf("the command is %s", got)
	}
	p.Key = "secret"
	if got := p.curl(); !strings.Contains(got, "Bearer secret") || !strings.Contains(got, `"service": "checkout-api"`) {
		t.Errorf("the command is %s", got)
	}
}

func TestServiceWords(t *testing.T) {
	t.Parallel()
	if got := serviceWords(element.Ref{}); got != "named in each signal" {
		t.Errorf("a key of no service says %q", got)
	}
}

func TestShortKey(t *testing.T) {
	t.Parallel()
	p := Page{Signals: []Signal{
		{DedupKey: "|GET /api/58|availability|Errors of cart"}, {DedupKey: "|GET /api/59|availability|Errors of cart"},
		{DedupKey: "host-7/disk"}, {DedupKey: "a|b|c"}, {DedupKey: "0123456789012345678901234567890123456789x"},
	}}
	for i, want := range []string{"GET /api/58", "GET /api/59", "host-7/disk", "a · b · c", "012345678901234567890123456789012345678…"} {
		if got := p.shortKey(p.Signals[i]); got != want {
			t.Errorf("of %q it is %q, want %q", p.Signals[i].DedupKey, got, want)
		}
	}
}
