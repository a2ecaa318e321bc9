package incident

import (
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// By says who acts, how and when.
type By struct {
	Actor  string // a person's email or "token:NAME"
	UserID *int64 // the person, nil where it is not one
	Via    string // "web", "sms", "link", "api"
	At     time.Time
}

// Acknowledge takes an incident in hand and stops its escalation. expires is
// after how long the owner is asked again, 0 for never.
//
// What is acknowledged already keeps its owner: a second acknowledgment changes
// nothing, and the answer tells who was first (Change.Incident). Two exceptions:
// where the owner was asked whether they are still on it, any acknowledgment
// is the answer, and another person's makes them the owner; and a person takes
// over from a token. AcknowledgedAt is then the later time, so that an expiry
// counts anew.
func Acknowledge(inc Incident, by By, expires time.Duration) (Change, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	switch i.Status {
	case Resolved:
		return c, resolvedAlready(i)
	case Acknowledged:
		if i.AskedAt == nil && (i.OwnerID != nil || by.UserID == nil) {
			return c, nil
		}
	}
	at := by.At
	i.Status = Acknowledged
	i.AcknowledgedAt = &at
	i.AskedAt = nil
	i.MutedUntil = nil
	if by.UserID != nil || i.OwnerID == nil {
		i.AcknowledgedBy = by.Actor
		i.OwnerID = by.UserID
	}
	c.Changed = true
	c.Escalate = EscalateStop
	c.note(by.At, EvAcknowledged, by.Actor, Detail{Via: by.Via})
	if expires > 0 {
		c.timer(TimerAck, at.Add(expires))
	}
	return c, nil
}

// ResolveBy ends an incident by hand, with what fixed it, which may be empty.
// Its alerts count as no longer firing, even if the sender still sees them. One
// that is resolved already stays as it is.
func ResolveBy(inc Incident, by By, fixedBy string) (Change, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, nil
	}
	fixedBy = strings.TrimSpace(fixedBy)
	held := inc.held()
	c.Incident.resolve(by.At, by.Actor, fixedBy)
	c.Incident.ChangedAt = by.At
	c.Changed = true
	c.EndAlerts = true
	c.Escalate = EscalateStop
	c.note(by.At, EvResolved, by.Actor, Detail{Via: by.Via, Text: fixedBy, Held: held})
	return c, nil
}

// Reopen opens a resolved incident again, and pages again. It counts as no
// flapping.
func Reopen(inc Incident, by By) (Change, error) {
	c := Change{Incident: inc}
	if inc.Open() {
		return c, fault.Conflict("Incident %d is open, so there is nothing to reopen.", inc.Number)
	}
	c.Incident.reopened()
	c.Changed = true
	c.Escalate = EscalateStart
	c.note(by.At, EvReopened, by.Actor, Detail{Via: by.Via})
	return c, nil
}

// Unacknowledge gives an incident back: the policy starts again.
func Unacknowledge(inc Incident, by By) (Change, error) {
	c := Change{Incident: inc}
	switch inc.Status {
	case Resolved:
		return c, resolvedAlready(&inc)
	case Triggered:
		return c, fault.Conflict("Nobody has acknowledged incident %d.", inc.Number)
	}
	c.expire(by.At)
	c.Timeline = nil
	c.note(by.At, EvUnacknowledged, by.Actor, Detail{Via: by.Via})
	return c, nil
}

// SetPriority sets the level by hand, nil for none. It pages nobody: at most,
// what waited for the morning because it was low begins at once. urgency is the
// one that the new level has: see UrgencyOf.
func SetPriority(inc Incident, by By, level *int, reason string, levels []catalog.Priority, urgency Urgency) (Change, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	var expires time.Duration
	if level != nil {
		p, ok := levelNamed(levels, *level)
		if !ok {
			return c, fault.Invalid("There is no priority P%d.", *level).
				With(fault.Field{Path: "priority", Message: "must be " + oneOf(levels)})
		}
		expires = time.Duration(p.AckExpires) * time.Second
	}
	if levelName(level) == levelName(i.Priority) {
		return c, nil
	}
	c.note(by.At, EvPriority, by.Actor, Detail{
		Via: by.Via, Text: strings.TrimSpace(reason), From: levelName(i.Priority), To: levelName(level),
	})
	if i.Status == Triggered && i.Urgency == Low && urgency == High {
		c.Escalate = EscalateWake
	}
	i.Priority, i.PrioritySource, i.Urgency = level, by.Actor, urgency
	c.Changed = true
	if i.Status == Acknowledged && i.AskedAt == nil && i.AcknowledgedAt != nil && expires > 0 {
		c.timer(TimerAck, i.AcknowledgedAt.Add(expires))
	}
	return c, nil
}

// resolvedAlready says who was faster.
func resolvedAlready(i *Incident) error {
	if i.ResolvedAt == nil {
		return fault.Conflict("Incident %d is resolved already.", i.Number)
	}
	return fault.Conflict("Incident %d was resolved by %s on %s.",
		i.Number, i.ResolvedBy, i.ResolvedAt.UTC().Format("2 Jan 2006 at 15:04:05 UTC"))
}
