package policies_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestPolicyPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/policies", http.StatusOK), "4 runs")
		page := ana.Get("/policies/payments", http.StatusOK)
		webtest.Contains(t, page, "main on call in Payments", "Dana Levi", "Checkout API", "P1", "Effective since ", "<time datetime=")
		webtest.Lacks(t, page, "earlier versions")
		ana.Get("/policies/none", http.StatusNotFound)
		a.SignIn("stakeholder").Get("/policies", http.StatusForbidden)
	})
}
