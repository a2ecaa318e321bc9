package services_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestServicePages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Latency")
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/services", http.StatusOK), "Online shop", "Checkout API")
		webtest.Contains(t, ana.Get("/services/checkout-api", http.StatusOK), "Latency", "Production Europe", "SRE infrastructure", "Ben Adeyemi", "A signal now would page")
		ana.Get("/services/none", http.StatusNotFound)
		stakeholder := a.SignIn("stakeholder")
		webtest.Contains(t, stakeholder.Get("/services", http.StatusOK), "Checkout API")
		page := stakeholder.Get("/services/checkout-api", http.StatusOK)
		webtest.Contains(t, page, "Production Europe", "Availability of get data API")
		webtest.Lacks(t, page, `"/incidents`, "SRE infrastructure", "/integrations", "/policies", "/people")
	})
}
