package views_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/app/harness/browser"
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
func press(tab *browser.Tab, key string) {
	run(tab, fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key))
}

// run runs statements in the page.
func run(tab *browser.Tab, statements string) {
	browser.Eval[bool](tab, statements+"; true")
}

const state = `document.querySelector(".head .state")?.dataset.state`

// An acknowledgment that the network swallowed says so and is tried again; that
// it is acknowledged is said only in the server's words.
func TestAcknowledgmentInsists(t *testing.T) {
	s := play(t, "incident-triggered")
	s.then, s.away = named(t, "incident-acknowledged"), true
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents/17")
	tab.Press("a")
	tab.Until(`document.querySelector("[data-label]")?.textContent === "Not sent, retry"`)
	if got := browser.Eval[string](tab, state); got != "triggered" {
		t.Errorf("while nothing was sent, the incident shows as %s", got)
	}
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	tab.Until(state + ` === "acknowledged" && document.querySelector("#flash").textContent.includes("Acknowledged 03:12:02")`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) < 2 || s.posts[len(s.posts)-1] != "/incidents/17/acknowledge " {
		t.Errorf("the server saw %q, want an acknowledgment that was lost and one that came through", s.posts)
	}
}

// A page that somebody reads and types in follows the incident without losing
// what they typed or opened.
func TestLiveIncidentKeepsInput(t *testing.T) {
	s := play(t, "incident-triggered")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents/17")
	run(tab, `document.querySelector("details.signal").open = true; document.querySelector("#field-note").focus()`)
	tab.Press("half a thought")
	s.now(t, "incident-acknowledged")
	s.tell(t, 99, 1000) // another incident: nothing is fetched
	s.tell(t, 17, 7)
	tab.Until(state + ` === "acknowledged"`)
	if got := browser.Eval[string](tab, `document.activeElement.id + ": " + document.activeElement.value`); got != "field-note: half a thought" {
		t.Errorf("the focus and the text became %q", got)
	}
	if !browser.Eval[bool](tab, `document.querySelector("details.signal").open`) {
		t.Error("the signal that was open is closed")
	}
}

// A page that just came is not fetched again: the stream begins where it ended.
func TestPageIsFetchedOnce(t *testing.T) {
	s := play(t, "incident-triggered")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents/17")
	s.tell(t, 17, 6)                                                                  // what it shows already; the stream is open now
	browser.Eval[bool](tab, `new Promise(done => setTimeout(() => done(true), 300))`) // as long as app.js gathers before it fetches, and more
	s.mu.Lock()
	fetched := s.fetched
	s.mu.Unlock()
	if fetched != 1 {
		t.Errorf("the page was fetched %d times", fetched)
	}
	s.now(t, "incident-acknowledged")
	s.tell(t, 17, 7)
	tab.Until(state + ` === "acknowledged"`)
}

// In the list nothing moves: rows change in place and new ones wait.
func TestLiveListKeepsOrder(t *testing.T) {
	s := play(t, "list-filtered")
	s.now(t, "list-some")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents?tab=open")
	before := browser.Eval[string](tab, `[...document.querySelectorAll("[data-row]")].map(r => r.id).join()`)
	s.now(t, "list-storm")
	s.tell(t, 120, 1)
	tab.Until(`document.querySelector("#arrivals").textContent === "16 new" && !document.querySelector("#arrivals").hidden`)
	if after := browser.Eval[string](tab, `[...document.querySelectorAll("[data-row]")].map(r => r.id).join()`); after != before {
		t.Errorf("the rows became %s, want %s", after, before)
	}
}

// New rows come in by themselves once nobody is at the page, and not while
// somebody has chosen rows.
func TestIdleListAdmitsNewRows(t *testing.T) {
	s := play(t, "list-some")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents?tab=open")
	if title := browser.Eval[string](tab, `document.title`); title != "(3) Incidents · Tocsin" {
		t.Errorf("the title is %q", title)
	}
	run(tab, `document.querySelector("[data-select] input[name=number]").click()`)
	s.now(t, "list-storm")
	s.tell(t, 120, 1)
	tab.Until(`document.querySelector("#arrivals").textContent === "16 new" && !document.querySelector("#arrivals").hidden`)
	run(tab, leave)
	s.now(t, "list-nothing")
	s.tell(t, 120, 2)
	tab.Until(`document.title === "Incidents · Tocsin"`) // it was fetched again
	if !browser.Eval[bool](tab, `document.querySelectorAll("[data-row]").length === 5`) {
		t.Error("the rows were replaced while some are chosen")
	}
	run(tab, `document.querySelector("[data-select] input[name=number]:checked").click(); `+leave)
	s.now(t, "list-storm")
	s.tell(t, 120, 3)
	tab.Until(`document.querySelectorAll("[data-row]").length > 5 && document.querySelector("#arrivals").hidden`)
}

// leave is half a minute without a hand on the page.
const leave = `document.documentElement.dataset.usedAt = 1`

func TestListByKeyboard(t *testing.T) {
	s := play(t, "list-some")
	s.then = named(t, "incident-acknowledged")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents")
	press(tab, "/")
	tab.Until(`document.activeElement.matches("[data-search]")`)
	tab.Press("jj") // typed, not obeyed
	if got := browser.Eval[string](tab, `document.activeElement.value`); got != "jj" {
		t.Errorf("the search holds %q, want what was typed", got)
	}
	run(tab, `document.activeElement.blur()`)
	tab.Press("jxjx")
	tab.Until(`document.querySelector("[data-bulk]").textContent === "Acknowledge 2"`)
	tab.Press("a")
	tab.Until(state + ` === "acknowledged"`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) != 1 || s.posts[0] != "/incidents/acknowledge number=17&number=16&tab=open" {
		t.Errorf("the server saw %q", s.posts)
	}
}

func TestResolveByKeyboard(t *testing.T) {
	s := play(t, "incident-acknowledged")
	s.then = named(t, "incident-resolved")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents/17")
	press(tab, "r")
	tab.Until(`document.activeElement.name === "resolution"`)
	tab.Press("Rolled back." + browser.TabKey + browser.EnterKey)
	tab.Until(state + ` === "resolved"`)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.posts) != 1 || s.posts[0] != "/incidents/17/resolve resolution=Rolled+back." {
		t.Errorf("the server saw %q", s.posts)
	}
}

// A link in the page is followed by htmx, and the page that comes works as one
// that was loaded.
func TestNavigationKeepsDocument(t *testing.T) {
	s := play(t, "list-some")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/incidents")
	run(tab, `window.same = true`)
	s.now(t, "incident-triggered")
	run(tab, `document.querySelector("#incident-17 .row-link").click()`)
	tab.Until(`document.querySelector(".incident") && location.pathname === "/incidents/17"`)
	if !browser.Eval[bool](tab, `window.same === true && document.title.startsWith("#17")`) {
		t.Error("the whole page was loaded again, or kept its title")
	}
	s.now(t, "incident-resolved")
	s.tell(t, 17, 8)
	tab.Until(state + ` === "resolved"`)
}

// A form that came back with a mistake shows it, marked, at an address that can
// be loaded again.
func TestInvalidFormKeepsAddress(t *testing.T) {
	s := play(t, "account")
	s.wrong = named(t, "account-wrong")
	tab := browser.New(t, browser.Desktop, browser.Light)
	tab.Open(s.URL + "/me")
	run(tab, `document.querySelector("#field-address").value = "600 000"; document.querySelector(".add-contact button").click()`)
	tab.Until(`document.querySelector("#field-address").getAttribute("aria-invalid") === "true"`)
	if got := browser.Eval[string](tab, `location.pathname + " " + document.querySelector("#field-address").value`); got != "/me 600 000" {
		t.Errorf("the page stands at %q", got)
	}
}
