package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/effect"
)

// Status tells how each consumer does, by name.
func (e *Effects) Status(ctx context.Context) ([]effect.Status, error) {
	rows, err := e.db.read.QueryContext(ctx, `SELECT c.name, c.kinds, c.cursor, c.tries, c.retry_at, c.last_error, COALESCE(c.failed_event, 0),
		(SELECT count(*) FROM effect_failures f WHERE f.consumer = c.name) FROM effect_consumers c ORDER BY c.name`)
	if err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	defer rows.Close()
	var all []effect.Status
	var kinds []string
	var cursors []int64
	for rows.Next() {
		var s effect.Status
		var k string
		var cursor int64
		if err := rows.Scan(&s.Name, &k, &cursor, &s.Tries, &s.RetryAt, &s.Error, &s.EventID, &s.SetAside); err != nil {
			return nil, fmt.Errorf("read consumers: %w", err)
		}
		all, kinds, cursors = append(all, s), append(kinds, k), append(cursors, cursor)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	for i := range all {
		if err := e.behind(ctx, &all[i], cursors[i], kinds[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// behind counts the events that a consumer has not got yet. Served by
// timeline_events_id.
func (e *Effects) behind(ctx context.Context, s *effect.Status, cursor int64, kinds string) error {
	where, args := ofKinds(splitKinds(kinds), 2)
	args = append([]any{cursor}, args...)
	from := "FROM timeline_events WHERE id > $1" + where
	err := e.db.read.QueryRowContext(ctx, e.db.rebind(fmt.Sprintf("SELECT count(*) FROM (SELECT 1 %s LIMIT %d) AS behind", from, effect.MaxBehind)), args...).Scan(&s.Behind)
	if err != nil {
		return fmt.Errorf("count the events of consumer %s: %w", s.Name, err)
	}
	if s.Behind == 0 {
		return nil
	}
	err = e.db.read.QueryRowContext(ctx, e.db.rebind("SELECT at "+from+" ORDER BY id LIMIT 1"), args...).Scan(&s.Oldest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the events of consumer %s: %w", s.Name, err)
	}
	return nil
}

// TimerStatus tells how timers do.
func (e *Effects) TimerStatus(ctx context.Context) (effect.TimerStatus, error) {
	var s effect.TimerStatus
	now := e.db.Now()
	err := e.db.read.QueryRowContext(ctx, e.db.rebind(`SELECT COALESCE(sum(CASE WHEN due_at > $1 THEN 1 ELSE 0 END), 0),
		COALESCE(sum(CASE WHEN due_at <= $2 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN tries > 0 THEN 1 ELSE 0 END), 0) FROM timers`),
		now, now.Add(-effect.LateAfter)).Scan(&s.Waiting, &s.Late, &s.Failing)
	if err != nil {
		return s, fmt.Errorf("count timers: %w", err)
	}
	return s, nil
}
