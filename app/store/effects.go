package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// incidentState is an incident inside a transaction, with what is to follow.
type incidentState struct {
	inc     incident.Incident
	isNew   bool
	changed bool
	firing  int // alerts
	// wasResolved says that it is resolved in the database.
	wasResolved bool

	escalate      incident.Escalate
	policyVersion *int64 // for a new incident, known from its signal
	askOwner      bool
	askKind       string // why the owner is asked: "raised", "worse", "joined", "still_on_it"
	tellChat      bool
	timers        []incident.Timer
	// by is the person whose acknowledgment this is, 0 for none.
	by int64
}

// writeIncidents writes incidents, their timeline, and all that follows for
// escalations, pages and messages. Everything that changes an incident ends
// here, so that races end one way.
func (tx *Tx) writeIncidents(ctx context.Context, routes *routes, now time.Time, states []*incidentState, events []incident.TimelineEvent) error {
	var fresh, known []*incidentState
	var changes []Change
	for _, s := range states {
		s.inc.Version++
		changes = append(changes, Change{s.inc.Number, s.inc.Version})
		if s.isNew {
			fresh = append(fresh, s)
		} else {
			known = append(known, s)
		}
	}
	// Incidents of a group are closed before another one of it opens: see
	// incidents_group.
	closed, open := groupsFirst(known)
	if err := tx.updateIncidents(ctx, closed); err != nil {
		return err
	}
	if err := tx.updateIncidents(ctx, open); err != nil {
		return err
	}
	if err := tx.insertIncidents(ctx, fresh); err != nil {
		return err
	}
	if err := tx.insertEvents(ctx, events); err != nil {
		return err
	}
	work, err := tx.escalate(ctx, routes, now, states)
	if err != nil {
		return err
	}
	for _, s := range states {
		for _, t := range s.timers {
			if err := tx.setTimer(ctx, t.Kind, s.inc.Number, t.Due); err != nil {
				return err
			}
		}
		if s.askOwner && s.inc.Status == incident.Acknowledged {
			work |= ToPlan
			if err := tx.askOwner(ctx, now, s); err != nil {
				return err
			}
		}
	}
	told, err := tx.tellChannels(ctx, routes, now, states)
	if err != nil {
		return err
	}
	return tx.tell(ctx, News{Work: work | told, Changes: changes})
}

// groupsFirst parts those incidents that reopen in a group from the others, which
// are written before them. Without any there is nothing to part.
func groupsFirst(known []*incidentState) (others, reopening []*incidentState) {
	isReopening := func(s *incidentState) bool { return s.wasResolved && s.inc.Group != "" && s.inc.Open() }
	if !slices.ContainsFunc(known, isReopening) {
		return known, nil
	}
	for _, s := range known {
		if isReopening(s) {
			reopening = append(reopening, s)
		} else {
			others = append(others, s)
		}
	}
	return others, reopening
}

// escalate carries out what the state machine asked for.
func (tx *Tx) escalate(ctx context.Context, routes *routes, now time.Time, states []*incidentState) (Work, error) {
	var stop, refire, running, wake, next []int64
	var starting, resuming []*incidentState
	for _, s := range states {
		switch s.escalate {
		case incident.EscalateStart:
			starting = append(starting, s)
			if !s.isNew {
				stop = append(stop, s.inc.Number)
			}
		case incident.EscalateStop:
			if !s.isNew {
				stop = append(stop, s.inc.Number)
			}
		case incident.EscalateResume:
			resuming = append(resuming, s)
		case incident.EscalateRefire:
			refire = append(refire, s.inc.Number)
		case incident.EscalateRefireRunning:
			running = append(running, s.inc.Number)
		case incident.EscalateWake:
			wake = append(wake, s.inc.Number)
		case incident.EscalateNext:
			next = append(next, s.inc.Number)
		}
	}
	if err := tx.stopEscalations(ctx, now, states, stop); err != nil {
		return 0, err
	}
	// Whoever was asked whether they are still on it is out of it now.
	if err := tx.withdrawPages(ctx, now, next, []int64{0}); err != nil {
		return 0, err
	}
	if err := tx.startEscalations(ctx, routes, now, starting); err != nil {
		return 0, err
	}
	if err := tx.resumeEscalations(ctx, routes, now, resuming); err != nil {
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
		where, args := tx.db.in("incident_number", 2, change.numbers)
		if _, err := tx.ExecContext(ctx, "UPDATE escalations SET "+change.set+" WHERE purpose = 'primary' AND "+change.where+" AND "+where,
			append([]any{now}, args...)...); err != nil {
			return 0, fmt.Errorf("move escalations: %w", err)
		}
	}
	if len(starting)+len(resuming)+len(refire)+len(running)+len(wake)+len(next) > 0 {
		return ToEscalate, nil
	}
	return 0, nil
}

func (tx *Tx) startEscalations(ctx context.Context, routes *routes, now time.Time, starting []*incidentState) error {
	type begin struct {
		number int64
		policy *int64
		phase  escalation.Phase
		at     time.Time
	}
	begins := make([]begin, len(starting))
	for i, s := range starting {
		r := routes.services[s.inc.ServiceID]
		b := begin{number: s.inc.Number, policy: s.policyVersion}
		if b.policy == nil {
			b.policy = r.policyAt(now)
		}
		opens := now
		if r.hours != nil {
			opens = r.hours.NextOpen(now, routes.zone)
		}
		if b.phase, b.at = escalation.Begin(s.inc.Urgency, now, opens); b.phase == escalation.Waiting {
			if err := tx.noteWaiting(ctx, now, b.number, opens); err != nil {
				return err
			}
		}
		begins[i] = b
	}
	err := tx.insertRows(ctx, "escalations", len(begins), "",
		colOf("incident_number", "bigint", begins, func(b *begin) int64 { return b.number }),
		colOf("purpose", "text", begins, func(*begin) string { return string(escalation.Primary) }),
		colOf("subject", "text", begins, func(*begin) string { return "" }),
		colOf("policy_version_id", "bigint", begins, func(b *begin) *int64 { return b.policy }),
		colOf("state", "text", begins, func(*begin) string { return "active" }),
		colOf("phase", "text", begins, func(b *begin) string { return string(b.phase) }),
		colOf("step", "int", begins, func(*begin) int { return 0 }),
		colOf("run", "int", begins, func(*begin) int { return 0 }),
		colOf("reached", "bool", begins, func(*begin) bool { return false }),
		colOf("next_action_at", "timestamptz", begins, func(b *begin) time.Time { return b.at }),
		colOf("started_at", "timestamptz", begins, func(*begin) time.Time { return now }))
	if err != nil {
		return fmt.Errorf("start escalations: %w", err)
	}
	return nil
}

func (tx *Tx) noteWaiting(ctx context.Context, now time.Time, number int64, until time.Time) error {
	data, err := json.Marshal(incident.Detail{Until: until.UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	return tx.insertEvents(ctx, []incident.TimelineEvent{{IncidentNo: number, At: now, Kind: incident.EvWaiting, Actor: incident.Tocsin, Data: data}})
}

// stopEscalations ends the primary escalations of incidents, and the requests
// of those who answered: a resolve ends all, an acknowledgment those that asked
// the person who gave it. Waiting pages are withdrawn, and the messages that
// carry them are locked, so that no claim made after this commits sends them.
func (tx *Tx) stopEscalations(ctx context.Context, now time.Time, states []*incidentState, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	var resolved []int64
	by := map[int64]int64{}
	for _, s := range states {
		if s.inc.Status == incident.Resolved {
			resolved = append(resolved, s.inc.Number)
		}
		by[s.inc.Number] = s.by
	}
	ids, err := tx.stoppable(ctx, numbers, resolved, by)
	if err != nil {
		return err
	}
	where, args := tx.db.in("id", 2, ids)
	if _, err := tx.ExecContext(ctx, "UPDATE escalations SET state = 'stopped', next_action_at = NULL, ended_at = $1 WHERE "+where, append([]any{now}, args...)...); err != nil {
		return fmt.Errorf("stop escalations: %w", err)
	}
	// An owner who is asked is paged outside any escalation.
	return tx.withdrawPages(ctx, now, numbers, append(ids, 0))
}

// withdrawPages ends pages of incidents that some of their escalations made,
// and the waiting messages that carry nothing else.
func (tx *Tx) withdrawPages(ctx context.Context, now time.Time, numbers, escalations []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	ofIncidents, args := tx.db.in("incident_number", 2, numbers)
	ofEscalations, more := tx.db.in("escalation_id", 2+len(args), escalations)
	pages, err := scanInts(tx.QueryContext(ctx, "UPDATE pages SET state = 'withdrawn', notify_at = NULL, ended_at = $1 WHERE state IN ('active', 'superseded') AND "+
		ofIncidents+" AND "+ofEscalations+" RETURNING id", slices.Concat([]any{now}, args, more)...))
	if err != nil {
		return fmt.Errorf("withdraw pages: %w", err)
	}
	slices.Sort(pages)
	return tx.withdrawMessages(ctx, pages)
}

// stoppable locks the active escalations that end.
func (tx *Tx) stoppable(ctx context.Context, numbers, resolved []int64, by map[int64]int64) ([]int64, error) {
	where, args := tx.db.in("e.incident_number", 1, numbers)
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.incident_number, e.purpose FROM escalations e WHERE e.state = 'active' AND `+where+" ORDER BY e.id"+tx.db.forUpdate(false), args...)
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

// withdrawMessages locks the waiting messages that carry pages, and withdraws
// those that carry nothing else.
func (tx *Tx) withdrawMessages(ctx context.Context, pages []int64) error {
	if len(pages) == 0 {
		return nil
	}
	where, args := tx.db.in("mp.page_id", 1, pages)
	waiting, err := scanInts(tx.QueryContext(ctx, "SELECT id FROM messages WHERE state = 'queued' AND id IN (SELECT mp.message_id FROM message_pages mp WHERE "+where+") ORDER BY id"+tx.db.forUpdate(false), args...))
	if err != nil {
		return fmt.Errorf("lock messages: %w", err)
	}
	if len(waiting) == 0 {
		return nil
	}
	where, args = tx.db.in("id", 1, waiting)
	if _, err := tx.ExecContext(ctx, `UPDATE messages SET state = 'withdrawn', due_at = NULL WHERE state = 'queued' AND `+where+`
		AND NOT EXISTS (SELECT 1 FROM message_pages mp JOIN pages p ON p.id = mp.page_id WHERE mp.message_id = messages.id AND p.state IN ('active', 'superseded'))`, args...); err != nil {
		return fmt.Errorf("withdraw messages: %w", err)
	}
	return nil
}

// askOwner pages whoever acknowledged: the priority was raised, or time has
// passed. Who has no answer to it in time finds the policy begun again.
func (tx *Tx) askOwner(ctx context.Context, now time.Time, s *incidentState) error {
	if s.inc.OwnerID == nil {
		return nil // a token acknowledged it; AckDue starts the policy again
	}
	why := escalation.Why{Kind: s.askKind, Target: "whoever acknowledged"}
	data, err := json.Marshal(why)
	if err != nil {
		return err
	}
	if err := tx.withdrawPages(ctx, now, []int64{s.inc.Number}, []int64{0}); err != nil {
		return err
	}
	return tx.insertPages(ctx, []pageRow{{
		incident: s.inc.Number, user: *s.inc.OwnerID, step: -1, priority: rank(s.inc.Priority), urgency: string(incident.High), why: string(data), at: now, notifyAt: &now,
	}})
}

// channelAtOnce is how many messages within notify.BundleWithin a chat channel
// gets one by one: more than a person, since nobody is woken by them.
const channelAtOnce = 4 * notify.BundleAfter

// tellChannels has the teams' chat channels say where incidents stand. One
// message a change at most waits for a channel; it says what is true when it is
// sent. In a storm they wait for one another and go out as one.
func (tx *Tx) tellChannels(ctx context.Context, routes *routes, now time.Time, states []*incidentState) (Work, error) {
	if !tx.db.chat {
		return 0, nil
	}
	byChannel := map[string][]*incidentState{}
	for _, s := range states {
		if chat := routes.services[s.inc.ServiceID].chat; chat != "" && s.tellChat {
			byChannel[chat] = append(byChannel[chat], s)
		}
	}
	for chat, list := range byChannel {
		due := now
		var recent int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE kind = 'channel' AND address = $1 AND created_at > $2", chat, now.Add(-notify.BundleWithin)).Scan(&recent); err != nil {
			return 0, fmt.Errorf("count a channel's messages: %w", err)
		}
		if recent+len(list) > channelAtOnce {
			due = now.Truncate(notify.GatherFor).Add(notify.GatherFor)
		}
		if err := tx.insertRows(ctx, "messages", len(list), "ON CONFLICT (incident_number, address) WHERE kind = 'channel' AND state = 'queued' DO UPDATE SET due_at = messages.due_at",
			colOf("kind", "text", list, func(**incidentState) string { return string(notify.KindChannel) }),
			colOf("medium", "text", list, func(**incidentState) string { return string(notify.Slack) }),
			colOf("address", "text", list, func(**incidentState) string { return chat }),
			colOf("incident_number", "bigint", list, func(s **incidentState) int64 { return (*s).inc.Number }),
			colOf("body", "text", list, func(**incidentState) string { return "" }),
			colOf("urgency", "text", list, func(s **incidentState) string { return string((*s).inc.Urgency) }),
			colOf("priority", "int", list, func(s **incidentState) int { return rank((*s).inc.Priority) }),
			colOf("gathering", "bool", list, func(**incidentState) bool { return false }),
			colOf("state", "text", list, func(**incidentState) string { return "queued" }),
			colOf("due_at", "timestamptz", list, func(**incidentState) time.Time { return due }),
			colOf("attempts", "int", list, func(**incidentState) int { return 0 }),
			colOf("provider_id", "text", list, func(**incidentState) string { return "" }),
			colOf("failure", "text", list, func(**incidentState) string { return "" }),
			colOf("created_at", "timestamptz", list, func(**incidentState) time.Time { return now })); err != nil {
			return 0, fmt.Errorf("tell a channel: %w", err)
		}
	}
	if len(byChannel) == 0 {
		return 0, nil
	}
	return ToSend, nil
}
