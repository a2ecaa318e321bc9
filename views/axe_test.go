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

// TestAxeFindsMissingLabel guards TestPages: a page with a fault must fail it.
func TestAxeFindsMissingLabel(t *testing.T) {
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(gallery().URL + "/sign-in")
	run(tab, `document.querySelector("label").remove()`)
	if found := tab.Axe(); len(found) == 0 || found[0].Rule != "label" {
		t.Errorf("axe finds %v in a form that lost a label", found)
	}
}
