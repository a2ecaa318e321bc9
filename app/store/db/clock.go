package db

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// clock is the clock that due times are compared with. On PostgreSQL it is the
// database's, so that several processes agree: each keeps the offset from its own
// clock and measures it every second. A test's clock replaces it.
type clock struct {
	Fixed func() time.Time
	skew  atomic.Int64 // nanoseconds that the database is ahead
	asked atomic.Bool  // skew was measured

	mu   sync.Mutex
	last int64     // the latest instant that was returned, Unix nanoseconds; 0 at first
	own  time.Time // the process's clock then
	step clockStep // the last one
	slow bool      // the clock was set back and has not caught up
}

// clockStep is a jump of the clock.
type clockStep struct {
	// at is when it was noticed, by the clock after the jump; zero where there was none.
	at time.Time
	// by is how far the clock was set; negative for back.
	by time.Duration
}

const (
	// maxClockStep bounds the steps back that are clamped, so that the clock is
	// monotonic. A row that was written as due now must be due to a query a moment
	// later: after a measured offset that is a millisecond smaller, it would have to
	// wait for the poll of the next second.
	maxClockStep = time.Second
	// maxSlewedStep bounds the steps back after which the clock goes on and runs slower
	// until the other clock has caught up, so that what is due soon stays due soon. A
	// larger one is followed: the clock was far off before.
	maxSlewedStep = 24 * time.Hour
	// slewDivisor is the share by which it runs slower: after a step of two hours it has
	// caught up in twenty.
	slewDivisor = 10
	// minReportedStep is the smallest step that is reported.
	minReportedStep = 5 * time.Second
)

// Now is the time that due times are compared with: UTC, to the microsecond. Each
// call returns a later instant, unless the clock was set back by more than a day.
func (db *DB) Now() time.Time {
	if db.Clock.Fixed != nil {
		return db.Clock.Fixed().UTC().Truncate(time.Microsecond)
	}
	return db.Clock.read(time.Now()).UTC().Truncate(time.Microsecond)
}

// LastClockStep is the last jump of the clock by several seconds or more.
func (db *DB) LastClockStep() (at time.Time, by time.Duration) {
	db.Clock.mu.Lock()
	defer db.Clock.mu.Unlock()
	return db.Clock.step.at, db.Clock.step.by
}

func (c *clock) read(own time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall := own.UnixNano() + c.skew.Load()
	now := wall
	if c.last != 0 {
		elapsed := max(int64(own.Sub(c.own)), 0) // by the monotonic clock, which is never set
		now = c.advance(wall, elapsed)
	}
	c.last, c.own = now, own
	return time.Unix(0, now)
}

// advance is the next instant, so many nanoseconds after the last.
func (c *clock) advance(wall, elapsed int64) int64 {
	ahead := time.Duration(c.last + elapsed - wall)
	if by := -ahead; !c.slow && by.Abs() >= minReportedStep || c.slow && by >= minReportedStep {
		c.step = clockStep{at: time.Unix(0, wall).UTC(), by: by}
	}
	switch {
	case ahead > maxSlewedStep:
		c.slow = false
		return wall
	case ahead >= maxClockStep:
		c.slow = true
		return c.last + max(elapsed-elapsed/slewDivisor, int64(time.Microsecond))
	}
	c.slow = false
	return max(wall, c.last+int64(time.Microsecond))
}

// SyncClock measures the offset of the database's clock from this process's, to
// within half a round trip.
func (db *DB) SyncClock(ctx context.Context) error {
	if db.Dialect == SQLite || db.Clock.Fixed != nil {
		return nil
	}
	before := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var there time.Time
	if err := db.Pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&there); err != nil {
		return fmt.Errorf("read clock_timestamp: %w", err)
	}
	db.Clock.measured(before, there, time.Now())
	return nil
}

// measured takes the database's time, read between two instants. It keeps the
// present offset where that lies within the uncertainty of the new measurement.
func (c *clock) measured(before, there, after time.Time) {
	uncertain := after.Sub(before) / 2
	skew := there.Sub(before.Add(uncertain))
	if off := skew - time.Duration(c.skew.Load()); c.asked.Load() && off.Abs() <= uncertain {
		return
	}
	if c.asked.Load() && uncertain > 125*time.Millisecond {
		return // too uncertain; the next measurement follows in a second
	}
	c.skew.Store(int64(skew))
	c.asked.Store(true)
}
