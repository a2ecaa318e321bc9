package effect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Status is the status of each consumer, by name.
func (s *Store) Status(ctx context.Context) ([]effect.Status, error) {
	rows, err := s.db.Read.QueryContext(ctx, `SELECT c.name, c.kinds, c.cursor, c.tries, c.retry_at, c.last_error, COALESCE(c.failed_event, 0),
		(SELECT count(*) FROM effect_failures f WHERE f.consumer = c.name) FROM effect_consumers c ORDER BY c.name`)
	if err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	defer rows.Close()
	var all []effect.Status
	var kinds []string
	var cursors []int64
	for rows.Next() {
		var found effect.Status
		var k string
		var cursor int64
		if err := rows.Scan(&found.Name, &k, &cursor, &found.Tries, &found.RetryAt, &found.Error, &found.EventID, &found.SetAside); err != nil {
			return nil, fmt.Errorf("read consumers: %w", err)
		}
		all, kinds, cursors = append(all, found), append(kinds, k), append(cursors, cursor)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	for i := range all {
		if err := s.behind(ctx, &all[i], cursors[i], kinds[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// behind counts the events that a consumer has not received yet. Served by
// timeline_events_id.
func (s *Store) behind(ctx context.Context, into *effect.Status, cursor int64, kinds string) error {
	where, args := ofKinds(splitKinds(kinds), 2)
	args = append([]any{cursor}, args...)
	from := "FROM timeline_events WHERE id > $1" + where
	err := s.db.Read.QueryRowContext(ctx, s.db.Rebind(fmt.Sprintf("SELECT count(*) FROM (SELECT 1 %s LIMIT %d) AS behind", from, effect.MaxBehind)), args...).Scan(&into.Behind)
	if err != nil {
		return fmt.Errorf("count the events of consumer %s: %w", into.Name, err)
	}
	if into.Behind == 0 {
		return nil
	}
	err = s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT at "+from+" ORDER BY id LIMIT 1"), args...).Scan(&into.Oldest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the events of consumer %s: %w", into.Name, err)
	}
	return nil
}

// TimerStatus counts timers.
func (s *Store) TimerStatus(ctx context.Context) (effect.TimerStatus, error) {
	var t effect.TimerStatus
	now := s.db.Now()
	err := s.db.Read.QueryRowContext(ctx, s.db.Rebind(`SELECT COALESCE(sum(CASE WHEN due_at > $1 THEN 1 ELSE 0 END), 0),
		COALESCE(sum(CASE WHEN due_at <= $2 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN tries > 0 THEN 1 ELSE 0 END), 0) FROM timers`),
		now, now.Add(-effect.LateAfter)).Scan(&t.Waiting, &t.Late, &t.Failing)
	if err != nil {
		return t, fmt.Errorf("count timers: %w", err)
	}
	return t, nil
}

// NextDue is the earliest instant at which a timer of some kinds or a failed
// consumer is due; ok is false where none ever will be. Other kinds are left out: this
// process does not act on them.
func (s *Store) NextDue(ctx context.Context, timers, consumers []string) (at time.Time, ok bool, err error) {
	ofKind, kinds := db.InTexts("kind", 1, timers)
	named, names := db.InTexts("name", 1, consumers)
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"SELECT min(due_at) FROM timers WHERE " + ofKind, kinds},
		{"SELECT min(retry_at) FROM effect_consumers WHERE " + named, names},
	} {
		due, err := s.db.Earliest(ctx, q.query, q.args...)
		if err != nil {
			return at, ok, err
		}
		if due != nil && (!ok || due.Before(at)) {
			at, ok = *due, true
		}
	}
	return at, ok, nil
}
