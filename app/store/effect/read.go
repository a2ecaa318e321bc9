package effect

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

const (
	// maxIDs bounds how many ids of the timeline are read at a time, so that a
	// consumer that is far behind does not sort all that is left.
	maxIDs = 5000
	// writersWithin is how long a read waits for transactions that may still
	// commit an event below one that was seen; writersAgain is how often it looks.
	writersWithin = time.Second
	writersAgain  = 5 * time.Millisecond
)

// Read implements effect.Store.
//
// PostgreSQL gives ids before the commit, so that 7 may be visible while 6 is
// still to come, and a cursor at 7 would pass over it. Whoever inserts an event
// holds a lock on the table, ROW EXCLUSIVE, from before it takes an id until it
// ends. So once the highest id was read, the transactions that hold that lock
// are the only ones that may still commit a lower one; when they have ended,
// everything up to that id is visible to a query that begins then. Transaction ids
// (pg_snapshot_xmin) would also do, but include those of every other database of the
// server.
//
// SQLite has one writer, so that ids are committed in their order.
func (s *Store) Read(ctx context.Context, after int64, kinds []incident.EventKind, limit int) (effect.Batch, error) {
	through, err := s.lastID(ctx, after)
	if err != nil || through == after {
		return effect.Batch{Through: after}, err
	}
	if s.db.Dialect == db.Postgres {
		ended, err := s.writersEnd(ctx)
		if err != nil || !ended {
			return effect.Batch{Through: after}, err
		}
		s.summarize(ctx, through)
	}
	return s.events(ctx, after, through, kinds, limit)
}

// lastID is the highest id of a part of the timeline that begins after an id;
// that id itself where nothing comes after it. Served by timeline_events_id.
func (s *Store) lastID(ctx context.Context, after int64) (int64, error) {
	for from := after; ; {
		var last *int64
		err := s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT max(id) FROM timeline_events WHERE id > $1 AND id <= $2"), from, from+maxIDs).Scan(&last)
		if err != nil {
			return after, fmt.Errorf("read the end of the timeline: %w", err)
		}
		if last != nil {
			return *last, nil
		}
		// Ids of transactions that failed leave gaps.
		var next *int64
		if err := s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT min(id) FROM timeline_events WHERE id > $1"), from).Scan(&next); err != nil {
			return after, fmt.Errorf("read the end of the timeline: %w", err)
		}
		if next == nil {
			return after, nil
		}
		from = *next - 1
	}
}

// writers are the transactions of this database that may have inserted events.
const writers = `FROM pg_locks WHERE locktype = 'relation' AND relation = 'timeline_events'::regclass AND mode = 'RowExclusiveLock' AND granted
	AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// writersEnd waits until the present writers have ended, and returns false
// where they take too long.
func (s *Store) writersEnd(ctx context.Context) (bool, error) {
	var present pgtype.FlatArray[string]
	if err := s.db.Pool.QueryRow(ctx, "SELECT COALESCE(array_agg(DISTINCT virtualtransaction), '{}') "+writers).Scan(&present); err != nil {
		return false, fmt.Errorf("read writers of the timeline: %w", err)
	}
	if len(present) == 0 {
		return true, nil
	}
	within := time.NewTimer(writersWithin)
	defer within.Stop()
	again := time.NewTicker(writersAgain)
	defer again.Stop()
	for {
		var left bool
		if err := s.db.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT 1 "+writers+" AND virtualtransaction = ANY($1))", present).Scan(&left); err != nil {
			return false, fmt.Errorf("read writers of the timeline: %w", err)
		}
		if !left {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-within.C:
			return false, nil
		case <-again.C:
		}
	}
}

const (
	// summarizeEvery is how many ids lie between two updates of
	// timeline_events_id. What was not summarized is read in full.
	summarizeEvery = 5000
	// summarizeWithin is how long the update waits for its lock. VACUUM holds it too,
	// and an autovacuum is cancelled where another waits for a second.
	summarizeWithin = 50 * time.Millisecond
)

// summarize brings timeline_events_id up to date, which PostgreSQL otherwise does
// within a minute (autosummarize), or never where its autovacuum is switched off.
// Inserts do not wait for it.
func (s *Store) summarize(ctx context.Context, through int64) {
	last := s.summarized.Load()
	if through < last+summarizeEvery || !s.summarized.CompareAndSwap(last, through) {
		return
	}
	err := s.db.Once(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL lock_timeout TO '%dms'", summarizeWithin.Milliseconds())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "SELECT brin_summarize_new_values('timeline_events_id')")
		return err
	})
	if err != nil {
		s.db.Log.DebugContext(ctx, "timeline index not summarized", "error", err)
	}
}

// ofKinds is a condition that an event is of some kinds, none where it may be of
// any. Its parameters are counted from next.
func ofKinds(kinds []incident.EventKind, next int) (string, []any) {
	if len(kinds) == 0 {
		return "", nil
	}
	where, args := db.InTexts("kind", next, kinds)
	return " AND " + where, args
}

// events reads events by id. One that cannot be read is left out, so that it
// does not stop its consumer.
func (s *Store) events(ctx context.Context, after, through int64, kinds []incident.EventKind, limit int) (effect.Batch, error) {
	b := effect.Batch{Through: through}
	where, args := ofKinds(kinds, 4)
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind("SELECT id, incident_number, at, kind, actor, data FROM timeline_events WHERE id > $1 AND id <= $2"+where+" ORDER BY id LIMIT $3"),
		append([]any{after, through, limit}, args...)...)
	if err != nil {
		return effect.Batch{}, fmt.Errorf("read the timeline: %w", err)
	}
	defer rows.Close()
	n := 0
	var last int64
	for rows.Next() {
		var ev effect.Event
		var kind incident.EventKind
		var data []byte
		n++
		if err := rows.Scan(&ev.ID, &ev.IncidentNo, &ev.At, &kind, &ev.Actor, &data); err != nil {
			if ev.ID == 0 {
				return effect.Batch{}, fmt.Errorf("read the timeline: %w", err)
			}
			s.db.Log.ErrorContext(ctx, "timeline event cannot be read", "event", ev.ID, "error", err)
			last = ev.ID
			continue
		}
		ev.Payload, last = incident.DecodePayload(kind, data), ev.ID
		b.Events = append(b.Events, ev)
	}
	if n == limit {
		b.Through = last
	}
	return b, rows.Err()
}
