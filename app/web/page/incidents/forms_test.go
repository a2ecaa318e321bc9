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
		for _, kind := range []string{"acknowledge", "resolve"} {
			ana.Post("/incidents/1/"+kind, http.StatusSeeOther)
			pages += ana.Get("/incidents/1", http.StatusOK)
		}
		for _, kind := range incident.ActKinds {
			if kind.Web {
				webtest.Contains(t, pages, `action="/incidents/1/`+kind.Name+`"`)
			}
		}
	})
}
