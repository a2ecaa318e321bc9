package incident

import (
	"cmp"
	"strings"
)

var resolve = ActKind{
	Name:   "resolve",
	Web:    true,
	API:    true,
	Fields: []string{"resolution", "note"},
	Read: func(f Fields) (Act, error) {
		return ActResolve{FixedBy: cmp.Or(f.Text("resolution"), f.Text("note"))}, nil
	},
}

// ActResolve ends an incident by hand. Its alerts count as no longer firing,
// even if the sender still sees them.
type ActResolve struct {
	// FixedBy is what fixed it, in the actor's words; it may be empty.
	FixedBy string
}

func (a ActResolve) validate() error { return tooLong("resolution", a.FixedBy) }

func (a ActResolve) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, already(inc.ResolvedBy, inc.ResolvedAt), nil
	}
	fixedBy := strings.TrimSpace(a.FixedBy)
	c.Incident.resolve(by.At, by.Actor, fixedBy)
	c.Incident.ChangedAt = by.At
	c.Changed = true
	c.EndAlerts = true
	c.Escalate = EscalateStop
	c.record(by.At, by.Actor, ResolvedPayload{Via: by.Via, Resolution: fixedBy, Ended: inc.endedByResolve()})
	return c, done(), nil
}
