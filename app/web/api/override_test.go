package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web/api"
)

func TestOverrideIsTakenBack(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"from":"2026-11-24T08:00:00Z","to":"2026-11-25T08:00:00Z","position":"main","replace":"ben@acme.example","with":"ana@acme.example"}`
		made := webtest.Decode[api.OverrideJSON](t, a.As(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", body), 201)
		path := fmt.Sprintf("/api/v1/schedules/payments/overrides/%d", made.ID)
		if w := a.As(auth.Responder, "DELETE", path, ""); w.Code != 403 {
			t.Errorf("a responder's token was answered %d", w.Code)
		}
		if ended := webtest.Decode[api.OverrideJSON](t, a.As(auth.Manager, "DELETE", path+"?reason=Ben+is+back", ""), 200); ended.ID != made.ID {
			t.Errorf("ended %+v", ended)
		}
		shifts := webtest.Decode[api.List[api.ShiftJSON]](t, a.As(auth.Read, "GET", "/api/v1/schedules/payments/shifts?from=2026-11-24T00:00:00Z&to=2026-11-25T12:00:00Z&position=main", ""), 200)
		if len(shifts.Items) != 1 || *shifts.Items[0].User != "ben@acme.example" {
			t.Errorf("shifts %+v, want Ben alone", shifts.Items)
		}
		if w := a.As(auth.Manager, "DELETE", path, ""); w.Code != 404 {
			t.Errorf("taking it back again was answered %d", w.Code)
		}
		entries, err := a.Auth.AuditLog(t.Context(), auth.Tocsin, auth.AuditQuery{})
		a.Must(err)
		if e := entries[1]; e.Action != "override.delete" || e.Actor != "token:test-manager" || e.Subject != "schedule:payments" || e.Detail["reason"] != "Ben is back" {
			t.Errorf("audited %+v", entries[:2])
		}
	})
}

// TestDeactivatedPersonIsOnCallNowhere asks every read of the API that names people on
// call.
func TestDeactivatedPersonIsOnCallNowhere(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		body := `{"from":"2026-11-23T08:00:00Z","to":"2026-12-23T08:00:00Z","position":"main","replace":"chiara@acme.example","with":"ben@acme.example"}`
		webtest.Decode[api.OverrideJSON](t, a.As(auth.Manager, "POST", "/api/v1/schedules/payments/overrides", body), 201)
		paths := []string{"/api/v1/oncall?schedule=payments", "/api/v1/schedules/payments/shifts?from=2026-11-23T18:04:05Z&to=2027-01-23T18:00:00Z"}
		for _, path := range paths {
			if w := a.As(auth.Read, "GET", path, ""); !strings.Contains(w.Body.String(), "ben@acme.example") {
				t.Fatalf("%s lacks Ben before: %s", path, w.Body)
			}
		}
		a.Must(a.Auth.SetActive(t.Context(), auth.Tocsin, a.UserID("ben@acme.example"), false))
		for _, path := range paths {
			if w := a.As(auth.Read, "GET", path, ""); strings.Contains(w.Body.String(), "ben@acme.example") || !strings.Contains(w.Body.String(), "chiara@acme.example") {
				t.Errorf("%s answers %s", path, w.Body)
			}
		}
	})
}
