package views_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tocsin-oncall/tocsin/static"
	"github.com/tocsin-oncall/tocsin/views/sample"
)

// stage is a server whose page changes under the browser's eyes.
type stage struct {
	*httptest.Server
	mu      sync.Mutex
	shown   templ.Component // what GET answers
	then    templ.Component // what it answers once a POST came through
	wrong   templ.Component // what every POST is answered with, as 422
	away    bool            // every POST is cut off
	posts   []string
	fetched int // how often a page was asked for
	streams chan string
}

func play(t *testing.T, shown string) *stage {
	t.Helper()
	s := &stage{shown: named(t, shown), streams: make(chan string)}
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc("GET /live", s.live)
	mux.HandleFunc("GET /", s.page)
	mux.HandleFunc("POST /", s.act)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func named(t *testing.T, name string) templ.Component {
	t.Helper()
	for _, p := range sample.Pages() {
		if p.Name == name {
			return p.Show
		}
	}
	t.Fatalf("no sample page is called %q", name)
	return nil
}

func (s *stage) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	shown := s.shown
	s.fetched++
	s.mu.Unlock()
	w.Header().Set("Content-Security-Policy", sample.Policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = shown.Render(r.Context(), w) // a browser that went away is no fault
}

func (s *stage) act(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	s.posts = append(s.posts, r.URL.Path+" "+r.PostForm.Encode())
	if s.wrong != nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_ = s.wrong.Render(r.Context(), w)
		return
	}
	if s.away {
		panic(http.ErrAbortHandler)
	}
	s.shown = s.then
	http.Redirect(w, r, "/incidents/17", http.StatusSeeOther)
}

// live passes on what is sent to streams.
func (s *stage) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case event := <-s.streams:
			fmt.Fprint(w, event)
			w.(http.Flusher).Flush()
		}
	}
}

func (s *stage) now(t *testing.T, name string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = named(t, name)
}

func (s *stage) tell(t *testing.T, number, version int) {
	t.Helper()
	select {
	case s.streams <- fmt.Sprintf("event: incident\ndata: {\"number\":%d,\"version\":%d}\n\n", number, version):
	case <-time.After(10 * time.Second):
		t.Fatal("No page listens for what happens.")
	}
}

// press is a key as a page gets it. Keys that move the focus are pressed like
// this, since the browser's driver would type them into what has it then.
func press(t *testing.T, ctx context.Context, key string) {
	t.Helper()
	evaluate[chromedp.Void](t, ctx, fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key))
}

// until waits for a condition in the page.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	short, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	script := fmt.Sprintf("new Promise(done => { const look = () => (%s) ? done(true) : setTimeout(look, 20); look(); })", condition)
	if _, err := chromedp.Run(short, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		body, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText.slice(0, 600)"))
		t.Fatalf("It never came to pass that %s: %v\n%s", condition, err, body)
	}
}

const state = `document.querySelector(".head .state")?.dataset.state`

// An acknowledgment that the network swallowed says so and is tried again; that
// it is acknowledged is said only in the server's words.
func TestAcknowledgmentInsists(t *testing.T) {
	s := play(t, "incident-triggered")
	s.then, s.away = named(t, "incident-acknowledged"), true
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents/17"))
	do(t, ctx, chromedp.KeyEvent("a"))
	until(t, ctx, `document.querySelector("[data-label]")?.textContent === "Not sent, retry"`)
	if got := evaluate[string](t, ctx, state); got != "triggered" {
		t.Errorf("while nothing was sent, the incident shows as %s", got)
	}
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	until(t, ctx, state+` === "acknowledged" && document.querySelector("#flash").textContent.includes("Acknowledged 03:12:02")`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) < 2 || s.posts[len(s.posts)-1] != "/incidents/17/acknowledge " {
		t.Errorf("the server saw %q, want an acknowledgment that was lost and one that came through", s.posts)
	}
}

// A page that somebody reads and types in follows the incident without losing
// what they typed or opened.
func TestIncidentFollowsWithoutLosingThePlace(t *testing.T) {
	s := play(t, "incident-triggered")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents/17"))
	evaluate[chromedp.Void](t, ctx, `document.querySelector("details.signal").open = true; document.querySelector("#field-note").focus()`)
	do(t, ctx, chromedp.KeyEvent("half a thought"))
	s.now(t, "incident-acknowledged")
	s.tell(t, 99, 1000) // another incident: nothing is fetched
	s.tell(t, 17, 7)
	until(t, ctx, state+` === "acknowledged"`)
	if got := evaluate[string](t, ctx, `document.activeElement.id + ": " + document.activeElement.value`); got != "field-note: half a thought" {
		t.Errorf("the focus and the text became %q", got)
	}
	if !evaluate[bool](t, ctx, `document.querySelector("details.signal").open`) {
		t.Error("the signal that was open is closed")
	}
}

// A page that just came is not fetched again: the stream begins where it ended.
func TestAPageIsFetchedOnce(t *testing.T) {
	s := play(t, "incident-triggered")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents/17"))
	s.tell(t, 17, 6)                                                                 // what it shows already; the stream is open now
	evaluate[bool](t, ctx, `new Promise(done => setTimeout(() => done(true), 300))`) // as long as app.js gathers before it fetches, and more
	s.mu.Lock()
	fetched := s.fetched
	s.mu.Unlock()
	if fetched != 1 {
		t.Errorf("the page was fetched %d times", fetched)
	}
	s.now(t, "incident-acknowledged")
	s.tell(t, 17, 7)
	until(t, ctx, state+` === "acknowledged"`)
}

// In the list nothing moves: rows change in place and new ones wait.
func TestListKeepsStill(t *testing.T) {
	s := play(t, "list-filtered")
	s.now(t, "list-some")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents?tab=open"))
	before := evaluate[string](t, ctx, `[...document.querySelectorAll("[data-row]")].map(r => r.id).join()`)
	s.now(t, "list-storm")
	s.tell(t, 120, 1)
	until(t, ctx, `document.querySelector("#arrivals").textContent === "16 new" && !document.querySelector("#arrivals").hidden`)
	if after := evaluate[string](t, ctx, `[...document.querySelectorAll("[data-row]")].map(r => r.id).join()`); after != before {
		t.Errorf("the rows became %s, want %s", after, before)
	}
}

func TestListByKeyboard(t *testing.T) {
	s := play(t, "list-some")
	s.then = named(t, "incident-acknowledged")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents"))
	press(t, ctx, "/")
	until(t, ctx, `document.activeElement.matches("[data-search]")`)
	do(t, ctx, chromedp.KeyEvent("jj")) // typed, not obeyed
	if got := evaluate[string](t, ctx, `document.activeElement.value`); got != "jj" {
		t.Errorf("the search holds %q, want what was typed", got)
	}
	evaluate[chromedp.Void](t, ctx, `document.activeElement.blur()`)
	do(t, ctx, chromedp.KeyEvent("jxjx"))
	until(t, ctx, `document.querySelector("[data-bulk]").textContent === "Acknowledge 2"`)
	do(t, ctx, chromedp.KeyEvent("a"))
	until(t, ctx, state+` === "acknowledged"`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) != 1 || s.posts[0] != "/incidents/acknowledge number=17&number=16&tab=open" {
		t.Errorf("the server saw %q", s.posts)
	}
}

func TestResolveByKeyboardAsksWhatFixedIt(t *testing.T) {
	s := play(t, "incident-acknowledged")
	s.then = named(t, "incident-resolved")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents/17"))
	press(t, ctx, "r")
	until(t, ctx, `document.activeElement.name === "resolution"`)
	do(t, ctx, chromedp.KeyEvent("Rolled back."), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	until(t, ctx, state+` === "resolved"`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) != 1 || s.posts[0] != "/incidents/17/resolve resolution=Rolled+back." {
		t.Errorf("the server saw %q", s.posts)
	}
}

// A link in the page is followed by htmx, and the page that comes works as one
// that was loaded.
func TestNavigationKeepsThePageAlive(t *testing.T) {
	s := play(t, "list-some")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/incidents"))
	evaluate[chromedp.Void](t, ctx, `window.same = true`)
	s.now(t, "incident-triggered")
	evaluate[chromedp.Void](t, ctx, `document.querySelector("#incident-17 .row-link").click()`)
	until(t, ctx, `document.querySelector(".incident") && location.pathname === "/incidents/17"`)
	if !evaluate[bool](t, ctx, `window.same === true && document.title.startsWith("#17")`) {
		t.Error("the whole page was loaded again, or kept its title")
	}
	s.now(t, "incident-resolved")
	s.tell(t, 17, 8)
	until(t, ctx, state+` === "resolved"`)
}

// A form that came back with a mistake shows it, marked, at an address that can
// be loaded again.
func TestMistakeKeepsTheAddress(t *testing.T) {
	s := play(t, "account")
	s.wrong = named(t, "account-wrong")
	ctx := tab(t, browser(t))
	do(t, ctx, chromedp.Navigate(s.URL+"/me"))
	evaluate[chromedp.Void](t, ctx, `document.querySelector("#field-address").value = "600 000"; document.querySelector(".add-contact button").click()`)
	until(t, ctx, `document.querySelector("#field-address").getAttribute("aria-invalid") === "true"`)
	if got := evaluate[string](t, ctx, `location.pathname + " " + document.querySelector("#field-address").value`); got != "/me 600 000" {
		t.Errorf("the page stands at %q", got)
	}
}
