package paging

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// WakeEscalations has the engine look again at every step that waits for an
// answer, since somebody else may be on call now. Looking too often does
// nothing.
func WakeEscalations(ctx context.Context, tx *db.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE escalations SET next_action_at = $1
		WHERE next_action_at > $1 AND phase IN ('steps', 'fallback') AND fired_at IS NOT NULL`, now)
	if err != nil {
		return fmt.Errorf("wake the escalations: %w", err)
	}
	return tx.Publish(ctx, db.News{Work: db.ToEscalate})
}

// IncidentState is an incident inside a transaction, with what is to follow.
type IncidentState struct {
	Inc     incident.Incident
	IsNew   bool
	Changed bool
	Firing  int // alerts
	// WasResolved says that it is resolved in the database.
	WasResolved bool

	Escalate incident.Escalate
	// PolicyVersion is the escalation policy's version that a new escalation begins
	// with, nil for none; opens is when its support hours are open next, or now.
	PolicyVersion *int64
	Opens         time.Time
	// Chat is the team's chat channel, empty for none.
	Chat     string
	AskOwner bool
	AskKind  string // why the owner is asked: "raised", "worse", "joined", "still_on_it"
	TellChat bool
	Timers   []incident.Timer
	// By is the person whose acknowledgment this is, 0 for none.
	By int64
}

// Escalate carries out what the state machine asked for.
func Escalate(ctx context.Context, tx *db.Tx, now time.Time, states []*IncidentState) (db.Work, error) {
	var stop, refire, running, wake, next []int64
	var starting, resuming []*IncidentState
	for _, s := range states {
		switch s.Escalate {
		case incident.EscalateStart:
			starting = append(starting, s)
			if !s.IsNew {
				stop = append(stop, s.Inc.Number)
			}
		case incident.EscalateStop:
			if !s.IsNew {
				stop = append(stop, s.Inc.Number)
			}
		case incident.EscalateResume:
			resuming = append(resuming, s)
		case incident.EscalateRefire:
			refire = append(refire, s.Inc.Number)
		case incident.EscalateRefireRunning:
			running = append(running, s.Inc.Number)
		case incident.EscalateWake:
			wake = append(wake, s.Inc.Number)
		case incident.EscalateNext:
			next = append(next, s.Inc.Number)
		}
	}
	if err := stopEscalations(ctx, tx, now, states, stop); err != nil {
		return 0, err
	}
	// Whoever was asked whether they are still on it is out of it now.
	if err := withdrawPages(ctx, tx, now, next, []int64{0}); err != nil {
		return 0, err
	}
	if err := startEscalations(ctx, tx, now, starting); err != nil {
		return 0, err
	}
	if err := resumeEscalations(ctx, tx, now, resuming); err != nil {
		return 0, err
	}
	for _, change := range []struct {
		numbers    []int64
		set, where string
	}{
		{refire, "phase = CASE WHEN phase = 'waiting' THEN 'steps' ELSE phase END, fired_at = NULL, deadline_at = NULL, next_action_at = $1", "state = 'active'"},
		{running, "fired_at = NULL, deadline_at = NULL, next_action_at = $1", "state = 'active' AND phase <> 'waiting'"},
		{wake, "phase = 'steps', next_action_at = $1", "state = 'active' AND phase = 'waiting'"},
		{next, "phase = CASE WHEN phase = 'waiting' THEN 'steps' ELSE phase END, state = 'active', ended_at = NULL, deadline_at = $1, next_action_at = $1",
			"id = (SELECT max(l.id) FROM escalations l WHERE l.purpose = 'primary' AND l.incident_number = escalations.incident_number)"},
	} {
		if change.numbers == nil {
			continue
		}
		where, args := tx.DB.In("incident_number", 2, change.numbers)
		if _, err := tx.ExecContext(ctx, "UPDATE escalations SET "+change.set+" WHERE purpose = 'primary' AND "+change.where+" AND "+where,
			append([]any{now}, args...)...); err != nil {
			return 0, fmt.Errorf("move escalations: %w", err)
		}
	}
	if len(starting)+len(resuming)+len(refire)+len(running)+len(wake)+len(next) > 0 {
		return db.ToEscalate, nil
	}
	return 0, nil
}

func startEscalations(ctx context.Context, tx *db.Tx, now time.Time, starting []*IncidentState) error {
	type begin struct {
		number int64
		policy *int64
		phase  escalation.Phase
		at     time.Time
	}
	begins := make([]begin, len(starting))
	for i, s := range starting {
		b := begin{number: s.Inc.Number, policy: s.PolicyVersion}
		if b.phase, b.at = escalation.Begin(s.Inc.Urgency, now, s.Opens); b.phase == escalation.Waiting {
			if err := noteWaiting(ctx, tx, now, b.number, s.Opens); err != nil {
				return err
			}
		}
		begins[i] = b
	}
	err := tx.InsertRows(ctx, "escalations", len(begins), "",
		db.ColOf("incident_number", "bigint", begins, func(b *begin) int64 { return b.number }),
		db.ColOf("purpose", "text", begins, func(*begin) string { return string(escalation.Primary) }),
		db.ColOf("subject", "text", begins, func(*begin) string { return "" }),
		db.ColOf("policy_version_id", "bigint", begins, func(b *begin) *int64 { return b.policy }),
		db.ColOf("state", "text", begins, func(*begin) string { return "active" }),
		db.ColOf("phase", "text", begins, func(b *begin) string { return string(b.phase) }),
		db.ColOf("step", "int", begins, func(*begin) int { return 0 }),
		db.ColOf("run", "int", begins, func(*begin) int { return 0 }),
		db.ColOf("reached", "bool", begins, func(*begin) bool { return false }),
		db.ColOf("next_action_at", "timestamptz", begins, func(b *begin) time.Time { return b.at }),
		db.ColOf("started_at", "timestamptz", begins, func(*begin) time.Time { return now }))
	if err != nil {
		return fmt.Errorf("start escalations: %w", err)
	}
	return nil
}

func noteWaiting(ctx context.Context, tx *db.Tx, now time.Time, number int64, until time.Time) error {
	return timeline.Insert(ctx, tx, []incident.TimelineEvent{{IncidentNo: number, At: now, Actor: incident.Tocsin, Payload: incident.WaitingPayload{Until: until.UTC().Truncate(time.Second)}}})
}

// stopEscalations ends the primary escalations of incidents, and the requests
// of those who answered: a resolve ends all, an acknowledgment those that asked
// the person who gave it. Waiting pages are withdrawn, and the messages that
// carry them are locked, so that no claim made after this commits sends them.
func stopEscalations(ctx context.Context, tx *db.Tx, now time.Time, states []*IncidentState, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	var resolved []int64
	by := map[int64]int64{}
	for _, s := range states {
		if s.Inc.Status == incident.Resolved {
			resolved = append(resolved, s.Inc.Number)
		}
		by[s.Inc.Number] = s.By
	}
	ids, err := stoppable(ctx, tx, numbers, resolved, by)
	if err != nil {
		return err
	}
	where, args := tx.DB.In("id", 2, ids)
	if _, err := tx.ExecContext(ctx, "UPDATE escalations SET state = 'stopped', next_action_at = NULL, ended_at = $1 WHERE "+where, append([]any{now}, args...)...); err != nil {
		return fmt.Errorf("stop escalations: %w", err)
	}
	// An owner who is asked is paged outside any escalation.
	return withdrawPages(ctx, tx, now, numbers, append(ids, 0))
}

// stoppable locks the active escalations that end.
func stoppable(ctx context.Context, tx *db.Tx, numbers, resolved []int64, by map[int64]int64) ([]int64, error) {
	where, args := tx.DB.In("e.incident_number", 1, numbers)
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.incident_number, e.purpose FROM escalations e WHERE e.state = 'active' AND `+where+" ORDER BY e.id"+tx.DB.ForUpdate(false), args...)
	if err != nil {
		return nil, fmt.Errorf("lock escalations: %w", err)
	}
	defer rows.Close()
	type active struct{ id, number int64 }
	var ids []int64
	var requests []active
	for rows.Next() {
		var a active
		var purpose escalation.Purpose
		if err := rows.Scan(&a.id, &a.number, &purpose); err != nil {
			return nil, fmt.Errorf("lock escalations: %w", err)
		}
		if purpose == escalation.Primary || slices.Contains(resolved, a.number) {
			ids = append(ids, a.id)
		} else {
			requests = append(requests, a)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("lock escalations: %w", err)
	}
	for _, a := range requests {
		var asked bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pages WHERE incident_number = $1 AND escalation_id = $2 AND user_id = $3 AND NOT shadow AND state IN ('active', 'superseded'))", a.number, a.id, by[a.number]).Scan(&asked); err != nil {
			return nil, fmt.Errorf("look who was asked: %w", err)
		}
		if asked {
			ids = append(ids, a.id)
		}
	}
	return ids, nil
}

// AskOwner pages whoever acknowledged: the priority was raised, or time has
// passed. Who has no answer to it in time finds the policy begun again.
func AskOwner(ctx context.Context, tx *db.Tx, now time.Time, s *IncidentState) error {
	if s.Inc.OwnerID == nil {
		return nil // a token acknowledged it; AckDue starts the policy again
	}
	why := escalation.Why{Kind: s.AskKind, Target: "whoever acknowledged"}
	data, err := json.Marshal(why)
	if err != nil {
		return err
	}
	if err := withdrawPages(ctx, tx, now, []int64{s.Inc.Number}, []int64{0}); err != nil {
		return err
	}
	return insertPages(ctx, tx, []pageRow{{
		incident: s.Inc.Number, user: *s.Inc.OwnerID, step: -1, priority: Rank(s.Inc.Priority), urgency: string(incident.High), why: string(data), at: now, notifyAt: &now,
	}})
}

// resumeEscalations goes on where incidents' primary escalations were stopped:
// the step that they were at fires again, and what waited for support hours
// waits for them.
func resumeEscalations(ctx context.Context, tx *db.Tx, now time.Time, resuming []*IncidentState) error {
	for _, s := range resuming {
		for _, next := range []struct {
			where string
			at    time.Time
		}{{"phase = $2", s.Opens}, {"phase <> $2", now}} {
			if _, err := tx.ExecContext(ctx, `UPDATE escalations SET state = 'active', ended_at = NULL, fired_at = NULL, deadline_at = NULL, next_action_at = $1
				WHERE state = 'stopped' AND `+next.where+` AND id = (SELECT max(l.id) FROM escalations l WHERE l.purpose = 'primary' AND l.incident_number = $3)`,
				next.at, string(escalation.Waiting), s.Inc.Number); err != nil {
				return fmt.Errorf("resume an escalation: %w", err)
			}
		}
	}
	return nil
}
