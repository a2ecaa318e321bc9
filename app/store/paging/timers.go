package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Timer is one that is due.
type Timer struct {
	Kind    string
	Subject int64
	Due     time.Time
}

// DueTimers lists timers that are due, oldest first. One that cannot be read is
// left out and told of in the log. Carrying one out is the caller's; it is kept until DoneTimer, so that a process that dies loses none.
func (s *Store) DueTimers(ctx context.Context, now time.Time, limit int) ([]Timer, error) {
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind("SELECT kind, subject, due_at FROM timers WHERE due_at <= $1 ORDER BY due_at LIMIT $2"), now, limit)
	if err != nil {
		return nil, fmt.Errorf("read timers: %w", err)
	}
	defer rows.Close()
	var due []Timer
	for rows.Next() {
		var t Timer
		if err := rows.Scan(&t.Kind, &t.Subject, &t.Due); err != nil {
			s.db.Log.ErrorContext(ctx, "a timer cannot be read; the others go on", "kind", t.Kind, "subject", t.Subject, "error", err)
			continue
		}
		due = append(due, t)
	}
	return due, rows.Err()
}

// PostponeTimer puts a timer off that failed, so that the others do not wait
// for it.
func (s *Store) PostponeTimer(ctx context.Context, t Timer, until time.Time) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE timers SET due_at = $1 WHERE kind = $2 AND subject = $3 AND due_at = $4", until, t.Kind, t.Subject, t.Due)
		if err != nil {
			return fmt.Errorf("put a timer off: %w", err)
		}
		return nil
	})
}

// DoneTimer removes a timer that was carried out, unless it was set anew.
func (s *Store) DoneTimer(ctx context.Context, t Timer) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM timers WHERE kind = $1 AND subject = $2 AND due_at = $3", t.Kind, t.Subject, t.Due)
		if err != nil {
			return fmt.Errorf("remove a timer: %w", err)
		}
		return nil
	})
}

// TimerPassOver is the timer that looks whether a step has reached anybody; it is
// its own transaction, since it locks the incident first.
const TimerPassOver = "pass_over"

// SetTimer sets the one timer of a kind that a subject has.
func SetTimer(ctx context.Context, tx *db.Tx, kind string, subject int64, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, $2, 0, $3)
		ON CONFLICT (kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at`, kind, subject, due)
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	return nil
}
