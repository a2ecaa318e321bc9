package walkthrough_test

import (
	"fmt"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

// endSessions ends the sessions of everybody, as the lapse of time does.
func endSessions(t *testing.T, h *harness.Harness) {
	t.Helper()
	if _, err := h.Server.DB.Write.ExecContext(t.Context(), "DELETE FROM sessions"); err != nil {
		t.Fatal(err)
	}
}

// An acknowledgment and a note are carried through the sign-in, with scripts and
// without.
func TestEndedSessionLosesNothing(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	for name, options := range map[string][]browser.Option{"with scripts": nil, "without": {browser.JavaScriptOff()}} {
		number := postBreachOf(t, h, name)
		tab := signedIn(t, h, ben, browser.Phone, browser.Dark, options...)
		open(t, tab, h, incidentPath(number))
		endSessions(t, h)
		tab.Click(fmt.Sprintf("Acknowledge incident %d", number))
		tab.WaitFor(fmt.Sprintf("#%d is NOT acknowledged yet.", number))
		tab.WaitFor("Your session ended.")
		if options == nil { // axe needs scripts
			if found := tab.Axe(); len(found) != 0 {
				t.Errorf("axe finds %v", found)
			}
		}
		if inc := h.Incident(number); inc["status"] != "triggered" {
			t.Errorf("%s: before the sign-in the incident is %v", name, inc["status"])
		}
		signIn(tab, ben)
		tab.WaitFor("You are signed in as Ben Adeyemi.")
		tab.Click(fmt.Sprintf("Acknowledge #%d", number))
		tab.WaitFor("by Ben Adeyemi")
		if inc := h.Incident(number); inc["acknowledged_by"] != ben {
			t.Errorf("%s: acknowledged by %v", name, inc["acknowledged_by"])
		}
		endSessions(t, h)
		tab.Fill("Add a note", "Shard 7 is full")
		tab.Click("Add")
		tab.WaitFor(fmt.Sprintf("Your note on #%d is NOT saved yet.", number))
		signIn(tab, ben)
		tab.WaitFor("Shard 7 is full")
		tab.Click(fmt.Sprintf("Save the note on #%d", number))
		tab.WaitFor("“Shard 7 is full”")
	}
}

// A note that is half typed is there again after the sign-in that something else led
// to, and after a look at another page; not once it was sent.
func TestHalfTypedNoteStays(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Phone, browser.Light)
	open(t, tab, h, incidentPath(number))
	tab.Fill("Add a note", "Shard 7 is fu")
	endSessions(t, h)
	tab.Click(fmt.Sprintf("Acknowledge incident %d", number))
	tab.WaitFor("Your session ended.")
	signIn(tab, ben)
	tab.Click(fmt.Sprintf("Acknowledge #%d", number))
	tab.WaitFor("by Ben Adeyemi")
	tab.Until(`document.querySelector("[name=note]").value === "Shard 7 is fu"`)
	tab.Click("Incidents")
	tab.Click(title)
	tab.WaitFor("Timeline")
	tab.Until(`document.querySelector("[name=note]").value === "Shard 7 is fu"`)
	tab.Fill("Add a note", "Shard 7 is full")
	tab.Click("Add")
	tab.WaitFor("“Shard 7 is full”")
	open(t, tab, h, incidentPath(number))
	holds(t, tab, "note", "")
}

// postBreachOf opens an incident of its own.
func postBreachOf(t *testing.T, h *harness.Harness, name string) int64 {
	t.Helper()
	return h.PostBreach("checkout-api", harness.With("slo", map[string]any{"name": name, "objective": 99.7, "window": "28d"}))
}
