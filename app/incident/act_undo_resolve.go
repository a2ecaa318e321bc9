package incident

import "time"

var undoResolve = ActKind{
	Name: "undo-resolve",
	Web:  true,
	Read: withoutFields(ActUndoResolve{}),
}

// UndoWithin is how long a resolve by hand can be taken back by whoever did it.
// Pages offer it for ten seconds; the rest is for a slow network.
const UndoWithin = 15 * time.Second

// Ended is what a resolve ends beside the incident itself, kept with its line of
// the timeline so that it can be taken back.
type Ended struct {
	AskedAt       *time.Time `json:"asked_at,omitempty"`
	MutedUntil    *time.Time `json:"muted_until,omitempty"`
	FlappingSince *time.Time `json:"flapping_since,omitempty"`
	SnoozedUntil  *time.Time `json:"snoozed_until,omitempty"`
}

// orNil is nil for nothing.
func (e Ended) orNil() *Ended {
	if e == (Ended{}) {
		return nil
	}
	return &e
}

// endedByResolve is what a resolve is about to end, nil for nothing.
func (i *Incident) endedByResolve() *Ended {
	return Ended{AskedAt: i.AskedAt, MutedUntil: i.MutedUntil, FlappingSince: i.FlappingSince, SnoozedUntil: i.SnoozedUntil}.orNil()
}

// ActUndoResolve takes a resolve by hand back, as if it had not been: owner and
// acknowledgment are as before, alerts that fired fire again, and nobody is paged
// anew. Only where nobody had acknowledged does the policy go on, with the step
// that it was at, since its pages were withdrawn.
//
// It is for whoever resolved, within UndoWithin. A recovery that the sender
// reported in between was ignored, since nothing fired, so that the incident
// stays open until somebody looks: the safe side.
type ActUndoResolve struct{}

func (ActUndoResolve) validate() error { return nil }

func (ActUndoResolve) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case i.Open():
		return c, notAllowed(ReasonNothingToUndo), nil
	case i.ResolvedBy != by.Actor || i.ResolvedAt == nil:
		o := isResolved(inc)
		o.Reason = ReasonResolvedByOther
		return c, o, nil
	case by.At.Sub(*i.ResolvedAt) > UndoWithin:
		o := isResolved(inc)
		o.Reason = ReasonTooLate
		return c, o, nil
	case k.GroupOpen != 0:
		return c, Outcome{Kind: NotAllowed, Reason: ReasonGroupOpen, Other: k.GroupOpen}, nil
	}
	c.Changed, c.ReviveAlerts = true, i.ResolvedAt
	i.ResolvedAt, i.ResolvedBy, i.Resolution = nil, "", ""
	i.AskedAt, i.MutedUntil, i.FlappingSince = k.Ended.AskedAt, k.Ended.MutedUntil, k.Ended.FlappingSince
	undone := ResolveUndonePayload{Via: by.Via}
	switch {
	case i.AcknowledgedAt != nil:
		i.Status = Acknowledged
		if i.SnoozedUntil = k.Ended.SnoozedUntil; i.SnoozedUntil != nil {
			c.timer(TimerSnooze, by.At) // SnoozeDue sets it again
		}
		if k.expires(i.Priority) > 0 || i.AskedAt != nil {
			c.timer(TimerAck, by.At) // AckDue sets it again
		}
	default:
		i.Status = Triggered
		undone.Status = Triggered
		if i.MutedUntil == nil && i.FlappingSince == nil {
			c.Escalate = EscalateResume
		}
	}
	if i.MutedUntil != nil || i.FlappingSince != nil {
		c.timer(TimerQuietPeriod, by.At)
	}
	c.record(by.At, by.Actor, undone)
	return c, done(), nil
}
