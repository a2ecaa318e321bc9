package incident

var undoAcknowledge = ActKind{
	Name: "undo-acknowledge",
	Web:  true,
	Read: withoutFields(ActUndoAcknowledge{}),
}

// ActUndoAcknowledge takes an acknowledgment of a triggered incident back, as if it had
// not been: the escalation goes on from exactly where it was, its timeouts counted from
// when they began, and nobody is paged anew. It is for whoever acknowledged, within
// UndoWithin. Where the owner was asked meanwhile whether they are still on it, because
// of a raise, the policy starts again, so that the raise pages.
type ActUndoAcknowledge struct{}

func (ActUndoAcknowledge) validate() error { return nil }

func (ActUndoAcknowledge) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch {
	case inc.Status == Resolved:
		return c, isResolved(inc), nil
	case inc.Status == Triggered || k.Acknowledgment == nil || inc.SnoozedUntil != nil:
		return c, notAllowed(ReasonNothingToUndo), nil
	case inc.AcknowledgedBy != by.Actor || inc.AcknowledgedAt == nil || !inc.AcknowledgedAt.Equal(k.Acknowledgment.At):
		return c, notAllowed(ReasonAcknowledgedByOther), nil
	case by.At.Sub(*inc.AcknowledgedAt) > UndoWithin:
		return c, notAllowed(ReasonTooLateToUnacknowledge), nil
	case inc.AskedAt != nil:
		return ActUnacknowledge{}.decide(inc, k, by)
	}
	c.Incident.unacknowledge()
	c.Incident.MutedUntil = k.Acknowledgment.Ended.MutedUntil
	c.Changed = true
	c.Escalate = EscalateContinue
	if c.Incident.MutedUntil != nil {
		c.timer(TimerQuietPeriod, *c.Incident.MutedUntil)
	}
	c.record(by.At, by.Actor, AcknowledgeUndonePayload{Via: by.Via})
	return c, done(), nil
}
