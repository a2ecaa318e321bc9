package oncall_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

// TestServiceSearchFollowsPolicy has a policy that pages one position of another team's
// schedule, and a person.
func TestServiceSearchFollowsPolicy(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply(`
version: 1
escalation_policies:
  - slug: books
    name: Books
    repeat: 0
    steps: [{timeout: 5m, targets: [{schedule: payments, position: backup}, {user: dev.manager@acme.example}, {role: administrator}]}]
services:
  - {slug: ledger, name: Ledger, escalation_policy: books}
  - {slug: idle-api, name: Idle API, team: payments}
`)
		ana := a.SignIn("ana@acme.example")
		page := ana.Get("/oncall?q=ledger", http.StatusOK)
		webtest.Contains(t, page, "/schedules/payments", "<dt>backup</dt>", "Dana Levi", "mailto:dev.manager@acme.example", "every administrator: nobody can be reached")
		webtest.Lacks(t, page, "<dt>main</dt>", "/schedules/coordinators", "No escalation policy")
		page = ana.Get("/oncall?q=idle-api", http.StatusOK)
		webtest.Contains(t, page, "Idle API", "No escalation policy: incidents page the administrators.")
		webtest.Lacks(t, page, "/schedules/payments", "No team, schedule, service or person is called")
		page = a.SignIn("stakeholder").Get("/oncall?q=ledger", http.StatusOK)
		webtest.Contains(t, page, "Dana Levi")
		webtest.Lacks(t, page, "mailto:")
	})
}
