package start_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// From the set-up link to an acknowledged test page, as a new user goes.
func TestSetUpToAcknowledgedTest(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Clear()
		token, err := a.Auth.SetupLink(t.Context())
		a.Must(err)
		b := a.Browser()
		b.Get("/setup/"+token, http.StatusOK)
		again := b.Post("/setup/"+token, http.StatusUnprocessableEntity, "organization", "", "name", "Mia Novak", "email", "mia", "timezone", "Europe/Vienna", "password", "short")
		webtest.Contains(t, again, `value="Mia Novak"`, `value="mia"`, "Enter the organisation’s name", "Enter an email address")
		webtest.Lacks(t, again, "short\"")
		// What is wrong with the organisation leaves the link as it was.
		for field, value := range map[string]string{"organization": "two\nlines", "timezone": ""} {
			form := map[string]string{"organization": strings.Repeat("ö", 100), "name": "Mia Novak", "email": "mia@novak.example", "timezone": "Europe/Vienna", "password": webtest.Password}
			form[field] = value
			var fields []string
			for name, value := range form {
				fields = append(fields, name, value)
			}
			webtest.Contains(t, b.Post("/setup/"+token, http.StatusUnprocessableEntity, fields...), `aria-invalid="true"`)
		}
		to := b.Post("/setup/"+token, http.StatusSeeOther, "organization", "Novak & Co", "name", "Mia Novak", "email", "mia@novak.example", "timezone", "Europe/Vienna", "password", webtest.Password)
		if to != "/start" {
			t.Fatalf("set-up led to %q", to)
		}
		b.Get("/setup/"+token, http.StatusGone)
		b.Get("/setup/never-made", http.StatusNotFound)

		invalid := b.Post("/me/contacts", http.StatusUnprocessableEntity, "medium", "sms", "address", "0660 12", "next", "/start")
		webtest.Contains(t, invalid, `value="0660 12"`, "country code", "Get your first page")
		b.Post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+43 660 1234567", "next", "/start")
		code := a.RunDue()
		if len(code) != 1 || code[0].To != "+436601234567" {
			t.Fatalf("sent %+v", code)
		}
		methods, err := a.DB.Access.ContactMethods(t.Context(), a.UserID("mia@novak.example"))
		a.Must(err)
		verify := "/me/contacts/" + web.FormatInt(methods[0].ID) + "/verify"
		webtest.Contains(t, b.Post(verify, http.StatusUnprocessableEntity, "code", "12"), "six digits")
		b.Post(verify, http.StatusSeeOther, "code", code[0].Text)

		unnamed := b.Post("/start/service", http.StatusUnprocessableEntity, "service", "检索", "team", "Pay${ments}")
		webtest.Contains(t, unnamed, `value="检索"`, `value="Pay${ments}"`, "needs a letter")
		b.Post("/start/service", http.StatusSeeOther, "service", `Search "2"`, "team", "Pay${ments}")
		b.Post("/start/service", http.StatusSeeOther, "service", "Search 3", "team", "Another")
		webtest.Contains(t, b.Get("/start", http.StatusOK), `Search "2" exists already.`, "curl", "/webhooks/slo/")
		entries, err := a.DB.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		a.Must(err)
		if e := entries[0]; e.Action != "integration.reveal_key" || e.Actor != "mia@novak.example" {
			t.Errorf("the key was shown, and the audit log ends with %+v", e)
		}
		webtest.Contains(t, b.Get("/teams/pay-ments", http.StatusOK), "Pay${ments}", "Mia Novak")
		webtest.Contains(t, b.Get("/services/search-2", http.StatusOK), `Search "2"`, "Mia Novak")
		webtest.Contains(t, b.Get("/integrations/search-2", http.StatusOK), "Mia Novak by SMS")
		b.Post("/start/test", http.StatusSeeOther)
		webtest.Contains(t, b.Get("/start", http.StatusOK), "incident #1 pages Mia Novak by SMS.", "Test breach by Mia Novak")
		a.RunDue()
		webtest.Contains(t, b.Get("/start", http.StatusOK), "SMS to Mia")
		b.Post("/incidents/1/acknowledge", http.StatusSeeOther, "next", "/start")
		webtest.Contains(t, b.Get("/start", http.StatusOK), "You’re set up.")
		a.Advance(time.Minute)
		to = b.Post("/integrations/search-2/test", http.StatusSeeOther)
		if !strings.HasPrefix(to, "/incidents/") {
			t.Fatalf("the test led to %q", to)
		}
		page := a.RunDue()
		if len(page) != 1 || page[0].To != "+436601234567" {
			t.Fatalf("the test paged %+v", page)
		}
		webtest.Contains(t, b.Get(to, http.StatusOK), "Test breach by Mia Novak", "Acknowledge")
		b.Post(to+"/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, b.Get(to, http.StatusOK), "You own this incident", "Mia Novak")
		if s, err := a.DB.Organization.Load(t.Context()); err != nil || s.Organization.Name != "Novak & Co" || s.Organization.Timezone != "Europe/Vienna" {
			t.Errorf("the organisation is %+v, %v", s.Organization, err)
		}
	})
}

// An integration of another format than the native one has its own words, and what
// its sender's configuration needs.
func TestStartWithOtherFormat(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const key = "pagerduty00000000000000000000key"
		a.ApplyPrune("version: 1\nintegrations: [{slug: clients, name: Clients, kind: pagerduty, service: checkout-api, key: " + key + "}]\n")
		b := a.SignIn("administrator")
		page := b.Get("/start", http.StatusOK)
		webtest.Contains(t, page, "Send a test event", "Send a test event of Checkout API", "Waiting for the test event", "pagerduty_configs", "routing_key: "+key)
		webtest.Lacks(t, page, "breach", "/webhooks/slo")
		b.Post("/start/test", http.StatusSeeOther)
		page = b.Get("/start", http.StatusOK)
		webtest.Contains(t, page, "Test event sent: incident #1 pages Ben Adeyemi by SMS.", "Put the key in the place of <code>$TOCSIN_KEY</code>", `<a href="/integrations/clients">Show the key</a>`)
		webtest.Lacks(t, page, key)
		page = a.SignIn("ana@acme.example").Get("/start", http.StatusOK)
		webtest.Contains(t, page, "Put the key in the place of", "manager and administrators can see it")
		webtest.Lacks(t, page, "Show the key")
	})
}

// A kind that an earlier version took signals of has no example and no test.
func TestStartWithUnregisteredKind(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		const key = "pagerduty00000000000000000000key"
		a.ApplyPrune("version: 1\nintegrations: [{slug: clients, name: Clients, kind: pagerduty, service: checkout-api, key: " + key + "}]\n")
		formats, err := ingest.NewFormats(slo.Format)
		a.Must(err)
		a.Slices.Start.Tests.Formats, a.Slices.Integrations.Tests.Formats = formats, formats
		a.Remount()
		b := a.SignIn("administrator")
		before, err := a.DB.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		a.Must(err)
		page := b.Get("/start", http.StatusOK)
		webtest.Contains(t, page, "There is no example of a sender to", `<a href="/integrations/clients">Clients</a>`)
		webtest.Lacks(t, page, "Send a test signal of", `action="/start/test"`, "start-curl", "Put the key", key)
		page = b.Get("/integrations/clients", http.StatusOK)
		webtest.Contains(t, page, "This version of Tocsin takes no signals of this kind.")
		webtest.Lacks(t, page, "Command that sends", "Put the key", "Send a test", "now would page")
		after, err := a.DB.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		a.Must(err)
		if after[0].ID != before[0].ID {
			t.Errorf("no key was shown, and the audit log ends with %+v", after[0])
		}
	})
}
