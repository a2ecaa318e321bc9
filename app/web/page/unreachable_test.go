package page_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// kimOnCall has one person on call for a service alone, whose only contact method is on
// a channel that is not set up.
const kimOnCall = `version: 1
users:
  - {email: kim@acme.example, name: Kim Novak, role: responder, contacts: [{id: call, type: voice, value: "+34600000009", verified: true}]}
schedules:
  - {slug: nights, name: Nights, timezone: UTC, positions: [main], layers: [{name: only, members: [kim@acme.example], start: "2026-11-01 00:00"}]}
escalation_policies:
  - {slug: nights, name: Nights, steps: [{timeout: 5m, targets: [{schedule: nights, position: main}]}]}
services:
  - {slug: batch, name: Batch, escalation_policy: nights}
`

// TestUnreachableOnCallIsNamed covers every page that says who is on call.
func TestUnreachableOnCallIsNamed(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin, ana := a.SignIn("administrator"), a.SignIn("ana@acme.example")
		const alarm, own = "Kim Novak is on call for Nights and cannot be paged.", "You are on call for Nights and cannot be paged."
		webtest.Lacks(t, admin.Get("/oncall", http.StatusOK), "cannot be paged")
		a.Apply(kimOnCall)
		kim := a.SignIn("kim@acme.example")
		for _, path := range []string{"/oncall", "/incidents?tab=open", "/services"} {
			webtest.Contains(t, admin.Get(path, http.StatusOK), alarm, `href="/people/`+web.FormatInt(a.UserID("kim@acme.example")))
			webtest.Contains(t, kim.Get(path, http.StatusOK), own, `href="/me#contacts"`)
			webtest.Lacks(t, ana.Get(path, http.StatusOK), alarm)
		}
		webtest.Contains(t, admin.Get("/oncall", http.StatusOK), "1 person has no other contact method.")
		webtest.Lacks(t, ana.Get("/oncall", http.StatusOK), "no other contact method")
		webtest.Contains(t, admin.Get("/schedules", http.StatusOK), "cannot be paged")
		webtest.Contains(t, admin.Get("/services/batch", http.StatusOK), "A signal now pages nobody: Kim Novak cannot be paged, and neither can any administrator.")
		me := kim.Get("/me", http.StatusOK)
		webtest.Contains(t, me, "You cannot be paged; escalations skip you. Add a contact method of a kind that works here (SMS and email).")
		webtest.Lacks(t, me, "your other contacts are used")

		a.Apply("version: 1\nusers: [{email: administrator@acme.example, name: Root, role: administrator, contacts: [{id: mail, type: email, value: administrator@acme.example, verified: true}]}]\n")
		webtest.Contains(t, admin.Get("/services/batch", http.StatusOK), "A signal now pages the administrators (")
		a.Apply("version: 1\nusers: [{email: kim@acme.example, name: Kim Novak, role: responder, contacts: [{id: mail, type: email, value: kim@acme.example, verified: true}]}]\n")
		webtest.Lacks(t, admin.Get("/oncall", http.StatusOK), alarm, "cannot be paged")
		webtest.Contains(t, kim.Get("/me", http.StatusOK), "your other contacts are used")
		webtest.Contains(t, admin.Get("/services/batch", http.StatusOK), "A signal now would page Kim Novak first.")
	})
}

// TestAdministratorIsOfferedOwnAddress is at the page where a channel was just set up.
func TestAdministratorIsOfferedOwnAddress(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin := a.SignIn("administrator")
		const offer = "Verify administrator@acme.example as a contact"
		webtest.Contains(t, admin.Get("/settings/channels", http.StatusOK), offer)
		admin.Post("/me/contacts", http.StatusSeeOther, "medium", "email", "address", "administrator@acme.example")
		webtest.Contains(t, admin.Get("/settings/channels", http.StatusOK), offer, "/code\"")
		a.Apply("version: 1\nusers: [{email: administrator@acme.example, name: Root, role: administrator, contacts: [{id: sms, type: sms, value: \"+34600000008\", verified: true}]}]\n")
		webtest.Lacks(t, admin.Get("/settings/channels", http.StatusOK), offer)
	})
}
