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

// In a storm a sweep that finds much comes back after a breath, so that the next
// one takes more at once: a batch costs a page a fifth of what it costs alone.
const (
	storm  = 16
	breath = 50 * time.Millisecond
)

// loop sweeps whenever it is woken, and every second besides. Sweeps of one
// loop never overlap.
type loop struct {
	name  string
	sweep func(context.Context) (int, error)
	wake  chan struct{}
	log   *slog.Logger

	sweeping sync.Mutex
	// swept is when a sweep last succeeded, in Unix nanoseconds of this
	// process's clock.
	swept    atomic.Int64
	observed func(name string, took time.Duration, n int, err error)
}

func newLoop(name string, sweep func(context.Context) (int, error), log *slog.Logger) *loop {
	return &loop{name: name, sweep: sweep, wake: make(chan struct{}, 1), log: log}
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
		case err == nil && n >= storm:
			select {
			case <-ctx.Done():
			case <-time.After(breath):
			}
			continue
		case err == nil && n > 0:
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-l.wake:
		}
	}
}

func (l *loop) once(ctx context.Context) (int, error) {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	began := time.Now()
	// A database that went silent without closing its connections would hold the
	// loop for as long as TCP hopes for it.
	bounded, cancel := context.WithTimeout(ctx, SweepWithin)
	defer cancel()
	n, err := l.sweep(bounded)
	if l.observed != nil {
		l.observed(l.name, time.Since(began), n, err)
	}
	if err != nil {
		if ctx.Err() == nil {
			l.log.ErrorContext(ctx, "a sweep failed; it is tried again in a second", "loop", l.name, "error", err)
		}
		return n, err
	}
	l.swept.Store(time.Now().UnixNano())
	return n, nil
}

// dispatch wakes the loops that a transaction made work for.
func dispatch(ctx context.Context, bus *db.Bus, loops map[db.Work]*loop) {
	news, stop := bus.Listen()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-news:
			for work, l := range loops {
				if n.Work&work != 0 {
					l.poke()
				}
			}
		}
	}
}
