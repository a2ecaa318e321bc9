package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// disk is a disk whose flushes end when the test sends to end.
type disk struct {
	begun []ingest.Mark
	end   chan error
}

func (d *disk) flush(mark ingest.Mark) error {
	d.begun = append(d.begun, mark)
	return <-d.end
}

// onDisk is a writer whose batches have the marks in turn, and from then on the last
// one, and wait for the disk.
func onDisk(marks ...ingest.Mark) (*fakeWriter, *disk) {
	d := &disk{end: make(chan error)}
	n := 0
	return &fakeWriter{flush: d.flush, mark: func() ingest.Mark {
		mark := marks[min(n, len(marks)-1)]
		n++
		return mark
	}}, d
}

func answered(answers ...<-chan error) int {
	n := 0
	for _, a := range answers {
		n += len(a)
	}
	return n
}

func TestNoAnswerBeforeFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d := onDisk(1)
		b := startBatcher(t, w, ingest.BatcherOptions{})
		first := submit(b, signal("a", "a"))
		// The lane does not wait with the first: these are written meanwhile.
		second, third := submit(b, signal("a", "b")), submit(b, signal("c", "c"))
		if got := answered(first, second, third); got != 0 || len(w.written) != 3 {
			t.Fatalf("%d answered before the disk, wrote %v", got, w.written)
		}
		d.end <- nil
		synctest.Wait()
		if answered(first) != 1 || answered(second, third) != 0 {
			t.Errorf("the first batch is answered %d times, the rest %d times", answered(first), answered(second, third))
		}
		d.end <- nil // one wait for both
		synctest.Wait()
		if answered(second, third) != 2 || !slices.Equal(d.begun, []ingest.Mark{1, 1}) {
			t.Errorf("answered %d after the waits %v", answered(second, third), d.begun)
		}
		for _, a := range []<-chan error{first, second, third} {
			if err := <-a; err != nil {
				t.Error(err)
			}
		}
		if s := b.Stats(); s.Written != 3 || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestFailedFlushIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// While the first waits, the connection is lost and made anew.
		w, d := onDisk(1, 1, 2)
		b := startBatcher(t, w, ingest.BatcherOptions{})
		first, second, third := submit(b, signal("a", "a")), submit(b, signal("b", "b")), submit(b, signal("c", "c"))
		lost := fmt.Errorf("%w: reset", ingest.ErrUnavailable)
		d.end <- nil
		d.end <- lost // of the second
		d.end <- nil  // of the third, which was written to another connection
		if err := <-first; err != nil {
			t.Error(err)
		}
		err := <-second
		if !fault.Is(err, fault.KindUnavailable) || !errors.Is(err, ingest.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if _, ok := ingest.RetryAfter(err); !ok {
			t.Error("no Retry-After")
		}
		if err := <-third; err != nil {
			t.Error(err)
		}
		if s := b.Stats(); s.Written != 2 || s.Failed != 1 || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCloseWaitsForFlush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d := onDisk(1)
		b := startBatcher(t, w, ingest.BatcherOptions{})
		answer := submit(b, signal("a", "a"))
		closed := make(chan error, 1)
		go func() { closed <- b.Close(context.Background()) }()
		synctest.Wait()
		if len(closed) != 0 {
			t.Error("closed while a signal waits for the disk")
		}
		d.end <- nil
		if err := errors.Join(<-answer, <-closed); err != nil {
			t.Error(err)
		}
	})
}

// A signal may be stored though its request was cancelled. The answer says so, but not
// for a signal that was refused by the queue.
func TestCancelledRequestMayBeStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, d := onDisk(1)
		b := startBatcher(t, w, ingest.BatcherOptions{MaxCount: 1})
		ctx, hangUp := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() {
			_, err := b.Submit(ctx, []ingest.Signal{signal("a", "a")})
			answer <- err
		}()
		synctest.Wait()
		hangUp()
		if err := <-answer; !fault.Is(err, fault.KindUnavailable) || !strings.Contains(err.Error(), "may or may not have been stored") {
			t.Errorf("got %v", err)
		}
		if _, err := b.Submit(ctx, []ingest.Signal{signal("b", "b")}); err == nil || strings.Contains(err.Error(), "may or may not") {
			t.Errorf("of a signal that was turned away: %v", err)
		}
		d.end <- nil
		synctest.Wait()
		if s := b.Stats(); s.Written != 1 || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}
