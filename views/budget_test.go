package views_test

import (
	"bytes"
	"compress/gzip"
	"regexp"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/static"
	"github.com/tocsin-oncall/tocsin/views/sample"
)

// budget is what a first view may weigh on the wire, in bytes.
const budget = 100_000

// linked finds the files that a page loads.
var linked = regexp.MustCompile(`(?:src|href)="` + static.Prefix + `([a-z-]+)\.[0-9a-f]{12}\.([a-z]+)[#"]`)

func render(t *testing.T, p sample.Page) string {
	t.Helper()
	var b strings.Builder
	if err := p.Show.Render(t.Context(), &b); err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	return b.String()
}

func TestFirstViewIsLight(t *testing.T) {
	t.Parallel()
	for _, p := range sample.Pages() {
		html := render(t, p)
		weight := zipped(t, html)
		seen := map[string]bool{}
		for _, m := range linked.FindAllStringSubmatch(html, -1) {
			if name := m[1] + "." + m[2]; !seen[name] {
				seen[name] = true
				weight += static.Weight(name)
			}
		}
		if len(seen) < 6 {
			t.Fatalf("%s loads %v: the test no longer sees what a page loads", p.Name, seen)
		}
		if weight > budget {
			t.Errorf("%s weighs %d bytes, %d over the budget", p.Name, weight, weight-budget)
		}
		if p.Name == "incident-triggered" {
			t.Logf("the incident page weighs %d bytes", weight)
		}
	}
}

func zipped(t *testing.T, s string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// What the Content-Security-Policy forbids would only show in a browser's
// console; here it fails.
func TestNothingIsInline(t *testing.T) {
	t.Parallel()
	for name, forbidden := range map[string]*regexp.Regexp{
		"a style attribute": regexp.MustCompile(`\sstyle=`),
		"a style element":   regexp.MustCompile(`<style`),
		"a handler":         regexp.MustCompile(`<[^>]*\son[a-z]+=`),
		"an inline script":  regexp.MustCompile(`<script(?:\s+defer)?>`),
		"a script of htmx":  regexp.MustCompile(`hx-on|hx-vals="js:`),
	} {
		for _, p := range sample.Pages() {
			if found := forbidden.FindString(render(t, p)); found != "" {
				t.Errorf("%s has %s: %s", p.Name, name, found)
			}
		}
	}
}

func TestIconsAreInSprite(t *testing.T) {
	t.Parallel()
	sprite := static.Text("icons.svg")
	used := regexp.MustCompile(`icons\.[0-9a-f]+\.svg#([a-z0-9-]+)"`)
	seen := map[string]bool{}
	for _, p := range sample.Pages() {
		for _, m := range used.FindAllStringSubmatch(render(t, p), -1) {
			seen[m[1]] = true
		}
	}
	if len(seen) < 20 {
		t.Fatalf("only %d icons are seen in all pages", len(seen))
	}
	for icon := range seen {
		if !strings.Contains(sprite, `id="`+icon+`"`) {
			t.Errorf("the sprite lacks %q", icon)
		}
	}
	for _, m := range regexp.MustCompile(`<symbol id="([^"]+)"`).FindAllStringSubmatch(sprite, -1) {
		if !seen[m[1]] {
			t.Errorf("no page uses the icon %q", m[1])
		}
	}
}

func TestPageNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range sample.Pages() {
		if seen[p.Name] {
			t.Errorf("two samples are called %q", p.Name)
		}
		seen[p.Name] = true
	}
}
