package server

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// SweepEvery is the interval at which each loop polls for due work. Wakeups, and
// knowing what is due next, make it fast; polling covers a lost wakeup.
const SweepEvery = time.Second

// SweepTimeout bounds a sweep. It is above the statement_timeout of PostgreSQL.
const SweepTimeout = 20 * time.Second

// After a sweep of fullBatch or more the loop backs off, so that the next batch is
// larger: in a batch a page costs a fifth of what it costs alone.
const (
	fullBatch = 16
	backoff   = 50 * time.Millisecond
)

// loop sweeps whenever it is woken, when a row becomes due, and every SweepEvery. Sweeps of one loop never
// overlap.
type loop struct {
	name  string
	sweep func(context.Context) (int, error)
	wake  chan struct{}
	log   *slog.Logger
	// delay is the wait between a wakeup and the sweep; zero for none.
	delay time.Duration
	// upcoming is the earliest instant after another at which something becomes due, by
	// the clock now; nil where nothing does. Both are nil for a loop that only polls.
	upcoming func(ctx context.Context, after time.Time) (*time.Time, error)
	now      func() time.Time
	// timeout bounds a sweep.
	timeout time.Duration
	// optional says that readiness does not depend on the loop.
	optional bool

	sweeping sync.Mutex
	// swept is when a sweep last succeeded, in Unix nanoseconds of this
	// process's clock.
	swept    atomic.Int64
	observed func(name string, took time.Duration, n int, err error)
}

func newLoop(name string, sweep func(context.Context) (int, error), log *slog.Logger) *loop {
	return &loop{name: name, sweep: sweep, wake: make(chan struct{}, 1), log: log, timeout: SweepTimeout}
}

// poke wakes the loop. A loop that is sweeping sweeps again afterwards.
func (l *loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run sweeps until ctx ends.
func (l *loop) run(ctx context.Context) {
	tick := time.NewTicker(SweepEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		n, err := l.once(ctx)
		switch {
		case err == nil && n >= fullBatch:
			pause(ctx, backoff)
			continue
		case err == nil && n > 0:
			continue
		}
		due, stop := l.due(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-due:
		case <-l.wake:
			pause(ctx, l.delay)
		}
		stop()
	}
}

// due receives when the next row becomes due, if that is before the next poll.
func (l *loop) due(ctx context.Context) (due <-chan time.Time, stop func()) {
	stop = func() {}
	if l.upcoming == nil {
		return nil, stop
	}
	bounded, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	now := l.now()
	at, err := l.upcoming(bounded, now)
	if err != nil {
		if ctx.Err() == nil {
			l.log.ErrorContext(ctx, "read next due time failed", "loop", l.name, "error", err)
		}
		return nil, stop
	}
	if at == nil || at.Sub(now) >= SweepEvery {
		return nil, stop
	}
	// now is truncated to microseconds.
	timer := time.NewTimer(at.Sub(now) + time.Microsecond)
	return timer.C, func() { timer.Stop() }
}

// pause waits for d or until ctx ends.
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
	// Without the timeout, a database that stops answering without closing its
	// connections would block the loop until the TCP timeout.
	bounded, cancel := context.WithTimeout(ctx, l.timeout)
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

// dispatch wakes the loops named by wakeups.
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
