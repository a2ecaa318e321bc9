package oncall_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestOnCallPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		b := a.SignIn("stakeholder")
		all := b.Get("/oncall", http.StatusOK)
		webtest.Contains(t, all, "Payments", "Incident coordinators", "Ben Adeyemi", "Chiara Conti")
		webtest.Lacks(t, all, "/schedules/payments")
		for query, want := range map[string]bool{"payments": true, "CHECKOUT": true, "ben": true, "coordinators": false, "nobody there": false} {
			page := b.Get("/oncall?q="+strings.ReplaceAll(query, " ", "+"), http.StatusOK)
			if found := strings.Contains(page, "Ben Adeyemi"); found != want {
				t.Errorf("%q finds Ben: %t, want %t", query, found, want)
			}
		}
		ana := a.SignIn("ana@acme.example")
		page := ana.Get("/schedules/payments?from=2026-12-20", http.StatusOK)
		webtest.Contains(t, page, "weekly", "Ben Adeyemi", "from=2026-12-06", "from=2027-01-03", "Today")
		webtest.Contains(t, ana.Get("/schedules/payments?from=no+day", http.StatusOK), "from=2026-12-07")
		webtest.Contains(t, ana.Get("/schedules", http.StatusOK), "Payments", "Europe/Madrid")
		page = ana.Get("/schedules/payments", http.StatusOK)
		webtest.Contains(t, page, "In force since ", "<time datetime=")
		webtest.Lacks(t, page, "earlier versions")
		webtest.Contains(t, ana.Get("/me", http.StatusOK), "Payments", "+34600000001")
		webtest.Contains(t, ana.Get("/people", http.StatusOK), "Chiara Conti")
		a.Advance(7 * 24 * time.Hour)
		webtest.Contains(t, ana.Get("/oncall", http.StatusOK), "on call until")
	})
}

func TestSearchExplainsNoMatch(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		_, err := a.Auth.CreateUser(t.Context(), auth.Tocsin, auth.Profile{Email: "noel@acme.example", Name: "Noel Phone", Role: auth.Responder})
		a.Must(err)
		a.Apply("version: 1\nteams:\n  - slug: idle\n    name: Idle hands\n")
		webtest.Contains(t, ana.Get("/oncall?q=noel", http.StatusOK), "Noel Phone is in no schedule.")
		webtest.Contains(t, ana.Get("/oncall?q=idle", http.StatusOK), "The team Idle hands has no schedule.")
		webtest.Contains(t, ana.Get("/oncall?q=nonsuch", http.StatusOK), "No team, schedule, service or person is called")
		webtest.Lacks(t, a.SignIn("stakeholder").Get("/oncall?q=noel", http.StatusOK), "Noel Phone")
	})
}

func TestOverrideIsRemovedOnThePage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		now := a.Now()
		applied, err := a.DB.Organization.Editor(a.Keys).Edit(t.Context(), auth.Tocsin, &organization.AddOverride{Schedule: "payments", Override: organization.Override{
			From: organization.MomentIn(now.Add(-time.Hour), "UTC"), To: organization.MomentIn(now.Add(48*time.Hour), "UTC"), Position: "main", Add: "ana@acme.example"}})
		a.Must(err)
		path := fmt.Sprintf("/schedules/payments/overrides/%d/end", applied.Overrides[0])
		webtest.Lacks(t, a.SignIn("responder").Get("/schedules/payments", http.StatusOK), path)
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/schedules/payments", http.StatusOK), path, "Ana Ortiz is added as main")
		ana.Post(path, http.StatusSeeOther, "reason", "No longer needed")
		page := ana.Get("/schedules/payments", http.StatusOK)
		webtest.Contains(t, page, "The override was removed.")
		webtest.Lacks(t, page, path, "Ana Ortiz is added as main")
	})
}
