package db

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// clock is what due times are compared with. On PostgreSQL it is the
// database's, so that several processes agree: each keeps the difference to
// its own and asks again every second. A test's clock replaces it.
type clock struct {
	Fixed func() time.Time
	skew  atomic.Int64 // nanoseconds that the database is ahead
	asked atomic.Bool  // skew was measured
	last  atomic.Int64 // the latest instant that anybody was told, Unix nanoseconds
}

// maxClockStep is how far the clock creeps rather than go back. What was
// written as due now must be due to whoever looks a moment later: a difference
// that was measured anew a millisecond smaller would leave it to the sweep of the
// next second. A clock that was set back by more is followed.
const maxClockStep = time.Second

// Now is the time that due times go by: UTC, to the microsecond. It is never the
// same twice, and does not go back by less than a second.
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

// SyncClock measures how far the database's clock is from this process's, to
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
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	db.Clock.measured(before, there, time.Now())
	return nil
}

// measured takes what the database answered between two instants. What the last
// difference explains as well changes nothing: a slow answer says little.
func (c *clock) measured(before, there, after time.Time) {
	uncertain := after.Sub(before) / 2
	skew := there.Sub(before.Add(uncertain))
	if off := skew - time.Duration(c.skew.Load()); c.asked.Load() && off.Abs() <= uncertain {
		return
	}
	if c.asked.Load() && uncertain > 125*time.Millisecond {
		return // too slow to say anything; the next one comes in a second
	}
	c.skew.Store(int64(skew))
	c.asked.Store(true)
}

// Optimize has SQLite look at its tables, so that it chooses the right indexes
// as they grow. PostgreSQL does so by itself.
func (db *DB) Optimize(ctx context.Context) {
	if db.Dialect != SQLite {
		return
	}
	if _, err := db.Write.ExecContext(ctx, "PRAGMA optimize"); err != nil && ctx.Err() == nil {
		db.Log.WarnContext(ctx, "SQLite could not look at its tables", "error", err)
	}
}
