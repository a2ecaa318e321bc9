package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed find.js
var findScript string

//go:embed choose.js
var chooseScript string

// Open goes to an address and waits until the page has loaded. It returns the
// HTTP status.
func (tab *Tab) Open(url string) int {
	tab.t.Helper()
	tab.mu.Lock()
	tab.bytes = 0
	tab.mu.Unlock()
	ctx, cancel := context.WithTimeout(tab.ctx, waitTimeout)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(url))
	if err != nil {
		tab.t.Fatalf("open %s: %v", url, err)
	}
	return int(response.Status)
}

// Click presses the button, link or label that is called so: its words, or its
// name in the accessibility tree. Where several are, the test fails: say which
// by ClickOn.
func (tab *Tab) Click(name string) {
	tab.t.Helper()
	tab.press(tab.find("control", name, "click"))
}

// ClickOn presses what a CSS selector matches.
func (tab *Tab) ClickOn(selector string) {
	tab.t.Helper()
	tab.press(tab.find("selector", selector, "click"))
}

func (tab *Tab) press(at found) {
	tab.t.Helper()
	action := chromedp.MouseClickXY(at.X, at.Y)
	if tab.device.Touch {
		action = chromedp.TapXY(at.X, at.Y)
	}
	tab.do("click", action)
}

// Fill gives a field, named by its label or its form name, a value in place of
// what it holds. An option of a select is named by its words or its value; a
// date or a time is written as HTML writes it, "2026-11-23" or "09:30".
func (tab *Tab) Fill(field, value string) {
	tab.t.Helper()
	switch tab.find("field", field, "fill").Kind {
	case "select", "date", "time", "datetime-local", "month", "week", "color", "range":
		if problem := Eval[string](tab, invoke(chooseScript, value)); problem != "" {
			tab.t.Fatalf("fill %q: %s", field, problem)
		}
	default:
		if value == "" {
			tab.Press(kb.Delete)
			return
		}
		tab.do("fill "+field, call(input.InsertText, input.InsertTextParams{Text: value}))
	}
}

// The keys that have no letter, for Press.
const (
	TabKey   = kb.Tab
	EnterKey = kb.Enter
)

// Press presses keys one after the other: "/", or "yes" + EnterKey.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do("press a key", chromedp.KeyEvent(keys))
}

// WaitFor waits until the page shows the words, however they are broken into
// lines.
func (tab *Tab) WaitFor(words string) {
	tab.t.Helper()
	tab.until("see "+quoted(words), func() string {
		if strings.Contains(tab.visible(), squeeze(words)) {
			return ""
		}
		return "they are not there"
	})
}

// WaitGone waits until the page shows the words no longer.
func (tab *Tab) WaitGone(words string) {
	tab.t.Helper()
	tab.until("see "+quoted(words)+" disappear", func() string {
		if page := tab.visible(); page != "" && !strings.Contains(page, squeeze(words)) {
			return ""
		}
		return "they are still there"
	})
}

// Until waits until a JavaScript condition holds in the page.
func (tab *Tab) Until(condition string) {
	tab.t.Helper()
	tab.until("wait until "+condition, func() string {
		holds, err := evaluate[bool](tab, "Boolean("+condition+")")
		switch {
		case err != nil:
			return err.Error() // the page may be about to change
		case !holds:
			return "it does not hold"
		}
		return ""
	})
}

// Text is what the page shows, in lines.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return Eval[string](tab, "document.body.innerText")
}

// HTML is the page as it stands, after what scripts have made of it.
func (tab *Tab) HTML() string {
	tab.t.Helper()
	return Eval[string](tab, "document.documentElement.outerHTML")
}

// Location is the address of the page.
func (tab *Tab) Location() string {
	tab.t.Helper()
	return Eval[string](tab, "location.href")
}

// Box is where something stands in the window, in CSS pixels.
type Box struct{ Left, Top, Width, Height float64 }

// Measure finds what a CSS selector matches, scrolled into view where need be.
func (tab *Tab) Measure(selector string) Box {
	tab.t.Helper()
	return tab.find("selector", selector, "measure").Box
}

// emulateNetwork is deprecated in favor of two commands whose parameters still
// change between versions of Chromium; this one does the work of both in all.
var emulateNetwork = cdp.Command[networkParams, cdp.Empty]{Method: "Network.emulateNetworkConditions"}

type networkParams struct {
	Offline            bool    `json:"offline"`
	Latency            float64 `json:"latency"`
	DownloadThroughput float64 `json:"downloadThroughput"` // -1 is as fast as it goes
	UploadThroughput   float64 `json:"uploadThroughput"`
}

// Offline takes the reader's network away, or gives it back.
func (tab *Tab) Offline(offline bool) {
	tab.t.Helper()
	tab.do("change the network", call(emulateNetwork, networkParams{
		Offline: offline, DownloadThroughput: -1, UploadThroughput: -1,
	}))
}

// Screenshot writes the whole page to NAME-DEVICE-SCHEME.png in the directory
// that TOCSIN_SCREENSHOTS names; without it, it does nothing.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	dir := os.Getenv("TOCSIN_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(tab.ctx, waitTimeout)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Errorf("take a screenshot: %v", err)
		return
	}
	if name == "failed" {
		name = "failed-" + strings.NewReplacer("/", "-", " ", "-").Replace(tab.t.Name())
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", name, tab.device.Name, tab.scheme))
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(path, png, 0o644)); err != nil {
		tab.t.Errorf("keep a screenshot: %v", err)
	}
}

// Eval asks the page for the value of a JavaScript expression. It works where
// the page's own scripts are off, too.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	value, err := evaluate[T](tab, expression)
	if err != nil {
		tab.t.Fatalf("evaluate %.80s: %v", expression, err)
	}
	return value
}

func evaluate[T any](tab *Tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, waitTimeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// found is what find.js says of the thing that it found, or why it did not.
type found struct {
	Problem string
	X, Y    float64 // its middle
	Kind    string  // of a field: "select", "text", "date"
	Box
}

func (tab *Tab) find(how, name, use string) found {
	tab.t.Helper()
	var at found
	tab.until(use+" "+quoted(name), func() string {
		var err error
		if at, err = evaluate[found](tab, invoke(findScript, how, name, use)); err != nil {
			return err.Error() // the page may be about to change
		}
		return at.Problem
	})
	return at
}

// visible is the page's text in one line, or empty while there is no page.
func (tab *Tab) visible() string {
	text, err := evaluate[string](tab, "document.body ? document.body.innerText : ''")
	if err != nil {
		return ""
	}
	return squeeze(text)
}

// until tries again and again until there is no problem.
func (tab *Tab) until(what string, try func() (problem string)) {
	tab.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(waitTimeout)
	for {
		problem := try()
		if problem == "" {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			tab.t.Fatalf("%s: %s\n%s", what, problem, tab.state())
		case <-tab.ctx.Done():
			tab.t.Fatalf("%s: the browser is gone: %v", what, context.Cause(tab.ctx))
		}
	}
}

// state is what a reader of a failed test wants to see.
func (tab *Tab) state() string {
	text, err := evaluate[string](tab, "location.href + '\\n' + document.body.innerText")
	if err != nil {
		return err.Error()
	}
	state := "The page says: " + text
	for _, complaint := range tab.Complaints() {
		state += "\nThe browser complains: " + complaint
	}
	return state
}

func (tab *Tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, waitTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

// invoke is an expression that calls a function with strings.
func invoke(function string, arguments ...string) string {
	literals := make([]string, len(arguments))
	for i, argument := range arguments {
		literal, err := json.Marshal(argument)
		if err != nil {
			panic(err) // a string always has a literal
		}
		literals[i] = string(literal)
	}
	return strings.TrimSpace(function) + "(" + strings.Join(literals, ", ") + ")"
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func quoted(s string) string { return fmt.Sprintf("%q", s) }
