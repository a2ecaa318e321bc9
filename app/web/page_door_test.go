package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

func TestLocalAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"/incidents?tab=mine":   "/incidents?tab=mine",
		"":                      "/",
		"//evil.example":        "/",
		`/\evil.example`:        "/",
		"https://evil.example/": "/",
		"javascript:alert(1)":   "/",
		"/\tevil":               "/",
		"incidents":             "/",
	} {
		if got := local(address); got != want {
			t.Errorf("%q leads to %q, want %q", address, got, want)
		}
	}
}

func TestSignIn(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.person("ana@acme.example")
		b := w.browser()
		if to := b.ask(http.MethodGet, "/incidents?tab=open", nil).Header().Get("Location"); to != "/sign-in?next=%2Fincidents%3Ftab%3Dopen" {
			t.Fatalf("who is not signed in is led to %q", to)
		}
		contains(t, b.get("/sign-in?next=/incidents/7", http.StatusOK), "Acme", `value="/incidents/7"`)
		again := b.post("/sign-in", http.StatusUnprocessableEntity, "email", "ana@acme.example", "password", "wrong", "next", "/incidents/7")
		contains(t, again, `value="ana@acme.example"`, `value="/incidents/7"`, "do not belong together")
		b.post("/sign-in", http.StatusUnprocessableEntity, "email", "no address", "password", "wrong")
		if to := b.post("/sign-in", http.StatusSeeOther, "email", "Ana@Acme.example", "password", password, "next", "//evil.example"); to != "/" {
			t.Errorf("signing in led to %q", to)
		}
		if to := b.ask(http.MethodGet, "/", nil).Header().Get("Location"); to != "/incidents" {
			t.Errorf("home is %q", to)
		}
		contains(t, b.get("/incidents", http.StatusOK), "Ana Ortiz")
		b.post("/sign-out", http.StatusSeeOther)
		contains(t, b.get("/sign-in", http.StatusOK), "signed out")
	})
}

// Where there is no administrator, nobody can give a link, but the server prints
// one.
func TestSignInLeadsToTheFirstAdministrator(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		const unset, form, ask = "There is no administrator yet", `name="password"`, "An administrator can give you a link."
		b := w.browser()
		fresh := b.get("/sign-in", http.StatusOK)
		contains(t, fresh, unset, "tocsin user add EMAIL --name NAME", "--role administrator")
		lacks(t, fresh, form, ask)
		w.person("ben@acme.example")
		unled := b.get("/sign-in", http.StatusOK)
		contains(t, unled, unset, form)
		lacks(t, unled, ask)
		w.must(w.deps.Auth.SetRole(t.Context(), auth.Tocsin, w.idOf("ana@acme.example"), auth.Administrator))
		ready := b.get("/sign-in", http.StatusOK)
		contains(t, ready, form, ask)
		lacks(t, ready, unset)
	})
}

func TestSignInIsLimited(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		b := w.browser()
		for range 10 {
			b.post("/sign-in", http.StatusUnprocessableEntity, "email", "ana@acme.example", "password", "wrong")
		}
		contains(t, b.post("/sign-in", http.StatusTooManyRequests, "email", "ana@acme.example", "password", "wrong"), "Too many attempts")
	})
}

// From the set-up link to an acknowledged test page, as a new user goes.
func TestFromSetUpToAnAcknowledgedTestPage(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.unfurnish()
		token, err := w.deps.Auth.SetupLink(t.Context())
		w.must(err)
		b := w.browser()
		b.get("/setup/"+token, http.StatusOK)
		again := b.post("/setup/"+token, http.StatusUnprocessableEntity, "organization", "", "name", "Mia Novak", "email", "mia", "timezone", "Europe/Vienna", "password", "short")
		contains(t, again, `value="Mia Novak"`, `value="mia"`, "Write the organisation’s name", "Write an email address")
		lacks(t, again, "short\"")
		// What is wrong with the organisation leaves the link as it was.
		for field, value := range map[string]string{"organization": "two\nlines", "timezone": ""} {
			form := map[string]string{"organization": strings.Repeat("ö", 100), "name": "Mia Novak", "email": "mia@novak.example", "timezone": "Europe/Vienna", "password": password}
			form[field] = value
			var fields []string
			for name, value := range form {
				fields = append(fields, name, value)
			}
			contains(t, b.post("/setup/"+token, http.StatusUnprocessableEntity, fields...), `aria-invalid="true"`)
		}
		to := b.post("/setup/"+token, http.StatusSeeOther, "organization", "Novak & Co", "name", "Mia Novak", "email", "mia@novak.example", "timezone", "Europe/Vienna", "password", password)
		if to != "/start" {
			t.Fatalf("set-up led to %q", to)
		}
		b.get("/setup/"+token, http.StatusGone)
		b.get("/setup/never-made", http.StatusNotFound)

		wrong := b.post("/me/contacts", http.StatusUnprocessableEntity, "medium", "sms", "address", "0660 12", "next", "/start")
		contains(t, wrong, `value="0660 12"`, "country code", "From here to a page")
		b.post("/me/contacts", http.StatusSeeOther, "medium", "sms", "address", "+43 660 1234567", "next", "/start")
		code := w.work()
		if len(code) != 1 || code[0].To != "+436601234567" {
			t.Fatalf("sent %+v", code)
		}
		methods, err := w.db.Access.ContactMethods(t.Context(), w.idOf("mia@novak.example"))
		w.must(err)
		verify := "/me/contacts/" + formatInt(methods[0].ID) + "/verify"
		contains(t, b.post(verify, http.StatusUnprocessableEntity, "code", "12"), "six digits")
		b.post(verify, http.StatusSeeOther, "code", code[0].Text)

		unnamed := b.post("/start/service", http.StatusUnprocessableEntity, "service", "检索", "team", "Pay${ments}")
		contains(t, unnamed, `value="检索"`, `value="Pay${ments}"`, "needs a letter")
		b.post("/start/service", http.StatusSeeOther, "service", `Search "2"`, "team", "Pay${ments}")
		b.post("/start/service", http.StatusSeeOther, "service", "Search 3", "team", "Another")
		contains(t, b.get("/start", http.StatusOK), `Search "2" is there already.`, "curl", "/webhooks/slo/")
		entries, err := w.db.Access.AuditLog(t.Context(), auth.AuditQuery{Limit: 1})
		w.must(err)
		if e := entries[0]; e.Action != "integration.reveal_key" || e.Actor != "mia@novak.example" {
			t.Errorf("the key was shown, and the audit log ends with %+v", e)
		}
		contains(t, b.get("/teams/pay-ments", http.StatusOK), "Pay${ments}", "Mia Novak")
		contains(t, b.get("/services/search-2", http.StatusOK), `Search "2"`, "Mia Novak")
		contains(t, b.get("/integrations/search-2", http.StatusOK), "Mia Novak by SMS")
		b.post("/start/test", http.StatusSeeOther)
		contains(t, b.get("/start", http.StatusOK), "incident #1. It pages Mia Novak by SMS.", "Test breach by Mia Novak")
		w.work()
		contains(t, b.get("/start", http.StatusOK), "SMS to Mia")
		b.post("/incidents/1/acknowledge", http.StatusSeeOther, "next", "/start")
		contains(t, b.get("/start", http.StatusOK), "That is the whole way.")
		w.advance(time.Minute)
		to = b.post("/integrations/search-2/test", http.StatusSeeOther)
		if !strings.HasPrefix(to, "/incidents/") {
			t.Fatalf("the test led to %q", to)
		}
		page := w.work()
		if len(page) != 1 || page[0].To != "+436601234567" {
			t.Fatalf("the test paged %+v", page)
		}
		contains(t, b.get(to, http.StatusOK), "Test breach by Mia Novak", "Acknowledge")
		b.post(to+"/acknowledge", http.StatusSeeOther)
		contains(t, b.get(to, http.StatusOK), "It is yours", "Mia Novak")
		if o, err := w.db.Organization.Organization(t.Context()); err != nil || o.Name != "Novak & Co" || o.Timezone != "Europe/Vienna" {
			t.Errorf("the organisation is %+v, %v", o, err)
		}
	})
}

func (w *town) idOf(email string) int64 {
	w.t.Helper()
	u, err := w.deps.Auth.UserByEmail(w.t.Context(), auth.Tocsin, email)
	w.must(err)
	return u.ID
}
