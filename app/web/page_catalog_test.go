package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
)

// apply brings in a configuration and deletes what it leaves out.
func (w *town) apply(text string) {
	w.t.Helper()
	ctx := w.t.Context()
	file, err := blueprint.Parse("test", []byte(text), func(string) (string, bool) { return "", false })
	w.must(err)
	state, err := w.db.Organization.Configuration(ctx, w.keys)
	w.must(err)
	plan, err := file.Plan(state, blueprint.Options{Prune: true, TrustVerified: true})
	w.must(err)
	w.must(w.db.Organization.Apply(ctx, auth.Tocsin, w.keys, plan))
}

func TestTheKeyOfAnIntegration(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		dana, ana := w.person("dev.manager@acme.example"), w.person("ana@acme.example")
		for _, b := range []*browser{dana, ana} {
			page := b.get("/integrations/sre", http.StatusOK)
			contains(t, page, "key1", "Ben Adeyemi by SMS", "https://tocsin.example.com/webhooks/slo")
			lacks(t, page, exampleKey)
		}
		ana.post("/integrations/sre/key", http.StatusForbidden)
		contains(t, dana.post("/integrations/sre/key", http.StatusOK), exampleKey)
		entries, err := w.db.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		w.must(err)
		if e := entries[0]; e.Action != "integration.reveal_key" || e.Actor != "dev.manager@acme.example" || e.Subject != "integration:sre" {
			t.Errorf("the audit log ends with %+v", e)
		}
	})
}

// TestAnIntegrationsOwnRule shows on its page, acts on what comes, and is
// followed by a test too.
func TestAnIntegrationsOwnRule(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.apply("version: 1\nintegrations: [{slug: sre, dedup: 'event.?endpoint.orValue(\"\") + event.service'}]\n")
		dana := w.person("dev.manager@acme.example")
		contains(t, dana.get("/integrations/sre", http.StatusOK), "event.?endpoint.orValue(\"\") + event.service", "goes before")
		first, second := w.breach("Availability"), w.breach("Latency")
		if first != second {
			t.Errorf("two breaches that the rule takes for one opened incidents %d and %d", first, second)
		}
		if to := dana.post("/integrations/sre/test", http.StatusSeeOther); !strings.Contains(dana.get("/incidents/1", http.StatusOK), "takes them for the same") {
			t.Errorf("the test does not say whose incident it joined: %s", to)
		}
		integrations := decode[list[integrationJSON]](t, w.as(auth.Read, "GET", "/api/v1/integrations", ""), http.StatusOK)
		if rule := integrations.Items[0].Dedup; rule == nil || !strings.HasSuffix(*rule, "+ event.service") {
			t.Errorf("the API tells the rule %v", rule)
		}
	})
}

func TestARejectedSignalIsReplayed(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		const body = `{"service":"checkout-api","sli":"availability","slo":{"name":"Availability"}}`
		w.ask("POST", "/webhooks/slo/"+exampleKey, body, "Content-Type", "text/plain")
		w.ask("POST", "/webhooks/slo/"+exampleKey, `{"service":"checkout-api","sli":"availability","slo":{}}`)
		dana := w.person("dev.manager@acme.example")
		contains(t, dana.get("/integrations", http.StatusOK), "2 rejected")
		contains(t, dana.get("/integrations/sre", http.StatusOK), body, "text/plain", "slo.name")
		dana.post("/integrations/sre/rejected/1/replay", http.StatusSeeOther)
		contains(t, dana.get("/integrations/sre", http.StatusOK), "Replayed: created, incident #1.", "Dana Levi")
		dana.post("/integrations/sre/rejected/1/replay", http.StatusSeeOther)
		contains(t, dana.get("/integrations/sre", http.StatusOK), "was replayed by")
		dana.post("/integrations/sre/rejected/2/replay", http.StatusSeeOther)
		contains(t, dana.get("/integrations/sre", http.StatusOK), "slo.name")
		dana.post("/integrations/sre/rejected/3/replay", http.StatusNotFound)
		contains(t, dana.get("/incidents/1", http.StatusOK), "Availability")
		contains(t, dana.get("/services/checkout-api", http.StatusOK), "Availability of get data API", "Production Europe", "SRE infrastructure", "Ben Adeyemi")
		contains(t, dana.get("/services", http.StatusOK), "Online shop", "Checkout API")
		contains(t, dana.get("/teams/payments", http.StatusOK), "Ana Ortiz", "Dana Levi", "#payments-slo-breaches")
		contains(t, dana.get("/teams", http.StatusOK), "Payments", "Ben")
	})
}

func TestPagesSayWhoIsOnCall(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		b := w.person("stakeholder")
		all := b.get("/oncall", http.StatusOK)
		contains(t, all, "Payments", "Incident coordinators", "Ben Adeyemi", "Chiara Conti")
		lacks(t, all, "/schedules/payments")
		for query, want := range map[string]bool{"payments": true, "CHECKOUT": true, "ben": true, "coordinators": false, "nobody there": false} {
			page := b.get("/oncall?q="+strings.ReplaceAll(query, " ", "+"), http.StatusOK)
			if found := strings.Contains(page, "Ben Adeyemi"); found != want {
				t.Errorf("%q finds Ben: %t, want %t", query, found, want)
			}
		}
		ana := w.person("ana@acme.example")
		page := ana.get("/schedules/payments?from=2026-12-20", http.StatusOK)
		contains(t, page, "weekly", "Ben Adeyemi", "from=2026-12-06", "from=2027-01-03", "Today")
		contains(t, ana.get("/schedules/payments?from=no+day", http.StatusOK), "from=2026-12-07")
		contains(t, ana.get("/schedules", http.StatusOK), "Payments", "Europe/Madrid")
		contains(t, ana.get("/policies/payments", http.StatusOK), "main on call in Payments", "Dana Levi", "Checkout API", "P1")
		contains(t, ana.get("/policies", http.StatusOK), "4 runs")
		for _, path := range []string{"/policies/payments", "/schedules/payments"} {
			page := ana.get(path, http.StatusOK)
			contains(t, page, "In force since ", "<time datetime=")
			lacks(t, page, "earlier versions")
		}
		contains(t, ana.get("/me", http.StatusOK), "Payments", "+34600000001")
		contains(t, ana.get("/people", http.StatusOK), "Chiara Conti")
		w.advance(7 * 24 * time.Hour)
		contains(t, ana.get("/oncall", http.StatusOK), "on call until")
	})
}

func TestRulesProfileAndPassword(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		ana := w.person("ana@acme.example")
		methods, err := w.db.Access.ContactMethods(t.Context(), w.idOf("ana@acme.example"))
		w.must(err)
		sms, mail := formatInt(methods[0].ID), formatInt(methods[2].ID)
		again := ana.post("/me/rules", http.StatusUnprocessableEntity, "urgency", "high", "contact", sms, "after", "soon", "contact", mail, "after", "7")
		contains(t, again, `value="soon"`, `value="7"`, "aria-invalid")
		ana.post("/me/rules", http.StatusSeeOther, "urgency", "high", "contact", mail, "after", "2.5", "contact", "", "after", "9")
		rules, err := w.db.Access.Rules(t.Context(), w.idOf("ana@acme.example"))
		w.must(err)
		if len(rules) != 2 || rules[0].Urgency != "high" || rules[0].AfterSeconds != 150 || rules[0].ContactMethodID != methods[2].ID || rules[1].Urgency != "low" {
			t.Errorf("the rules are %+v", rules)
		}
		ana.post("/me/rules", http.StatusUnprocessableEntity, "urgency", "high", "contact", "9999", "after", "1")
		ana.post("/me/contacts/"+sms+"/remove", http.StatusSeeOther)
		lacks(t, ana.get("/me", http.StatusOK), "/me/contacts/"+sms+"/")

		contains(t, ana.post("/me/profile", http.StatusUnprocessableEntity, "name", " ", "timezone", "Mars/Base"), "Write a name", "Write a time zone")
		ana.post("/me/profile", http.StatusSeeOther, "name", "Ana Ortiz Ruiz", "timezone", "Asia/Kathmandu")
		contains(t, ana.get("/me", http.StatusOK), "Ana Ortiz Ruiz", "Asia/Kathmandu")
		wrong := ana.post("/me/password", http.StatusUnprocessableEntity, "current", "not it, is it", "password", "another good sentence")
		contains(t, wrong, "not your present password")
		lacks(t, wrong, "another good sentence")
		ana.post("/me/password", http.StatusSeeOther, "current", password, "password", "another good sentence")
		ana.get("/me", http.StatusOK)
	})
}

func TestPeople(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		admin := w.person("administrator")
		again := admin.post("/people", http.StatusUnprocessableEntity, "name", "Eve", "email", "ana@acme.example", "role", "manager")
		contains(t, again, `value="Eve"`, `value="ana@acme.example"`, "This address is taken")
		page := admin.post("/people", http.StatusOK, "name", "Eve", "email", "eve@acme.example", "role", "responder")
		contains(t, page, "https://tocsin.example.com/password/", "eve@acme.example")
		lacks(t, admin.get("/people", http.StatusOK), "/password/")
		_, link, _ := strings.Cut(page, "https://tocsin.example.com/password/")
		link = link[:43]
		b := w.browser()
		contains(t, b.get("/password/"+link, http.StatusOK), "Welcome, Eve")
		contains(t, b.post("/password/"+link, http.StatusUnprocessableEntity, "password", "short"), "at least")
		b.post("/password/"+link, http.StatusSeeOther, "password", password)
		contains(t, b.get("/incidents", http.StatusOK), "you are signed in")
		b.get("/password/"+link, http.StatusGone)

		eve := "/people/" + formatInt(w.idOf("eve@acme.example"))
		contains(t, admin.get(eve, http.StatusOK), "Eve", "responder")
		admin.post(eve, http.StatusSeeOther, "name", "Eve Lund", "role", "manager")
		contains(t, admin.get(eve, http.StatusOK), "Eve Lund", "manager")
		admin.post("/people/"+formatInt(w.idOf("administrator@acme.example")), http.StatusSeeOther, "name", "The administrator", "role", "responder")
		contains(t, admin.get("/people", http.StatusOK), "last administrator")
		contains(t, admin.post(eve+"/link", http.StatusOK), "https://tocsin.example.com/password/")
	})
}

func TestSinceWhenAVersionIsInForce(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	var many []time.Time
	for n := range 10 {
		many = append(many, day(n+1))
	}
	for name, c := range map[string]struct {
		since   []time.Time
		want    time.Time
		earlier int
		first   time.Time
	}{
		"none":                       {nil, time.Time{}, 0, time.Time{}},
		"one that nobody knows":      {[]time.Time{{}}, time.Time{}, 0, time.Time{}},
		"one":                        {many[:1], day(1), 0, time.Time{}},
		"one of this moment":         {[]time.Time{day(20)}, day(20), 0, time.Time{}},
		"one that is still to come":  {[]time.Time{day(3), day(21)}, day(3), 0, time.Time{}},
		"more than are worth naming": {many, day(10), mostVersions, day(9)},
	} {
		got, earlier := inForce(c.since, day(20))
		if !got.Equal(c.want) || len(earlier) != c.earlier || len(earlier) > 0 && !earlier[0].Equal(c.first) {
			t.Errorf("%s: since %s, earlier %v", name, got, earlier)
		}
	}
}
