package incident

import (
	"slices"
	"strings"
	"time"
)

// joinGroup is a trigger of an alert whose group has an open incident that it is
// no part of yet. The alert is news, so it pages again: whoever is on it, or
// whoever was paged before. What may wait for support hours goes on waiting,
// and asks nobody who acknowledged. The incident's urgency may rise by it and
// never falls.
func (r *receiveRun) joinGroup(group Incident) {
	r.out.Incident = &group
	r.out.Result = ResultDeduplicated
	inc, a := &group, &r.out.Alert
	a.IncidentNo, a.Priority = inc.Number, nil
	urgency := inc.Urgency
	r.record(JoinedPayload{Alert: r.ev.Title, Severity: r.ev.Severity, Sender: r.ev.Facts.Sender, Warnings: r.ev.Warnings})
	r.seen()
	inc.ChangedAt = r.now
	raised := r.raisePriority()
	priority := r.ev.Priority
	if inc.priorityByHand() {
		priority = inc.Priority
	}
	if urgency == High || r.urgencyOf(priority) == High {
		inc.Urgency = High
	}
	if raised {
		r.pageRaise()
	} else {
		r.pageChild()
	}
	r.snooze()
}

// fellSilent reports whether an alert of a group that fires again was quiet for
// so long, while its incident stood open, that it is news like one that joins.
func (r *receiveRun) fellSilent() bool {
	inc := r.out.Incident
	if inc.Group == "" || r.recoveredAt == nil || r.now.Sub(*r.recoveredAt) < FlapQuiet {
		return false
	}
	reopened := slices.ContainsFunc(inc.ReopenedAt, func(at time.Time) bool { return at.After(*r.recoveredAt) })
	return !reopened && inc.FlappingSince == nil
}

// pageChild pages because another alert of the group fires.
func (r *receiveRun) pageChild() {
	inc := r.out.Incident
	if inc.Urgency == High {
		r.out.AskKind = AskJoined
		r.pageRaise()
		return
	}
	switch {
	case inc.Status == Triggered:
		r.out.Escalate = EscalateRefireRunning
	case inc.SnoozedUntil != nil: // nobody would look before it ends
		r.endSnooze()
		inc.unacknowledge()
		r.start()
	}
}

func (i *Incident) priorityByHand() bool {
	switch i.PrioritySource {
	case "", SourceSignal, SourceSLO, SourceBudget:
		return false
	}
	return true
}

// RepeatWithin is how long after a resolve a repeat of the firing that it ended
// may still be under way, from another instance of the sender or through a queue.
// It is shorter than the 30 s after which Alertmanager by default sends the first
// notification of a group: a firing that it took for ended and that goes on comes
// again with the same start, and must page.
const RepeatWithin = 20 * time.Second

const firingIsOver = "The sender has resolved what started then, so its repeat was ignored."

// isOver reports whether a trigger tells of a firing that its sender has resolved
// within RepeatWithin: one that by the sender's own word started no later. Where
// a person resolved the incident, the firing goes on.
func (r *receiveRun) isOver() bool {
	a, inc := &r.out.Alert, r.out.Incident
	if r.ev.StartedAt.IsZero() || !a.StartKnown || r.ev.StartedAt.After(a.StartedAt) ||
		a.ResolvedAt == nil || r.now.Sub(*a.ResolvedAt) > RepeatWithin {
		return false
	}
	byHand := inc != nil && inc.ResolvedAt != nil && inc.ResolvedAt.Equal(*a.ResolvedAt) &&
		!strings.HasPrefix(inc.ResolvedBy, integrationActor)
	return !byHand
}

// integrationActor begins the name of an integration as an actor.
const integrationActor = "integration:"

// acknowledge is the sender's own acknowledgment, of an incident that is open or
// not. It makes nobody the owner, and is no answer to what an owner was asked.
func (r *receiveRun) acknowledge(open bool) {
	inc := r.out.Incident
	r.out.Result = ResultIgnored
	switch {
	case !open:
		r.out.Warning = "Nothing is open under this dedup key, so nothing was acknowledged."
		return
	case inc.Status == Acknowledged:
		r.out.Warning = "The incident is acknowledged already."
		return
	}
	at := r.now
	r.out.Result = ResultAcknowledged
	r.out.Alert.LastSeenAt, inc.LastSeenAt = r.now, r.now
	r.out.Alert.Body = r.ev.Body
	inc.Status, inc.AcknowledgedAt, inc.AcknowledgedBy = Acknowledged, &at, r.rules.Actor
	inc.AskedAt, inc.MutedUntil = nil, nil
	r.record(AcknowledgedPayload{})
	r.timer(TimerAck, r.now) // AckDue says when it expires
	r.out.Escalate = EscalateStop
}
