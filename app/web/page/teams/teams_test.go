package teams_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestTeamPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/teams", http.StatusOK), "Payments", "Ben")
		webtest.Contains(t, ana.Get("/teams/payments", http.StatusOK), "Ana Ortiz", "Dana Levi", "#payments-slo-breaches", "Checkout API")
		ana.Get("/teams/none", http.StatusNotFound)
		a.SignIn("stakeholder").Get("/teams", http.StatusForbidden)
	})
}
