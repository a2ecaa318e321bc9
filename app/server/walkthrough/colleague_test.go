package walkthrough_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

var inviteLink = regexp.MustCompile(`https?://\S+/invite/[A-Za-z0-9_-]+`)

// An administrator connects the channels and invites a colleague, who is paged and
// acknowledges: on a phone, without a look at the terminal.
func TestChannelsAndColleague(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) string{
		"sqlite":   harness.SQLite,
		"postgres": harness.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := harness.NewWithoutChannels(t, database(t))
			h.Apply("acme.yaml")
			administrator := employ(t, h, auth.Administrator)
			invite(t, h, administrator)
			tab := signedIn(t, h, administrator, browser.Phone, browser.Light)
			open(t, tab, h, "/oncall")
			tab.WaitFor("No channel is set up: pages go to the server log only.")
			tab.Click("Set one up")
			connectMail(t, h, tab, administrator)
			connectTwilio(t, h, tab)
			open(t, tab, h, "/oncall")
			tab.WaitGone("No channel is set up")

			open(t, tab, h, "/people")
			tab.Fill("Email (optional)", "eve@acme.example")
			tab.Fill("Team", "Payments")
			tab.Click("Invite")
			tab.WaitFor("Sent to eve@acme.example.")
			link := inviteLink.FindString(h.Mailbox("eve@acme.example").ExpectMail("invites you to Tocsin").Text)
			content(t, tab)
			acceptAndAnswer(t, h, link)
		})
	}
}

func connectMail(t *testing.T, h *harness.Harness, tab *browser.Tab, to string) {
	t.Helper()
	server, err := url.Parse(h.Mail.URL())
	if err != nil {
		t.Fatal(err)
	}
	tab.ClickOn("#provider-smtp .channel-form > summary")
	tab.Fill("host", server.Hostname())
	tab.Fill("port", server.Port())
	tab.Fill("security", "None, not even for the password")
	set(tab, "provider-smtp-from", "Tocsin <tocsin@acme.example>")
	tab.Fill("Send the test to (email address)", to)
	tab.ClickOn("#provider-smtp button[value=test]")
	tab.WaitFor("The mail server accepted the test message for " + to)
	h.Mailbox(to).ExpectMail("Test message from Tocsin")
	tab.ClickOn("#provider-smtp button[value=save]")
	tab.WaitFor("Email (SMTP) is used from now on.")
	tab.WaitFor("Send the test to (email address)")
	tab.WaitGone("Send the test to (phone number)")
}

// connectTwilio tests a wrong token first. The right one is kept through the test.
func connectTwilio(t *testing.T, h *harness.Harness, tab *browser.Tab) {
	t.Helper()
	tab.ClickOn("#provider-twilio .channel-form > summary")
	tab.Fill("account-sid", h.Twilio.AccountSID)
	tab.Fill("auth-token", "wrong")
	set(tab, "provider-twilio-from", h.Twilio.Number)
	tab.Fill("Send the test to (phone number)", "+34600000001")
	set(tab, "provider-twilio-base-url", h.Twilio.URL())
	tab.ClickOn("#provider-twilio button[value=test]")
	tab.WaitFor("Not sent. Twilio")
	tab.Fill("auth-token", h.Twilio.AuthToken)
	tab.ClickOn("#provider-twilio button[value=test]")
	tab.WaitFor("Twilio accepted the test message for +34600000001")
	h.Phone("ana").ExpectSMS("Test message from Tocsin")
	tab.ClickOn("#provider-twilio button[value=save]")
	tab.WaitFor("SMS (Twilio) is used from now on.")
	if strings.Contains(tab.HTML(), h.Twilio.AuthToken) {
		t.Error("the page shows the token")
	}
	content(t, tab)
}

// acceptAndAnswer goes from the link of an invitation to an acknowledged page.
func acceptAndAnswer(t *testing.T, h *harness.Harness, link string) {
	t.Helper()
	tab := browser.New(t, browser.Phone, browser.Dark)
	tab.Open(link)
	tab.WaitFor("You sign in as eve@acme.example.")
	content(t, tab)
	tab.Fill("Your name", "Eve Tan")
	tab.Fill("Password", password)
	tab.Click("Create account")
	tab.WaitFor("Welcome, Eve")
	tab.Fill("Number or address", "+49 151 00000005")
	tab.ClickOn(".add-contact button")
	tab.WaitFor("Verification code")
	tab.Fill("code", sixDigits.FindString(h.Phone("eve").ExpectSMS().Body))
	tab.Click("Verify")
	tab.WaitFor("You’re set up.")
	content(t, tab)

	number := postBreach(t, h)
	h.Phone("ben").ExpectSMS()
	open(t, tab, h, incidentPath(number))
	tab.Click(fmt.Sprintf("Acknowledge incident %d", number))
	tab.WaitFor("by Eve Tan")
	if inc := h.Incident(number); inc["acknowledged_by"] != "eve@acme.example" {
		t.Errorf("acknowledged by %v", inc["acknowledged_by"])
	}
	used := browser.New(t, browser.Phone, browser.Dark)
	used.Open(link)
	used.WaitFor("This invitation has been used.")
	h.Advance(12 * time.Hour)
}

// set fills the field with an id: several forms have a field of its label.
func set(tab *browser.Tab, id, value string) {
	browser.Eval[bool](tab, fmt.Sprintf("(document.getElementById(%q).value = %q, true)", id, value))
}
