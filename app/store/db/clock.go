package db

import (
	"context"
	"fmt"
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
	last  atomic.Int64 // the latest instant that was returned, Unix nanoseconds
}

// maxClockStep bounds the steps back that are clamped, so that the clock is
// monotonic. A row that was written as due now must be due to a query a moment
// later: after a measured offset that is a millisecond smaller, it would have to wait
// for the poll of the next second. A larger step back is followed.
const maxClockStep = time.Second

// Now is the time that due times are compared with: UTC, to the microsecond. Each
// call returns a later instant, unless the clock was set back by a second or more.
func (db *DB) Now() time.Time {
	if db.Clock.Fixed != nil {
		return db.Clock.Fixed().UTC().Truncate(time.Microsecond)
	}
	return db.Clock.read(time.Now()).UTC().Truncate(time.Microsecond)
}

func (c *clock) read(own time.Time) time.Time {
	now := own.UnixNano() + c.skew.Load()
	for {
		last := c.last.Load()
		if now <= last && last-now < int64(maxClockStep) {
			now = last + int64(time.Microsecond)
		}
		if c.last.CompareAndSwap(last, now) {
			return time.Unix(0, now)
		}
	}
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
