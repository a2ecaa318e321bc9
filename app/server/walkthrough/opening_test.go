package walkthrough_test

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

func TestNewIncident(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	for name, device := range map[string]browser.Device{"Nobody can pay by card": browser.Phone, "Nobody can pay at all": browser.Desktop} {
		tab := signedIn(t, h, dana, device, browser.Light)
		open(t, tab, h, "/incidents/new")
		tab.WaitFor("Choose a service to see whom this pages.")
		tab.Fill("Title", name)
		tab.Fill("Service", "Checkout API")
		tab.WaitFor("This pages now:")
		tab.WaitFor("Ben Adeyemi")
		tab.Fill("Priority", "P1")
		tab.Fill("Description", "Since noon.")
		tab.Click("Open incident and page")
		tab.WaitFor("Dana Levi")
		tab.WaitFor("Since noon.")
		h.WaitIdle()
		h.Phone("ben").ExpectSMS(name)
		content(t, tab)
	}
}

func TestPageSomebody(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	for name, options := range map[string][]browser.Option{"with scripts": nil, "without": {browser.JavaScriptOff()}} {
		tab := signedIn(t, h, dana, browser.Phone, browser.Dark, options...)
		open(t, tab, h, "/page")
		tab.Fill("Search people, teams and schedules", "aden")
		tab.ClickOn(".search-whom button")
		tab.WaitFor("Nobody found.")
		tab.Fill("Search people, teams and schedules", "ben")
		tab.ClickOn(".search-whom button")
		tab.Click("Ben Adeyemi")
		tab.WaitFor("by SMS")
		tab.Fill("Reason", "Please look at the ledger, "+name)
		tab.Click("Page Ben Adeyemi")
		tab.WaitFor("Paging starts.")
		h.WaitIdle()
		h.Phone("ben").ExpectSMS("Please look at the ledger, " + name)
		content(t, tab)
	}
}

// A note leaves the page where it was scrolled to, and an address in it is a link.
func TestNoteKeepsPlace(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Phone, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.Fill("Add a note", "See https://dash.acme.example/ledger.")
	const place = `document.querySelector("#field-note").getBoundingClientRect().top`
	before := browser.Eval[float64](tab, `document.querySelector("#field-note").scrollIntoView({block: "center"}), `+place)
	tab.Click("Add")
	tab.Until(`document.querySelector(".timeline a[href='https://dash.acme.example/ledger']")`)
	if after := browser.Eval[float64](tab, place); after < before-60 || after > before+60 {
		t.Errorf("the field was %v px down on the screen, and is %v after the note", before, after)
	}
	if kept := browser.Eval[string](tab, `document.querySelector("#field-note").value`); kept != "" {
		t.Errorf("the field still has %q", kept)
	}
}

// After a resolve by keyboard the Tab key goes to Undo.
func TestTabReachesUndo(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	h.Phone("ben").ExpectSMS().Reply("ack")
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.WaitFor("Acknowledged 18:10:00 by Ben Adeyemi")
	browser.Eval[bool](tab, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "r", bubbles: true}))`)
	tab.Until(`document.activeElement.name === "resolution"`)
	tab.Press("Rolled back." + browser.TabKey + browser.EnterKey)
	tab.WaitFor("Undo")
	tab.Until(`document.activeElement.id === "flash"`)
	tab.Press(browser.TabKey)
	if name := browser.Eval[string](tab, `document.activeElement.textContent.trim()`); !strings.Contains(name, "Undo") {
		t.Errorf("the Tab key goes to %q", name)
	}
}
