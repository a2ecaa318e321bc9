package incidents_test

import (
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestNewIncidentShowsWhomItPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		webtest.Contains(t, ana.Get("/incidents/new", http.StatusOK), "Choose a service to see whom this pages.")
		webtest.Contains(t, ana.Get("/incidents/new?service=checkout-api&priority=1", http.StatusOK), "This pages now:", "Ben Adeyemi", "by SMS")
		a.Apply("version: 1\norganization:\n  support_hours: {days: [mon, tue, wed, thu, fri], from: \"09:00\", to: \"17:00\"}\n")
		webtest.Contains(t, ana.Get("/incidents/new?service=checkout-api&priority=4", http.StatusOK), "Low urgency. This pages at")
		a.Apply("version: 1\nservices:\n  - slug: lonely\n    name: Lonely\n")
		webtest.Contains(t, ana.Get("/incidents/new?service=lonely", http.StatusOK), "has no escalation policy: the administrators are paged")
	})
}

func TestNewIncidentPages(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		wrong := ana.Post("/incidents/new", http.StatusUnprocessableEntity, "description", "It smells of smoke")
		webtest.Contains(t, wrong, "Enter a title.", "Choose a service.", "It smells of smoke")
		webtest.Contains(t, ana.Post("/incidents/new", http.StatusUnprocessableEntity, "title", "Two\nlines", "service", "checkout-api"), "must be one line")
		webtest.Contains(t, ana.Post("/incidents/new", http.StatusUnprocessableEntity, "title", "x", "service", "checkout-api", "priority", "one"), "Choose one of the priorities.")
		for range 2 { // a double click
			ana.Post("/incidents/new", http.StatusSeeOther, "title", "Nobody can pay", "service", "checkout-api", "deployment", "prod-eu", "priority", "1", "description", "See https://dash.acme.example/pay", "key", "k1")
		}
		page := ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "Incident #1 opened.", "Nobody can pay", "Production Europe", `<a href="https://dash.acme.example/pay"`, "Opened by")
		if sent := a.RunDue(); len(sent) == 0 || sent[0].Name != "Ben Adeyemi" {
			t.Errorf("sent %+v; want a message to Ben Adeyemi", sent)
		}
		ana.Get("/incidents/2", http.StatusNotFound)
	})
}

func TestPageSomebody(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana := a.SignIn("ana@acme.example")
		chiara := web.FormatInt(a.UserID("chiara@acme.example"))
		webtest.Contains(t, ana.Get("/page?q=chia", http.StatusOK), "Chiara Conti", "/page?users="+chiara)
		webtest.Contains(t, ana.Get("/page?q=zzz", http.StatusOK), "Nobody found.")
		webtest.Contains(t, ana.Get("/page?user="+chiara, http.StatusOK), "Page Chiara Conti", "by email")
		webtest.Contains(t, ana.Get("/page?schedule=payments", http.StatusOK), "Ben Adeyemi", "Chiara Conti")
		webtest.Contains(t, ana.Get("/page?user=99999", http.StatusOK), "There is no person")
		webtest.Contains(t, ana.Post("/page", http.StatusUnprocessableEntity, "reason", "Look"), "Choose whom to page.")
		webtest.Contains(t, ana.Post("/page", http.StatusUnprocessableEntity, "users", chiara, "reason", " "), "Say why: it is in the page.", "Chiara Conti")
		ana.Post("/page", http.StatusSeeOther, "users", chiara, "reason", "Please look at the ledger\nIt is odd.", "key", "k1")
		sent := a.RunDue()
		if len(sent) != 1 || sent[0].Name != "Chiara Conti" || sent[0].Subjects[0].Title != "Please look at the ledger" {
			t.Errorf("sent %+v; want one message to Chiara Conti", sent)
		}
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "Paging starts. #1 shows who was reached.", "Please look at the ledger", "Chiara Conti")
	})
}

func TestPageSomebodyToJoin(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		n := a.PostBreach("Availability")
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		ana.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		chiara := web.FormatInt(a.UserID("chiara@acme.example"))
		webtest.Contains(t, ana.Get("/page?incident=1&user="+chiara, http.StatusOK), "To join", "Availability")
		ana.Get("/page?incident=77&user="+chiara, http.StatusNotFound)
		ana.Post("/page", http.StatusSeeOther, "users", chiara, "incident", "1", "reason", "You know the ledger")
		if sent := a.RunDue(); len(sent) != 1 || sent[0].Name != "Chiara Conti" {
			t.Errorf("sent %+v; want one message to Chiara Conti", sent)
		}
		row, err := a.DB.Incidents.Incident(t.Context(), n)
		a.Must(err)
		if row.Status != incident.Acknowledged || *row.OwnerID != a.UserID("ana@acme.example") {
			t.Errorf("it is %s by %d; want Ana to own it still", row.Status, *row.OwnerID)
		}
		ana.Post("/incidents/1/resolve", http.StatusSeeOther)
		ana.Post("/page", http.StatusSeeOther, "users", chiara, "incident", "1", "reason", "Too late")
		webtest.Contains(t, ana.Get("/incidents/1", http.StatusOK), "data-failed")
	})
}

// TestPageSomebodyWithoutService neither warns of a policy that was not asked nor has
// sentences about a service that there is not.
func TestPageSomebodyWithoutService(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		ana, chiara := a.SignIn("ana@acme.example"), a.SignIn("chiara@acme.example")
		ana.Post("/page", http.StatusSeeOther, "users", web.FormatInt(a.UserID("chiara@acme.example")), "reason", "Please look at the ledger", "key", "k1")
		if sent := a.RunDue(); len(sent) != 1 || sent[0].Subjects[0].Asked != "Ana Ortiz pages you" {
			t.Errorf("sent %+v; want one message that says who pages", sent)
		}
		page := ana.Get("/incidents/1", http.StatusOK)
		webtest.Contains(t, page, "asked by Ana Ortiz")
		webtest.Lacks(t, page, "has no escalation policy", "has no runbook", "named in the policy", `href="/services/"`)
		why := chiara.Get("/incidents/1/pages/1", http.StatusOK)
		webtest.Contains(t, why, "Ana Ortiz paged you.", "“Please look at the ledger”")
		webtest.Lacks(t, why, "The policy")
	})
}

// TestMessagesNameWhoAcknowledged has names, not addresses, and says first who asks for
// what.
func TestMessagesNameWhoAcknowledged(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("Availability")
		a.RunDue()
		ana := a.SignIn("ana@acme.example")
		ana.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		ana.Post("/incidents/1/handover", http.StatusSeeOther, "user", web.FormatInt(a.UserID("chiara@acme.example")), "message", "I have to go")
		sent := a.RunDue()
		if len(sent) != 1 {
			t.Fatalf("sent %+v, want one message", sent)
		}
		if s := sent[0].Subjects[0]; s.Asked != "Ana Ortiz asks you to take over" || s.Message != "I have to go" || s.By != "Ana Ortiz" {
			t.Errorf("it is asked %q with %q, and acknowledged by %q", s.Asked, s.Message, s.By)
		}
	})
}
