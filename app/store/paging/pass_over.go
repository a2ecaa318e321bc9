package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// PassOver implements the timer of that kind: a step none of whose pages can
// reach its person is over at once.
func (s *Store) PassOver(ctx context.Context, escalationID int64, mayPass func(phase string, run int) bool) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		var number int64
		var phase, state string
		var run int
		var deadline *time.Time
		rows, err := db.ScanInts(tx.QueryContext(ctx, "SELECT incident_number FROM escalations WHERE id = $1", escalationID))
		if err != nil || len(rows) == 0 {
			return err
		}
		number = rows[0]
		if err := timeline.Lock(ctx, tx, []int64{number}); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT phase, run, state, deadline_at FROM escalations WHERE id = $1"+s.db.ForUpdate(false), escalationID).Scan(&phase, &run, &state, &deadline); err != nil {
			return fmt.Errorf("lock an escalation: %w", err)
		}
		var alive bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND state = 'active' AND NOT shadow)", number, escalationID).Scan(&alive); err != nil {
			return fmt.Errorf("look who is paged: %w", err)
		}
		now := s.db.Now()
		over := deadline == nil || !deadline.After(now) // another process was here first
		if alive || over || state != "active" || !mayPass(phase, run) {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE escalations SET deadline_at = $1, next_action_at = $1 WHERE id = $2", now, escalationID); err != nil {
			return fmt.Errorf("pass a step over: %w", err)
		}
		if err := timeline.Insert(ctx, tx, []incident.TimelineEvent{{IncidentNo: number, At: now, Actor: incident.Tocsin,
			Payload: incident.PassedOverPayload{Reason: "Every attempt to reach somebody failed."}}}); err != nil {
			return err
		}
		changed, err := timeline.RaiseVersions(ctx, tx, []int64{number})
		if err != nil {
			return err
		}
		return tx.Publish(ctx, db.News{Work: db.ToEscalate, Changes: changed})
	})
}
