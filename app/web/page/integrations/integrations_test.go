package integrations_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
)

func TestRevealKey(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		dana, ana := a.SignIn("dev.manager@acme.example"), a.SignIn("ana@acme.example")
		for _, b := range []*webtest.Browser{dana, ana} {
			page := b.Get("/integrations/sre", http.StatusOK)
			webtest.Contains(t, page, "a signal’s own <code>dedup_key</code>, or else its deployment", "Send a test breach", "A breach now would page", "key1", "Ben Adeyemi by SMS", "https://tocsin.example.com/webhooks/slo")
			webtest.Lacks(t, page, webtest.Key)
		}
		ana.Post("/integrations/sre/key", http.StatusForbidden)
		webtest.Contains(t, dana.Post("/integrations/sre/key", http.StatusOK), webtest.Key)
		entries, err := a.DB.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		a.Must(err)
		if e := entries[0]; e.Action != "integration.reveal_key" || e.Actor != "dev.manager@acme.example" || e.Subject != "integration:sre" {
			t.Errorf("the audit log ends with %+v", e)
		}
	})
}

// TestIntegrationSnippets shows what the sender's configuration has to say, with
// the key once it is revealed, and a test in the words of the format.
func TestIntegrationSnippets(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const key = "pagerduty00000000000000000000key"
		a.ApplyPrune("version: 1\nintegrations: [{slug: sre}, {slug: clients, name: Clients, kind: pagerduty, service: checkout-api, key: " + key + "}]\n")
		dana := a.SignIn("dev.manager@acme.example")
		page := dana.Get("/integrations/clients", http.StatusOK)
		webtest.Contains(t, page, "PagerDuty Events API v2", "pagerduty_configs", "https://tocsin.example.com/v2/enqueue", "Put the key in the place of <code>$TOCSIN_KEY</code>", `<a href="#key-row">Show the key</a>`)
		webtest.Lacks(t, page, key)
		webtest.Contains(t, page, "an event’s <code>dedup_key</code>", "Send a test event", "An event now would page Ben Adeyemi by SMS")
		webtest.Lacks(t, page, "SLI and SLO name", "test breach", "A breach", "Command that sends a breach")
		revealed := dana.Post("/integrations/clients/key", http.StatusOK)
		webtest.Contains(t, revealed, "routing_key: "+key)
		webtest.Lacks(t, revealed, "Put the key")
		dana.Post("/integrations/clients/test", http.StatusSeeOther)
		webtest.Contains(t, dana.Get("/incidents/1", http.StatusOK), "Test event by Dana Levi", "Test incident #1 created; it pages like a real one.")
		webtest.Contains(t, dana.Get("/integrations/clients", http.StatusOK), "firing")
	})
}

// TestIntegrationDedupRule shows on its page, acts on what comes, and is
// followed by a test too.
func TestIntegrationDedupRule(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.ApplyPrune("version: 1\nintegrations: [{slug: sre, dedup: 'event.?endpoint.orValue(\"\") + event.service'}]\n")
		dana := a.SignIn("dev.manager@acme.example")
		webtest.Contains(t, dana.Get("/integrations/sre", http.StatusOK), "event.?endpoint.orValue(\"\") + event.service", "used instead of")
		first, second := a.PostBreach("Availability"), a.PostBreach("Latency")
		if first != second {
			t.Errorf("two breaches that the rule takes for one opened incidents %d and %d", first, second)
		}
		if to := dana.Post("/integrations/sre/test", http.StatusSeeOther); !strings.Contains(dana.Get("/incidents/1", http.StatusOK), "was deduplicated into incident #1") {
			t.Errorf("the test does not say whose incident it joined: %s", to)
		}
		integrations := webtest.Decode[struct {
			Items []struct{ Dedup *string }
		}](t, a.As(auth.Read, "GET", "/api/v1/integrations", ""), http.StatusOK)
		if rule := integrations.Items[0].Dedup; rule == nil || !strings.HasSuffix(*rule, "+ event.service") {
			t.Errorf("the API tells the rule %v", rule)
		}
	})
}

func TestReplayRejectedSignal(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const body = `{"service":"checkout-api","sli":"availability","slo":{"name":"Availability"}}`
		a.Do("POST", "/webhooks/slo/"+webtest.Key, body, "Content-Type", "text/plain")
		a.Do("POST", "/webhooks/slo/"+webtest.Key, `{"service":"checkout-api","sli":"availability","slo":{}}`)
		dana := a.SignIn("dev.manager@acme.example")
		webtest.Contains(t, dana.Get("/integrations", http.StatusOK), "2 rejected")
		webtest.Contains(t, dana.Get("/integrations/sre", http.StatusOK), body, "text/plain", "slo.name")
		dana.Post("/integrations/sre/rejected/1/replay", http.StatusSeeOther)
		webtest.Contains(t, dana.Get("/integrations/sre", http.StatusOK), "Replayed: created, incident #1.", "Dana Levi")
		dana.Post("/integrations/sre/rejected/1/replay", http.StatusSeeOther)
		webtest.Contains(t, dana.Get("/integrations/sre", http.StatusOK), "was replayed by")
		dana.Post("/integrations/sre/rejected/2/replay", http.StatusSeeOther)
		webtest.Contains(t, dana.Get("/integrations/sre", http.StatusOK), "slo.name")
		dana.Post("/integrations/sre/rejected/3/replay", http.StatusNotFound)
		webtest.Contains(t, dana.Get("/incidents/1", http.StatusOK), "Availability")
	})
}

func TestManagerReplaysOnlyOwnSignals(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		manager := a.SignIn("manager")
		a.Apply(`
version: 1
teams: [{slug: shop, name: Shop, manager: manager@acme.example}]
services: [{slug: cart, name: Cart, team: shop}]
integrations: [{slug: cart, name: Cart, kind: slo, service: cart, key: cart000000000000000000000000key2}]
`)
		const body = `{"service":"checkout-api","sli":"availability","slo":{"name":"Availability"}}`
		a.Do("POST", "/webhooks/slo/"+webtest.Key, body, "Content-Type", "text/plain") // rejected 1, of Payments
		a.Do("POST", "/webhooks/slo/cart000000000000000000000000key2", body, "Content-Type", "text/plain")
		manager.Post("/integrations/sre/rejected/1/replay", http.StatusForbidden)
		manager.Post("/integrations/cart/rejected/1/replay", http.StatusNotFound) // by way of one's own integration
		if counts, err := a.DB.Incidents.CountIncidents(t.Context(), 0); err != nil || counts.Open != 0 {
			t.Errorf("%d incidents are open, %v", counts.Open, err)
		}
		manager.Post("/integrations/cart/rejected/2/replay", http.StatusSeeOther)
		webtest.Contains(t, manager.Get("/incidents/1", http.StatusOK), "Availability")
	})
}

// A key without a service goes by the body, and says what a test does.
func TestIntegrationWithoutService(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Apply("version: 1\nintegrations:\n  - {slug: anything, name: Anything, kind: slo, key: any0000000000000000000000000key9}\n")
		page := a.SignIn("ana@acme.example").Get("/integrations/anything", http.StatusOK)
		webtest.Contains(t, page, "A breach names its service", "catch-all")
		webtest.Lacks(t, page, "would page only")
	})
}

// TestTestSignalAsksFirst says whom a test pages before it is sent, and for a key
// without a service lets choose it.
func TestTestSignalAsksFirst(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		var alone []string
		a.Slices.Integrations.OpenForMe = func(_ context.Context, by auth.Actor, title, service string) (int64, error) {
			alone = append(alone, by.Email+": "+title+", "+service)
			return 7, nil
		}
		a.Remount()
		a.Apply("version: 1\nintegrations:\n  - {slug: anything, name: Anything, kind: slo, key: any0000000000000000000000000key9}\n")
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/integrations/sre", http.StatusOK), "This pages <strong>Ben Adeyemi by SMS</strong>.", "Page Ben", "Only me")
		shared := ana.Get("/integrations/anything", http.StatusOK)
		webtest.Contains(t, shared, `<option value="checkout-api"`, "pages Ben Adeyemi by SMS", "Online shop: pages ")
		if to := ana.Post("/integrations/anything/test", http.StatusSeeOther, "service", "checkout-api", "only", "me"); to != "/incidents/7" {
			t.Errorf("a test for the reader alone leads to %s", to)
		}
		if len(alone) != 1 || alone[0] != "ana@acme.example: Test breach by Ana Ortiz, checkout-api" {
			t.Errorf("opened for the reader alone: %q", alone)
		}
		ana.Post("/integrations/anything/test", http.StatusSeeOther, "service", "nothing")
		webtest.Contains(t, ana.Get("/integrations/anything", http.StatusOK), "There is no service")
		if to := ana.Post("/integrations/anything/test", http.StatusSeeOther, "service", "online-shop"); to != "/incidents/1" {
			t.Errorf("a test leads to %s", to)
		}
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Online shop", "Test incident #1 created")
	})
}

func TestTestPagesOnlyItsSender(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example") // who is not on call
		to := ana.Post("/integrations/sre/test", http.StatusSeeOther, "only", "me")
		a.RunDue()
		webtest.Contains(t, ana.Get(to, http.StatusOK), "Test breach by Ana Ortiz", "It pages only you.")
		pages, err := a.DB.Paging.IncidentPages(t.Context(), 1)
		a.Must(err)
		if len(pages) == 0 {
			t.Fatal("nobody is paged")
		}
		for _, p := range pages {
			if p.UserEmail != "ana@acme.example" {
				t.Errorf("%s is paged", p.UserEmail)
			}
		}
	})
}
