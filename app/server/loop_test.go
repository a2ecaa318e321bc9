package server

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoopDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var swept []time.Duration
		begun := time.Now()
		l := newLoop("test", func(context.Context) (int, error) {
			swept = append(swept, time.Since(begun))
			return 0, nil
		}, slog.New(slog.DiscardHandler))
		l.delay = 50 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		for range 3 {
			l.poke()
		}
		time.Sleep(10 * time.Millisecond)
		l.poke()
		time.Sleep(290 * time.Millisecond)
		cancel()
		<-done
		// The poke that came while it gathered has it look once more.
		if len(swept) != 3 || swept[0] != 0 || swept[1] != 150*time.Millisecond || swept[2] != 200*time.Millisecond {
			t.Errorf("swept after %v", swept)
		}
	})
}

func TestOptionalLoopsDoNotCountForReadiness(t *testing.T) {
	t.Parallel()
	sweep := func(context.Context) (int, error) { return 0, nil }
	log := slog.New(slog.DiscardHandler)
	s := &Server{loops: []*loop{newLoop("pages", sweep, log), newLoop("effect", sweep, log)}}
	s.loops[1].optional = true
	if ago, ok := s.sweptAgo(); ok {
		t.Errorf("swept %s ago before the first sweep", ago)
	}
	if _, err := s.loops[0].once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ago, ok := s.sweptAgo(); !ok || ago > time.Minute {
		t.Errorf("swept %s ago", ago)
	}
}

func TestLoopSweepsWhenDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		due := []time.Duration{300 * time.Millisecond, 320 * time.Millisecond, 2500 * time.Millisecond}
		var swept []time.Duration
		l := newLoop("test", func(context.Context) (int, error) {
			at := time.Since(begun)
			n := 0
			for len(due) > 0 && due[0] <= at {
				due, n = due[1:], n+1
			}
			if n > 0 {
				swept = append(swept, at.Truncate(time.Millisecond))
			}
			return n, nil
		}, slog.New(slog.DiscardHandler))
		l.now = time.Now
		l.upcoming = func(_ context.Context, after time.Time) (*time.Time, error) {
			for _, d := range due {
				if at := begun.Add(d); at.After(after) {
					return &at, nil
				}
			}
			return nil, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx)
		}()
		time.Sleep(4 * time.Second)
		cancel()
		<-done
		if want := []time.Duration{300 * time.Millisecond, 320 * time.Millisecond, 2500 * time.Millisecond}; !slices.Equal(swept, want) {
			t.Errorf("swept what was due after %v, want %v", swept, want)
		}
	})
}
