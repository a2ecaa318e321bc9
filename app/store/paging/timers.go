package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// TimerPassOver is the kind of the timer that checks whether a step reached anybody;
// that is a transaction of its own, since it locks the incident first.
const TimerPassOver = "pass_over"

// resetTimer changes the due time of a timer that exists already. A process that is
// carrying it out loses its lease, so that it is carried out again.
const resetTimer = `ON CONFLICT (kind, subject, occurrence) DO UPDATE SET due_at = excluded.due_at, tries = 0, lease_owner = NULL, lease_until = NULL`

// SetTimer sets the one timer of a kind that a subject has.
func SetTimer(ctx context.Context, tx *db.Tx, kind string, subject int64, due time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO timers (kind, subject, occurrence, due_at) VALUES ($1, $2, 0, $3)
		`+resetTimer, kind, subject, due)
	if err != nil {
		return fmt.Errorf("set a timer: %w", err)
	}
	return nil
}
