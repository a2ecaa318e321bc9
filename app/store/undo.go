package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// knownResolve reads what the last resolve of an incident ended:
// timeline_events_incident.
func (tx *Tx) knownResolve(ctx context.Context, number int64, ended *incident.Ended) error {
	var data []byte
	err := tx.QueryRowContext(ctx, "SELECT data FROM timeline_events WHERE incident_number = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
		number, string(incident.EvResolved)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look what a resolve ended: %w", err)
	}
	if p, ok := incident.DecodePayload(incident.EvResolved, data).(incident.ResolvedPayload); ok && p.Ended != nil {
		*ended = *p.Ended
	}
	return nil
}

// reviveAlerts has those fire again that a resolve by hand ended at an instant.
func (tx *Tx) reviveAlerts(ctx context.Context, number int64, ended time.Time) error {
	if _, err := tx.ExecContext(ctx, "UPDATE alerts SET firing = true, resolved_at = NULL WHERE incident_number = $1 AND NOT firing AND resolved_at = $2", number, ended); err != nil {
		return fmt.Errorf("revive alerts: %w", err)
	}
	return nil
}

// resumeEscalations goes on where incidents' primary escalations were stopped:
// the step that they were at fires again, and what waited for support hours
// waits for them.
func (tx *Tx) resumeEscalations(ctx context.Context, routes *routes, now time.Time, resuming []*incidentState) error {
	for _, s := range resuming {
		opens := now
		if r := routes.services[s.inc.ServiceID]; r.hours != nil {
			opens = r.hours.NextOpen(now, routes.zone)
		}
		for _, next := range []struct {
			where string
			at    time.Time
		}{{"phase = $2", opens}, {"phase <> $2", now}} {
			if _, err := tx.ExecContext(ctx, `UPDATE escalations SET state = 'active', ended_at = NULL, fired_at = NULL, deadline_at = NULL, next_action_at = $1
				WHERE state = 'stopped' AND `+next.where+` AND id = (SELECT max(l.id) FROM escalations l WHERE l.purpose = 'primary' AND l.incident_number = $3)`,
				next.at, string(escalation.Waiting), s.inc.Number); err != nil {
				return fmt.Errorf("resume an escalation: %w", err)
			}
		}
	}
	return nil
}
