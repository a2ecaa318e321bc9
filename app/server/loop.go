package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// SweepEvery is how often each loop looks for due work by itself. Being woken
// is what makes it quick; this is what makes it sure.
const SweepEvery = time.Second

// SweepWithin is how long a sweep may take. It is above the time that PostgreSQL
// gives a single statement.
const SweepWithin = 20 * time.Second

// After a sweep of manyDue or more the loop pauses, so that the next sweep is
// larger: in a batch a page costs a fifth of what it costs alone.
const (
	manyDue        = 16
	pauseAfterMany = 50 * time.Millisecond
)

// loop sweeps whenever it is woken, and every second besides. Sweeps of one
// loop never overlap.
type loop struct {
	name  string
	sweep func(context.Context) (int, error)
	wake  chan struct{}
	log   *slog.Logger
	// gather is how long it waits after it was woken, zero for not at all.
	gather time.Duration
	// within is how long a sweep may take.
	within time.Duration
	// optional says that the server is ready whether the loop sweeps or not.
	optional bool

	sweeping sync.Mutex
	// swept is when a sweep last succeeded, in Unix nanoseconds of this
	// process's clock.
	swept    atomic.Int64
	observed func(name string, took time.Duration, n int, err error)
}

func newLoop(name string, sweep func(context.Context) (int, error), log *slog.Logger) *loop {
	return &loop{name: name, sweep: sweep, wake: make(chan struct{}, 1), log: log, within: SweepWithin}
}

// poke wakes the loop; a loop that is busy looks again when it is done.
func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run goes on until ctx ends.
func (l *loop) run(ctx context.Context) {
	tick := time.NewTicker(SweepEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		n, err := l.once(ctx)
		switch {
		case err == nil && n >= manyDue:
			pause(ctx, pauseAfterMany)
			continue
		case err == nil && n > 0:
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-l.wake:
			pause(ctx, l.gather)
		}
	}
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (l *loop) once(ctx context.Context) (int, error) {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	began := time.Now()
	// A database that went silent without closing its connections would hold the
	// loop for as long as TCP hopes for it.
	bounded, cancel := context.WithTimeout(ctx, l.within)
	defer cancel()
	n, err := l.sweep(bounded)
	if l.observed != nil {
		l.observed(l.name, time.Since(began), n, err)
	}
	if err != nil {
		if ctx.Err() == nil {
			l.log.ErrorContext(ctx, "sweep failed", "loop", l.name, "error", err)
		}
		return n, err
	}
	l.swept.Store(time.Now().UnixNano())
	return n, nil
}

// dispatch wakes the loops that a transaction made work for.
func dispatch(ctx context.Context, bus *db.Bus, loops map[db.Work][]*loop) {
	wakeups, stop := bus.Listen()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case w := <-wakeups:
			for work, woken := range loops {
				if w.Work&work == 0 {
					continue
				}
				for _, l := range woken {
					l.poke()
				}
			}
		}
	}
}
