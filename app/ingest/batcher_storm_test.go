package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// With random errors, panics and delays of the database, each submission is answered
// once, a signal is written exactly where its submission succeeded, and none that
// failed
// as internal is written.
func TestBatcherInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		opts := ingest.BatcherOptions{
			Lanes:    rapid.IntRange(1, 4).Draw(rt, "lanes"),
			MaxBatch: rapid.IntRange(1, 8).Draw(rt, "batch"),
			MaxCount: rapid.IntRange(1, 40).Draw(rt, "count"),
			Deadline: time.Second,
		}
		n := rapid.IntRange(1, 60).Draw(rt, "signals")
		seed := rapid.Uint64().Draw(rt, "seed")
		synctest.Test(t, func(t *testing.T) { storm(t, opts, n, seed) })
	})
}

func storm(t *testing.T, opts ingest.BatcherOptions, n int, seed uint64) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	w := &fakeWriter{refuse: func(_ context.Context, signals []ingest.Signal) error {
		<-time.After(time.Duration(draw(300)) * time.Millisecond) // of the test's own clock
		for _, s := range signals {
			if s.Event.Snooze > 0 {
				return errors.New("bad data")
			}
		}
		switch draw(8) {
		case 0:
			return ingest.ErrRetry
		case 1:
			return ingest.ErrUnavailable
		case 2:
			panic("a bug")
		}
		return nil
	}}
	b := startBatcher(t, w, opts)
	good := make([]bool, n)
	internal := make([]bool, n)
	var senders sync.WaitGroup
	for i := range n {
		s := signal(fmt.Sprint("key ", draw(3)), fmt.Sprint(i))
		if draw(10) == 0 {
			s.Event.Snooze = 1
		}
		senders.Go(func() {
			_, err := b.Submit(context.Background(), []ingest.Signal{s})
			good[i] = err == nil
			internal[i] = fault.Is(err, fault.KindInternal)
			if err != nil && !internal[i] && !fault.Is(err, fault.KindUnavailable) {
				t.Errorf("signal %d: %v", i, err)
			}
		})
		if draw(4) == 0 {
			<-time.After(time.Duration(draw(50)) * time.Millisecond)
		}
	}
	senders.Wait()
	if err := b.Close(context.Background()); err != nil {
		t.Error(err)
	}
	times := map[string]int{}
	for _, title := range w.written {
		times[title]++
	}
	for i := range n {
		wrote := times[fmt.Sprint(i)]
		if good[i] && wrote != 1 || internal[i] && wrote != 0 || wrote > 1 {
			t.Errorf("signal %d: answered well %v, internal %v, written %d times", i, good[i], internal[i], wrote)
		}
	}
	if s := b.Stats(); s.Waiting != 0 || s.WaitingBytes != 0 {
		t.Errorf("%+v", s)
	}
}

func TestLanesKeepOrderOfKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &fakeWriter{refuse: func(context.Context, []ingest.Signal) error {
			<-time.After(time.Millisecond)
			return nil
		}}
		b := startBatcher(t, w, ingest.BatcherOptions{Lanes: 4, MaxBatch: 3})
		var answers []<-chan error
		for i := range 60 {
			key := string(rune('a' + i%7))
			answers = append(answers, submit(b, signal(key, fmt.Sprintf("%s%02d", key, i))))
		}
		for _, answer := range answers {
			if err := <-answer; err != nil {
				t.Error(err)
			}
		}
		last := map[byte]string{}
		for _, title := range w.written {
			if title < last[title[0]] {
				t.Errorf("%s came after %s", title, last[title[0]])
			}
			last[title[0]] = title
		}
		if len(last) != 7 || len(w.written) != 60 {
			t.Errorf("wrote %d signals of %d keys", len(w.written), len(last))
		}
	})
}

// instant answers at once, so that only the cost of the batcher is measured.
type instant struct{ results []ingest.Result }

func (w *instant) WriteSignals(_ context.Context, signals []ingest.Signal) (ingest.Written, error) {
	return ingest.Written{Results: w.results[:len(signals)]}, nil
}

func (*instant) WaitForFlush(context.Context, ingest.Mark) error { return nil }

func BenchmarkSubmit(b *testing.B) {
	for _, senders := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d senders", senders*2), func(b *testing.B) {
			batcher := ingest.NewBatcher(&instant{make([]ingest.Result, 256)}, ingest.BatcherOptions{})
			defer batcher.Close(context.Background())
			s := signal("key", "title")
			b.ReportAllocs()
			b.SetParallelism(senders)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := batcher.Submit(context.Background(), []ingest.Signal{s}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
