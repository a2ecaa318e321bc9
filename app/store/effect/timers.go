package effect

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

var _ effect.TimerStore = (*Store)(nil)

// dueTimers is the condition on timers of some kinds that are due and not leased.
// Served by timers_due.
func dueTimers(d *db.DB, now time.Time, kinds []string) (string, []any) {
	where, args := db.InTexts("kind", 2, kinds)
	free, args := d.Unleased(2+len(kinds), append([]any{now}, args...)...)
	return "due_at <= $1 AND " + where + " AND " + free, args
}

// ClaimTimers implements effect.TimerStore. A row that cannot be read is left
// out and logged.
func (s *Store) ClaimTimers(ctx context.Context, now time.Time, kinds []string, limit int) ([]effect.Timer, error) {
	where, args := dueTimers(s.db, now, kinds)
	var waiting bool
	if err := s.db.Read.QueryRowContext(ctx, s.db.Rebind("SELECT EXISTS (SELECT 1 FROM timers WHERE "+where+")"), args...).Scan(&waiting); err != nil {
		return nil, fmt.Errorf("read due timers: %w", err)
	}
	if !waiting {
		return nil, nil
	}
	var due []effect.Timer
	err := s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		var err error
		due, err = claimTimers(ctx, tx, now, kinds, limit)
		return err
	})
	return due, err
}

func claimTimers(ctx context.Context, tx *db.Tx, now time.Time, kinds []string, limit int) ([]effect.Timer, error) {
	where, args := dueTimers(tx.DB, now, kinds)
	args = append(args, tx.DB.Owner)
	owner := len(args)
	until, args := tx.DB.LeaseEnd(len(args)+1, args...)
	with := "WITH due AS (SELECT kind, subject, occurrence FROM timers WHERE " + where + fmt.Sprintf(" ORDER BY due_at LIMIT %d", limit) + tx.DB.ForUpdate(true) + ")"
	if tx.DB.Dialect == db.Postgres {
		with = "WITH due AS MATERIALIZED" + with[len("WITH due AS"):]
	}
	rows, err := tx.QueryContext(ctx, with+fmt.Sprintf(` UPDATE timers SET lease_owner = $%d, lease_until = %s FROM due
		WHERE timers.kind = due.kind AND timers.subject = due.subject AND timers.occurrence = due.occurrence
		RETURNING timers.kind, timers.subject, timers.occurrence, timers.tries, timers.due_at`, owner, until), args...)
	if err != nil {
		return nil, fmt.Errorf("claim timers: %w", err)
	}
	defer rows.Close()
	var due []effect.Timer
	for rows.Next() {
		var t effect.Timer
		if err := rows.Scan(&t.Kind, &t.Subject, &t.Occurrence, &t.Tries, &t.Due); err != nil {
			tx.DB.Log.ErrorContext(ctx, "timer cannot be read", "kind", t.Kind, "subject", t.Subject, "error", err)
			continue
		}
		due = append(due, t)
	}
	slices.SortFunc(due, func(a, b effect.Timer) int { return a.Due.Compare(b.Due) })
	return due, rows.Err()
}

// RenewTimers implements effect.TimerStore. It leaves out rows that are being
// set anew, which ends their lease, so that it waits for no other writer.
func (s *Store) RenewTimers(ctx context.Context) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		until, args := tx.DB.LeaseEnd(2, tx.DB.Owner)
		_, err := tx.ExecContext(ctx, "UPDATE timers SET lease_until = "+until+` WHERE (kind, subject, occurrence) IN
			(SELECT kind, subject, occurrence FROM timers WHERE lease_owner = $1`+tx.DB.ForUpdate(true)+")", args...)
		if err != nil {
			return fmt.Errorf("renew timers: %w", err)
		}
		return nil
	})
}

// ReleaseTimers implements effect.TimerStore.
func (s *Store) ReleaseTimers(ctx context.Context) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE timers SET lease_owner = NULL, lease_until = NULL WHERE (kind, subject, occurrence) IN
			(SELECT kind, subject, occurrence FROM timers WHERE lease_owner = $1`+tx.DB.ForUpdate(true)+")", tx.DB.Owner)
		if err != nil {
			return fmt.Errorf("release timers: %w", err)
		}
		return nil
	})
}

// leasedTimer is true of a timer while its lease is this process's; setting it
// anew ends that.
const leasedTimer = "kind = $1 AND subject = $2 AND occurrence = $3 AND lease_owner = $4"

// DoneTimer implements effect.TimerStore.
func (s *Store) DoneTimer(ctx context.Context, t effect.Timer) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM timers WHERE "+leasedTimer, t.Kind, t.Subject, t.Occurrence, tx.DB.Owner); err != nil {
			return fmt.Errorf("delete timer: %w", err)
		}
		return nil
	})
}

// PostponeTimer implements effect.TimerStore.
func (s *Store) PostponeTimer(ctx context.Context, t effect.Timer, until time.Time) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE timers SET due_at = $5, tries = tries + 1, lease_owner = NULL, lease_until = NULL WHERE "+leasedTimer,
			t.Kind, t.Subject, t.Occurrence, tx.DB.Owner, until.UTC())
		if err != nil {
			return fmt.Errorf("postpone timer: %w", err)
		}
		return nil
	})
}
