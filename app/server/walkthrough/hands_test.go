package walkthrough_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// What a page says of times holds for that page, however long ago the tab was
// opened.
func TestRelativeTimes(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, "/oncall")
	h.Advance(10 * time.Minute)
	number := postBreach(t, h)
	h.Advance(17 * time.Second)
	tab.Click("Incidents") // followed by htmx, so that the tab stays the same
	tab.WaitFor(title)
	browser.Eval[bool](tab, `new Promise(done => new MutationObserver(() => done(true)).observe(
		document.querySelector(".row-age time"), {childList: true, characterData: true, subtree: true}))`) // it ticks
	if age := browser.Eval[string](tab, `document.querySelector(".row-age time").textContent`); !strings.HasSuffix(age, " s") {
		t.Errorf("an incident of 17 seconds ago is from %q", age)
	}
	tab.Click(title)
	tab.WaitFor("Timeline")
	browser.Eval[bool](tab, `new Promise(done => new MutationObserver(() => done(true)).observe(
		document.querySelector(".head time"), {childList: true, characterData: true, subtree: true}))`)
	if age := browser.Eval[string](tab, `document.querySelector(".head time").textContent`); !strings.HasSuffix(age, "seconds ago") {
		t.Errorf("incident %d of 17 seconds ago is from %q", number, age)
	}
}

// thumb is the least height of what a thumb must hit at night, in CSS pixels.
const thumb = 56

func TestTouchTargetSize(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	link := h.Phone("ben").ExpectSMS().Link()
	tab := signedIn(t, h, ben, browser.Phone, browser.Dark)
	for _, address := range []string{h.URL + incidentPath(number), h.URL + "/start", link} {
		tab.Open(address)
		sizes := browser.Eval[[]float64](tab, `[...document.querySelectorAll(".btn[data-main]")].map(b => b.getBoundingClientRect().height)`)
		if len(sizes) == 0 {
			t.Errorf("%s has no main button", address)
		}
		for _, height := range sizes {
			if height < thumb {
				t.Errorf("%s: a main button is %v px high", address, height)
			}
		}
	}
}

// inSight reports that the focus is on a field that is wrong, within the window.
const inSight = `(() => {
	const field = document.activeElement, box = field.getBoundingClientRect();
	return field.getAttribute("aria-invalid") === "true" && box.top >= 0 && box.bottom <= innerHeight ? "" : field.outerHTML.slice(0, 200) + " at " + box.top;
})()`

func TestErrorsAreVisible(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	for name, options := range map[string][]browser.Option{"with scripts": nil, "without": {browser.JavaScriptOff()}} {
		tab := signedIn(t, h, ben, browser.Phone, browser.Light, options...)
		for _, form := range []struct{ path, field, value, button, wrong string }{
			{"/me", "High urgency, row 1: minutes", "abc", "Save for high urgency", "from 0 to 1440"},
			{"/me", "New password", "short", "Change password", "at least 12 characters"},
			{incidentPath(number), "Add a note", strings.Repeat("x", incident.MaxText+1), "Add", "At most 20,000 characters"},
		} {
			open(t, tab, h, form.path)
			if form.field == "New password" {
				tab.Fill("Current password", password)
			}
			tab.Fill(form.field, form.value)
			tab.Click(form.button)
			tab.WaitFor(form.wrong)
			waitInSight(t, tab, name+", "+form.field)
		}
	}
}

func waitInSight(t *testing.T, tab *browser.Tab, what string) {
	t.Helper()
	var problem string
	for range 500 { // until the page has settled
		if problem = browser.Eval[string](tab, inSight); problem == "" {
			return
		}
	}
	t.Errorf("%s: what is wrong is out of sight: %s", what, problem)
}

func TestNavigationShowsCurrentPage(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	tab := signedIn(t, h, dana, browser.Phone, browser.Light)
	for path, bar := range map[string]string{"/integrations": ".siblings", "/incidents?tab=resolved": ".tabs-row", "/policies": ".siblings"} {
		open(t, tab, h, path)
		hidden := browser.Eval[string](tab, fmt.Sprintf(`(() => {
			const bar = document.querySelector(%q), here = bar.querySelector("[aria-current]"), a = here.getBoundingClientRect(), b = bar.getBoundingClientRect();
			return a.left >= b.left - 1 && a.right <= b.right + 1 ? "" : here.innerText;
		})()`, bar))
		if hidden != "" {
			t.Errorf("%s does not show that one is at %q", path, hidden)
		}
	}
}

// A resolve by a slip of the thumb is taken back for ten seconds; then Reopen is
// what is left.
func TestUndoResolve(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	h.Phone("ben").ExpectSMS().Reply("ack")
	tab := signedIn(t, h, ben, browser.Phone, browser.Dark)
	resolve := func() {
		open(t, tab, h, incidentPath(number))
		tab.Click("Resolve")
		tab.Click(fmt.Sprintf("Resolve #%d", number))
		tab.WaitFor("Undo")
	}
	resolve()
	tab.Click("Undo")
	tab.WaitFor("Resolve undone.")
	if inc := h.Incident(number); inc["status"] != "acknowledged" || inc["acknowledged_by"] != ben {
		t.Errorf("it is %v by %v", inc["status"], inc["acknowledged_by"])
	}
	h.NobodyElseIsPaged()
	resolve()
	browser.Eval[bool](tab, `document.querySelector("form[data-lapses]").dataset.until = 1, true`) // ten seconds pass
	tab.WaitFor("Reopen and page")
	tab.WaitGone("Undo")
	content(t, tab)
}

// Setting up takes the zone of the browser.
func TestSetUpUsesBrowserZone(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "")
	link, err := h.Server.Auth.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for zone, options := range map[string][]browser.Option{
		"Europe/Berlin": {browser.Zone("Europe/Berlin")},
		"UTC":           {browser.Zone("Europe/Berlin"), browser.JavaScriptOff()},
	} {
		tab := browser.New(t, browser.Phone, browser.Light, options...)
		tab.Open(h.URL + "/setup/" + link)
		if got := browser.Eval[string](tab, `document.querySelector("[name=timezone]").value`); got != zone {
			t.Errorf("the zone is %s, want %s", got, zone)
		}
		tab.Fill("Organisation", "Acme")
		tab.Fill("Your name", "Ana Ortiz")
		tab.Fill("Your email", "ana@acme.example")
		tab.Fill("Password", "short")
		tab.Click("Create administrator")
		tab.WaitFor("at least 12 characters")
		waitInSight(t, tab, zone)
	}
}

// What was opened by hand says by whom, and what was reported.
func TestManualIncident(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	inc := h.API(http.MethodPost, "/incidents", map[string]any{"title": "Customers call", "service": "checkout-api", "description": "Three calls since noon.\nAll from Spain."})
	h.WaitIdle()
	tab := signedIn(t, h, ben, browser.Phone, browser.Light)
	open(t, tab, h, fmt.Sprintf("/incidents/%v", inc["number"]))
	tab.WaitFor("Three calls since noon.")
	tab.WaitFor("Opened by ")
	if text := tab.Text(); strings.Contains(text, "received from") {
		t.Errorf("it is said to come from a sender: %s", text)
	}
	content(t, tab)
}
