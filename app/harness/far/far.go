// Package far is the far side of the wire: a Twilio, a Slack and a mail server
// that speak the real protocols on a free port of 127.0.0.1. Tests and the demo
// run the application against them, and see what a provider would have seen.
//
// Every server records what reached it with the time at which it arrived, by
// this machine's clock, and can be told to refuse, to hold back its answer or
// to break the connection. All methods may be called from several goroutines.
package far

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// journal keeps what arrived, in order, and wakes whoever waits for it.
type journal[T any] struct {
	mu      sync.Mutex
	entries []T
	grown   chan struct{} // closed and replaced when an entry is added
}

func newJournal[T any]() *journal[T] {
	return &journal[T]{grown: make(chan struct{})}
}

func (j *journal[T]) add(entry T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry)
	close(j.grown)
	j.grown = make(chan struct{})
}

func (j *journal[T]) all() []T {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

// wait returns the first entry that matches, of those that came and those that
// are still to come. It calls match once an entry, in the order of arrival.
func (j *journal[T]) wait(ctx context.Context, match func(T) bool) (T, error) {
	for seen := 0; ; {
		j.mu.Lock()
		fresh, grown := slices.Clone(j.entries[seen:]), j.grown
		j.mu.Unlock()
		for _, entry := range fresh {
			if match(entry) {
				return entry, nil
			}
		}
		seen += len(fresh)
		select {
		case <-grown:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("no match among the %d that came: %w", seen, ctx.Err())
		}
	}
}

// faults are the failures that a test has asked a server for. R is the type of its
// refusals.
type faults[R any] struct {
	mu      sync.Mutex
	next    []R
	refused map[string]R
	drops   int
	given   int           // refusals
	held    chan struct{} // closed when answers may go; nil while none is held
}

func (m *faults[R]) failNext(refusals []R) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next = append(m.next, refusals...)
}

func (m *faults[R]) failFor(address string, refusal R) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused == nil {
		m.refused = make(map[string]R)
	}
	m.refused[address] = refusal
}

func (m *faults[R]) succeedFor(address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.refused, address)
}

// refusal takes what FailNext or FailFor asked for.
func (m *faults[R]) refusal(address string) (R, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.next) > 0 {
		r := m.next[0]
		m.next = m.next[1:]
		m.given++
		return r, true
	}
	r, ok := m.refused[address]
	if ok {
		m.given++
	}
	return r, ok
}

// refusals counts how often a refusal that was asked for was given.
func (m *faults[R]) refusals() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.given
}

func (m *faults[R]) dropNext() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drops++
}

func (m *faults[R]) dropped() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drops == 0 {
		return false
	}
	m.drops--
	return true
}

func (m *faults[R]) hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := make(chan struct{})
	m.held = held
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.held == held {
			m.held = nil
		}
		close(held)
	})
}

// pause returns when no answer is held back, and reports false where ctx was
// done before.
func (m *faults[R]) pause(ctx context.Context) bool {
	m.mu.Lock()
	held := m.held
	m.mu.Unlock()
	if held == nil {
		return true
	}
	select {
	case <-held:
		return true
	case <-ctx.Done():
		return false
	}
}

// site is an HTTP server on a free port of 127.0.0.1.
type site struct {
	address string
	server  *http.Server
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // what goes on beside the requests
}

func newSite(handler http.Handler) (*site, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &site{
		address: "http://" + listener.Addr().String(),
		ctx:     ctx,
		cancel:  cancel,
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
	}
	s.begin(func() {
		// Serve ends when Close closes the listener, and has nothing to tell.
		_ = s.server.Serve(listener)
	})
	return s, nil
}

// begin runs work beside the requests, unless the site is closing.
func (s *site) begin(work func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.work.Go(work)
	}
}

// Close frees the port, breaks the open connections and waits for what runs.
func (s *site) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.server.Close()
	s.work.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// writeJSON ignores the error of a connection that the client has closed.
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// breakOff ends the connection without an answer.
func breakOff() { panic(http.ErrAbortHandler) }

// randomHex returns n lower-case hexadecimal digits; n is even.
func randomHex(n int) string {
	b := make([]byte, n/2)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
