package walkthrough_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// From an empty database to an acknowledged test page.
func TestFirstRun(t *testing.T) {
	harness.ForEach(t, "", func(t *testing.T, h *harness.Harness) {
		token, err := h.Server.Auth.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tab := browser.New(t, browser.Phone, browser.Light)
		open(t, tab, h, "/setup/"+token)
		tab.Fill("Organisation", "Novak & Co")
		tab.Fill("Your name", "Ana Novak")
		tab.Fill("Your email", "ana@novak.example")
		tab.Fill("Password", password)
		tab.Fill("Time zone", "Europe/Vienna")
		tab.Click("Create administrator")
		tab.WaitFor("Get your first page")

		tab.Fill("Number or address", "+34 600 000 001")
		tab.ClickOn(".add-contact button")
		tab.WaitFor("Verification code")
		tab.Fill("code", sixDigits.FindString(h.Phone("ana").ExpectSMS().Body))
		tab.Click("Verify")

		tab.WaitFor("A service is what breaks.")
		tab.Fill("Service", "Checkout API")
		tab.Fill("Team that owns it", "Payments")
		tab.Click("Create")

		tab.Click("Send a test breach of Checkout API")
		tab.WaitFor("Test breach sent: incident #1 pages Ana Novak by SMS.")
		text := h.Phone("ana").ExpectSMS("#1", "Test breach")
		if text.To != "+34600000001" {
			t.Errorf("the page went to %s", text.To)
		}
		open(t, tab, h, "/start")
		h.Advance(20 * time.Second)
		tab.Click("Acknowledge")
		tab.WaitFor("You’re set up.")
		tab.Click("Open incident #1")
		tab.WaitFor("Acknowledged 10:00:20 by Ana Novak")
		tab.WaitFor("SMS to Ana")
		h.Advance(12 * time.Hour)
		h.NobodyElseIsPaged()
		content(t, tab)
		open(t, tab, h, "/start")
		tab.WaitFor("20 s after the signal")
	})
}

// The checklist moves on when the breach comes from a tool and the answer from
// the telephone.
func TestChecklistAdvances(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, "/start")
	tab.WaitFor("Send a test breach of Checkout API")
	postBreach(t, h)
	tab.WaitFor(title)
	h.Phone("ben").ExpectSMS().Reply("ack")
	tab.WaitFor("You’re set up.")
	content(t, tab)
}

func TestSignInErrors(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	invite(t, h, ben)
	tab := browser.New(t, browser.Phone, browser.Light)
	open(t, tab, h, "/policies/payments")
	tab.Fill("Email", ben)
	tab.Fill("Password", "not the sentence")
	tab.Click("Sign in")
	tab.WaitFor("Wrong email or password.")
	holds(t, tab, "email", ben)
	holds(t, tab, "password", "")
	tab.Fill("Password", password)
	tab.Click("Sign in")
	tab.WaitFor("Step by step")
	if want := h.URL + "/policies/payments"; tab.Location() != want {
		t.Errorf("signing in led to %s, want %s", tab.Location(), want)
	}
	tab.Click("More")
	tab.Click("Sign out")
	tab.WaitFor("signed out")
	if status := tab.Open(h.URL + "/setup/never-made"); status != http.StatusNotFound {
		t.Errorf("a set-up link that was never made is answered %d", status)
	}
}

// What was typed stays, and what is wrong is marked where it stands.
func TestFormsKeepInput(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	for _, options := range [][]browser.Option{nil, {browser.JavaScriptOff()}} {
		tab := signedIn(t, h, ben, browser.Phone, browser.Light, options...)
		open(t, tab, h, "/me")
		tab.Fill("medium", "sms")
		tab.Fill("Number or address", "0660 12")
		tab.ClickOn(".add-contact button")
		marked(t, tab, "address")
		holds(t, tab, "address", "0660 12")
	}
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.Click("More actions")
	tab.Fill("Priority", "P1")
	browser.Eval[bool](tab, "document.querySelector('[name=reason]').form.noValidate = true")
	tab.Click("Set the priority")
	marked(t, tab, "reason")
	tab.Fill("Why?", "More regions fail")
	tab.Click("Set the priority")
	tab.WaitFor("“More regions fail”")
}

// holds checks what a field holds.
func holds(t *testing.T, tab *browser.Tab, field, want string) {
	t.Helper()
	if got := browser.Eval[string](tab, `document.querySelector("[name=`+field+`]").value`); got != want {
		t.Errorf("%s holds %q, want %q", field, got, want)
	}
}

// marked waits until a field is marked as wrong.
func marked(t *testing.T, tab *browser.Tab, field string) {
	t.Helper()
	tab.Measure(`[name=` + field + `][aria-invalid=true]`)
}
