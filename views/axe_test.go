package views_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/tocsin-oncall/tocsin/views/sample"
)

// violation is what axe found wrong, and where.
type violation struct {
	ID     string `json:"id"`
	Help   string `json:"help"`
	Target string `json:"target"`
	Why    string `json:"why"`
}

// check runs axe on the page as it stands: the rules of WCAG 2.2 AA and those
// that axe calls best practice.
const check = `axe.run(document, {resultTypes: ["violations"]}).then(result => result.violations.flatMap(v =>
	v.nodes.map(n => ({id: v.id, help: v.help, target: n.target.join(" "), why: n.failureSummary ?? ""}))))`

// TestAxeFindsNothing looks at every page in light and dark, on a desktop and
// on a phone, where it must not be wider than the screen either.
func TestAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	window := browser(t)
	for _, view := range []struct {
		scheme        string
		width, height int64
	}{{"light", 1280, 800}, {"dark", 390, 844}} {
		t.Run(view.scheme, func(t *testing.T) {
			t.Parallel()
			ctx := tab(t, window)
			do(t, ctx, scheme(view.scheme), chromedp.EmulateViewport(view.width, view.height))
			if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: string(axe)}); err != nil {
				t.Fatal(err)
			}
			for _, p := range sample.Pages() {
				do(t, ctx, chromedp.Navigate(gallery().URL+"/"+p.Name))
				for _, v := range evaluate[[]violation](t, ctx, check) {
					t.Errorf("%s, %s: %s (%s) at %s\n\t%s", p.Name, view.scheme, v.Help, v.ID, v.Target, strings.ReplaceAll(v.Why, "\n", " "))
				}
				if wide := evaluate[int64](t, ctx, "document.documentElement.scrollWidth"); wide > view.width {
					t.Errorf("%s is %d px wide on a screen of %d", p.Name, wide, view.width)
				}
			}
		})
	}
}

// TestAxeSeesFaults guards the test above: a page with a fault must fail it.
func TestAxeSeesFaults(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(gallery().URL+"/sign-in"))
	evaluate[chromedp.Void](t, ctx, string(axe)+`; document.querySelector("label").remove()`)
	if found := evaluate[[]violation](t, ctx, check); len(found) == 0 || found[0].ID != "label" {
		t.Errorf("axe finds %s in a form that lost a label", fmt.Sprint(found))
	}
}
