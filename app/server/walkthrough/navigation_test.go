package walkthrough_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
)

// small is the narrowest screen that pages are made for (WCAG 1.4.10).
var small = browser.Device{Name: "small", Width: 320, Height: 640, Scale: 2, Touch: true}

// atBottom is empty where the navigation is at the bottom of the window, whatever is
// scrolled to, with the count of unacknowledged incidents.
const atBottom = `(() => {
	scrollTo(0, document.body.scrollHeight / 2);
	const bar = document.querySelector(".main-nav"), box = bar.getBoundingClientRect(), count = bar.querySelector("[data-waiting]");
	if (Math.round(box.bottom) !== innerHeight || Math.round(box.width) !== innerWidth) return "at " + JSON.stringify(box);
	if (!count || count.firstChild.textContent !== "1" || count.getBoundingClientRect().top < box.top) return "the count is " + count?.textContent;
	return "";
})()`

func TestPhoneNavigation(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	for name, options := range map[string][]browser.Option{"with scripts": nil, "without": {browser.JavaScriptOff()}} {
		tab := signedIn(t, h, ben, browser.Phone, browser.Dark, options...)
		for _, path := range []string{incidentPath(number), "/oncall", "/services", "/people", "/me"} {
			open(t, tab, h, path)
			if problem := browser.Eval[string](tab, atBottom); problem != "" {
				t.Errorf("%s, %s: the navigation is not at the bottom: %s", name, path, problem)
			}
		}
		tab.Click("On call")
		tab.WaitFor("Who is on call")
		tab.Click("Schedules")
		tab.WaitFor("no gap in 14 days")
		tab.Click("More")
		tab.Click("Integrations")
		tab.WaitFor("SRE infrastructure")
		if tab.Location() != h.URL+"/integrations" {
			t.Errorf("%s: More leads to %s", name, tab.Location())
		}
		tab.Click("More")
		tab.Click("Sign out")
		tab.WaitFor("signed out")
		content(t, tab)
	}
}

// The acknowledgment of an incident is above the navigation, and both are in sight.
func TestActionsStandAboveNavigation(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Phone, browser.Light)
	open(t, tab, h, incidentPath(number))
	actions, bar := tab.Measure(".actions"), tab.Measure(".main-nav")
	if actions.Top+actions.Height > bar.Top+1 {
		t.Errorf("the actions end at %v, the navigation begins at %v", actions.Top+actions.Height, bar.Top)
	}
	tab.ClickOn(".actions .btn[data-main]")
	tab.WaitFor("Acknowledged")
}

const openSearch = `document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true, cancelable: true})); true`

// chosen is the text of what Enter would follow, as a screen reader hears it.
const chosen = `(() => {
	const field = document.querySelector(".search-input"), id = field.getAttribute("aria-activedescendant");
	return document.activeElement === field && id ? document.getElementById(id).textContent : "";
})()`

func TestSearchByKeyboard(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	number := postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Desktop, browser.Light)
	open(t, tab, h, "/services")
	browser.Eval[bool](tab, openSearch)
	tab.Until(chosen + `.includes("New incident")`) // what one can do, before anything is typed
	for _, violation := range tab.Axe() {
		t.Errorf("the search: %s", violation)
	}
	tab.Press("conti")
	tab.Until(chosen + `.includes("Chiara Conti")`)
	tab.Press(browser.EnterKey)
	tab.WaitFor("Chiara Conti")
	tab.Until(`location.pathname.startsWith("/people/") && !document.querySelector("dialog[open]")`)
	browser.Eval[bool](tab, openSearch)
	tab.Press("checkout")
	tab.Until(chosen + `.includes("Checkout")`)
	first := browser.Eval[string](tab, chosen)
	browser.Eval[bool](tab, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown", bubbles: true, cancelable: true})), true`)
	if second := browser.Eval[string](tab, chosen); second == first || second == "" {
		t.Errorf("after %q the arrow chooses %q", first, second)
	}
	browser.Eval[bool](tab, openSearch) // once more closes it
	tab.Until(`!document.querySelector("dialog[open]")`)
	browser.Eval[bool](tab, openSearch)
	tab.Press(fmt.Sprintf("#%d", number) + browser.EnterKey) // before the list has come
	tab.Until(fmt.Sprintf(`location.pathname === %q`, incidentPath(number)))
	content(t, tab)
}

func TestSearchByTouch(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	postBreach(t, h)
	tab := signedIn(t, h, ben, browser.Phone, browser.Dark)
	open(t, tab, h, "/oncall")
	tab.Click("Search")
	tab.Until(chosen + ` !== ""`)
	tab.Press("payments")
	tab.Until(chosen + `.includes("Payments")`)
	for _, violation := range tab.Axe() {
		t.Errorf("the search: %s", violation)
	}
	tab.ClickOn(`#found a[href="/schedules/payments"]`)
	tab.WaitFor("Next shifts")
	content(t, tab)
}

func TestSearchWithoutScripts(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	tab := signedIn(t, h, ben, browser.Phone, browser.Light, browser.JavaScriptOff())
	open(t, tab, h, "/oncall")
	tab.Click("Search")
	tab.WaitFor("Page somebody")
	tab.Fill("Search everything", "dana")
	tab.ClickOn(`main button[type=submit]`)
	tab.WaitFor("Dana Levi")
}

// A narrow screen shows pages without sideways scrolling.
func TestNarrowScreen(t *testing.T) {
	t.Parallel()
	h := onSQLite(t, "acme.yaml")
	postBreach(t, h)
	tab := signedIn(t, h, ben, small, browser.Light)
	for _, path := range []string{"/oncall", "/oncall?q=dana", "/schedules", "/schedules/payments", "/policies", "/policies/payments", "/services", "/services/checkout-api",
		"/teams", "/teams/payments", "/people", "/people/1", "/integrations", "/integrations/sre", "/search?q=a"} {
		if status := tab.Open(h.URL + path); status != http.StatusOK {
			t.Errorf("%s was answered %d", path, status)
		}
		if wide := browser.Eval[int64](tab, "document.documentElement.scrollWidth"); wide > small.Width {
			t.Errorf("%s is %d pixels wide on a screen of %d", path, wide, small.Width)
		}
	}
}
