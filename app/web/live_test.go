package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// recorder is a browser's side of a stream.
type recorder struct {
	mu     sync.Mutex
	header http.Header
	text   strings.Builder
}

func (t *recorder) Header() http.Header { return t.header }
func (t *recorder) WriteHeader(int)     {}
func (t *recorder) Flush()              {}

func (t *recorder) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// take returns what came since it was asked last.
func (t *recorder) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	t.text.Reset()
	return text
}

// follow opens a stream in a bubble of virtual time.
func follow(t *testing.T, live *Live) (stream *recorder, hangUp func(), ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &Router{Deps: Deps{Live: live}}
	stream = &recorder{header: http.Header{}}
	c := echo.New().NewContext(httptest.NewRequestWithContext(ctx, "GET", livePath, nil), stream)
	c.Set(userKey, &auth.User{ID: 1, Email: "ana@acme.example", Role: auth.Responder})
	c.Set(sessionKey, true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.live(c); err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
	if got := stream.take(); got != "retry: 2000\n\n" || stream.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("a stream begins with %q", got)
	}
	return stream, cancel, done
}

func expectStream(t *testing.T, s *recorder, want string) {
	t.Helper()
	synctest.Wait()
	if got := s.take(); got != want {
		t.Errorf("the stream says %q, want %q", got, want)
	}
}

func TestLiveCoalescesChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		live := NewLive()
		s, hangUp, ended := follow(t, live)
		live.Changed(17, 9)
		expectStream(t, s, "event: incident\ndata: {\"number\":17,\"version\":9}\n\n")
		for version := range int64(50) {
			live.Changed(17, 10+version)
		}
		live.Changed(18, 2)
		live.Changed(17, 11) // news that is late
		expectStream(t, s, "")
		<-time.After(minEventInterval)
		expectStream(t, s, "event: incident\ndata: {\"number\":17,\"version\":59}\n\nevent: incident\ndata: {\"number\":18,\"version\":2}\n\n")
		hangUp()
		<-ended
		if n := live.Watchers(); n != 0 {
			t.Errorf("%d watch a stream that is closed", n)
		}
	})
}

func TestLiveReloadsAfterManyChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		live := NewLive()
		s, hangUp, ended := follow(t, live)
		live.Changed(1, 1)
		expectStream(t, s, "event: incident\ndata: {\"number\":1,\"version\":1}\n\n")
		// Until the interval is over, the browser gets nothing.
		for n := range int64(maxPending) + 1 {
			live.Changed(n+1, 2)
		}
		expectStream(t, s, "")
		<-time.After(minEventInterval)
		expectStream(t, s, "event: reload\ndata: {}\n\n")
		for n := range int64(maxPending) {
			live.Changed(n+1, 3)
		}
		<-time.After(minEventInterval)
		synctest.Wait()
		if got := s.take(); strings.Count(got, "event: incident") != maxPending || strings.Contains(got, "reload") {
			t.Errorf("of as many changes as may wait the stream says %q", got)
		}
		live.Changed(0, 0)
		<-time.After(minEventInterval)
		expectStream(t, s, "event: reload\ndata: {}\n\n")
		live.Changed(3, 4)
		<-time.After(minEventInterval)
		expectStream(t, s, "event: incident\ndata: {\"number\":3,\"version\":4}\n\n")
		hangUp()
		<-ended
	})
}

func TestWatcherMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := &watcher{wake: make(chan struct{}, 1), versions: map[int64]int64{}}
	for n := range int64(maxPending) {
		w.add(n+1, 1)
	}
	w.add(1, 2) // known already
	if w.reload {
		t.Error("as many as it may name are too many")
	}
	w.add(maxPending+1, 1)
	if !w.reload || len(w.versions) != 0 || len(w.order) != 0 {
		t.Errorf("one more is kept: %d versions", len(w.versions))
	}
}

// A page is told what came after it was made, and nothing of before; where that
// is not known any more, it has to look for itself.
func TestLiveStartsAtMark(t *testing.T) {
	t.Parallel()
	told := func(live *Live, mark string) string {
		w, stop := live.watch(mark)
		defer stop()
		return string(w.take())
	}
	live := NewLive()
	live.Changed(17, 1)
	first := live.Mark()
	if got := told(live, first); got != "" {
		t.Errorf("a page that is up to date is told %q", got)
	}
	live.Changed(17, 2)
	live.Changed(18, 1)
	if got, want := told(live, first), "event: incident\ndata: {\"number\":17,\"version\":2}\n\nevent: incident\ndata: {\"number\":18,\"version\":1}\n\n"; got != want {
		t.Errorf("a page from before is told %q, want %q", got, want)
	}
	if got := told(live, ""); got != "" {
		t.Errorf("a page without a mark is told %q", got)
	}
	const reload = "event: reload\ndata: {}\n\n"
	for range maxHistory {
		live.Changed(17, 3)
	}
	for name, mark := range map[string]string{"long ago": first, "another process": NewLive().Mark(), "nonsense": "nonsense", "the future": live.process + "-99999"} {
		if got := told(live, mark); got != reload {
			t.Errorf("%s: a page is told %q, want %q", name, got, reload)
		}
	}
	if len(live.history) > maxHistory {
		t.Errorf("%d changes are kept", len(live.history))
	}
}

func TestLiveHeartbeatAndEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(live *Live){
		"at shutdown":   func(live *Live) { live.Close() },
		"after an hour": func(*Live) { <-time.After(maxStreamAge) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				live := NewLive()
				s, hangUp, ended := follow(t, live)
				defer hangUp()
				<-time.After(heartbeat)
				expectStream(t, s, ": still here\n\n")
				end(live)
				<-ended
			})
		})
	}
}
