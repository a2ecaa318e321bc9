package ingest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// unitsOf returns a writer that records the titles of each transaction, and fails those
// with a signal "bad".
func unitsOf(gate <-chan struct{}) (w *fakeWriter, batches *[][]string) {
	batches = &[][]string{}
	w = held(gate)
	wait := w.refuse
	w.refuse = func(ctx context.Context, signals []ingest.Signal) error {
		_ = wait(ctx, signals)
		var titles []string
		for _, s := range signals {
			titles = append(titles, s.Event.Title)
		}
		*batches = append(*batches, titles)
		if slices.Contains(titles, "bad") {
			return errors.New("invalid data")
		}
		return nil
	}
	return w, batches
}

func submitUnit(b *ingest.Batcher, titles ...string) <-chan error {
	answer := make(chan error, 1)
	var signals []ingest.Signal
	for _, title := range titles {
		signals = append(signals, signal(title, title))
	}
	go func() {
		results, err := b.Submit(context.Background(), signals)
		if err == nil && len(results) != len(signals) {
			err = errors.New("not every signal is answered")
		}
		answer <- err
	}()
	synctest.Wait()
	return answer
}

func TestRequestIsOneTransaction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w, batches := unitsOf(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{MaxBatch: 3})
		answers := []<-chan error{submitUnit(b, "first"), submitUnit(b, "a", "b"), submitUnit(b, "c", "d"), submitUnit(b, "e", "f", "g", "h")}
		close(gate)
		for i, answer := range answers {
			if err := <-answer; err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		want := [][]string{{"first"}, {"a", "b"}, {"c", "d"}, {"e", "f", "g", "h"}}
		if !slices.EqualFunc(*batches, want, slices.Equal) {
			t.Errorf("transactions %v, want %v", *batches, want)
		}
	})
}

// A signal that cannot be written fails its request; the other signals of the request
// are written nevertheless.
func TestBadSignalFailsOnlyItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w, batches := unitsOf(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{})
		first, good, bad := submitUnit(b, "first"), submitUnit(b, "a", "b"), submitUnit(b, "c", "bad", "d")
		close(gate)
		if err := errors.Join(<-first, <-good); err != nil {
			t.Error(err)
		}
		if err := <-bad; !fault.Is(err, fault.KindInternal) {
			t.Errorf("a request with bad data: %v", err)
		}
		for _, want := range []string{"c", "d"} {
			if !slices.ContainsFunc(*batches, func(titles []string) bool { return slices.Equal(titles, []string{want}) }) {
				t.Errorf("%s was not written by itself: %v", want, *batches)
			}
		}
	})
}

func TestLargeRequestAdmittedWhenQueueEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w, _ := unitsOf(gate)
		b := startBatcher(t, w, ingest.BatcherOptions{MaxCount: 2})
		large := submitUnit(b, "a", "b", "c")
		if err := <-submitUnit(b, "d"); !fault.Is(err, fault.KindUnavailable) {
			t.Errorf("beside it: %v", err)
		}
		close(gate)
		if err := <-large; err != nil {
			t.Error(err)
		}
		if err := <-submitUnit(b, "d"); err != nil || b.Stats().Waiting != 0 {
			t.Errorf("afterwards: %v, %d waiting", err, b.Stats().Waiting)
		}
	})
}
