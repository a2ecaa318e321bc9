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
	asked atomic.Bool  // skew was measured
	last  atomic.Int64 // the latest instant that anybody was told, Unix nanoseconds
}

// atMostBack is how far the clock creeps rather than go back. What was
// written as due now must be due to whoever looks a moment later: a difference
// that was measured anew a millisecond smaller would leave it to the sweep of the
// next second. A clock that was set back by more is followed.
const atMostBack = time.Second

// Now is the time that due times go by: UTC, to the microsecond. It is never the
// same twice, and does not go back by less than a second.
func (db *DB) Now() time.Time {
	if db.clock.fixed != nil {
		return db.clock.fixed().UTC().Truncate(time.Microsecond)
	}
	return db.clock.read(time.Now()).UTC().Truncate(time.Microsecond)
}

func (c *clock) read(own time.Time) time.Time {
	now := own.UnixNano() + c.skew.Load()
	for {
		last := c.last.Load()
		if now <= last && last-now < int64(atMostBack) {
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
	if db.dialect == onSQLite || db.clock.fixed != nil {
		return nil
	}
	before := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var there time.Time
	if err := db.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&there); err != nil {
		return fmt.Errorf("ask the database for the time: %w", err)
	}
	db.clock.measured(before, there, time.Now())
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
	if db.dialect != onSQLite {
		return
	}
	if _, err := db.write.ExecContext(ctx, "PRAGMA optimize"); err != nil && ctx.Err() == nil {
		db.log.WarnContext(ctx, "SQLite could not look at its tables", "error", err)
	}
}

// NextDue is the earliest instant at which something becomes due; ok is false
// where nothing ever will. Timers of other kinds and other consumers are left out:
// nobody here acts on them.
func (db *DB) NextDue(ctx context.Context, timers, consumers []string) (at time.Time, ok bool, err error) {
	ofKind, kinds := inTexts("kind", 1, timers)
	named, names := inTexts("name", 1, consumers)
	for _, q := range []struct {
		query string
		args  []any
	}{
		{query: "SELECT min(next_action_at) FROM escalations WHERE next_action_at IS NOT NULL"},
		{query: "SELECT min(notify_at) FROM pages WHERE notify_at IS NOT NULL"},
		{query: "SELECT min(due_at) FROM messages WHERE state = 'queued'"},
		{"SELECT min(due_at) FROM timers WHERE " + ofKind, kinds},
		{"SELECT min(retry_at) FROM effect_consumers WHERE " + named, names},
	} {
		due, err := db.earliest(ctx, q.query, q.args...)
		if err != nil {
			return at, ok, err
		}
		if due != nil && (!ok || due.Before(at)) {
			at, ok = *due, true
		}
	}
	return at, ok, nil
}

func (db *DB) earliest(ctx context.Context, query string, args ...any) (*time.Time, error) {
	var text any
	if err := db.read.QueryRowContext(ctx, db.rebind(query), args...).Scan(&text); err != nil {
		return nil, fmt.Errorf("look what is due next: %w", err)
	}
	switch v := text.(type) {
	case time.Time:
		v = v.UTC()
		return &v, nil
	case string: // SQLite forgets the type of a column inside an aggregate
		at, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", v)
		if err != nil {
			return nil, fmt.Errorf("look what is due next: %w", err)
		}
		return &at, nil
	default:
		return nil, nil
	}
}

// Backlogs count what is due and not taken in hand, by loop.
func (db *DB) Backlogs() map[string]func(context.Context) (int64, error) {
	all := map[string]func(context.Context) (int64, error){}
	for loop, query := range map[string]string{
		"escalations": "SELECT count(*) FROM escalations WHERE next_action_at <= $1",
		"pages":       "SELECT count(*) FROM pages WHERE notify_at <= $1",
		"messages":    "SELECT count(*) FROM messages WHERE state = 'queued' AND due_at <= $1",
		"timers":      "SELECT count(*) FROM timers WHERE due_at <= $1",
	} {
		all[loop] = func(ctx context.Context) (n int64, err error) {
			err = db.read.QueryRowContext(ctx, db.rebind(query), db.Now()).Scan(&n)
			return n, err
		}
	}
	return all
}
