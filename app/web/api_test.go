package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func numbersOf(l list[incidentJSON]) []int64 {
	var all []int64
	for _, i := range l.Items {
		all = append(all, i.Number)
	}
	return all
}

func TestIncidentsAreListedInParts(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		for _, name := range []string{"a", "b", "c"} {
			h.breach(name)
		}
		decode[incidentJSON](t, h.as(auth.Responder, "POST", "/api/v1/incidents/2/resolve", ""), 200)
		first := decode[list[incidentJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents?limit=2", ""), 200)
		if diff := cmp.Diff([]int64{3, 2}, numbersOf(first)); diff != "" || first.NextCursor == nil {
			t.Fatalf("the first part (-want +got), next %v:\n%s", first.NextCursor, diff)
		}
		rest := decode[list[incidentJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents?limit=2&cursor="+*first.NextCursor, ""), 200)
		if diff := cmp.Diff([]int64{1}, numbersOf(rest)); diff != "" || rest.NextCursor != nil {
			t.Errorf("the last part (-want +got), next %v:\n%s", rest.NextCursor, diff)
		}
		for query, want := range map[string][]int64{
			"status=triggered":             {3, 1},
			"status=resolved,acknowledged": {2},
			"service=checkout-api":         {3, 2, 1},
			"team=payments&priority=2":     {3, 2, 1},
			"priority=none":                nil,
			"service=online-shop":          nil,
		} {
			got := decode[list[incidentJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents?"+query, ""), 200)
			if diff := cmp.Diff(want, numbersOf(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
		two, checkout, eu := 2, "checkout-api", "prod-eu"
		want := incidentJSON{
			Number: 1, Title: "a", Status: incident.Triggered, Priority: &two, Service: &checkout, Deployment: &eu, Occurrences: 1,
			CreatedAt: monday, LastSeenAt: monday, URL: "https://tocsin.example.com/incidents/1",
		}
		got := decode[incidentJSON](t, h.as(auth.Read, "GET", "/api/v1/incidents/1", ""), 200)
		want.DedupKey = got.DedupKey // the decoder's matter
		if diff := cmp.Diff(want, got); diff != "" || got.DedupKey == "" {
			t.Errorf("the incident (-want +got):\n%s", diff)
		}
	})
}

func TestActionsOfTheAPI(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		act := func(action, body string, status int) incidentJSON {
			t.Helper()
			return decode[incidentJSON](t, h.as(auth.Responder, "POST", "/api/v1/incidents/1/"+action, body), status)
		}
		acked := act("acknowledge", "", 200)
		if acked.Status != incident.Acknowledged || acked.AcknowledgedBy == nil || *acked.AcknowledgedBy != "token:test-responder" || !acked.AcknowledgedAt.Equal(monday) {
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
			part := decode[list[eventJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents/1/timeline?limit=3"+cursor, ""), 200)
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

func TestPagesOfTheAPI(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		h.work()
		pages := decode[list[pageJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents/1/pages", ""), 200)
		if len(pages.Items) != 1 {
			t.Fatalf("pages: %+v", pages)
		}
		p := pages.Items[0]
		got := fmt.Sprintln(p.Incident, p.User, *p.Contact, *p.Channel, p.Status, *p.Step, *p.Run, p.SentAt.Equal(monday), *p.ProviderID, p.Error == nil, strings.Contains(string(p.Why), `"schedule":"payments"`))
		if want := fmt.Sprintln(1, "ben@acme.example", "+44 ••• 002", "sms", "sent", 1, 1, true, "SM1", true, true); got != want {
			t.Errorf("got %swant %s", got, want)
		}
	})
}

func TestAnIncidentIsOpenedByHand(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		body := `{"title":"Customers cannot pay","service":"checkout-api","deployment":"prod-eu","priority":1,"description":"Three calls."}`
		opened := decode[incidentJSON](t, h.as(auth.Responder, "POST", "/api/v1/incidents", body), 201)
		again := decode[incidentJSON](t, h.as(auth.Responder, "POST", "/api/v1/incidents", body), 201)
		if opened.Title != "Customers cannot pay" || *opened.Priority != 1 || opened.Number == again.Number {
			t.Errorf("opened %+v, then %+v", opened, again)
		}
		if sent := h.work(); len(sent) == 0 {
			t.Error("it paged nobody")
		}
		row, err := h.db.Incidents.Incident(t.Context(), opened.Number)
		if err != nil || row.PrioritySource != "token:test-responder" || row.Facts.Environment[0].Value != "Three calls." {
			t.Errorf("it is kept as %+v, %v", row, err)
		}
		p := decode[Problem](t, h.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":" ","service":"nobody's","deployment":"moon","priority":9,"titel":"x"}`), 422)
		if len(p.Errors) != 1 || p.Errors[0].Path != "titel" {
			t.Errorf("an unknown field: %+v", p)
		}
		p = decode[Problem](t, h.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":" ","service":"nobody's","deployment":"moon","priority":9}`), 422)
		var wrong []string
		for _, f := range p.Errors {
			wrong = append(wrong, f.Path)
		}
		if diff := cmp.Diff([]string{"title", "service", "deployment", "priority"}, wrong); diff != "" {
			t.Errorf("wrong fields (-want +got):\n%s", diff)
		}
	})
}

func TestOnCallOfTheAPI(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		for query, want := range map[string]string{
			"team=payments": "payments main ben@acme.example 2026-11-23T08:00:00Z 2026-11-30T08:00:00Z layer:weekly\n" +
				"payments backup chiara@acme.example 2026-11-23T08:00:00Z 2026-11-30T08:00:00Z layer:weekly\n",
			"service=checkout-api&at=2026-11-23T07:59:59Z": "payments main ana@acme.example 2026-11-16T08:00:00Z 2026-11-23T08:00:00Z layer:weekly\n" +
				"payments backup ben@acme.example 2026-11-16T08:00:00Z 2026-11-23T08:00:00Z layer:weekly\n",
			"schedule=payments&team=payments&at=2026-01-05T07:59:59Z": "",
		} {
			var got strings.Builder
			for _, s := range decode[list[shiftJSON]](t, h.as(auth.Stakeholder, "GET", "/api/v1/oncall?"+query, ""), 200).Items {
				fmt.Fprintln(&got, s.Schedule, s.Position, s.User, s.Start.Format(time.RFC3339), s.End.Format(time.RFC3339), s.Source)
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		}
	})
}

func TestAnOverrideIsAddedByItsManager(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		body := `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00+00:00","position":"main","replace":"ben@acme.example","with":"ana@acme.example","reason":"Dentist"}`
		if w := h.as(auth.Responder, "POST", "/api/v1/schedules/payments/overrides", body); w.Code != 403 {
			t.Errorf("a responder's token was answered %d", w.Code)
		}
		made := decode[overrideJSON](t, h.as(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", body), 201)
		if made.ID == 0 || made.CreatedBy != "token:test-manager" || *made.With != "ana@acme.example" {
			t.Errorf("made %+v", made)
		}
		shifts := decode[list[shiftJSON]](t, h.as(auth.Read, "GET", "/api/v1/schedules/payments/shifts?from=2026-11-24T00:00:00Z&to=2026-11-25T12:00:00Z&position=main", ""), 200)
		var got strings.Builder
		for _, s := range shifts.Items {
			fmt.Fprintln(&got, s.User, s.Start.Format("02T15"), s.End.Format("02T15"), s.Source)
		}
		if want := "ben@acme.example 24T00 24T08 layer:weekly\nana@acme.example 24T08 25T08 override\nben@acme.example 25T08 25T12 layer:weekly\n"; got.String() != want {
			t.Errorf("shifts:\n%swant:\n%s", got.String(), want)
		}
		shown := decode[scheduleJSON](t, h.as(auth.Read, "GET", "/api/v1/schedules/payments", ""), 200)
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
			p := decode[Problem](t, h.as(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", bad.body), 422)
			if len(p.Errors) != 1 || p.Errors[0].Path != bad.field {
				t.Errorf("%s: %+v, want %s", bad.body, p.Errors, bad.field)
			}
		}
	})
}

func TestRespondersMakeOverridesInTheirTeams(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		body := `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example"}`
		for who, status := range map[string]int{"ana@acme.example": 201, "dev.manager@acme.example": 201, "responder": 403, "manager": 403, "administrator": 201} {
			b := w.person(who)
			if answer := ask(w.edge, "POST", "/api/v1/schedules/payments/overrides", body, "Cookie", b.cookie); answer.Code != status {
				t.Errorf("%s is answered %d, want %d: %s", who, answer.Code, status, answer.Body)
			}
		}
	})
}

func TestWhatTheAPIRefuses(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		bearer := "Bearer " + h.tokens[auth.Responder]
		if p := decode[Problem](t, h.ask("GET", "/api/v1/incidents", ""), 401); !strings.Contains(p.Detail, "Bearer") {
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
			{"GET", "/incidents", "", []string{"Authorization", "Bearer " + h.tokens[auth.Stakeholder]}, 403, ""},
			{"POST", "/incidents/1/acknowledge", "", []string{"Authorization", "Bearer " + h.tokens[auth.Read]}, 403, ""},
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
			{"POST", "/incidents/1/notes", `{"note":"` + strings.Repeat("x", mostBody) + `"}`, []string{"Authorization", bearer}, 413, ""},
			{"POST", "/incidents/1/priority", `{}`, []string{"Authorization", bearer}, 422, "priority"},
			{"POST", "/incidents/1/priority", `{"priority":7}`, []string{"Authorization", bearer}, 422, "priority"},
			{"POST", "/incidents/1/reopen", ``, []string{"Authorization", bearer}, 409, ""},
			{"POST", "/incidents/1/acknowledge", ``, []string{"Authorization", bearer, "Sec-Fetch-Site", "cross-site"}, 403, ""},
		} {
			w := h.ask(c.method, "/api/v1"+c.path, c.body, c.headers...)
			p := decode[Problem](t, w, c.status)
			if w.Header().Get("Content-Type") != problemType || p.Status != c.status || p.Detail == "" || p.Title == "" {
				t.Errorf("%s %s is answered %s as %s", c.method, c.path, w.Body, w.Header().Get("Content-Type"))
			}
			if c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Path != c.field) {
				t.Errorf("%s %s names %+v, want %s", c.method, c.path, p.Errors, c.field)
			}
		}
	})
}

func TestAPostWithAKeyHappensOnce(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		open := func(key, title string) (number int64, replayed string) {
			t.Helper()
			w := h.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"`+title+`","service":"checkout-api"}`, "Idempotency-Key", key)
			i := decode[incidentJSON](t, w, 201)
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
		w := h.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"b","service":"checkout-api"}`, "Idempotency-Key", "one")
		if w.Code != http.StatusConflict {
			t.Errorf("the key of another request: %d", w.Code)
		}
		for range 2 { // a refusal is kept as well
			p := decode[Problem](t, h.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"","service":"checkout-api"}`, "Idempotency-Key", "three"), 422)
			if len(p.Errors) != 1 || p.Errors[0].Path != "title" {
				t.Errorf("a refusal: %+v", p)
			}
		}
		// The process dies once the incident is there and before its answer is kept.
		d := h.deps
		d.Requests = dyingRequests{h.db.Access}
		h.edge = New(d)
		before, _ := open("four", "a")
		h.advance(auth.IdempotencyAbandoned)
		if after, _ := open("four", "a"); after != before {
			t.Errorf("the second time it opened incident %d, the first time %d", after, before)
		}
	})
}

// dyingRequests keeps no answer.
type dyingRequests struct{ Requests }

func (dyingRequests) FinishRequest(context.Context, *auth.IdempotentRequest, auth.KeptAnswer) error {
	return errors.New("the process died")
}

// A body that breaks on its way has opened nothing, and may come again under the
// same key.
func TestAPostThatBreaksOnItsWayMayBeRepeated(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		const body = `{"title":"a","service":"checkout-api"}`
		for _, key := range []string{"", "one"} {
			r := httptest.NewRequest("POST", "/api/v1/incidents", io.MultiReader(strings.NewReader(body[:20]), iotest.ErrReader(io.ErrUnexpectedEOF)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+h.tokens[auth.Responder])
			r.Header.Set("Idempotency-Key", key)
			w := httptest.NewRecorder()
			h.edge.ServeHTTP(w, r)
			if p := decode[Problem](t, w, 400); !strings.Contains(p.Detail, "broke on its way") {
				t.Errorf("under the key %q it is answered %q", key, p.Detail)
			}
		}
		if i := decode[incidentJSON](t, h.as(auth.Responder, "POST", "/api/v1/incidents", body, "Idempotency-Key", "one"), 201); i.Number != 1 {
			t.Errorf("it opened incident %d, not the first one", i.Number)
		}
	})
}

func TestListsNeverShowSecrets(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		for _, path := range []string{"teams", "services", "deployments", "priorities", "integrations", "users", "escalation-policies", "schedules"} {
			w := h.as(auth.Read, "GET", "/api/v1/"+path, "")
			if items := decode[list[map[string]any]](t, w, 200).Items; len(items) == 0 {
				t.Errorf("%s lists nothing", path)
			}
			for _, secret := range []string{exampleKey, "+34600000001", "key_", "assword"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("%s shows %q", path, secret)
				}
			}
		}
	})
}
