package walkthrough_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

const title = "Availability of get data API"

// From the breach to what fixed it, by clicking, on a telephone.
func TestAnswerBreach(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		answer(t, h)
	})
}

// The same where no script runs.
func TestAnswerBreachWithoutScripts(t *testing.T) {
	t.Parallel()
	answer(t, onSQLite(t, "acme.yaml"), browser.JavaScriptOff())
}

func answer(t *testing.T, h *harness.Harness, options ...browser.Option) {
	t.Helper()
	h.AdvanceTo(evening)
	invite(t, h, ben)
	number := postBreach(t, h)
	h.Phone("ben").ExpectSMS(fmt.Sprintf("#%d", number), "Checkout API", title)

	tab := browser.New(t, browser.Phone, browser.Dark, append(options, browser.Zone("Europe/London"))...)
	open(t, tab, h, "/")
	signIn(tab, ben)
	tab.WaitFor("Triggered")
	tab.Click(title)
	tab.WaitFor("Responders")
	tab.WaitFor("Ben Adeyemi")
	tab.WaitFor("98.9 %")
	tab.WaitFor("If nobody acts")
	tab.WaitFor("Chiara Conti")

	h.Advance(2*time.Minute + 40*time.Second)
	tab.Click(fmt.Sprintf("Acknowledge incident %d", number))
	tab.WaitFor("Acknowledged 18:12:40 by Ben Adeyemi")
	tab.WaitGone("If nobody acts")
	h.Advance(12 * time.Hour)
	h.NobodyElseIsPaged()

	tab.Click("Resolve")
	tab.Fill("What fixed it?", "Rolled back 4.2.1")
	tab.Click(fmt.Sprintf("Resolve #%d", number))
	tab.WaitFor("Ben Adeyemi resolved it")
	tab.WaitFor("“Rolled back 4.2.1”")
	if inc := h.Incident(number); inc["status"] != "resolved" || inc["acknowledged_by"] != ben {
		t.Errorf("the incident is %v, acknowledged by %v", inc["status"], inc["acknowledged_by"])
	}
	content(t, tab)
}

// The link in the message needs no account; looking at it does nothing.
func TestLinkInSMSAcknowledges(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := browser.New(t, browser.Phone, browser.Dark)
	tab.Open(h.Phone("ben").ExpectSMS().Link())
	tab.WaitFor("You act as Ben Adeyemi.")
	if inc := h.Incident(number); inc["status"] != "triggered" {
		t.Fatalf("looking at the link made the incident %v", inc["status"])
	}
	tab.Click("Acknowledge")
	tab.WaitFor("Acknowledged 18:10:00. You own this incident; paging has stopped.")
	h.Advance(12 * time.Hour)
	h.NobodyElseIsPaged()

	tab.Click("Resolve")
	tab.Fill("What fixed it?", "A restart")
	tab.Click(fmt.Sprintf("Resolve #%d", number))
	tab.WaitFor("Resolved 06:10:00.")
	if inc := h.Incident(number); inc["status"] != "resolved" {
		t.Errorf("the incident is %v", inc["status"])
	}
	content(t, tab)
}

// A person who opens a link second sees who was first.
func TestLinkInMailAfterAck(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	postBreach(t, h)
	sms := h.Phone("ben").ExpectSMS()
	h.Advance(time.Hour)
	h.Phone("ben").Ignore()
	link := harness.Link(h.Mailbox(chiara).ExpectMail("Checkout API").Text)
	tab := browser.New(t, browser.Phone, browser.Light)
	tab.Open(link)
	tab.WaitFor("You act as Chiara Conti.")
	sms.Reply("ack")
	tab.Click("Acknowledge")
	tab.WaitFor("Ben Adeyemi was first")
	content(t, tab)
}

// A page that is open on an incident, and the list, change by themselves.
func TestOpenPageIsUpdated(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	list := signedIn(t, h, dana, browser.Desktop, browser.Light)
	open(t, list, h, "/incidents")
	browser.Eval[string](list, "document.body.dataset.same = 'yes'")
	number := postBreach(t, h)
	list.WaitFor(title)

	page := signedIn(t, h, ben, browser.Phone, browser.Light)
	open(t, page, h, incidentPath(number))
	page.WaitFor("Triggered")
	browser.Eval[string](page, "document.body.dataset.same = 'yes'")
	h.Phone("ben").ExpectSMS().Reply("ack")
	page.WaitFor("Acknowledged 18:10:00 by Ben Adeyemi")
	list.WaitFor("Acknowledged")
	for _, tab := range []*browser.Tab{list, page} {
		if !browser.Eval[bool](tab, "document.body.dataset.same === 'yes'") {
			t.Error("the page was loaded again, rather than brought up to date")
		}
		content(t, tab)
	}
}

// A browser has few connections to give away: see disconnect in app.js.
func TestHiddenTabIsUpdatedWhenShown(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.WaitFor("Triggered")
	turn := func(hidden bool) {
		browser.Eval[bool](tab, fmt.Sprintf(`Object.defineProperty(document, "hidden", {configurable: true, value: %t}),
			document.dispatchEvent(new Event("visibilitychange"))`, hidden))
	}
	browser.Eval[bool](tab, `(() => {
		const close = EventSource.prototype.close;
		EventSource.prototype.close = function () { document.body.dataset.closed = "yes"; close.call(this); };
		return true;
	})()`)
	turn(true)
	if !browser.Eval[bool](tab, `document.body.dataset.closed === "yes"`) {
		t.Error("the connection is kept")
	}
	h.Phone("ben").ExpectSMS().Reply("ack")
	turn(false)
	tab.WaitFor("Acknowledged 18:10:00 by Ben Adeyemi")
	content(t, tab)
}

func TestKeysAcknowledgeAndHelp(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.Press("?")
	tab.WaitFor("Next and previous incident in the list")
	tab.Click("Close")
	tab.WaitGone("Next and previous incident in the list")
	tab.Press("a")
	tab.WaitFor("Acknowledged 18:10:00 by Ben Adeyemi")
	content(t, tab)
}

// Without the network the button says so and goes on trying.
func TestAcknowledgeRetriesOffline(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Phone, browser.Dark)
	open(t, tab, h, incidentPath(number))
	tab.Offline(true)
	tab.Click(fmt.Sprintf("Acknowledge incident %d", number))
	tab.WaitFor("Not sent, retry")
	if inc := h.Incident(number); inc["status"] != "triggered" {
		t.Fatalf("the incident is %v", inc["status"])
	}
	tab.Offline(false)
	tab.WaitFor("Acknowledged 18:10:00 by Ben Adeyemi")
}
