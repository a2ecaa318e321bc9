package store

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
	fixed func() time.Time
	skew  atomic.Int64 // nanoseconds that the database is ahead
}

// Now is the time that due times go by: UTC, to the microsecond.
func (db *DB) Now() time.Time {
	if db.clock.fixed != nil {
		return db.clock.fixed().UTC().Truncate(time.Microsecond)
	}
	return time.Now().Add(time.Duration(db.clock.skew.Load())).UTC().Truncate(time.Microsecond)
}

// SyncClock measures how far the database's clock is from this process's, to
// within half a round trip.
func (db *DB) SyncClock(ctx context.Context) error {
	if db.dialect == onSQLite || db.clock.fixed != nil {
		return nil
	}
	before := time.Now()
	var there time.Time
	if err := db.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&there); err != nil {
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	after := time.Now()
	middle := before.Add(after.Sub(before) / 2)
	db.clock.skew.Store(int64(there.Sub(middle)))
	return nil
}
