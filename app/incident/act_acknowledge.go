package incident

var acknowledge = ActKind{
	Name: "acknowledge",
	Web:  true,
	API:  true,
	Read: withoutFields(ActAcknowledge{}),
}

// ActAcknowledge makes the actor the owner and stops the escalation. A shadow's
// acknowledgment is recorded and stops nothing.
//
// What is acknowledged already keeps its owner. Two exceptions: where the owner
// was asked whether they are still on it, any acknowledgment is the answer, and
// another person's makes them the owner; and a person takes over from a token.
// AcknowledgedAt is then the later time, so that an expiry counts anew.
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
	case i.Status == Acknowledged && i.AskedAt == nil && (i.OwnerID != nil || by.UserID == nil):
		return c, already(i.AcknowledgedBy, i.AcknowledgedAt), nil
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
	c.record(by.At, by.Actor, AcknowledgedPayload{Via: by.Via})
	if expires := k.expires(i.Priority); expires > 0 {
		c.timer(TimerAck, at.Add(expires))
	}
	return c, done(), nil
}
