package incidents_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Some acts are offered in one status of the incident only, or right after
// another act.
func TestEveryActHasForm(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		ana := a.SignIn("ana@acme.example")
		pages := ana.Get("/incidents/1", http.StatusOK)
		pages += ana.Get("/incidents/1/responders", http.StatusOK) + ana.Get("/incidents/1/handover", http.StatusOK)
		for _, kind := range []string{"acknowledge", "resolve", "undo-resolve"} {
			ana.Post("/incidents/1/"+kind, http.StatusSeeOther)
			pages += ana.Get("/incidents/1", http.StatusOK)
		}
		ben := a.SignIn("ben@acme.example")
		ana.Post("/incidents/1/responders", http.StatusSeeOther, "users", "ben@acme.example")
		a.RunDue()
		pages += ben.Get("/incidents/1", http.StatusOK)
		for _, kind := range incident.ActKinds {
			if kind.Web {
				webtest.Contains(t, pages, `action="/incidents/1/`+kind.Name+`"`)
			}
		}
	})
}
