package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/simulate"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/api"

	"github.com/google/go-cmp/cmp"
)

const simulatedBreach = `{"service":"checkout-api","deployment":"prod-eu","endpoint":"GET /api/data/{tenant}","sli":"availability","slo":{"name":"Availability of get data API"}}`

// line is an entry of a simulation in words.
func line(e api.SimulatedEntryJSON) string {
	words := []string{e.At.Format(time.DateTime), string(e.Kind)}
	if e.User != nil {
		words = append(words, *e.User)
	}
	if e.Place != nil {
		words = append(words, fmt.Sprint(*e.Place.Step, "/", *e.Place.Steps, " run ", *e.Place.Run, "/", *e.Place.Runs, " ", e.Place.Users))
	}
	if m := e.Message; m != nil {
		words = append(words, fmt.Sprintf("%s %s %s %s×%d", m.Channel, m.Contact, m.Rule, m.Why.Position, m.Times))
	}
	return strings.Join(words, " ")
}

func TestSimulate(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"integration":"sre","at":"2026-11-30T07:50:00Z","breach":` + simulatedBreach + `,"answers":[{"after":"65m"},{"after":"70m","user":"Ana@acme.example","action":"resolve"}]}`
		got := webtest.Decode[api.SimulatedJSON](t, a.As(auth.Read, "POST", "/api/v1/simulate", body, "Idempotency-Key", "a"), 200)
		var lines []string
		for _, e := range got.Timeline {
			lines = append(lines, line(e))
		}
		want := []string{
			"2026-11-30 07:50:00 received",
			"2026-11-30 07:50:00 step 1/4 run 1/4 [ben@acme.example]",
			"2026-11-30 07:50:00 told ben@acme.example sms +44 ••• 002 personal main×1",
			"2026-11-30 08:00:00 handover 1/4 run 1/4 [chiara@acme.example]",
			"2026-11-30 08:00:00 told ben@acme.example sms +44 ••• 002 repeat main×5",
			"2026-11-30 08:00:00 told chiara@acme.example email c•••@acme.example none main×1",
			"2026-11-30 08:10:00 told chiara@acme.example email c•••@acme.example repeat main×4",
			"2026-11-30 08:50:00 step 2/4 run 1/4 [ana@acme.example]",
			"2026-11-30 08:50:00 told ana@acme.example sms +34 ••• 001 personal backup×1",
			"2026-11-30 08:55:00 acknowledged ana@acme.example",
			"2026-11-30 09:00:00 resolved ana@acme.example",
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		signal := got.Timeline[0].Signal
		if signal.Service != "checkout-api" || *signal.Priority != 2 || *signal.PrioritySource != "slo" || *signal.Urgency != "high" || got.Cut {
			t.Errorf("the signal is understood as %+v, cut is %t", signal, got.Cut)
		}
		if incidents := webtest.Decode[api.List[api.IncidentJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents", ""), 200); len(incidents.Items) != 0 || len(a.RunDue()) != 0 {
			t.Error("it happened")
		}
	})
}

func TestSimulateDefaultsToNow(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"service":"checkout-api","for":"1m","breach":` + simulatedBreach + `}`
		for range 2 { // under one key: it is not what happened before
			got := webtest.Decode[api.SimulatedJSON](t, a.As(auth.Responder, "POST", "/api/v1/simulate", body, "Idempotency-Key", "a"), 200)
			if at := got.Timeline[0].At; !at.Equal(a.Now()) || !got.Cut || !got.Until.Equal(a.Now().Add(time.Minute)) {
				t.Errorf("at %s, until %s, cut is %t", at, got.Until, got.Cut)
			}
			a.Advance(time.Hour)
		}
		recovered := strings.Replace(body, `{"service":"checkout-api","deploy`, `{"status":"recovered","service":"checkout-api","deploy`, 1)
		if got := webtest.Decode[api.SimulatedJSON](t, a.As(auth.Responder, "POST", "/api/v1/simulate", recovered), 200); got.Timeline[0].Kind != simulate.Ignored {
			t.Errorf("a recovery is %+v", got)
		}
	})
}

func TestSimulateNamesInvalidFields(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		answers := func(list string) string {
			return `{"service":"checkout-api","breach":` + simulatedBreach + `,"answers":` + list + `}`
		}
		for body, want := range map[string]string{
			`{}`:                                   "integration breach",
			`{"integration":"none","breach":null}`: "integration breach",
			`{"integration":"sre","service":"checkout-api","at":"1999-12-31T00:00:00Z","for":"32d","breach":{"service":"a","status":"b"}}`: "service at for breach.status breach.sli breach.slo.name",
			`{"service":"none","for":"soon","breach":5}`:                                            "service for breach",
			`{"service":"checkout-api","breech":1,"at":"noon","answers":{}}`:                        "answers at breech",
			answers(`[1,{"afer":"1m"},{"after":1},{}]`):                                             "answers[0] answers[1].afer answers[2].after answers[3].after",
			answers(`[{"after":"1m","user":"nobody@acme.example","action":"sleep"}]`):               "answers[0].action answers[0].user",
			answers(`[{"after":"1m"},{"after":"2m","action":"resolve","user":"Ana"}]`):              "answers[1].user",
			answers(`[` + strings.Repeat(`{"after":"1m"},`, 20) + `{"after":"1m"}]`):                "answers",
			`{"service":"online-shop","breach":` + simulatedBreach + `,"answers":[{"after":"1s"}]}`: "answers[0].after",
			answers(`[{"after":"5m"},{"after":"0s"}]`):                                              "answers[1].after",
			answers(`[{"after":"72h"},{"after":"73h"},{"after":"100h","user":"ana@acme.example"}]`): "answers[1].after answers[2].after",
			`{"service":"checkout-api","breach":[]}`:                                                "breach",
		} {
			p := webtest.Decode[web.Problem](t, a.As(auth.Read, "POST", "/api/v1/simulate", body), 422)
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Path)
			}
			if got := strings.Join(fields, " "); got != want {
				t.Errorf("%s names %s, want %s", body, got, want)
			}
		}
		for _, breach := range []string{"5", "[]", `"breach"`} {
			p := webtest.Decode[web.Problem](t, a.As(auth.Read, "POST", "/api/v1/simulate", `{"service":"checkout-api","breach": `+breach+`}`), 422)
			if len(p.Errors) != 1 || p.Errors[0].Message != "must be an object" {
				t.Errorf("the breach %s is answered %+v", breach, p.Errors)
			}
		}
		if w := a.As(auth.Stakeholder, "POST", "/api/v1/simulate", `{}`); w.Code != 403 {
			t.Errorf("a stakeholder is answered %d", w.Code)
		}
	})
}
