package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// TimerPassOver is the timer that looks whether a step has reached anybody; it is
// its own transaction, since it locks the incident first.
const TimerPassOver = "pass_over"

// setAnew has a timer that is there already due at another time. Whoever carries
// it out loses its lease, so that it is carried out again.
const setAnew = `ON CONFLICT (kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at, tries = 0, lease_owner = NULL, lease_until = NULL`

// SetTimer sets the one timer of a kind that a subject has.
func SetTimer(ctx context.Context, tx *db.Tx, kind string, subject int64, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, $2, 0, $3)
		`+setAnew, kind, subject, due)
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	return nil
}
