package incident

var unacknowledge = ActKind{
	Name: "unacknowledge",
	Web:  true,
	API:  true,
	Read: withoutFields(ActUnacknowledge{}),
}

// ActUnacknowledge gives an incident back: the policy starts again.
type ActUnacknowledge struct{}

func (ActUnacknowledge) validate() error { return nil }

func (ActUnacknowledge) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch inc.Status {
	case Resolved:
		return c, isResolved(inc), nil
	case Triggered:
		return c, notAllowed(ReasonUnacknowledged), nil
	}
	c.giveBack()
	c.record(by.At, by.Actor, UnacknowledgedPayload{Via: by.Via})
	return c, done(), nil
}
