package incident

var reopen = ActKind{
	Name: "reopen",
	Web:  true,
	API:  true,
	Read: withoutFields(ActReopen{}),
}

// ActReopen opens a resolved incident again, and pages again. It counts as no
// flapping.
type ActReopen struct{}

func (ActReopen) validate() error { return nil }

func (ActReopen) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch {
	case inc.Open():
		return c, notAllowed(ReasonOpen), nil
	case k.GroupOpen != 0:
		return c, Outcome{Kind: NotAllowed, Reason: ReasonGroupOpen, Other: k.GroupOpen}, nil
	}
	c.Incident.reopened()
	c.Changed = true
	c.Escalate = EscalateStart
	c.record(by.At, by.Actor, ReopenedPayload{Via: by.Via})
	return c, done(), nil
}
