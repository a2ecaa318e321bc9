package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// fakeWriter keeps what is written. refuse, if set, may fail a batch or take
// its time.
type fakeWriter struct {
	refuse func(ctx context.Context, signals []ingest.Signal) error
	// mark, if set, makes batches wait for flush.
	mark  func() ingest.Mark
	flush func(ingest.Mark) error

	mu      sync.Mutex
	written []string // titles
	batches []int    // sizes, also of those that failed
}

func (w *fakeWriter) WriteSignals(ctx context.Context, signals []ingest.Signal) (ingest.Written, error) {
	w.mu.Lock()
	w.batches = append(w.batches, len(signals))
	w.mu.Unlock()
	if w.refuse != nil {
		if err := w.refuse(ctx, signals); err != nil {
			return ingest.Written{}, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	results := make([]ingest.Result, len(signals))
	for i, s := range signals {
		w.written = append(w.written, s.Event.Title)
		results[i] = ingest.Result{Status: incident.ResultCreated, Number: int64(len(w.written))}
	}
	written := ingest.Written{Results: results}
	if w.mark != nil {
		written.Mark = w.mark()
	}
	return written, nil
}

func (w *fakeWriter) WaitForFlush(_ context.Context, mark ingest.Mark) error { return w.flush(mark) }

func signal(key, title string) ingest.Signal {
	return ingest.Signal{ServiceID: 1, Event: incident.Event{DedupKey: key, Title: title}}
}

func startBatcher(t *testing.T, w ingest.Writer, opts ingest.BatcherOptions) *ingest.Batcher {
	t.Helper()
	opts.Log = slog.New(slog.DiscardHandler)
	b := ingest.NewBatcher(w, opts)
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// held is a writer whose first batch waits until the gate opens, so that later signals
// are queued.
func held(gate <-chan struct{}) *fakeWriter {
	first := true
	return &fakeWriter{refuse: func(context.Context, []ingest.Signal) error {
		if first {
			first = false
			<-gate
		}
		return nil
	}}
}

// submit sends a signal from a goroutine of its own and returns once it waits.
func submit(b *ingest.Batcher, s ingest.Signal) <-chan error {
	answer := make(chan error, 1)
	go func() {
		_, err := b.Submit(context.Background(), []ingest.Signal{s})
		answer <- err
	}()
	synctest.Wait()
	return answer
}

func TestQueuedSignalsShareBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := held(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{MaxBatch: 4})
		for i := range 8 {
			submit(b, signal("key", fmt.Sprint(i)))
		}
		close(gate)
		synctest.Wait()
		if got := strings.Join(w.written, ""); got != "01234567" {
			t.Errorf("order %s", got)
		}
		if !slices.Equal(w.batches, []int{1, 4, 3}) {
			t.Errorf("batches %v", w.batches)
		}
	})
}

func TestSingleSignalIsNotDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startBatcher(t, &fakeWriter{}, ingest.BatcherOptions{})
		began := time.Now()
		if r, err := b.Submit(t.Context(), []ingest.Signal{signal("a", "a")}); err != nil || r[0].Number != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestBadSignalFailsAlone(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"error", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			w := held(gate)
			hold := w.refuse
			w.refuse = func(ctx context.Context, signals []ingest.Signal) error {
				_ = hold(ctx, signals)
				for _, s := range signals {
					if s.Event.Title == "bad" {
						if how == "panic" {
							panic("bad")
						}
						return errors.New("value out of range")
					}
				}
				return nil
			}
			b := startBatcher(t, w, ingest.BatcherOptions{})
			answers := map[string]<-chan error{}
			for _, title := range []string{"first", "a", "b", "bad", "c", "d", "e"} {
				answers[title] = submit(b, signal(title, title))
			}
			close(gate)
			for title, answer := range answers {
				err := <-answer
				if want := title == "bad"; want != (err != nil) || want && !fault.Is(err, fault.KindInternal) {
					t.Errorf("%s: %s: got %v", how, title, err)
				}
			}
			if got := strings.Join(w.written, " "); got != "first a b c d e" {
				t.Errorf("%s: wrote %s", how, got)
			}
		})
	}
}

func TestConflictIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		races := 3
		w := &fakeWriter{refuse: func(context.Context, []ingest.Signal) error {
			if races--; races >= 0 {
				return fmt.Errorf("40001: %w", ingest.ErrRetry)
			}
			return nil
		}}
		b := startBatcher(t, w, ingest.BatcherOptions{})
		if _, err := b.Submit(t.Context(), []ingest.Signal{signal("a", "a")}); err != nil {
			t.Error(err)
		}
		if s := b.Stats(); s.Retried != 3 || s.Batches != 4 || s.Written != 1 || s.Bisected != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestTemporaryErrorIsUnavailable(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"permanent conflict": ingest.ErrRetry,
		"a lost connection":  fmt.Errorf("EOF: %w", ingest.ErrUnavailable),
	} {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			w := held(gate)
			hold := w.refuse
			w.refuse = func(ctx context.Context, signals []ingest.Signal) error {
				_ = hold(ctx, signals)
				return failure
			}
			b := startBatcher(t, w, ingest.BatcherOptions{})
			a, c := submit(b, signal("a", "a")), submit(b, signal("b", "b"))
			close(gate)
			for _, answer := range []<-chan error{a, c} {
				err := <-answer
				if after, ok := ingest.RetryAfter(err); !fault.Is(err, fault.KindUnavailable) || !ok || after < time.Second {
					t.Errorf("%s: got %v", name, err)
				}
			}
			if s := b.Stats(); s.Bisected != 0 {
				t.Errorf("%s: bisected", name)
			}
		})
	}
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	big := signal("big", "big")
	big.Event.Body = make([]byte, 1<<20)
	for name, opts := range map[string]ingest.BatcherOptions{
		"count": {MaxCount: 2},
		"bytes": {MaxBytes: 3 << 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			b := startBatcher(t, held(gate), opts)
			a, c := submit(b, big), submit(b, big)
			began := time.Now()
			_, err := b.Submit(t.Context(), []ingest.Signal{big})
			if !fault.Is(err, fault.KindUnavailable) || time.Since(began) != 0 {
				t.Errorf("%s: got %v after %v", name, err, time.Since(began))
			}
			close(gate)
			if err := errors.Join(<-a, <-c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if s := b.Stats(); s.Waiting != 0 || s.WaitingBytes != 0 || s.Overload != 1 {
				t.Errorf("%s: %+v", name, s)
			}
			if _, err := b.Submit(t.Context(), []ingest.Signal{big}); err != nil {
				t.Errorf("%s: room was not given back: %v", name, err)
			}
		})
	}
}

func TestDeadlineDropsQueuedSignals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := held(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{Deadline: 3 * time.Second})
		began := time.Now()
		a, c := submit(b, signal("a", "in work")), submit(b, signal("b", "waiting"))
		for _, answer := range []<-chan error{a, c} {
			if err := <-answer; !fault.Is(err, fault.KindUnavailable) {
				t.Errorf("got %v", err)
			}
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %v", waited)
		}
		close(gate)
		synctest.Wait()
		if !slices.Equal(w.written, []string{"in work"}) {
			t.Errorf("wrote %v", w.written)
		}
		if s := b.Stats(); s.Waiting != 0 || s.WaitingBytes != 0 || s.Late != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTransactionDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := held(gate)
		hold := w.refuse
		w.refuse = func(ctx context.Context, signals []ingest.Signal) error {
			_ = hold(ctx, signals)
			if len(signals) == 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		b := startBatcher(t, w, ingest.BatcherOptions{Deadline: 2 * time.Second})
		submit(b, signal("a", "a"))
		second, third := submit(b, signal("b", "b")), submit(b, signal("c", "c"))
		close(gate)
		for _, answer := range []<-chan error{second, third} {
			if err := <-answer; !fault.Is(err, fault.KindUnavailable) {
				t.Errorf("got %v", err)
			}
		}
		synctest.Wait()
		// A batch that is too slow is not bisected.
		if s := b.Stats(); s.Waiting != 0 || s.Batches != 2 || s.Bisected != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestCancelledSenderAffectsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := held(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{})
		first := submit(b, signal("a", "a"))
		ctx, hangUp := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := b.Submit(ctx, []ingest.Signal{signal("b", "b")})
			gone <- err
		}()
		synctest.Wait()
		hangUp()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		last := submit(b, signal("c", "c"))
		close(gate)
		if err := errors.Join(<-first, <-last); err != nil {
			t.Error(err)
		}
		if got := strings.Join(w.written, ""); got != "abc" {
			t.Errorf("wrote %s", got)
		}
	})
}

func TestCloseDrainsQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := held(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{MaxBatch: 2})
		var answers []<-chan error
		for i := range 6 {
			answers = append(answers, submit(b, signal("key", fmt.Sprint(i))))
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Close(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close: got %v", err)
		}
		if _, err := b.Submit(t.Context(), []ingest.Signal{signal("late", "late")}); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("submit after close: got %v", err)
		}
		close(gate)
		for _, answer := range answers {
			if err := <-answer; err != nil {
				t.Error(err)
			}
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := strings.Join(w.written, ""); got != "012345" {
			t.Errorf("wrote %s", got)
		}
	})
}
