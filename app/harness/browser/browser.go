// Package browser lets a test use Tocsin as a person does: with a real browser,
// on a phone or a desk, in light or dark, by what is written on the screen.
//
// What a test asks for may take a moment to appear, so every method waits,
// for ten seconds at most; then the test fails and shows what the page says
// instead. A test never skips for want of a browser: it fails and says what to
// install.
//
// With TOCSIN_SCREENSHOTS set to a directory, Screenshot writes there, and so
// does every test that fails.
package browser

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// waitTimeout is how long anything may take to appear, on a loaded machine.
const waitTimeout = 10 * time.Second

// Device is a screen and what it is touched with.
type Device struct {
	Name          string
	Width, Height int64 // in CSS pixels
	Scale         float64
	Touch         bool
}

// The devices that every page is made for.
var (
	Phone   = Device{Name: "phone", Width: 390, Height: 844, Scale: 2, Touch: true}
	Desktop = Device{Name: "desktop", Width: 1280, Height: 900, Scale: 1}
)

// Scheme is the colours that the reader's system asks for.
type Scheme string

// The schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Option changes what kind of reader a tab has.
type Option func(*Tab)

// JavaScriptOff is a reader whose browser runs no script.
func JavaScriptOff() Option { return func(tab *Tab) { tab.scriptOff = true } }

// Zone is a reader's IANA time zone; without it they are in UTC.
func Zone(name string) Option { return func(tab *Tab) { tab.zone = name } }

// Tab is a window with cookies and a cache of its own.
type Tab struct {
	t         testing.TB
	ctx       context.Context
	device    Device
	scheme    Scheme
	zone      string
	scriptOff bool

	mu         sync.Mutex
	bytes      int64
	complaints []string
}

// New opens a tab, which closes at the end of the test. Make it after the
// server that it visits, so that it is gone before that one waits for its
// connections.
func New(t testing.TB, device Device, scheme Scheme, options ...Option) *Tab {
	t.Helper()
	shared, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(shared.tabs, chromedp.WithNewBrowserContext())
	tab := &Tab{t: t, ctx: ctx, device: device, scheme: scheme, zone: "UTC"}
	for _, option := range options {
		option(tab)
	}
	if err := chromedp.Listen(ctx, tab.hear); err != nil {
		cancel()
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			tab.Screenshot("failed")
		}
		cancel()
	})
	if err := chromedp.Do(ctx, tab.emulate()); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return tab
}

// emulate makes the tab the reader's. They always ask for little motion, so
// that what a test measures has stopped moving.
func (tab *Tab) emulate() chromedp.Action[chromedp.Void] {
	screen := []chromedp.EmulateViewportOption{chromedp.EmulateScale(tab.device.Scale)}
	if tab.device.Touch {
		screen = append(screen, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	return chromedp.Steps(
		chromedp.EmulateViewport(tab.device.Width, tab.device.Height, screen...),
		call(network.Enable, network.EnableParams{}),
		call(log.Enable, cdp.Empty{}),
		call(runtime.Enable, cdp.Empty{}),
		call(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: tab.zone}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: tab.scriptOff}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: string(tab.scheme)},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
	)
}

func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// hear runs inside the loop that reads from the browser, so it must not ask
// the browser anything.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventLoadingFinished:
		tab.bytes += int64(e.EncodedDataLength)
	case *runtime.EventExceptionThrown:
		tab.complaints = append(tab.complaints, exception(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError && len(e.Args) > 0 {
			tab.complaints = append(tab.complaints, "console.error: "+string(e.Args[0].Value)+e.Args[0].Description)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			tab.complaints = append(tab.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func exception(details *runtime.ExceptionDetails) string {
	if details.Exception != nil && details.Exception.Description != "" {
		return details.Exception.Description
	}
	return details.Text
}

// Complaints are what the browser held against the pages so far: exceptions,
// console.error, what the Content-Security-Policy stopped, what failed to
// load.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return append([]string(nil), tab.complaints...)
}

// Bytes is what came over the network since the last Open, headers and bodies
// as they were sent, compressed. A stream that is still open does not count.
func (tab *Tab) Bytes() int64 {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return tab.bytes
}
