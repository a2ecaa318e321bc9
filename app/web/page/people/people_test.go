package people_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestPeople(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin := a.SignIn("administrator")
		again := admin.Post("/people", http.StatusUnprocessableEntity, "name", "Eve", "email", "ana@acme.example", "role", "manager")
		webtest.Contains(t, again, `value="Eve"`, `value="ana@acme.example"`, "This address is taken")
		page := admin.Post("/people", http.StatusOK, "name", "Eve", "email", "eve@acme.example", "role", "responder")
		webtest.Contains(t, page, "https://tocsin.example.com/password/", "eve@acme.example")
		webtest.Lacks(t, admin.Get("/people", http.StatusOK), "/password/")
		_, link, _ := strings.Cut(page, "https://tocsin.example.com/password/")
		link = link[:43]
		b := a.Browser()
		webtest.Contains(t, b.Get("/password/"+link, http.StatusOK), "Welcome, Eve")
		webtest.Contains(t, b.Post("/password/"+link, http.StatusUnprocessableEntity, "password", "short"), "at least")
		b.Post("/password/"+link, http.StatusSeeOther, "password", webtest.Password)
		webtest.Contains(t, b.Get("/incidents", http.StatusOK), "you are signed in")
		b.Get("/password/"+link, http.StatusGone)

		eve := "/people/" + web.FormatInt(a.UserID("eve@acme.example"))
		webtest.Contains(t, admin.Get(eve, http.StatusOK), "Eve", "responder")
		admin.Post(eve, http.StatusSeeOther, "name", "Eve Lund", "role", "manager")
		webtest.Contains(t, admin.Get(eve, http.StatusOK), "Eve Lund", "manager")
		admin.Post("/people/"+web.FormatInt(a.UserID("administrator@acme.example")), http.StatusSeeOther, "name", "Somebody else", "role", "responder")
		refused := admin.Get("/people", http.StatusOK)
		webtest.Contains(t, refused, "last administrator")
		webtest.Lacks(t, refused, "Somebody else")
		webtest.Contains(t, admin.Post(eve, http.StatusUnprocessableEntity, "name", " ", "role", "boss"), "A role is stakeholder", "Enter a name")
		webtest.Contains(t, admin.Post(eve+"/link", http.StatusOK), "https://tocsin.example.com/password/")
	})
}

func TestDeactivationNamesWhoCovers(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		admin := a.SignIn("administrator")
		ben := "/people/" + web.FormatInt(a.UserID("ben@acme.example"))
		asked := admin.Post(ben+"/deactivate", http.StatusOK)
		webtest.Contains(t, asked, "Deactivate Ben Adeyemi?", "schedule payments: Ben Adeyemi is on call in it", "covers)")
		webtest.Lacks(t, admin.Get(ben, http.StatusOK), "Deactivated: cannot sign in")
		admin.Post(ben+"/deactivate", http.StatusSeeOther, "confirmed", "yes")
		webtest.Contains(t, admin.Get(ben, http.StatusOK), "Deactivated", "Activate again")
		webtest.Lacks(t, admin.Get("/oncall", http.StatusOK), "Ben Adeyemi")
		admin.Post(ben+"/activate", http.StatusSeeOther)
		webtest.Contains(t, admin.Get("/oncall", http.StatusOK), "Ben Adeyemi")
	})
}

// TestOnlyWhoIsPagedNeedsContacts warns of nobody to whom no escalation comes.
func TestOnlyWhoIsPagedNeedsContacts(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.SignIn("stakeholder")
		ana := a.SignIn("ana@acme.example")
		const warning = "cannot be paged"
		webtest.Lacks(t, ana.Get("/people", http.StatusOK), warning)
		webtest.Lacks(t, ana.Get(fmt.Sprintf("/people/%d", a.UserID("stakeholder@acme.example")), http.StatusOK), warning)
		a.Apply("version: 1\nusers: [{email: kim@acme.example, name: Kim Novak, role: responder}]\nschedules:\n  - {slug: nights, name: Nights, timezone: UTC, positions: [main], layers: [{name: only, members: [kim@acme.example], start: \"2026-11-01 00:00\"}]}\n")
		webtest.Contains(t, ana.Get("/people", http.StatusOK), warning)
		webtest.Contains(t, ana.Get(fmt.Sprintf("/people/%d", a.UserID("kim@acme.example")), http.StatusOK), warning+"; escalations skip Kim")
	})
}
