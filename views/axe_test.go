package views_test

import (
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
	"github.com/tocsin-oncall/tocsin/views/sample"
)

// gallery serves the sample pages; one is enough for all tests.
var gallery = sync.OnceValue(func() *httptest.Server { return httptest.NewServer(sample.Handler()) })

// buttonsOutside are the buttons of the bars at the bottom, and of each of their sheets
// once it is open, that are wider than the screen.
const buttonsOutside = `(() => {
	const outside = () => [...document.querySelectorAll(".actions .btn, .bulk .btn")]
		.filter(b => b.checkVisibility() && (b.getBoundingClientRect().right > innerWidth || b.getBoundingClientRect().left < 0)).map(b => b.textContent);
	const found = outside();
	for (const sheet of document.querySelectorAll(".actions details, .bulk details")) {
		const around = sheet.parentElement.closest("details"), was = around?.open;
		if (around) around.open = true;
		sheet.open = true;
		found.push(...outside());
		sheet.open = false;
		if (around) around.open = was;
	}
	return found;
})()`

// TestAxeFindsNothing looks at every page in light and dark, on a desktop and
// on a phone, where it must not be wider than the screen either.
func TestAxeFindsNothing(t *testing.T) {
	for _, view := range []struct {
		scheme browser.Scheme
		device browser.Device
	}{{browser.Light, browser.Desktop}, {browser.Dark, browser.Phone}} {
		t.Run(string(view.scheme), func(t *testing.T) {
			t.Parallel()
			tab := browser.New(t, view.device, view.scheme)
			for _, p := range sample.Pages() {
				tab.Open(gallery().URL + "/" + p.Name)
				// A page that came back scrolls to what is wrong, and its header then lies over
				// whatever is there.
				browser.Eval[bool](tab, `scrollTo({top: 0, behavior: "instant"}), true`)
				for _, v := range tab.Axe() {
					t.Errorf("%s, %s: %s", p.Name, view.scheme, v)
				}
				if wide := browser.Eval[int64](tab, "document.documentElement.scrollWidth"); wide > view.device.Width {
					t.Errorf("%s is %d px wide on a screen of %d", p.Name, wide, view.device.Width)
				}
				if out := browser.Eval[[]string](tab, buttonsOutside); len(out) > 0 {
					t.Errorf("%s has buttons out of the screen: %q", p.Name, out)
				}
			}
		})
	}
}

// TestAxeFindsMissingLabel guards the test above: a page with a fault must fail it.
func TestAxeFindsMissingLabel(t *testing.T) {
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(gallery().URL + "/sign-in")
	run(tab, `document.querySelector("label").remove()`)
	if found := tab.Axe(); len(found) == 0 || found[0].Rule != "label" {
		t.Errorf("axe finds %v in a form that lost a label", found)
	}
}
