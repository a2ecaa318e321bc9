package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// firing is the engine's decision about escalations that are due.
type firing = func(configVersion int64, due []escalation.Due) ([]escalation.Change, error)

// FireDue implements escalation.Store. Firing is one transaction under the
// locks of the escalation and its incident, so that it needs no lease: a
// process that dies has fired nothing, and its locks die with its connection.
// Rows that somebody else holds, such as an acknowledgment in progress, are
// left to the next sweep.
func (db *DB) FireDue(ctx context.Context, now time.Time, limit int, decide firing) (int, error) {
	claim := func(tx *Tx) (claimed, error) {
		return tx.dueEscalations(ctx, "e.next_action_at <= $1 ORDER BY e.next_action_at LIMIT $2"+tx.db.skipping("e, i"), now, limit)
	}
	fired, err := db.fireAndPlan(ctx, now, decide, claim)
	if isDataError(err) { // perhaps of a message, for which no escalation is to blame
		fired, err = db.fire(ctx, now, decide, claim)
	}
	if isDataError(err) {
		db.log.ErrorContext(ctx, "escalations cannot be fired together; they are fired one by one", "error", err)
		return db.fireEach(ctx, now, limit, decide)
	}
	if err != nil || fired > 0 {
		return fired, err
	}
	return db.fireOverdue(ctx, now, decide)
}

// fireAndPlan has pages planned as they are made.
func (db *DB) fireAndPlan(ctx context.Context, now time.Time, decide firing, claim func(*Tx) (claimed, error)) (int, error) {
	db.planning.Lock()
	defer db.planning.Unlock()
	return db.fire(ctx, now, decide, func(tx *Tx) (claimed, error) {
		tx.planAtOnce = true
		return claim(tx)
	})
}

// overdueAfter is how long a due escalation may be passed by because somebody
// else holds its rows.
const overdueAfter = 500 * time.Millisecond

// fireOverdue waits for the rows of the one escalation that has been due for
// longest. Without it, a sender that repeats itself without end would keep its
// own incident from being escalated.
func (db *DB) fireOverdue(ctx context.Context, now time.Time, decide firing) (int, error) {
	if db.dialect == onSQLite {
		return 0, nil
	}
	overdue, err := scanInts(db.read.QueryContext(ctx, "SELECT id FROM escalations WHERE next_action_at <= $1 ORDER BY next_action_at LIMIT 1", now.Add(-overdueAfter)))
	if err != nil || len(overdue) == 0 {
		return 0, err
	}
	return db.fire(ctx, now, decide, func(tx *Tx) (claimed, error) {
		var number int64
		if err := tx.QueryRowContext(ctx, "SELECT incident_number FROM escalations WHERE id = $1", overdue[0]).Scan(&number); err != nil {
			return claimed{}, fmt.Errorf("read an escalation: %w", err)
		}
		if err := tx.lockNumbers(ctx, []int64{number}); err != nil {
			return claimed{}, err
		}
		return tx.dueEscalations(ctx, "e.next_action_at <= $1 AND e.id = $2 FOR UPDATE OF e", now, overdue[0])
	})
}

// claimed are due escalations, and the version of the configuration as of then.
type claimed struct {
	due     []escalation.Due
	version int64
}

// fire claims, has the claim decided and writes what was decided.
func (db *DB) fire(ctx context.Context, now time.Time, decide firing, claim func(*Tx) (claimed, error)) (int, error) {
	fired := 0
	err := db.derived(ctx, func(tx *Tx) error {
		c, err := claim(tx)
		if fired = len(c.due); err != nil || fired == 0 {
			return err
		}
		changes, err := decide(c.version, c.due)
		if err != nil {
			return undecided{err}
		}
		return tx.writeEscalations(ctx, now, c.version, changes)
	})
	return fired, err
}

// dueEscalations is served by the index escalations_due.
func (tx *Tx) dueEscalations(ctx context.Context, which string, now time.Time, bound any) (claimed, error) {
	var c claimed
	var handingOver []int64
	err := tx.reads(ctx, statement{
		what: "claim escalations",
		query: `SELECT e.id, e.incident_number, e.purpose, COALESCE(e.policy_version_id, 0), e.phase, e.step, e.run, e.reached,
		       e.fired_at, e.deadline_at, i.status, i.priority, i.urgency, i.service_id
		FROM escalations e JOIN incidents i ON i.number = e.incident_number
		WHERE ` + which,
		args: []any{now, bound},
		each: func(scan func(...any) error) error {
			var d escalation.Due
			if err := scan(&d.ID, &d.Incident, &d.Purpose, &d.PolicyVersionID, &d.State.Phase, &d.State.Step, &d.State.Run, &d.State.Reached,
				&d.State.FiredAt, &d.State.Deadline, &d.Status, &d.Priority, &d.Urgency, &d.ServiceID); err != nil {
				return err
			}
			if d.State.FiredAt != nil && d.State.Deadline != nil && now.Before(*d.State.Deadline) {
				handingOver = append(handingOver, d.ID)
			}
			c.due = append(c.due, d)
			return nil
		},
	}, configVersion(&c.version))
	if err != nil || handingOver == nil {
		return c, err
	}
	return c, tx.pagedByStep(ctx, c.due, handingOver)
}

// pagedByStep fills in who has been paged by the present step of escalations.
func (tx *Tx) pagedByStep(ctx context.Context, due []escalation.Due, ids []int64) error {
	where, args := tx.db.in("e.id", 1, ids)
	rows, err := tx.QueryContext(ctx, `
		SELECT e.id, p.user_id FROM escalations e JOIN pages p ON p.incident_number = e.incident_number
		 AND p.escalation_id = e.id AND p.created_at >= e.fired_at AND p.state IN ('active', 'failed')
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

func (tx *Tx) writeEscalations(ctx context.Context, now time.Time, version int64, changes []escalation.Change) error {
	if err := tx.moveEscalations(ctx, now, changes); err != nil {
		return fmt.Errorf("move escalations on: %w", err)
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
		ofIncidents, args := tx.db.in("incident_number", 2, within)
		ofEscalations, more := tx.db.in("escalation_id", 2+len(args), superseded)
		if _, err := tx.ExecContext(ctx, "UPDATE pages SET state = 'superseded', notify_at = NULL, ended_at = $1 WHERE state = 'active' AND "+ofIncidents+" AND "+ofEscalations,
			slices.Concat([]any{now}, args, more)...); err != nil {
			return fmt.Errorf("end the pages of the step before: %w", err)
		}
	}
	work, err := tx.makePages(ctx, now, version, pages)
	if err != nil {
		return err
	}
	if err := tx.insertEvents(ctx, events); err != nil {
		return err
	}
	numbers := incidentsOf(changes)
	if len(numbers) > mostNamed {
		// A storm: live pages are told to look for themselves.
		return tx.tell(ctx, News{Work: work, Changes: []Change{{}}})
	}
	changed, err := tx.bump(ctx, numbers)
	if err != nil {
		return err
	}
	return tx.tell(ctx, News{Work: work, Changes: changed})
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

func (tx *Tx) moveEscalations(ctx context.Context, now time.Time, changes []escalation.Change) error {
	err := tx.updateRows(ctx, "escalations", len(changes),
		colOf("id", "bigint", changes, func(c *escalation.Change) int64 { return c.ID }),
		colOf("state", "text", changes, func(c *escalation.Change) string {
			if c.Ended {
				return "stopped"
			}
			return "active"
		}),
		colOf("phase", "text", changes, func(c *escalation.Change) string { return string(c.State.Phase) }),
		colOf("step", "int", changes, func(c *escalation.Change) int { return c.State.Step }),
		colOf("run", "int", changes, func(c *escalation.Change) int { return c.State.Run }),
		colOf("reached", "bool", changes, func(c *escalation.Change) bool { return c.State.Reached }),
		colOf("fired_at", "timestamptz", changes, func(c *escalation.Change) *time.Time { return c.State.FiredAt }),
		colOf("deadline_at", "timestamptz", changes, func(c *escalation.Change) *time.Time { return c.State.Deadline }),
		colOf("next_action_at", "timestamptz", changes, func(c *escalation.Change) *time.Time {
			if c.Ended {
				return nil
			}
			return &c.NextAction
		}),
		colOf("ended_at", "timestamptz", changes, func(c *escalation.Change) *time.Time {
			if c.Ended {
				return &now
			}
			return nil
		}))
	return err
}

// pageRow is a page as it is inserted.
type pageRow struct {
	incident, escalation, user int64
	step, run, priority        int
	urgency                    string
	shadow, digest             bool
	why                        string
	at                         time.Time
	// rule and notifyAt are where the planner is with it.
	rule     int
	notifyAt *time.Time
}

func newPageRow(c *escalation.Change, p escalation.Page, now time.Time) pageRow {
	return pageRow{
		incident: c.Incident, escalation: c.ID, user: p.UserID, step: c.State.Step, run: c.State.Run,
		priority: rank(c.Priority), urgency: string(c.Urgency), shadow: p.Shadow, digest: p.Digest, why: string(p.Why), at: now, notifyAt: &now,
	}
}

// unranked is the rank of an incident without a priority: after all levels.
const unranked = 9

func rank(priority *int) int {
	if priority == nil {
		return unranked
	}
	return *priority
}

func (tx *Tx) insertPages(ctx context.Context, pages []pageRow) error {
	if err := tx.insertRows(ctx, "pages", len(pages), "", pageColumns(pages)...); err != nil {
		return fmt.Errorf("page people: %w", err)
	}
	return nil
}

func pageColumns(pages []pageRow) []column {
	return []column{
		colOf("incident_number", "bigint", pages, func(p *pageRow) int64 { return p.incident }),
		colOf("escalation_id", "bigint", pages, func(p *pageRow) int64 { return p.escalation }),
		colOf("user_id", "bigint", pages, func(p *pageRow) int64 { return p.user }),
		colOf("step", "int", pages, func(p *pageRow) int { return p.step }),
		colOf("run", "int", pages, func(p *pageRow) int { return p.run }),
		colOf("urgency", "text", pages, func(p *pageRow) string { return p.urgency }),
		colOf("priority", "int", pages, func(p *pageRow) int { return p.priority }),
		colOf("shadow", "bool", pages, func(p *pageRow) bool { return p.shadow }),
		colOf("digest", "bool", pages, func(p *pageRow) bool { return p.digest }),
		colOf("why", "text", pages, func(p *pageRow) string { return p.why }),
		colOf("state", "text", pages, func(*pageRow) string { return "active" }),
		colOf("rule", "int", pages, func(p *pageRow) int { return p.rule }),
		colOf("notify_at", "timestamptz", pages, func(p *pageRow) *time.Time { return p.notifyAt }),
		colOf("created_at", "timestamptz", pages, func(p *pageRow) time.Time { return p.at }),
	}
}

// insertEvents is the one place that writes to the timeline. It wakes the
// consumers of this process; those of the others hear of it by the next news that
// the transaction tells, or find it by themselves within a second.
func (tx *Tx) insertEvents(ctx context.Context, events []incident.TimelineEvent) error {
	if len(events) > 0 && !tx.wroteEvents {
		tx.wroteEvents = true
		tx.after = append(tx.after, func() { tx.db.bus.publish(News{From: tx.db.Owner, Work: ToEffects}) })
	}
	err := tx.insertRows(ctx, "timeline_events", len(events), "",
		colOf("incident_number", "bigint", events, func(e *incident.TimelineEvent) int64 { return e.IncidentNo }),
		colOf("at", "timestamptz", events, func(e *incident.TimelineEvent) time.Time { return e.At }),
		colOf("kind", "text", events, func(e *incident.TimelineEvent) string { return string(e.Kind) }),
		colOf("actor", "text", events, func(e *incident.TimelineEvent) string { return e.Actor }),
		colOf("data", "text", events, func(e *incident.TimelineEvent) string { return string(e.Data) }))
	if err != nil {
		return fmt.Errorf("write the timeline: %w", err)
	}
	return nil
}

// bump raises the version of incidents, which are locked already, and returns
// what they are now.
func (tx *Tx) bump(ctx context.Context, numbers []int64) ([]Change, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	where, args := tx.db.in("number", 1, numbers)
	return scanChanges(tx.QueryContext(ctx, "UPDATE incidents SET version = version + 1 WHERE "+where+" RETURNING number, version", args...))
}

func scanChanges(rows *sql.Rows, err error) ([]Change, error) {
	if err != nil {
		return nil, fmt.Errorf("raise the version of incidents: %w", err)
	}
	defer rows.Close()
	var changes []Change
	for rows.Next() {
		var c Change
		if err := rows.Scan(&c.Number, &c.Version); err != nil {
			return nil, fmt.Errorf("raise the version of incidents: %w", err)
		}
		changes = append(changes, c)
	}
	return changes, rows.Err()
}
