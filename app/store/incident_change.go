package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// ChangeIncident implements incident.Store.
func (db *DB) ChangeIncident(ctx context.Context, number int64, by incident.By, decide func(incident.Incident, incident.Known) (incident.Change, error)) (incident.Incident, error) {
	var after incident.Incident
	err := db.inTx(ctx, func(tx *Tx) error {
		// Alerts come before incidents in the order of locks.
		firing, err := tx.lockAlertsOf(ctx, number)
		if err != nil {
			return err
		}
		found, err := tx.lockIncidents(ctx, []int64{number})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.NotFound("There is no incident with number %d.", number)
		}
		known, err := tx.known(ctx, found[0], by)
		if err != nil {
			return err
		}
		known.Firing = len(firing)
		change, err := decide(found[0], known)
		if err != nil {
			return err
		}
		if err := tx.checkGroup(ctx, found[0], change.Incident); err != nil {
			return err
		}
		after, err = tx.carryOut(ctx, found[0], change, by, firing)
		return err
	})
	return after, err
}

// checkGroup refuses to reopen an incident whose group has another one open.
func (tx *Tx) checkGroup(ctx context.Context, before, after incident.Incident) error {
	if after.Group == "" || before.Open() || !after.Open() {
		return nil
	}
	open, err := scanInts(tx.QueryContext(ctx, "SELECT number FROM incidents WHERE service_id = $1 AND group_key = $2 AND status <> 'resolved' AND group_key <> ''", after.ServiceID, after.Group))
	if err != nil {
		return fmt.Errorf("read open incident of group: %w", err)
	}
	if len(open) > 0 {
		return incident.GroupIsOpen(before, open[0])
	}
	return nil
}

func (tx *Tx) carryOut(ctx context.Context, before incident.Incident, c incident.Change, by incident.By, firing []int64) (incident.Incident, error) {
	now := tx.db.Now()
	for _, t := range c.Timers {
		if err := tx.setTimer(ctx, t.Kind, before.Number, t.Due); err != nil {
			return before, err
		}
	}
	if !c.Changed {
		return before, nil
	}
	if c.EndAlerts && len(firing) > 0 {
		where, args := tx.db.in("id", 2, firing)
		if _, err := tx.ExecContext(ctx, "UPDATE alerts SET firing = false, resolved_at = $1 WHERE "+where, append([]any{c.Incident.ResolvedAt}, args...)...); err != nil {
			return before, fmt.Errorf("end alerts: %w", err)
		}
	}
	if c.ReviveAlerts != nil {
		if err := tx.reviveAlerts(ctx, before.Number, *c.ReviveAlerts); err != nil {
			return before, err
		}
	}
	routes, err := tx.routes(ctx)
	if err != nil {
		return before, err
	}
	s := &incidentState{
		inc: c.Incident, wasResolved: !before.Open(), changed: true, escalate: c.Escalate, askOwner: c.AskOwner, askKind: "still_on_it",
		tellChat: before.Status != c.Incident.Status || rank(before.Priority) != rank(c.Incident.Priority),
	}
	if by.UserID != nil {
		s.by = *by.UserID
	}
	for i := range c.Timeline {
		c.Timeline[i].IncidentNo = before.Number
	}
	if err := tx.writeIncidents(ctx, routes, now, []*incidentState{s}, c.Timeline); err != nil {
		return before, err
	}
	return s.inc, nil
}

// lockAlertsOf locks an incident's alerts and returns those that fire.
func (tx *Tx) lockAlertsOf(ctx context.Context, number int64) ([]int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, firing FROM alerts WHERE incident_number = $1 ORDER BY service_id, dedup_key"+tx.db.forUpdate(false), number)
	if err != nil {
		return nil, fmt.Errorf("lock alerts: %w", err)
	}
	defer rows.Close()
	var firing []int64
	for rows.Next() {
		var id int64
		var fires bool
		if err := rows.Scan(&id, &fires); err != nil {
			return nil, fmt.Errorf("lock alerts: %w", err)
		}
		if fires {
			firing = append(firing, id)
		}
	}
	return firing, rows.Err()
}

// lockNumbers locks incidents of which nothing is asked but that they are held,
// so that one that cannot be read holds up nothing.
func (tx *Tx) lockNumbers(ctx context.Context, numbers []int64) error {
	where, args := tx.db.in("number", 1, numbers)
	if _, err := scanInts(tx.QueryContext(ctx, "SELECT number FROM incidents WHERE "+where+" ORDER BY number"+tx.db.forUpdate(false), args...)); err != nil {
		return fmt.Errorf("lock incidents: %w", err)
	}
	return nil
}

func (tx *Tx) known(ctx context.Context, inc incident.Incident, by incident.By) (incident.Known, error) {
	var k incident.Known
	if err := tx.Gorm.Omit("criteria").Order("level").Find(&k.Levels).Error; err != nil {
		return k, fmt.Errorf("read priorities: %w", err)
	}
	var deployments []catalog.Deployment
	if err := tx.Gorm.Where("slug = ?", inc.Deployment).Find(&deployments).Error; err != nil {
		return k, fmt.Errorf("read deployments: %w", err)
	}
	if len(deployments) > 0 {
		k.DeploymentKnown, k.Production = true, deployments[0].Kind == catalog.Production
	}
	if by.UserID != nil {
		var shadows, others int
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(sum(CASE WHEN shadow THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN shadow THEN 0 ELSE 1 END), 0)
			FROM pages WHERE incident_number = $1 AND user_id = $2 AND state IN ('active', 'superseded')`, inc.Number, *by.UserID).Scan(&shadows, &others)
		if err != nil {
			return k, fmt.Errorf("look who is paged: %w", err)
		}
		k.Shadow = shadows > 0 && others == 0
	}
	if inc.Status == incident.Resolved {
		if err := tx.knownResolve(ctx, inc.Number, &k.Held); err != nil {
			return k, err
		}
	}
	return k, tx.knownEvents(ctx, inc.Number, by, &k)
}

// knownEvents reads what the timeline tells of what people did before:
// timeline_events_incident.
func (tx *Tx) knownEvents(ctx context.Context, number int64, by incident.By, k *incident.Known) error {
	var at time.Time
	err := tx.QueryRowContext(ctx, `SELECT e.at, COALESCE(u.name, e.actor) FROM timeline_events e LEFT JOIN users u ON u.email = e.actor
		WHERE e.incident_number = $1 AND e.kind = $2 ORDER BY e.id DESC LIMIT 1`, number, string(incident.EvEscalated)).Scan(&at, &k.LastEscalatedBy)
	switch {
	case err == nil:
		k.LastEscalatedAt = &at
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("look who escalated: %w", err)
	}
	if !k.Shadow {
		return nil
	}
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM timeline_events WHERE incident_number = $1 AND kind = $2 AND actor = $3
		AND id > COALESCE((SELECT max(id) FROM timeline_events WHERE incident_number = $1 AND kind = $4), 0))`,
		number, string(incident.EvShadowAck), by.Actor, string(incident.EvReopened)).Scan(&k.ShadowAcked)
	if err != nil {
		return fmt.Errorf("look what a shadow answered: %w", err)
	}
	return nil
}

// Timer is one that is due.
type Timer struct {
	Kind    string
	Subject int64
	Due     time.Time
}

// DueTimers lists timers that are due, oldest first. One that cannot be read is
// left out and told of in the log. Carrying one out is the caller's; it is kept until DoneTimer, so that a process that dies loses none.
func (db *DB) DueTimers(ctx context.Context, now time.Time, limit int) ([]Timer, error) {
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT kind, subject, due_at FROM timers WHERE due_at <= $1 ORDER BY due_at LIMIT $2"), now, limit)
	if err != nil {
		return nil, fmt.Errorf("read timers: %w", err)
	}
	defer rows.Close()
	var due []Timer
	for rows.Next() {
		var t Timer
		if err := rows.Scan(&t.Kind, &t.Subject, &t.Due); err != nil {
			db.log.ErrorContext(ctx, "a timer cannot be read; the others go on", "kind", t.Kind, "subject", t.Subject, "error", err)
			continue
		}
		due = append(due, t)
	}
	return due, rows.Err()
}

// PostponeTimer puts a timer off that failed, so that the others do not wait
// for it.
func (db *DB) PostponeTimer(ctx context.Context, t Timer, until time.Time) error {
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE timers SET due_at = $1 WHERE kind = $2 AND subject = $3 AND due_at = $4", until, t.Kind, t.Subject, t.Due)
		if err != nil {
			return fmt.Errorf("put a timer off: %w", err)
		}
		return nil
	})
}

// DoneTimer removes a timer that was carried out, unless it was set anew.
func (db *DB) DoneTimer(ctx context.Context, t Timer) error {
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM timers WHERE kind = $1 AND subject = $2 AND due_at = $3", t.Kind, t.Subject, t.Due)
		if err != nil {
			return fmt.Errorf("remove a timer: %w", err)
		}
		return nil
	})
}

// PassOver implements the timer of that kind: a step none of whose pages can
// reach its person is over at once.
func (db *DB) PassOver(ctx context.Context, escalationID int64, mayPass func(phase string, run int) bool) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var number int64
		var phase, state string
		var run int
		var deadline *time.Time
		rows, err := scanInts(tx.QueryContext(ctx, "SELECT incident_number FROM escalations WHERE id = $1", escalationID))
		if err != nil || len(rows) == 0 {
			return err
		}
		number = rows[0]
		if err := tx.lockNumbers(ctx, []int64{number}); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, "SELECT phase, run, state, deadline_at FROM escalations WHERE id = $1"+db.forUpdate(false), escalationID).Scan(&phase, &run, &state, &deadline); err != nil {
			return fmt.Errorf("lock an escalation: %w", err)
		}
		var alive bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND state = 'active' AND NOT shadow)", number, escalationID).Scan(&alive); err != nil {
			return fmt.Errorf("look who is paged: %w", err)
		}
		now := db.Now()
		over := deadline == nil || !deadline.After(now) // another process was here first
		if alive || over || state != "active" || !mayPass(phase, run) {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE escalations SET deadline_at = $1, next_action_at = $1 WHERE id = $2", now, escalationID); err != nil {
			return fmt.Errorf("pass a step over: %w", err)
		}
		if err := tx.insertEvents(ctx, []incident.TimelineEvent{{IncidentNo: number, At: now, Kind: incident.EvPassedOver, Actor: incident.Tocsin,
			Data: []byte(asJSON(incident.Detail{Text: "Every attempt to reach somebody failed."}))}}); err != nil {
			return err
		}
		changed, err := tx.bump(ctx, []int64{number})
		if err != nil {
			return err
		}
		return tx.tell(ctx, News{Work: ToEscalate, Changes: changed})
	})
}
