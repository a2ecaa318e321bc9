package paging

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// WakeEscalations has the engine process every step that waits for an answer or is held,
// since somebody else may be on call now. Waking a step without need changes nothing.
func WakeEscalations(ctx context.Context, tx *db.Tx, now time.Time) error {
	// Escalations are locked in the order of their ids, and before the pages that a
	// change of people withdraws.
	ids, err := tx.Ints(ctx, `SELECT id FROM escalations
		WHERE next_action_at > $1 AND (`+reachedNobody+` OR phase IN ('`+string(escalation.PhaseSteps)+`', '`+string(escalation.PhaseFallback)+`') AND fired_at IS NOT NULL
		 OR phase = '`+string(escalation.PhaseWaiting)+`' AND deadline_at IS NOT NULL) ORDER BY id`+tx.DB.ForUpdate(false), now)
	if err != nil {
		return fmt.Errorf("lock escalations: %w", err)
	}
	return wake(ctx, tx, now, ids)
}

// WakeUnreached has the engine process every escalation that waits since nobody could be
// reached, since somebody can be now.
func WakeUnreached(ctx context.Context, tx *db.Tx, now time.Time) error {
	ids, err := tx.Ints(ctx, "SELECT id FROM escalations WHERE next_action_at > $1 AND "+reachedNobody+" ORDER BY id"+tx.DB.ForUpdate(false), now)
	if err != nil {
		return fmt.Errorf("lock escalations: %w", err)
	}
	return wake(ctx, tx, now, ids)
}

// reachedNobody is the condition on active escalations that their policy ended with the
// administrators, and nobody is paged: none could be reached, or every attempt failed.
const reachedNobody = "phase = '" + string(escalation.PhaseAdministrators) + "' AND fired_at IS NOT NULL AND NOT " + pagesSomebody

// pagesSomebody is the condition that a page of an escalation still can reach its person.
const pagesSomebody = "EXISTS (SELECT 1 FROM pages p WHERE p.incident_number = escalations.incident_number AND p.escalation_id = escalations.id AND p.state = '" + Active + "' AND NOT p.shadow)"

// wake has the engine process escalations, which are locked. Those whose administrators
// were paged in vain count as ones that reached nobody.
func wake(ctx context.Context, tx *db.Tx, now time.Time, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	where, args := tx.DB.In("id", 2, ids)
	_, err := tx.ExecContext(ctx, "UPDATE escalations SET next_action_at = $1, reached = reached AND NOT ("+reachedNobody+") WHERE "+where, append([]any{now}, args...)...)
	if err != nil {
		return fmt.Errorf("wake the escalations: %w", err)
	}
	return tx.Publish(ctx, db.Wakeup{Work: db.ToEscalate})
}

// IncidentState is an incident inside a transaction, with the effects to write.
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
	AskOwner      bool
	AskKind       string // why the owner is asked: "raised", "worse", "joined", "still_on_it"
	Timers        []incident.Timer
	// By is the person whose acknowledgment this is, 0 for none.
	By int64

	// Request names whom a new primary escalation pages instead of the policy; nil
	// for the policy.
	Request *incident.Request
	// Requests, EndRequests and DeclineRequests are as in incident.Change.
	Requests        []incident.Request
	EndRequests     []incident.RequestEnd
	DeclineRequests []incident.RequestDecline
}

// Escalate carries out what changes of incidents do to their escalations: what
// was running is stopped, moved or resumed as escalation.Apply says, and where a
// policy starts anew it starts after that.
func Escalate(ctx context.Context, tx *db.Tx, now time.Time, states []*IncidentState) (db.Work, error) {
	var changing, starting []*IncidentState
	work := db.Work(0)
	for _, s := range states {
		if s.Escalate == incident.EscalateNone {
			continue
		}
		switch s.Escalate {
		case incident.EscalateStop:
		case incident.EscalateContinue:
			work |= db.ToEscalate | db.ToPlan | db.ToSend
		default:
			work |= db.ToEscalate
		}
		if s.Escalate == incident.EscalateStart {
			starting = append(starting, s)
		}
		if !s.IsNew {
			changing = append(changing, s)
		}
	}
	unstarted, err := changeRunning(ctx, tx, now, changing)
	if err != nil {
		return 0, err
	}
	return work, startEscalations(ctx, tx, now, append(starting, unstarted...))
}

func startEscalations(ctx context.Context, tx *db.Tx, now time.Time, starting []*IncidentState) error {
	if err := keepRequests(ctx, tx, starting); err != nil {
		return err
	}
	var events []incident.TimelineEvent
	begins := make([]running, len(starting))
	for i, s := range starting {
		urgency := s.Inc.Urgency
		if s.Request != nil {
			urgency = incident.High // a person asks
		}
		r, started := escalation.Start(now, urgency, s.Opens)
		begins[i] = running{Running: r, incident: s.Inc.Number, policy: s.PolicyVersion, request: s.Request}
		if s.Request != nil {
			begins[i].policy = nil
		}
		for _, e := range started {
			e.IncidentNo = s.Inc.Number
			events = append(events, e)
		}
	}
	err := tx.InsertRows(ctx, "escalations", len(begins), "",
		db.ColOf("incident_number", "bigint", begins, func(r *running) int64 { return r.incident }),
		db.ColOf("purpose", "text", begins, func(*running) string { return string(escalation.Primary) }),
		db.ColOf("subject", "text", begins, func(*running) string { return "" }),
		db.ColOf("policy_version_id", "bigint", begins, func(r *running) *int64 { return r.policy }),
		db.ColOf("request", "text", begins, func(r *running) string { return requestText(r.request) }),
		db.ColOf("state", "text", begins, func(*running) string { return Active }),
		db.ColOf("phase", "text", begins, func(r *running) string { return string(r.State.Phase) }),
		db.ColOf("step", "int", begins, func(r *running) int { return r.State.Step }),
		db.ColOf("run", "int", begins, func(r *running) int { return r.State.Run }),
		db.ColOf("reached", "bool", begins, func(r *running) bool { return r.State.Reached }),
		db.ColOf("next_action_at", "timestamptz", begins, func(r *running) *time.Time { return r.NextAction }),
		db.ColOf("started_at", "timestamptz", begins, func(*running) time.Time { return now }))
	if err != nil {
		return fmt.Errorf("start escalations: %w", err)
	}
	return timeline.Insert(ctx, tx, events)
}

// AskOwner pages the person who acknowledged, for the reason AskKind.
// Without an answer in time the policy starts again.
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
		incident: s.Inc.Number, user: *s.Inc.OwnerID, step: -1, priority: incident.PageRank(s.Inc.Priority), urgency: string(incident.High), why: string(data), at: now, notifyAt: &now,
	}})
}
