package web_test

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
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// What PostgreSQL cannot keep is refused before it is asked to.
func TestInvalidTextIsRejected(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		admin := a.SignIn("administrator")
		for _, bad := range []string{"a\x00b", "a\xffb"} {
			q := url.QueryEscape(bad)
			for _, path := range []string{"/incidents?q=", "/incidents?service=", "/incidents?team=", "/incidents?priority=", "/sign-in?next=", "/api/v1/incidents?service=", "/api/v1/oncall?team="} {
				if answer := admin.Do(http.MethodGet, path+q, nil); answer.Code != http.StatusBadRequest {
					t.Errorf("GET %s%s was answered %d: %s", path, q, answer.Code, answer.Body)
				}
			}
			for path, field := range map[string]string{
				"/incidents/1/resolve": "resolution", "/incidents/1/notes": "note", "/incidents/1/priority": "reason", "/me/profile": "name",
				"/me/contacts": "address", "/me/contacts/1/verify": "code", "/people": "name", "/sign-in": "email", "/start/service": "service",
				"/setup/none": "organization", "/password/none": "password", "/me/rules": "urgency",
			} {
				if answer := admin.Do(http.MethodPost, path, url.Values{field: {bad}}); answer.Code != http.StatusBadRequest {
					t.Errorf("POST %s with such a %s was answered %d: %s", path, field, answer.Code, answer.Body)
				}
			}
		}
		for path, body := range map[string]string{
			"/incidents/1/resolve": `{"resolution":"a\u0000b"}`, "/incidents/1/notes": `{"note":"a\u0000b"}`, "/incidents/1/priority": `{"priority":1,"reason":"a\u0000b"}`,
			"/incidents":                    `{"title":"t","service":"checkout-api","description":"a\u0000b"}`,
			"/schedules/payments/overrides": `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","add":"ana@acme.example","reason":"a\u0000b"}`,
		} {
			if p := webtest.Decode[web.Problem](t, a.As(auth.Administrator, "POST", "/api/v1"+path, body), 422); len(p.Errors) != 1 || !strings.Contains(body, `"`+p.Errors[0].Path+`":"a\u0000b"`) {
				t.Errorf("%s names %+v", path, p.Errors)
			}
		}
		for _, title := range []string{`a\u0007b`, `a\nb`, `a\u0085b`} {
			if p := webtest.Decode[web.Problem](t, a.As(auth.Responder, "POST", "/api/v1/incidents", `{"title":"`+title+`","service":"checkout-api"}`), 422); len(p.Errors) != 1 || p.Errors[0].Path != "title" {
				t.Errorf("the title %s: %+v", title, p.Errors)
			}
		}
		for _, key := range []string{"a\xffb", "clé", "a\tb"} {
			webtest.Decode[web.Problem](t, a.As(auth.Responder, "POST", "/api/v1/incidents/1/notes", `{"note":"n"}`, "Idempotency-Key", key), 400)
		}
		if row, err := a.DB.Incidents.Incident(t.Context(), 1); err != nil || row.Status != incident.Triggered {
			t.Errorf("after all this it is %s, %v", row.Status, err)
		}
	})
}

func TestUnreadableForm(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Post("/me/profile", http.StatusRequestEntityTooLarge, "name", strings.Repeat("x", web.MaxBody)), "larger than 1024 KiB")
		broken := webtest.Do(a.Handler, "POST", "/me/profile", "name=%zz", "Content-Type", "application/x-www-form-urlencoded", "Cookie", ana.Cookie())
		if broken.Code != http.StatusBadRequest {
			t.Errorf("a form that is none was answered %d: %s", broken.Code, broken.Body)
		}
	})
}

// brokenCounter is a store that cannot be reached.
type brokenCounter struct{}

// The time that a handler has does not run out for what is said of its failure.
func TestErrorPageAndLog(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		missing := ana.Do(http.MethodGet, "/services/nothing", nil)
		if kind := missing.Header().Get("Content-Type"); missing.Code != http.StatusNotFound || !strings.HasPrefix(kind, "text/html") || !strings.Contains(missing.Body.String(), "Ana Ortiz") {
			t.Errorf("what is missing is answered %d as %s: %s", missing.Code, kind, missing.Body)
		}
		var log bytes.Buffer
		a.Slices.Page.Counter = brokenCounter{}
		a.SetLog(slog.New(slog.NewTextHandler(&log, nil)))
		ana.Handler = a.Handler
		ana.Get("/incidents", http.StatusServiceUnavailable)
		if !strings.Contains(log.String(), "level=WARN msg=\"request failed\"") {
			t.Errorf("logged:\n%s", &log)
		}
	})
}

func (brokenCounter) CountIncidents(ctx context.Context, _ int64) (incident.Counts, error) {
	return incident.Counts{}, fmt.Errorf("count: %w", errors.Join(context.DeadlineExceeded, ctx.Err()))
}
