package paging

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// running is an escalation inside a transaction that holds its lock.
type running struct {
	escalation.Running
	id, incident int64
	purpose      escalation.Purpose
	policy       *int64            // the policy's version, of one that starts
	request      *incident.Request // of one that starts, nil for none
	outcome      incident.RequestOutcome
}

// changeRunning stops, moves and resumes the escalations of incidents, and returns
// those whose policy has yet to start: an incident that was stopped in the batch
// that opened it never had an escalation to move. Waiting
// pages of those that stop are withdrawn, and the messages that carry them are
// locked, so that no claim made after this commits sends them.
func changeRunning(ctx context.Context, tx *db.Tx, now time.Time, states []*IncidentState) (unstarted []*IncidentState, err error) {
	if len(states) == 0 {
		return nil, nil
	}
	byNumber := map[int64]*IncidentState{}
	for _, s := range states {
		byNumber[s.Inc.Number] = s
	}
	locked, err := lockRunning(ctx, tx, states)
	if err != nil {
		return nil, err
	}
	latest := map[int64]int64{}     // the primary escalation, by incident
	ended := map[int64]*time.Time{} // when it was stopped
	for _, r := range locked {
		if r.purpose == escalation.Primary {
			latest[r.incident], ended[r.incident] = r.id, r.EndedAt // they come in the order of their ids
		}
	}
	var changed []running
	var stopped []int64
	for _, r := range locked {
		s := byNumber[r.incident]
		change := s.Escalate
		switch {
		case change == incident.EscalateStop || change == incident.EscalateStart:
			asked, err := hasPaged(ctx, tx, r, s)
			if err != nil {
				return nil, err
			}
			if !escalation.Ends(r.purpose, s.Inc.Status, asked) {
				continue
			}
			stopped = append(stopped, r.id)
			if asked {
				r.outcome = incident.RequestJoined
			}
		case change == incident.EscalateContinue:
			// Requests that were accepted by the acknowledgment go on too.
			if at := ended[r.incident]; r.id != latest[r.incident] && (r.outcome != incident.RequestJoined || at == nil || r.EndedAt == nil || !r.EndedAt.Equal(*at)) {
				continue
			}
			if err := revivePages(ctx, tx, now, r); err != nil {
				return nil, err
			}
			r.outcome = ""
		case r.id != latest[r.incident]:
			continue
		}
		if moved, ok := escalation.Apply(now, change, r.Running, s.Opens); ok {
			r.Running = moved
			changed = append(changed, r)
		}
	}
	if err := writeRunning(ctx, tx, changed); err != nil {
		return nil, err
	}
	// An owner who is asked whether they are still on it is paged outside any
	// escalation.
	var numbers []int64
	for _, s := range states {
		if escalation.EndsQuestion(s.Escalate) {
			numbers = append(numbers, s.Inc.Number)
		}
		if latest[s.Inc.Number] == 0 && escalation.Moves(s.Escalate) && s.Inc.Status == incident.Triggered {
			unstarted = append(unstarted, s)
		}
	}
	return unstarted, withdrawPages(ctx, tx, now, numbers, append(stopped, 0))
}

// lockRunning locks the active escalations of incidents, and where one is to move
// that may be stopped the latest primary one too, in the order of their ids.
// Served by escalations_incident.
func lockRunning(ctx context.Context, tx *db.Tx, states []*IncidentState) ([]running, error) {
	var numbers []int64
	which := "e.state = '" + Active + "'"
	for _, s := range states {
		numbers = append(numbers, s.Inc.Number)
		if s.Escalate == incident.EscalateContinue {
			which = "1 = 1"
		} else if escalation.Moves(s.Escalate) {
			which = "(e.state = '" + Active + "' OR e.id = (SELECT max(l.id) FROM escalations l WHERE l.purpose = '" + string(escalation.Primary) + "' AND l.incident_number = e.incident_number))"
		}
	}
	slices.Sort(numbers)
	where, args := tx.DB.In("e.incident_number", 1, numbers)
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.incident_number, e.purpose, e.state = '`+Active+`', e.phase, e.step, e.run, e.reached, e.fired_at, e.deadline_at, e.next_action_at, e.ended_at, e.outcome
		FROM escalations e WHERE `+which+" AND "+where+" ORDER BY e.id"+tx.DB.ForUpdate(false), args...)
	if err != nil {
		return nil, fmt.Errorf("lock escalations: %w", err)
	}
	defer rows.Close()
	var all []running
	for rows.Next() {
		var r running
		if err := rows.Scan(&r.id, &r.incident, &r.purpose, &r.Active, &r.State.Phase, &r.State.Step, &r.State.Run, &r.State.Reached,
			&r.State.FiredAt, &r.State.Deadline, &r.NextAction, &r.EndedAt, &r.outcome); err != nil {
			return nil, fmt.Errorf("lock escalations: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// hasPaged reports whether a request has paged the person who acts, other than as a
// shadow; false for a primary escalation.
func hasPaged(ctx context.Context, tx *db.Tx, r running, s *IncidentState) (bool, error) {
	if r.purpose == escalation.Primary || s.By == 0 {
		return false, nil
	}
	var asked bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND user_id = $3 AND NOT shadow AND state IN ('"+Active+"', '"+Superseded+"'))",
		r.incident, r.id, s.By).Scan(&asked)
	if err != nil {
		return false, fmt.Errorf("read the pages of a request: %w", err)
	}
	return asked, nil
}

func writeRunning(ctx context.Context, tx *db.Tx, all []running) error {
	err := tx.UpdateRows(ctx, "escalations", len(all),
		db.ColOf("id", "bigint", all, func(r *running) int64 { return r.id }),
		db.ColOf("state", "text", all, func(r *running) string {
			if r.Active {
				return Active
			}
			return Stopped
		}),
		db.ColOf("outcome", "text", all, func(r *running) string { return string(r.outcome) }),
		db.ColOf("phase", "text", all, func(r *running) string { return string(r.State.Phase) }),
		db.ColOf("fired_at", "timestamptz", all, func(r *running) *time.Time { return r.State.FiredAt }),
		db.ColOf("deadline_at", "timestamptz", all, func(r *running) *time.Time { return r.State.Deadline }),
		db.ColOf("next_action_at", "timestamptz", all, func(r *running) *time.Time { return r.NextAction }),
		db.ColOf("ended_at", "timestamptz", all, func(r *running) *time.Time { return r.EndedAt }))
	if err != nil {
		return fmt.Errorf("write escalations: %w", err)
	}
	return nil
}

// PassOver carries out a timer of kind TimerPassOver: a step ends at once where none
// of its pages can reach its person.
func (s *Store) PassOver(ctx context.Context, escalationID int64) error {
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		numbers, err := tx.Ints(ctx, "SELECT incident_number FROM escalations WHERE id = $1", escalationID)
		if err != nil || len(numbers) == 0 {
			return err
		}
		if err := timeline.Lock(ctx, tx, numbers); err != nil {
			return err
		}
		r := running{id: escalationID, incident: numbers[0]}
		if err := tx.QueryRowContext(ctx, "SELECT phase, run, state = '"+Active+"', fired_at, deadline_at, next_action_at FROM escalations WHERE id = $1"+s.db.ForUpdate(false), escalationID).
			Scan(&r.State.Phase, &r.State.Run, &r.Active, &r.State.FiredAt, &r.State.Deadline, &r.NextAction); err != nil {
			return fmt.Errorf("lock an escalation: %w", err)
		}
		var reachable bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND state = '"+Active+"' AND NOT shadow)", r.incident, r.id).Scan(&reachable); err != nil {
			return fmt.Errorf("read active pages: %w", err)
		}
		now := s.db.Now()
		moved, events, ok := escalation.PassOver(now, r.Running, reachable)
		if !ok {
			return nil
		}
		r.Running = moved
		if err := writeRunning(ctx, tx, []running{r}); err != nil {
			return err
		}
		for i := range events {
			events[i].IncidentNo = r.incident
		}
		if err := timeline.Insert(ctx, tx, events); err != nil {
			return err
		}
		changed, err := timeline.RaiseVersions(ctx, tx, numbers)
		if err != nil {
			return err
		}
		return tx.Publish(ctx, db.Wakeup{Work: db.ToEscalate, Changes: changed})
	})
}
