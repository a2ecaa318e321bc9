package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/api"

	"github.com/google/go-cmp/cmp"
)

func numbersOf(l api.List[api.IncidentJSON]) []int64 {
	var all []int64
	for _, i := range l.Items {
		all = append(all, i.Number)
	}
	return all
}

func TestListIncidentsPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for _, name := range []string{"a", "b", "c"} {
			a.PostBreach(name)
		}
		webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents/2/resolve", ""), 200)
		first := webtest.Decode[api.List[api.IncidentJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents?limit=2", ""), 200)
		if diff := cmp.Diff([]int64{3, 2}, numbersOf(first)); diff != "" || first.NextCursor == nil {
			t.Fatalf("the first part (-want +got), next %v:\n%s", first.NextCursor, diff)
		}
		rest := webtest.Decode[api.List[api.IncidentJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents?limit=2&cursor="+*first.NextCursor, ""), 200)
		if diff := cmp.Diff([]int64{1}, numbersOf(rest)); diff != "" || rest.NextCursor != nil {
			t.Errorf("the last part (-want +got), next %v:\n%s", rest.NextCursor, diff)
		}
		for query, want := range map[string][]int64{
			"status=triggered":             {3, 1},
			"status=resolved,acknowledged": {2},
			"service=checkout-api":         {3, 2, 1},
			"team=payments&priority=2":     {3, 2, 1},
			"priority=none":                nil,
			"priority=0":                   nil,
			"priority=unset":               nil,
			"service=online-shop":          nil,
		} {
			got := webtest.Decode[api.List[api.IncidentJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents?"+query, ""), 200)
			if diff := cmp.Diff(want, numbersOf(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		two, checkout, eu := 2, "checkout-api", "prod-eu"
		want := api.IncidentJSON{
			Number: 1, Title: "a", Status: incident.Triggered, Priority: &two, Service: &checkout, Deployment: &eu, Occurrences: 1,
			CreatedAt: webtest.Start, LastSeenAt: webtest.Start, URL: "https://tocsin.example.com/incidents/1",
		}
		got := webtest.Decode[api.IncidentJSON](t, a.As(auth.Read, "GET", "/api/v1/incidents/1", ""), 200)
		want.DedupKey = got.DedupKey // the decoder's matter
		if diff := cmp.Diff(want, got); diff != "" || got.DedupKey == "" {
			t.Errorf("the incident (-want +got):\n%s", diff)
		}
	})
}

func TestActions(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		act := func(action, body string, status int) api.IncidentJSON {
			t.Helper()
			return webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents/1/"+action, body), status)
		}
		acked := act("acknowledge", "", 200)
		if acked.Status != incident.Acknowledged || acked.AcknowledgedBy == nil || *acked.AcknowledgedBy != "token:test-responder" || !acked.AcknowledgedAt.Equal(webtest.Start) {
			t.Errorf("acknowledged: %+v", acked)
		}
		if i := act("escalate", "{}", 200); i.Status != incident.Triggered {
			t.Errorf("escalated: %+v", i)
		}
		if i := act("priority", `{"priority":null,"reason":"not so bad"}`, 200); i.Priority != nil {
			t.Errorf("without a priority: %+v", i)
		}
		act("notes", `{"note":"The rollback runs."}`, 200)
		act("acknowledge", "", 200)
		if i := act("unacknowledge", "", 200); i.Status != incident.Triggered || i.AcknowledgedBy != nil {
			t.Errorf("given back: %+v", i)
		}
		if i := act("resolve", `{"resolution":"Rolled back."}`, 200); i.Status != incident.Resolved || i.ResolvedAt == nil {
			t.Errorf("resolved: %+v", i)
		}
		if i := act("reopen", "", 200); i.Status != incident.Triggered || i.ResolvedAt != nil {
			t.Errorf("reopened: %+v", i)
		}
		var kinds []string
		for cursor := ""; ; {
			part := webtest.Decode[api.List[api.EventJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents/1/timeline?limit=3"+cursor, ""), 200)
			for _, e := range part.Items {
				kinds = append(kinds, string(e.Kind))
			}
			if part.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *part.NextCursor
		}
		want := "received acknowledged escalated priority note acknowledged unacknowledged resolved reopened"
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("the timeline tells %s, want %s", got, want)
		}
	})
}

func TestListPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		a.RunDue()
		pages := webtest.Decode[api.List[api.PageJSON]](t, a.As(auth.Read, "GET", "/api/v1/incidents/1/pages", ""), 200)
		if len(pages.Items) != 1 {
			t.Fatalf("pages: %+v", pages)
		}
		p := pages.Items[0]
		got := fmt.Sprintln(p.Incident, p.User, *p.Contact, *p.Channel, p.Status, *p.Step, *p.Run, p.SentAt.Equal(webtest.Start), *p.ProviderID, p.Error == nil, strings.Contains(string(p.Why), `"schedule":"payments"`))
		if want := fmt.Sprintln(1, "ben@acme.example", "+44 ••• 002", "sms", "sent", 1, 1, true, "SM1", true, true); got != want {
			t.Errorf("got %swant %s", got, want)
		}
	})
}

// A title is shortened where it has to be, and the incident pages all the same.
func TestOpenIncidentWithLongTitle(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		title := strings.Repeat("ä", 1024) + " and the end"
		opened := webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"`+title+`","service":"checkout-api"}`), 201)
		if opened.Title != strings.Repeat("ä", 1024) {
			t.Errorf("the title has %d characters", utf8.RuneCountInString(opened.Title))
		}
		if sent := a.RunDue(); len(sent) == 0 {
			t.Error("it paged nobody")
		}
		webtest.Contains(t, a.SignIn("ana@acme.example").Get("/incidents/"+strconv.FormatInt(opened.Number, 10), 200), "and the end")
	})
}

func TestOpenIncident(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"title":"Customers cannot pay","service":"checkout-api","deployment":"prod-eu","priority":1,"description":"Three calls."}`
		opened := webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents", body), 201)
		again := webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents", body), 201)
		if opened.Title != "Customers cannot pay" || *opened.Priority != 1 || opened.Number == again.Number {
			t.Errorf("opened %+v, then %+v", opened, again)
		}
		if sent := a.RunDue(); len(sent) == 0 {
			t.Error("it paged nobody")
		}
		row, err := a.DB.Incidents.Incident(t.Context(), opened.Number)
		if err != nil || row.PrioritySource != "token:test-responder" || row.Facts.Environment[0].Value != "Three calls." {
			t.Errorf("it is kept as %+v, %v", row, err)
		}
		p := webtest.Decode[web.Problem](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":" ","service":"nobody's","deployment":"moon","priority":9,"titel":"x"}`), 422)
		if len(p.Errors) != 1 || p.Errors[0].Path != "titel" {
			t.Errorf("an unknown field: %+v", p)
		}
		p = webtest.Decode[web.Problem](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":" ","service":"nobody's","deployment":"moon","priority":9}`), 422)
		var invalid []string
		for _, f := range p.Errors {
			invalid = append(invalid, f.Path)
		}
		if diff := cmp.Diff([]string{"title", "service", "deployment", "priority"}, invalid); diff != "" {
			t.Errorf("invalid fields (-want +got):\n%s", diff)
		}
	})
}

func TestListOnCall(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for query, want := range map[string]string{
			"team=payments": "payments main ben@acme.example 2026-11-23T08:00:00Z 2026-11-30T08:00:00Z layer:weekly\n" +
				"payments backup chiara@acme.example 2026-11-23T08:00:00Z 2026-11-30T08:00:00Z layer:weekly\n",
			"schedule=payments&service=checkout-api&at=2026-11-23T07:59:59Z": "payments main ana@acme.example 2026-11-16T08:00:00Z 2026-11-23T08:00:00Z layer:weekly\n" +
				"payments backup ben@acme.example 2026-11-16T08:00:00Z 2026-11-23T08:00:00Z layer:weekly\n",
			"schedule=payments&team=payments&at=2026-01-05T07:59:59Z": "",
		} {
			var got strings.Builder
			for _, s := range webtest.Decode[api.List[api.ShiftJSON]](t, a.As(auth.Read, "GET", "/api/v1/oncall?"+query, ""), 200).Items {
				fmt.Fprintln(&got, s.Schedule, s.Position, *s.User, s.Start.Format(time.RFC3339), s.End.Format(time.RFC3339), s.Source)
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
	})
}

// Stakeholders learn who is on call, and no address.
func TestStakeholderSeesNoAddress(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		stakeholder := a.SignIn("stakeholder")
		for path, status := range map[string]int{"/oncall": 200, "/services": 200, "/priorities": 200, "/teams": 403, "/teams/payments": 403, "/users": 403} {
			answer := stakeholder.Do("GET", "/api/v1"+path, nil)
			if answer.Code != status || strings.Contains(strings.ReplaceAll(answer.Body.String(), "stakeholder@acme.example", ""), "@acme.example") {
				t.Errorf("%s is answered %d: %s", path, answer.Code, answer.Body)
			}
		}
		webtest.Contains(t, stakeholder.Get("/api/v1/oncall", 200), `"user":null,"name":"Ben Adeyemi"`)
	})
}

// Of a service it is exactly those whom its policy pages, by a schedule or not.
func TestListOnCallOfService(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply(`version: 1
escalation_policies:
  - slug: payments
    steps:
      - {timeout: 5m, targets: [{user: ana@acme.example}, {schedule: payments, position: backup}, {user: ana@acme.example}]}
  - slug: alone
    steps:
      - {timeout: 5m, targets: [{team: payments, role: manager}]}
services:
  - {slug: ledger, team: payments, escalation_policy: alone}
  - {slug: orphan, team: payments}
`)
		for query, want := range map[string]string{
			"service=checkout-api":                   "  Ana Ortiz user\npayments backup Chiara Conti layer:weekly\n",
			"service=checkout-api&schedule=payments": "payments backup Chiara Conti layer:weekly\n",
			"service=ledger":                         "  Dana Levi team\n",
			"service=orphan":                         "",
		} {
			var got strings.Builder
			for _, s := range webtest.Decode[api.List[api.ShiftJSON]](t, a.As(auth.Stakeholder, "GET", "/api/v1/oncall?"+query, ""), 200).Items {
				fmt.Fprintln(&got, s.Schedule, s.Position, s.Name, s.Source)
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
	})
}

func TestManagerAddsOverride(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00+00:00","position":"main","replace":"ben@acme.example","with":"ana@acme.example","reason":"Dentist"}`
		if w := a.As(auth.Responder, "POST", "/api/v1/schedules/payments/overrides", body); w.Code != 403 {
			t.Errorf("a responder's token was answered %d", w.Code)
		}
		made := webtest.Decode[api.OverrideJSON](t, a.As(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", body), 201)
		if made.ID == 0 || made.CreatedBy != "token:test-manager" || *made.With != "ana@acme.example" {
			t.Errorf("made %+v", made)
		}
		shifts := webtest.Decode[api.List[api.ShiftJSON]](t, a.As(auth.Read, "GET", "/api/v1/schedules/payments/shifts?from=2026-11-24T00:00:00Z&to=2026-11-25T12:00:00Z&position=main", ""), 200)
		var got strings.Builder
		for _, s := range shifts.Items {
			fmt.Fprintln(&got, *s.User, s.Start.Format("02T15"), s.End.Format("02T15"), s.Source)
		}
		if want := "ben@acme.example 24T00 24T08 layer:weekly\nana@acme.example 24T08 25T08 override\nben@acme.example 25T08 25T12 layer:weekly\n"; got.String() != want {
			t.Errorf("shifts:\n%swant:\n%s", got.String(), want)
		}
		shown := webtest.Decode[api.ScheduleJSON](t, a.As(auth.Read, "GET", "/api/v1/schedules/payments", ""), 200)
		if last := shown.Overrides[len(shown.Overrides)-1]; last.ID != made.ID {
			t.Errorf("the schedule shows %+v", shown.Overrides)
		}
		for _, bad := range []struct{ body, field string }{
			{`{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z"}`, "replace"},
			{`{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example","remove":"everyone"}`, "replace"},
			{`{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"nobody@acme.example"}`, "add"},
			{`{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example","position":"third"}`, "position"},
			{`{"from":"2026-11-20T08:00:00Z","to":"2026-11-21T08:00:00Z","add":"ana@acme.example"}`, "to"},
			{`{"from":"2026-11-26T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example"}`, "to"},
			{`{"from":"2026-11-24T08:00:00Z","to":"9999-12-31T23:59:59Z","add":"ana@acme.example"}`, "to"},
			{`{"from":"0001-01-01T00:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example"}`, "from"},
			{`{"from":"tomorrow","to":"2026-11-25T08:00:00Z","add":"ana@acme.example"}`, "from"},
		} {
			p := webtest.Decode[web.Problem](t, a.As(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", bad.body), 422)
			if len(p.Errors) != 1 || p.Errors[0].Path != bad.field {
				t.Errorf("%s: %+v, want %s", bad.body, p.Errors, bad.field)
			}
		}
	})
}

func TestResponderAddsOverrideInOwnTeam(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example"}`
		for who, status := range map[string]int{"ana@acme.example": 201, "dev.manager@acme.example": 201, "responder": 403, "manager": 403, "administrator": 201} {
			b := a.SignIn(who)
			if answer := webtest.Do(a.Handler, "POST", "/api/v1/schedules/payments/overrides", body, "Cookie", b.Cookie()); answer.Code != status {
				t.Errorf("%s is answered %d, want %d: %s", who, answer.Code, status, answer.Body)
			}
		}
	})
}

func TestRejectedRequests(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		bearer := "Bearer " + a.Token(auth.Responder)
		if p := webtest.Decode[web.Problem](t, a.Do("GET", "/api/v1/incidents", ""), 401); !strings.Contains(p.Detail, "Bearer") {
			t.Errorf("nobody is told %q, which does not say how to be somebody", p.Detail)
		}
		for _, c := range []struct {
			method, path, body string
			headers            []string
			status             int
			field              string
		}{
			{"GET", "/incidents", "", nil, 401, ""},
			{"GET", "/incidents", "", []string{"Authorization", "Bearer tok_none"}, 401, ""},
			{"GET", "/incidents", "", []string{"Authorization", "Bearer " + a.Token(auth.Stakeholder)}, 403, ""},
			{"POST", "/incidents/1/acknowledge", "", []string{"Authorization", "Bearer " + a.Token(auth.Read)}, 403, ""},
			{"GET", "/incidents/99", "", []string{"Authorization", bearer}, 404, ""},
			{"GET", "/incidents/one", "", []string{"Authorization", bearer}, 404, ""},
			{"GET", "/incidents/99/timeline", "", []string{"Authorization", bearer}, 404, ""},
			{"GET", "/incidents/99/pages", "", []string{"Authorization", bearer}, 404, ""},
			{"GET", "/schedules/none", "", []string{"Authorization", bearer}, 404, ""},
			{"GET", "/nothing", "", []string{"Authorization", bearer}, 404, ""},
			{"DELETE", "/incidents/1", "", []string{"Authorization", bearer}, 405, ""},
			{"GET", "/incidents?limit=0", "", []string{"Authorization", bearer}, 422, "limit"},
			{"GET", "/incidents?limit=201", "", []string{"Authorization", bearer}, 422, "limit"},
			{"GET", "/incidents?cursor=x", "", []string{"Authorization", bearer}, 422, "cursor"},
			{"GET", "/incidents?status=open", "", []string{"Authorization", bearer}, 422, "status"},
			{"GET", "/incidents?service=none", "", []string{"Authorization", bearer}, 422, "service"},
			{"GET", "/incidents?team=none", "", []string{"Authorization", bearer}, 422, "team"},
			{"GET", "/incidents?priority=high", "", []string{"Authorization", bearer}, 422, "priority"},
			{"GET", "/oncall?at=9999-12-31T23:59:59Z", "", []string{"Authorization", bearer}, 422, "at"},
			{"GET", "/oncall?at=0000-01-01T00:00:00Z", "", []string{"Authorization", bearer}, 422, "at"},
			{"GET", "/schedules/payments/shifts?from=0001-01-01T00:00:00Z&to=0001-02-01T00:00:00Z", "", []string{"Authorization", bearer}, 422, "from"},
			{"GET", "/oncall?at=now", "", []string{"Authorization", bearer}, 422, "at"},
			{"GET", "/schedules/payments/shifts?from=2026-01-01T00:00:00Z&to=2027-06-01T00:00:00Z", "", []string{"Authorization", bearer}, 422, "to"},
			{"GET", "/schedules/payments/shifts?position=third", "", []string{"Authorization", bearer}, 422, "position"},
			{"POST", "/incidents/1/acknowledge", `{"why":1}`, []string{"Authorization", bearer}, 422, "why"},
			{"POST", "/incidents/1/acknowledge", `[]`, []string{"Authorization", bearer}, 400, ""},
			{"POST", "/incidents/1/notes", `{"note":`, []string{"Authorization", bearer}, 400, ""},
			{"POST", "/incidents/1/notes", `{"note":" "}`, []string{"Authorization", bearer}, 422, "note"},
			{"POST", "/incidents/1/notes", `{"note":7}`, []string{"Authorization", bearer}, 422, "note"},
			{"POST", "/incidents/1/notes", `note=x`, []string{"Authorization", bearer, "Content-Type", "text/plain"}, 415, ""},
			{"POST", "/incidents/1/notes", `{"note":"` + strings.Repeat("x", web.MaxBody) + `"}`, []string{"Authorization", bearer}, 413, ""},
			{"POST", "/incidents/1/priority", `{}`, []string{"Authorization", bearer}, 422, "priority"},
			{"POST", "/incidents/1/priority", `{"priority":7}`, []string{"Authorization", bearer}, 422, "priority"},
			{"POST", "/incidents/1/reopen", ``, []string{"Authorization", bearer}, 409, ""},
			{"POST", "/incidents/1/acknowledge", ``, []string{"Authorization", bearer, "Sec-Fetch-Site", "cross-site"}, 403, ""},
		} {
			w := a.Do(c.method, "/api/v1"+c.path, c.body, c.headers...)
			p := webtest.Decode[web.Problem](t, w, c.status)
			if w.Header().Get("Content-Type") != web.ProblemType || p.Status != c.status || p.Detail == "" || p.Title == "" {
				t.Errorf("%s %s is answered %s as %s", c.method, c.path, w.Body, w.Header().Get("Content-Type"))
			}
			if c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Path != c.field) {
				t.Errorf("%s %s names %+v, want %s", c.method, c.path, p.Errors, c.field)
			}
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		open := func(key, title string) (number int64, replayed string) {
			t.Helper()
			w := a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"`+title+`","service":"checkout-api"}`, "Idempotency-Key", key)
			i := webtest.Decode[api.IncidentJSON](t, w, 201)
			if to := w.Header().Get("Location"); to != i.URL || to == "" {
				t.Errorf("the answer is at %q, want %q", to, i.URL)
			}
			return i.Number, w.Header().Get("Idempotent-Replayed")
		}
		first, replayed := open("one", "a")
		if replayed != "" {
			t.Error("the first answer is marked as one that was given before")
		}
		if again, replayed := open("one", "a"); again != first || replayed != "true" {
			t.Errorf("again: %d, replayed %q; want %d", again, replayed, first)
		}
		if other, _ := open("two", "a"); other == first {
			t.Error("another key opened no incident of its own")
		}
		w := a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"b","service":"checkout-api"}`, "Idempotency-Key", "one")
		if w.Code != http.StatusConflict {
			t.Errorf("the key of another request: %d", w.Code)
		}
		for range 2 { // a refusal is kept as well
			p := webtest.Decode[web.Problem](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"","service":"checkout-api"}`, "Idempotency-Key", "three"), 422)
			if len(p.Errors) != 1 || p.Errors[0].Path != "title" {
				t.Errorf("a refusal: %+v", p)
			}
		}
		// The process stops after the incident is durable and before its answer is stored.
		a.Slices.API.Requests = dyingRequests{a.DB.Access}
		a.Remount()
		before, _ := open("four", "a")
		a.Advance(auth.IdempotencyAbandoned)
		if after, _ := open("four", "a"); after != before {
			t.Errorf("the second time it opened incident %d, the first time %d", after, before)
		}
	})
}

// dyingRequests stores no answer.
type dyingRequests struct{ web.Requests }

// A body that breaks on its way has opened nothing, and may come again under the
// same key.
func TestInterruptedPostCanBeRepeated(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const body = `{"title":"a","service":"checkout-api"}`
		for _, key := range []string{"", "one"} {
			r := httptest.NewRequest("POST", "/api/v1/incidents", io.MultiReader(strings.NewReader(body[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+a.Token(auth.Responder))
			r.Header.Set("Idempotency-Key", key)
			w := httptest.NewRecorder()
			a.Handler.ServeHTTP(w, r)
			if p := webtest.Decode[web.Problem](t, w, 400); !strings.Contains(p.Detail, "broke on its way") {
				t.Errorf("under the key %q it is answered %q", key, p.Detail)
			}
		}
		if i := webtest.Decode[api.IncidentJSON](t, a.As(auth.Responder, "POST", "/api/v1/incidents", body, "Idempotency-Key", "one"), 201); i.Number != 1 {
			t.Errorf("it opened incident %d, not the first one", i.Number)
		}
	})
}

func TestListsShowNoSecrets(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for _, path := range []string{"teams", "services", "deployments", "priorities", "integrations", "users", "escalation-policies", "schedules"} {
			w := a.As(auth.Read, "GET", "/api/v1/"+path, "")
			if items := webtest.Decode[api.List[map[string]any]](t, w, 200).Items; len(items) == 0 {
				t.Errorf("%s lists nothing", path)
			}
			for _, secret := range []string{webtest.Key, "+34600000001", "key_", "assword"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s shows %q", path, secret)
				}
			}
		}
	})
}

func (dyingRequests) FinishRequest(context.Context, *auth.IdempotentRequest, auth.KeptAnswer) error {
	return errors.New("the process died")
}
