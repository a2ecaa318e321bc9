package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// knownResolve reads what the last resolve of an incident ended. Served by
// timeline_events_incident.
func knownResolve(ctx context.Context, tx *db.Tx, number int64, ended *incident.Ended) error {
	var data []byte
	err := tx.QueryRowContext(ctx, "SELECT data FROM timeline_events WHERE incident_number = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
		number, string(incident.EvResolved)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last resolve: %w", err)
	}
	if p, ok := incident.DecodePayload(incident.EvResolved, data).(incident.ResolvedPayload); ok && p.Ended != nil {
		*ended = *p.Ended
	}
	return nil
}

// reopenAlerts makes the alerts fire again that a resolve by hand ended at an
// instant.
func reopenAlerts(ctx context.Context, tx *db.Tx, number int64, ended time.Time) error {
	if _, err := tx.ExecContext(ctx, "UPDATE alerts SET firing = true, resolved_at = NULL WHERE incident_number = $1 AND NOT firing AND resolved_at = $2", number, ended); err != nil {
		return fmt.Errorf("reopen alerts: %w", err)
	}
	return nil
}
