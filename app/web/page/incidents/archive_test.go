package incidents_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// withoutCheckout leaves out the service, its policy and its integration.
const withoutCheckout = `
version: 1
escalation_policies: [{slug: coordinators}]
services: [{slug: online-shop}]
integrations: []
`

const checkoutAgain = `
version: 1
escalation_policies:
  - {slug: payments, name: Payments, repeat: 0, steps: [{timeout: 5m, targets: [{user: ana@acme.example}]}]}
services:
  - {slug: checkout-api, name: Checkout API, escalation_policy: payments}
`

const linkToCheckout = `href="/services/checkout-api"`

func TestPruneRefusesWhatOpenIncidentsReferTo(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		first, second := a.PostBreach("a"), a.PostBreach("b")
		plan := a.PlanPrune(withoutCheckout).String()
		open := fmt.Sprintf("stays: it is in use by open incidents #%d, #%d.", first, second)
		webtest.Contains(t, plan, "! service checkout-api "+open, "! escalation policy payments "+open)
		webtest.Lacks(t, plan, "archived", "- service checkout-api", "- escalation policy payments")
	})
}

func TestPruneArchivesWhatResolvedIncidentsReferTo(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		number := a.PostBreach("a")
		page := fmt.Sprintf("/incidents/%d", number)
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get(page, http.StatusOK), linkToCheckout)
		ana.Post(page+"/resolve", http.StatusSeeOther, "resolution", "Rolled back.")

		webtest.Contains(t, a.ApplyPrune(withoutCheckout), "- service checkout-api: archived (1 incident keeps it)\n",
			"- escalation policy payments: archived (1 incident keeps it)\n", "- integration sre\n")
		old := ana.Get(page, http.StatusOK)
		webtest.Contains(t, old, "Checkout API")
		webtest.Lacks(t, old, linkToCheckout)
		ana.Get("/services/checkout-api", http.StatusNotFound)
		ana.Get("/policies/payments", http.StatusNotFound)
		webtest.Lacks(t, ana.Get("/services", http.StatusOK), "Checkout API")
		if w := a.Do("POST", slo.Path+"/"+webtest.Key, `{"service":"checkout-api","sli":"availability"}`); w.Code != http.StatusUnauthorized {
			t.Errorf("a signal to the key of an archived service gets %d %s", w.Code, w.Body)
		}
		state, err := a.DB.Organization.Editor(a.Keys).State(t.Context())
		a.Must(err)
		exported := state.Document()
		if slices.Contains(exported.Keys(organization.KindService), "checkout-api") || slices.Contains(exported.Keys(organization.KindPolicy), "payments") {
			t.Error("an export has what is archived")
		}

		// The team that the archived ones had can go.
		webtest.Contains(t, a.ApplyPrune("version: 1\nteams: []\nschedules: [{slug: coordinators}]\n"), "- team payments\n", "- schedule payments\n")
		webtest.Contains(t, ana.Get(page, http.StatusOK), "Checkout API")

		webtest.Contains(t, a.Apply(checkoutAgain), "+ service checkout-api: brought back from the archive\n",
			"+ escalation policy payments: brought back from the archive\n")
		webtest.Contains(t, ana.Get(page, http.StatusOK), linkToCheckout)
		webtest.Contains(t, ana.Get("/services/checkout-api", http.StatusOK), "Checkout API")
		webtest.Contains(t, a.Apply(checkoutAgain), "Nothing to change.")
	})
}

// TestIncidentSincePlanKeepsService has an incident open between a plan and its
// application.
func TestIncidentSincePlanKeepsService(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		unused, number := a.PlanPrune(withoutCheckout), a.PostBreach("a")
		refused := func(plan *organization.Plan) {
			t.Helper()
			if err := a.Carry(plan); !fault.Is(err, fault.KindConflict) {
				t.Errorf("removing what an open incident refers to: %v, want a conflict", err)
			}
		}
		refused(unused)
		ana := a.SignIn("ana@acme.example")
		ana.Post(fmt.Sprintf("/incidents/%d/resolve", number), http.StatusSeeOther)
		archiving := a.PlanPrune(withoutCheckout)
		a.PostBreach("b")
		refused(archiving)
		webtest.Contains(t, ana.Get("/services/checkout-api", http.StatusOK), "Checkout API")
	})
}
