package web

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

const simulatedBreach = `{"service":"checkout-api","deployment":"prod-eu","endpoint":"GET /api/data/{tenant}","sli":"availability","slo":{"name":"Availability of get data API"}}`

// line is an entry of a simulation in words.
func line(e simulatedEntryJSON) string {
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

func TestASimulationTellsWhoWouldBePaged(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		body := `{"integration":"sre","at":"2026-11-30T07:50:00Z","breach":` + simulatedBreach + `,"answers":[{"after":"65m"},{"after":"70m","user":"Ana@acme.example","action":"resolve"}]}`
		got := decode[simulatedJSON](t, h.as(auth.Read, "POST", "/api/v1/simulate", body, "Idempotency-Key", "a"), 200)
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
		if incidents := decode[list[incidentJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents", ""), 200); len(incidents.Items) != 0 || len(h.work()) != 0 {
			t.Error("it happened")
		}
	})
}

func TestASimulationIsOfNowWhereNoMomentIsGiven(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		body := `{"service":"checkout-api","for":"1m","breach":` + simulatedBreach + `}`
		for range 2 { // under one key: it is not what happened before
			got := decode[simulatedJSON](t, h.as(auth.Responder, "POST", "/api/v1/simulate", body, "Idempotency-Key", "a"), 200)
			if at := got.Timeline[0].At; !at.Equal(h.now) || !got.Cut || !got.Until.Equal(h.now.Add(time.Minute)) {
				t.Errorf("at %s, until %s, cut is %t", at, got.Until, got.Cut)
			}
			h.advance(time.Hour)
		}
		recovered := strings.Replace(body, `{"service":"checkout-api","deploy`, `{"status":"recovered","service":"checkout-api","deploy`, 1)
		if got := decode[simulatedJSON](t, h.as(auth.Responder, "POST", "/api/v1/simulate", recovered), 200); got.Timeline[0].Kind != simulate.Ignored {
			t.Errorf("a recovery is %+v", got)
		}
	})
}

func TestWhatCannotBeSimulatedIsNamed(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
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
			p := decode[Problem](t, h.as(auth.Read, "POST", "/api/v1/simulate", body), 422)
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Path)
			}
			if got := strings.Join(fields, " "); got != want {
				t.Errorf("%s names %s, want %s", body, got, want)
			}
		}
		for _, breach := range []string{"5", "[]", `"breach"`} {
			p := decode[Problem](t, h.as(auth.Read, "POST", "/api/v1/simulate", `{"service":"checkout-api","breach": `+breach+`}`), 422)
			if len(p.Errors) != 1 || p.Errors[0].Message != "must be an object" {
				t.Errorf("the breach %s is answered %+v", breach, p.Errors)
			}
		}
		if w := h.as(auth.Stakeholder, "POST", "/api/v1/simulate", `{}`); w.Code != 403 {
			t.Errorf("a stakeholder is answered %d", w.Code)
		}
	})
}

// TestFewSimulateAtOnce: a third waits for its turn, and is told to come again
// where it comes to none.
func TestFewSimulateAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulating := make(turns, mostSimulations)
		var backs []func()
		for range mostSimulations {
			back, err := simulating.take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			backs = append(backs, back)
		}
		if _, err := simulating.take(t.Context()); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("one too many is answered %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := simulating.take(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever left is answered %v", err)
		}
		time.AfterFunc(turnWithin/2, backs[0])
		if _, err := simulating.take(t.Context()); err != nil {
			t.Errorf("whoever waited is answered %v", err)
		}
	})
}

// TestAFaultOfOursIsNoFaultOfTheBreach: what is neither the answers' nor the
// breach's stays what it is, and is logged.
func TestAFaultOfOursIsNoFaultOfTheBreach(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{errors.New("the disk is gone"), fault.Internal(errors.New("the disk is gone")), context.DeadlineExceeded} {
		var s simulation
		if err := s.whose(cause); !errors.Is(err, cause) || s.wrong != nil {
			t.Errorf("%v became %v", cause, err)
		}
	}
}
