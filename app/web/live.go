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
	// minEventInterval bounds how often a browser gets events, so that a burst of
	// changes to one incident is one event.
	minEventInterval = 250 * time.Millisecond
	// heartbeat keeps proxies from closing an idle stream.
	heartbeat = 15 * time.Second
	// maxStreamAge ends a stream, so that permissions are checked again. Browsers
	// reconnect by themselves.
	maxStreamAge = time.Hour
	// maxPending is how many changed incidents wait for a browser; of more it gets
	// one reload event instead.
	maxPending = 100
	// maxHistory is how many changes are kept for pages that were rendered before
	// their stream began.
	maxHistory = 1000
)

// Live tells open browsers which incidents have changed. It never waits for a
// browser.
type Live struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	closed   chan struct{}
	close    sync.Once
	// process is random, one for each start; count counts the changes, of which
	// the latest are in history, oldest first.
	process string
	count   int64
	history []change
}

type change struct{ number, version int64 }

// NewLive has no watchers and no history.
func NewLive() *Live {
	return &Live{watchers: map[*watcher]struct{}{}, closed: make(chan struct{}), process: rand.Text()}
}

// Changed reports that an incident is now at a version. Number 0 stands for too
// many to name.
func (l *Live) Changed(number, version int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	if len(l.history) == maxHistory {
		l.history = slices.Delete(l.history, 0, maxHistory/2)
	}
	l.history = append(l.history, change{number, version})
	for w := range l.watchers {
		w.add(number, version)
	}
}

// Mark is the position in the changes of this process. A page takes it before it
// reads anything, so that a stream from there misses no later change.
func (l *Live) Mark() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.process + "-" + strconv.FormatInt(l.count, 10)
}

// since are the changes after a mark; false where they are no longer in history,
// or the mark is another process's. l.mu is held.
func (l *Live) since(mark string) ([]change, bool) {
	process, text, _ := strings.Cut(mark, "-")
	count, err := strconv.ParseInt(text, 10, 64)
	missed := l.count - count
	if err != nil || process != l.process || missed < 0 || missed > int64(len(l.history)) {
		return nil, false
	}
	return l.history[int64(len(l.history))-missed:], true
}

// Watchers is how many streams are open.
func (l *Live) Watchers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.watchers)
}

// Close ends every stream, and those that begin later.
func (l *Live) Close() { l.close.Do(func() { close(l.closed) }) }

// watch starts a watcher at a mark; where the changes since then are not known,
// with a reload event. Without a mark it starts with the next change.
func (l *Live) watch(mark string) (w *watcher, stop func()) {
	w = &watcher{wake: make(chan struct{}, 1), versions: map[int64]int64{}}
	l.mu.Lock()
	if mark != "" {
		missed, ok := l.since(mark)
		if !ok {
			missed = []change{{}}
		}
		for _, c := range missed {
			w.add(c.number, c.version)
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

// watcher is one browser: the changes that it has not got yet.
type watcher struct {
	mu       sync.Mutex
	versions map[int64]int64
	order    []int64
	reload   bool
	wake     chan struct{}
}

func (w *watcher) add(number, version int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch known, waiting := w.versions[number]; {
	case w.reload:
	case number == 0, !waiting && len(w.versions) == maxPending:
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

// take formats the pending changes as events and clears them.
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

// live streams "incident 17 is now version 9", never content: the page fetches
// what changed under its own permissions. The query's "since" is the page's
// Live.Mark.
func (r *Router) live(c echo.Context) error {
	if err := r.allow(c, auth.ViewIncidents, auth.Object{}); err != nil {
		return err
	}
	watcher, stop := r.Live.watch(c.QueryParam("since"))
	defer stop()
	header := c.Response().Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	s := stream{response: c.Response(), control: http.NewResponseController(c.Response().Writer)}
	if s.send([]byte("retry: 2000\n\n")) == nil {
		r.relay(c, watcher, s)
	}
	return nil // a browser that disconnects is no error
}

// relay sends the watcher's events until the browser or the server ends it.
func (r *Router) relay(c echo.Context, w *watcher, s stream) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	end := time.NewTimer(maxStreamAge)
	defer end.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		var events []byte
		select {
		case <-c.Request().Context().Done():
			return
		case <-r.Live.closed:
			return
		case <-end.C:
			return
		case <-beat.C:
			events = []byte(": still here\n\n")
		case <-w.wake:
			select {
			case <-pause.C: // minEventInterval has passed
			case <-c.Request().Context().Done():
				return
			case <-r.Live.closed:
				return
			}
			pause.Reset(minEventInterval)
			events = w.take()
		}
		if s.send(events) != nil {
			return
		}
	}
}

// stream writes to an open response.
type stream struct {
	response *echo.Response
	control  *http.ResponseController
}

// writeTimeout bounds how long a browser takes to accept an event.
const writeTimeout = 10 * time.Second

func (s stream) send(events []byte) error {
	// The server's own limit counts from the start of the response.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not all writers know deadlines
	if _, err := s.response.Write(events); err != nil {
		return err
	}
	return s.control.Flush()
}
