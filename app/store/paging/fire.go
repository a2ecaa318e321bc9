package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// firing is the engine's decision about escalations that are due.
type firing = func(configVersion int64, due []escalation.Due) ([]escalation.Change, error)

// FireDue implements escalation.Store. Firing is one transaction under the
// locks of the escalation and its incident, so that it needs no lease: a
// process that dies has fired nothing, and its locks end with its connection.
// Rows that another transaction has locked, such as an acknowledgment in progress,
// are left to the next poll.
func (s *Store) FireDue(ctx context.Context, now time.Time, limit int, decide firing) (int, error) {
	claim := func(tx *db.Tx) (dueBatch, error) {
		return dueEscalations(ctx, tx, "e.next_action_at <= $1 ORDER BY e.next_action_at LIMIT $2"+tx.DB.SkipLocked("e, i"), now, limit)
	}
	fired, err := s.fireAndPlan(ctx, now, decide, claim)
	if db.IsDataError(err) { // perhaps of a message rather than of an escalation
		fired, err = s.fire(ctx, now, decide, false, claim)
	}
	if db.IsDataError(err) {
		s.db.Log.ErrorContext(ctx, "fire batch failed, firing one by one", "error", err)
		return s.fireEach(ctx, now, limit, decide)
	}
	if err != nil || fired > 0 {
		return fired, err
	}
	return s.fireOverdue(ctx, now, decide)
}

// fireAndPlan fires and plans the new pages in the same transaction.
func (s *Store) fireAndPlan(ctx context.Context, now time.Time, decide firing, claim func(*db.Tx) (dueBatch, error)) (int, error) {
	s.planning.Lock()
	defer s.planning.Unlock()
	return s.fire(ctx, now, decide, true, claim)
}

// OverdueAfter is how long a due escalation may be skipped because another
// transaction has locked its rows.
const OverdueAfter = 500 * time.Millisecond

// fireOverdue waits for the locks of the one escalation that has been due for
// longest. Without it, a sender that repeats a signal without pause could keep its
// incident from being escalated.
func (s *Store) fireOverdue(ctx context.Context, now time.Time, decide firing) (int, error) {
	if s.db.Dialect == db.SQLite {
		return 0, nil
	}
	overdue, err := s.db.Ints(ctx, "SELECT id FROM escalations WHERE next_action_at <= $1 ORDER BY next_action_at LIMIT 1", now.Add(-OverdueAfter))
	if err != nil || len(overdue) == 0 {
		return 0, err
	}
	return s.fire(ctx, now, decide, false, func(tx *db.Tx) (dueBatch, error) {
		var number int64
		if err := tx.QueryRowContext(ctx, "SELECT incident_number FROM escalations WHERE id = $1", overdue[0]).Scan(&number); err != nil {
			return dueBatch{}, fmt.Errorf("read an escalation: %w", err)
		}
		if err := timeline.Lock(ctx, tx, []int64{number}); err != nil {
			return dueBatch{}, err
		}
		return dueEscalations(ctx, tx, "e.next_action_at <= $1 AND e.id = $2 FOR UPDATE OF e", now, overdue[0])
	})
}

// dueBatch holds due escalations, and the version of the configuration as of then.
type dueBatch struct {
	due     []escalation.Due
	version int64
}

// fire claims escalations, calls decide and writes its changes, in one transaction.
func (s *Store) fire(ctx context.Context, now time.Time, decide firing, planAtOnce bool, claim func(*db.Tx) (dueBatch, error)) (int, error) {
	fired := 0
	err := s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		c, err := claim(tx)
		if fired = len(c.due); err != nil || fired == 0 {
			return err
		}
		changes, err := decide(c.version, c.due)
		if err != nil {
			return db.DecisionError{Err: err}
		}
		return s.writeEscalations(ctx, tx, planAtOnce, now, c.version, changes)
	})
	if err != nil {
		return 0, err
	}
	return fired, nil
}

// dueEscalations is served by the index escalations_due.
func dueEscalations(ctx context.Context, tx *db.Tx, which string, now time.Time, bound any) (dueBatch, error) {
	var c dueBatch
	var handingOver []int64
	err := tx.Query(ctx, db.Statement{
		Name: "claim escalations",
		Query: `SELECT e.id, e.incident_number, e.purpose, COALESCE(e.policy_version_id, 0), e.phase, e.step, e.run, e.reached,
		       e.fired_at, e.deadline_at, i.status, i.priority, i.urgency, i.service_id, e.request
		FROM escalations e JOIN incidents i ON i.number = e.incident_number
		WHERE ` + which,
		Args: []any{now, bound},
		Each: func(scan func(...any) error) error {
			var d escalation.Due
			var request string
			if err := scan(&d.ID, &d.Incident, &d.Purpose, &d.PolicyVersionID, &d.State.Phase, &d.State.Step, &d.State.Run, &d.State.Reached,
				&d.State.FiredAt, &d.State.Deadline, &d.Status, &d.Priority, &d.Urgency, &d.ServiceID, &request); err != nil {
				return err
			}
			if d.State.FiredAt != nil && d.State.Deadline != nil && now.Before(*d.State.Deadline) {
				handingOver = append(handingOver, d.ID)
			}
			d.Request = readRequest(request)
			c.due = append(c.due, d)
			return nil
		},
	}, db.ReadRevision(&c.version))
	if err != nil || handingOver == nil {
		return c, err
	}
	return c, pagedByStep(ctx, tx, c.due, handingOver)
}

// pagedByStep fills in who has been paged by the present step of escalations.
func pagedByStep(ctx context.Context, tx *db.Tx, due []escalation.Due, ids []int64) error {
	where, args := tx.DB.In("e.id", 1, ids)
	rows, err := tx.QueryContext(ctx, `
		SELECT e.id, p.user_id FROM escalations e JOIN pages p ON p.incident_number = e.incident_number
		 AND p.escalation_id = e.id AND p.created_at >= e.fired_at AND p.state IN ('`+Active+`', '`+Failed+`')
		WHERE `+where, args...)
	if err != nil {
		return fmt.Errorf("read who was paged: %w", err)
	}
	defer rows.Close()
	paged := map[int64][]int64{}
	for rows.Next() {
		var id, user int64
		if err := rows.Scan(&id, &user); err != nil {
			return fmt.Errorf("read who was paged: %w", err)
		}
		paged[id] = append(paged[id], user)
	}
	for i := range due {
		due[i].Paged = paged[due[i].ID]
	}
	return rows.Err()
}

func (s *Store) writeEscalations(ctx context.Context, tx *db.Tx, planAtOnce bool, now time.Time, version int64, changes []escalation.Change) error {
	if err := moveEscalations(ctx, tx, now, changes); err != nil {
		return fmt.Errorf("update escalations: %w", err)
	}
	var superseded, within []int64
	var pages []pageRow
	var events []incident.TimelineEvent
	for i := range changes {
		c := &changes[i]
		if c.Supersede || c.Ended {
			superseded, within = append(superseded, c.ID), append(within, c.Incident)
		}
		for _, p := range c.Pages {
			pages = append(pages, newPageRow(c, p, now))
		}
		for _, e := range c.Events {
			e.IncidentNo = c.Incident
			events = append(events, e)
		}
	}
	if superseded != nil {
		ofIncidents, args := tx.DB.In("incident_number", 2, within)
		ofEscalations, more := tx.DB.In("escalation_id", 2+len(args), superseded)
		if _, err := endPages(ctx, tx, now, Superseded, "state = '"+Active+"' AND "+ofIncidents+" AND "+ofEscalations, append(args, more...)...); err != nil {
			return err
		}
	}
	work, err := s.makePages(ctx, tx, planAtOnce, now, version, pages)
	if err != nil {
		return err
	}
	if err := timeline.Insert(ctx, tx, events); err != nil {
		return err
	}
	numbers := incidentsOf(changes)
	if len(numbers) > db.MaxNamed {
		// A storm: live pages reload everything.
		return tx.Publish(ctx, db.Wakeup{Work: work, Changes: []db.Change{{}}})
	}
	changed, err := timeline.RaiseVersions(ctx, tx, numbers)
	if err != nil {
		return err
	}
	return tx.Publish(ctx, db.Wakeup{Work: work, Changes: changed})
}

func incidentsOf(changes []escalation.Change) []int64 {
	seen := map[int64]bool{}
	var numbers []int64
	for _, c := range changes {
		if !seen[c.Incident] && len(c.Events)+len(c.Pages) > 0 {
			seen[c.Incident] = true
			numbers = append(numbers, c.Incident)
		}
	}
	return numbers
}

func moveEscalations(ctx context.Context, tx *db.Tx, now time.Time, changes []escalation.Change) error {
	err := tx.UpdateRows(ctx, "escalations", len(changes),
		db.ColOf("id", "bigint", changes, func(c *escalation.Change) int64 { return c.ID }),
		db.ColOf("state", "text", changes, func(c *escalation.Change) string {
			if c.Ended {
				return Stopped
			}
			return Active
		}),
		db.ColOf("outcome", "text", changes, func(c *escalation.Change) string { return string(c.Outcome) }),
		db.ColOf("phase", "text", changes, func(c *escalation.Change) string { return string(c.State.Phase) }),
		db.ColOf("step", "int", changes, func(c *escalation.Change) int { return c.State.Step }),
		db.ColOf("run", "int", changes, func(c *escalation.Change) int { return c.State.Run }),
		db.ColOf("reached", "bool", changes, func(c *escalation.Change) bool { return c.State.Reached }),
		db.ColOf("fired_at", "timestamptz", changes, func(c *escalation.Change) *time.Time { return c.State.FiredAt }),
		db.ColOf("deadline_at", "timestamptz", changes, func(c *escalation.Change) *time.Time { return c.State.Deadline }),
		db.ColOf("next_action_at", "timestamptz", changes, func(c *escalation.Change) *time.Time {
			if c.Ended {
				return nil
			}
			return &c.NextAction
		}),
		db.ColOf("ended_at", "timestamptz", changes, func(c *escalation.Change) *time.Time {
			if c.Ended {
				return &now
			}
			return nil
		}))
	return err
}
