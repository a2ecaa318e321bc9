package incident

import "time"

var escalate = ActKind{
	Name: "escalate",
	Web:  true,
	API:  true,
	Read: withoutFields(ActEscalate{}),
}

// EscalateAgain is how long one escalation by hand stands for every other. It is
// what two people do at once, or one twice, when a click or a text went unanswered.
const EscalateAgain = 30 * time.Second

// ActEscalate goes to the next step at once, but not twice within EscalateAgain.
// An incident that was acknowledged is triggered again and loses its owner.
type ActEscalate struct{}

func (ActEscalate) validate() error { return nil }

func (ActEscalate) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if inc.Status == Resolved {
		return c, isResolved(inc), nil
	}
	if inc.Status == Triggered && k.LastEscalatedAt != nil && by.At.Sub(*k.LastEscalatedAt) < EscalateAgain {
		return c, Outcome{Kind: NotAllowed, Reason: ReasonJustEscalated, Name: k.LastEscalatedBy, At: *k.LastEscalatedAt}, nil
	}
	escalated := EscalatedPayload{Via: by.Via}
	if inc.Status == Acknowledged {
		escalated.From = Acknowledged
		c.Incident.unacknowledge()
	}
	c.Changed, c.Escalate = true, EscalateNext
	c.record(by.At, by.Actor, escalated)
	return c, done(), nil
}
