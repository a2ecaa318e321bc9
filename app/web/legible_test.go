package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// What PostgreSQL cannot keep is refused before it is asked to.
func TestOnlyTextIsTaken(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("a")
		admin := w.person("administrator")
		for _, bad := range []string{"a\x00b", "a\xffb"} {
			q := url.QueryEscape(bad)
			for _, path := range []string{"/incidents?q=", "/incidents?service=", "/incidents?team=", "/incidents?priority=", "/sign-in?next=", "/api/v1/incidents?service=", "/api/v1/oncall?team="} {
				if answer := admin.ask(http.MethodGet, path+q, nil); answer.Code != http.StatusBadRequest {
					t.Errorf("GET %s%s was answered %d: %s", path, q, answer.Code, answer.Body)
				}
			}
			for path, field := range map[string]string{
				"/incidents/1/resolve": "resolution", "/incidents/1/notes": "note", "/incidents/1/priority": "reason", "/me/profile": "name",
				"/me/contacts": "address", "/me/contacts/1/verify": "code", "/people": "name", "/sign-in": "email", "/start/service": "service",
				"/setup/none": "organization", "/password/none": "password", "/me/rules": "urgency",
			} {
				if answer := admin.ask(http.MethodPost, path, url.Values{field: {bad}}); answer.Code != http.StatusBadRequest {
					t.Errorf("POST %s with such a %s was answered %d: %s", path, field, answer.Code, answer.Body)
				}
			}
		}
		for path, body := range map[string]string{
			"/incidents/1/resolve": `{"resolution":"a\u0000b"}`, "/incidents/1/notes": `{"note":"a\u0000b"}`, "/incidents/1/priority": `{"priority":1,"reason":"a\u0000b"}`,
			"/incidents":                    `{"title":"t","service":"checkout-api","description":"a\u0000b"}`,
			"/schedules/payments/overrides": `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example","reason":"a\u0000b"}`,
		} {
			if p := decode[Problem](t, w.as(auth.Administrator, "POST", "/api/v1"+path, body), 422); len(p.Errors) != 1 || !strings.Contains(body, `"`+p.Errors[0].Path+`":"a\u0000b"`) {
				t.Errorf("%s names %+v", path, p.Errors)
			}
		}
		for _, title := range []string{`a\u0007b`, `a\nb`, `a\u0085b`} {
			if p := decode[Problem](t, w.as(auth.Responder, "POST", "/api/v1/incidents", `{"title":"`+title+`","service":"checkout-api"}`), 422); len(p.Errors) != 1 || p.Errors[0].Path != "title" {
				t.Errorf("the title %s: %+v", title, p.Errors)
			}
		}
		for _, key := range []string{"a\xffb", "clé", "a\tb"} {
			decode[Problem](t, w.as(auth.Responder, "POST", "/api/v1/incidents/1/notes", `{"note":"n"}`, "Idempotency-Key", key), 400)
		}
		if row, err := w.db.Incidents.Incident(t.Context(), 1); err != nil || row.Status != incident.Triggered {
			t.Errorf("after all this it is %s, %v", row.Status, err)
		}
	})
}

func TestAFormThatCannotBeReadIsSaid(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		contains(t, ana.post("/me/profile", http.StatusRequestEntityTooLarge, "name", strings.Repeat("x", mostBody)), "larger than 1024 KiB")
		broken := ask(w.edge, "POST", "/me/profile", "name=%zz", "Content-Type", "application/x-www-form-urlencoded", "Cookie", ana.cookie)
		if broken.Code != http.StatusBadRequest {
			t.Errorf("a form that is none was answered %d: %s", broken.Code, broken.Body)
		}
	})
}

// brokenIncidents is a store that cannot be reached.
type brokenIncidents struct{ PageIncidents }

func (brokenIncidents) CountIncidents(ctx context.Context, _ int64) (incident.Counts, error) {
	return incident.Counts{}, fmt.Errorf("count: %w", errors.Join(context.DeadlineExceeded, ctx.Err()))
}

// The time that a handler has does not run out for what is said of its failure.
func TestAFailureIsAPageAndIsLogged(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		missing := ana.ask(http.MethodGet, "/services/nothing", nil)
		if kind := missing.Header().Get("Content-Type"); missing.Code != http.StatusNotFound || !strings.HasPrefix(kind, "text/html") || !strings.Contains(missing.Body.String(), "Ana Ortiz") {
			t.Errorf("what is missing is answered %d as %s: %s", missing.Code, kind, missing.Body)
		}
		var log bytes.Buffer
		d := w.deps
		d.Log, d.Pages.Incidents = slog.New(slog.NewTextHandler(&log, nil)), brokenIncidents{w.db.IncidentReads()}
		ana.edge = New(d)
		ana.get("/incidents", http.StatusServiceUnavailable)
		if !strings.Contains(log.String(), "level=WARN msg=\"a request failed\"") {
			t.Errorf("logged:\n%s", &log)
		}
	})
}

func TestAPriorityThatNobodyHas(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.breach("Availability")
		ana := w.person("ana@acme.example")
		contains(t, ana.get("/incidents?tab=open&priority=2", http.StatusOK), `id="incident-1"`)
		for _, level := range []string{"99999999999", "-99999999999", "99999999999999999999", "77"} {
			lacks(t, ana.get("/incidents?tab=open&priority="+level, http.StatusOK), `id="incident-1"`)
			if p := decode[Problem](t, w.as(auth.Read, "GET", "/api/v1/incidents?priority="+level, ""), 422); len(p.Errors) != 1 || p.Errors[0].Path != "priority" {
				t.Errorf("priority %s: %+v", level, p)
			}
		}
	})
}
