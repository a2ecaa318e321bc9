package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

const livePath = "/live"

const (
	// liveEvery is how often a browser is told at most, so that a storm of
	// changes to one incident is one line.
	liveEvery = 250 * time.Millisecond
	// liveBeat keeps proxies from closing a stream in which nothing happens.
	liveBeat = 15 * time.Second
	// liveFor ends a stream, so that whoever may no longer look is found out.
	// Browsers come again by themselves.
	liveFor = time.Hour
	// mostChanges is how many incidents a browser is told of one by one; of
	// more it is told to look for itself.
	mostChanges = 100
	// mostKept is how many changes are kept for pages that were made before their
	// stream began.
	mostKept = 1000
)

// Live tells the browsers that look which incidents have changed. The server
// feeds it; it never waits for a browser.
type Live struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	closed   chan struct{}
	close    sync.Once
	// begun tells this process from others and from those before it; heard
	// counts the changes, of which the latest are kept, oldest first.
	begun string
	heard int64
	kept  []change
}

type change struct{ number, version int64 }

// NewLive makes an empty one.
func NewLive() *Live {
	return &Live{watchers: map[*watcher]struct{}{}, closed: make(chan struct{}), begun: rand.Text()}
}

// Changed says that an incident is now at a version. Number 0 says that too
// many changed to name them.
func (l *Live) Changed(number, version int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard++
	if len(l.kept) == mostKept {
		l.kept = slices.Delete(l.kept, 0, mostKept/2)
	}
	l.kept = append(l.kept, change{number, version})
	for w := range l.watchers {
		w.note(number, version)
	}
}

// Mark is how far this process has heard. A page takes it before it reads
// anything, so that whoever watches since then misses nothing that came later.
func (l *Live) Mark() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun + "-" + strconv.FormatInt(l.heard, 10)
}

// since are the changes after a mark; false where they are not known any more,
// or the mark is another process's. l.mu is held.
func (l *Live) since(mark string) ([]change, bool) {
	begun, text, _ := strings.Cut(mark, "-")
	heard, err := strconv.ParseInt(text, 10, 64)
	missed := l.heard - heard
	if err != nil || begun != l.begun || missed < 0 || missed > int64(len(l.kept)) {
		return nil, false
	}
	return l.kept[int64(len(l.kept))-missed:], true
}

// Watchers is how many streams are open.
func (l *Live) Watchers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watchers)
}

// Close ends every stream, and those that begin later.
func (l *Live) Close() { l.close.Do(func() { close(l.closed) }) }

// watch begins to note, with what came after a mark; where that is not known,
// with the word that the page has to look for itself. Without a mark it begins
// with what comes now.
func (l *Live) watch(mark string) (w *watcher, stop func()) {
	w = &watcher{wake: make(chan struct{}, 1), versions: map[int64]int64{}}
	l.mu.Lock()
	if mark != "" {
		missed, ok := l.since(mark)
		if !ok {
			missed = []change{{}}
		}
		for _, c := range missed {
			w.note(c.number, c.version)
		}
	}
	l.watchers[w] = struct{}{}
	l.mu.Unlock()
	return w, func() {
		l.mu.Lock()
		delete(l.watchers, w)
		l.mu.Unlock()
	}
}

// watcher is one browser: what it has not been told yet.
type watcher struct {
	mu       sync.Mutex
	versions map[int64]int64
	order    []int64
	reload   bool
	wake     chan struct{}
}

func (w *watcher) note(number, version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch known, waiting := w.versions[number]; {
	case w.reload:
	case number == 0, !waiting && len(w.versions) == mostChanges:
		w.reload = true
		clear(w.versions)
		w.order = nil
	default:
		if !waiting {
			w.order = append(w.order, number)
		}
		w.versions[number] = max(known, version)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take writes what is new as events and forgets it.
func (w *watcher) take() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reload {
		w.reload = false
		return []byte("event: reload\ndata: {}\n\n")
	}
	var b []byte
	for _, number := range w.order {
		b = append(b, "event: incident\ndata: {\"number\":"...)
		b = strconv.AppendInt(b, number, 10)
		b = append(b, ",\"version\":"...)
		b = strconv.AppendInt(b, w.versions[number], 10)
		b = append(b, "}\n\n"...)
	}
	clear(w.versions)
	w.order = w.order[:0]
	return b
}

// A stream has no end that a HEAD could wait for.
func (h *edge) liveRoutes(r routes) { r.add(http.MethodGet, livePath, h.live) }

// live streams "incident 17 is now version 9", never content: the page fetches
// what changed under its own permissions. The query's "since" is the page's mark:
// see Live.Mark.
func (h *edge) live(c echo.Context) error {
	if err := h.allow(c, auth.ViewIncidents, auth.Object{}); err != nil {
		return err
	}
	watcher, stop := h.Live.watch(c.QueryParam("since"))
	defer stop()
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	s := stream{response: c.Response(), control: http.NewResponseController(c.Response().Writer)}
	if s.send([]byte("retry: 2000\n\n")) == nil {
		h.relay(c, watcher, s)
	}
	return nil // a browser that goes is no failure
}

// relay tells the browser what the watcher notes until either goes.
func (h *edge) relay(c echo.Context, w *watcher, s stream) {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	end := time.NewTimer(liveFor)
	defer end.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		var news []byte
		select {
		case <-c.Request().Context().Done():
			return
		case <-h.Live.closed:
			return
		case <-end.C:
			return
		case <-beat.C:
			news = []byte(": still here\n\n")
		case <-w.wake:
			select {
			case <-pause.C: // nothing was told for a while
			case <-c.Request().Context().Done():
				return
			case <-h.Live.closed:
				return
			}
			pause.Reset(liveEvery)
			news = w.take()
		}
		if s.send(news) != nil {
			return
		}
	}
}

// stream writes to a response that goes on.
type stream struct {
	response *echo.Response
	control  *http.ResponseController
}

// liveWrite is how long a browser may take to accept a line.
const liveWrite = 10 * time.Second

func (s stream) send(news []byte) error {
	// The server's own limit counts from the start of the response.
	_ = s.control.SetWriteDeadline(time.Now().Add(liveWrite)) // not all writers know deadlines
	if _, err := s.response.Write(news); err != nil {
		return err
	}
	return s.control.Flush()
}
