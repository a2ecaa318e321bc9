package incident

import "slices"

var acknowledge = ActKind{
	Name: "acknowledge",
	Web:  true,
	API:  true,
	Read: withoutFields(ActAcknowledge{}),
}

// ActAcknowledge makes the actor the owner and stops the escalation. A shadow's
// acknowledgment is recorded and stops nothing.
//
// What is acknowledged already keeps its owner. Exceptions: where the owner
// was asked whether they are still on it, or the incident is snoozed, any
// acknowledgment is the answer, and another person's makes them the owner; and a
// person takes over from a token. AcknowledgedAt is then the later time, so that an
// expiry counts anew. Whoever was asked to join joins, and whoever was asked to take
// over becomes the owner.
type ActAcknowledge struct{}

func (ActAcknowledge) validate() error { return nil }

func (ActAcknowledge) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case i.Status == Resolved:
		return c, isResolved(inc), nil
	case i.Status == Triggered && k.Shadow:
		if !k.ShadowAcked {
			c.Changed = true
			c.record(by.At, by.Actor, ShadowAckPayload{Via: by.Via})
		}
		return c, Outcome{Kind: Shadow}, nil
	case i.Status == Acknowledged && i.AskedAt == nil && i.SnoozedUntil == nil && (i.OwnerID != nil || by.UserID == nil):
		return c.answerRequests(k, by)
	}
	ended := Ended{MutedUntil: i.MutedUntil}
	acknowledged := AcknowledgedPayload{Via: by.Via, Ended: ended.orNil()}
	if i.Status == Acknowledged {
		acknowledged.Again = true
	}
	c.own(k, by)
	c.join(k.asking(by))
	c.record(by.At, by.Actor, acknowledged)
	return c, done(), nil
}

// answerRequests is the acknowledgment of an incident that another has acknowledged.
func (c Change) answerRequests(k Known, by By) (Change, Outcome, error) {
	asking := k.asking(by)
	if len(asking) == 0 || c.Incident.ownedBy(by.UserID) {
		return c, already(c.Incident.AcknowledgedBy, c.Incident.AcknowledgedAt), nil
	}
	if slices.ContainsFunc(asking, func(r ActiveRequest) bool { return r.Kind == AskToTakeOver }) {
		c.takeOver(k, by, true)
		return c, done(), nil
	}
	c.join(asking)
	c.record(by.At, by.Actor, ResponderJoinedPayload{Via: by.Via})
	return c, Outcome{Kind: Joined, By: c.Incident.AcknowledgedBy}, nil
}
