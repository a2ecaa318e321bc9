package incident

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// UndoWithin is how long a resolve by hand can be taken back by whoever did it.
// Pages offer it for ten seconds; the rest is for a slow network.
const UndoWithin = 15 * time.Second

// Held is what a resolve ends beside the incident itself, kept with its line of
// the timeline so that it can be taken back.
type Held struct {
	AskedAt       *time.Time `json:"asked_at,omitempty"`
	MutedUntil    *time.Time `json:"muted_until,omitempty"`
	FlappingSince *time.Time `json:"flapping_since,omitempty"`
}

// held is what a resolve is about to end, nil for nothing.
func (i *Incident) held() *Held {
	h := Held{AskedAt: i.AskedAt, MutedUntil: i.MutedUntil, FlappingSince: i.FlappingSince}
	if h == (Held{}) {
		return nil
	}
	return &h
}

// UndoResolve takes a resolve by hand back, as if it had not been: owner and
// acknowledgment stand as before, what fired fires again, and nobody is told
// anew. Only where nobody had acknowledged does the policy go on, with the step
// that it was at, since its pages were withdrawn. expires is as for Acknowledge.
//
// It is for whoever resolved, within UndoWithin. A recovery that the sender told
// of in between was about nothing that fired, so that the incident stays open
// until somebody looks: the safe side.
func UndoResolve(inc Incident, by By, held Held, expires time.Duration) (Change, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case i.Open():
		return c, fault.Conflict("Incident %d is open already, so there is nothing to take back.", i.Number)
	case i.ResolvedBy != by.Actor || i.ResolvedAt == nil:
		return c, fault.Conflict("Somebody else resolved incident %d. If it is not over, reopen it: that pages whoever is on call.", i.Number)
	case by.At.Sub(*i.ResolvedAt) > UndoWithin:
		return c, fault.Conflict("It is too late to take that back in silence. If incident %d is not over, reopen it: that pages whoever is on call.", i.Number)
	}
	c.Changed, c.ReviveAlerts = true, i.ResolvedAt
	i.ResolvedAt, i.ResolvedBy, i.Resolution = nil, "", ""
	i.AskedAt, i.MutedUntil, i.FlappingSince = held.AskedAt, held.MutedUntil, held.FlappingSince
	detail := Detail{Via: by.Via}
	switch {
	case i.AcknowledgedAt != nil:
		i.Status = Acknowledged
		if expires > 0 || i.AskedAt != nil {
			c.timer(TimerAck, by.At) // it says itself when it is due
		}
	default:
		i.Status = Triggered
		detail.To = string(Triggered)
		if i.MutedUntil == nil && i.FlappingSince == nil {
			c.Escalate = EscalateResume
		}
	}
	if i.MutedUntil != nil || i.FlappingSince != nil {
		c.timer(TimerSettle, by.At)
	}
	c.note(by.At, EvResolveUndone, by.Actor, detail)
	return c, nil
}
