package incident

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

var setPriority = ActKind{
	Name:   "priority",
	Web:    true,
	API:    true,
	Fields: []string{"priority", "reason"},
	Read: func(f Fields) (Act, error) {
		act := ActSetPriority{Level: f.Level("priority"), Reason: f.Text("reason")}
		if !f.Given("priority") {
			return nil, fault.Invalid("The priority is missing.").With(fault.Field{Path: "priority", Message: "is missing; 0 is no priority, null unsets it"})
		}
		return act, nil
	},
}

// ActSetPriority sets the level by hand. It pages nobody again: what waits for support
// hours begins at once where the urgency rises to high, and what waits for required
// cover where the level becomes 1. The level that it has already is confirmed: a reason
// is kept, and nothing else changes.
type ActSetPriority struct {
	Level  *int // catalog.NoPriority, or nil to unset it
	Reason string
}

func (a ActSetPriority) validate() error { return tooLong("reason", a.Reason) }

func (a ActSetPriority) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	if a.Level != nil && *a.Level != catalog.NoPriority {
		if _, ok := levelNamed(k.Levels, *a.Level); !ok {
			return c, Outcome{}, fault.Invalid("There is no priority P%d.", *a.Level).
				With(fault.Field{Path: "priority", Message: "must be " + oneOf(k.Levels)})
		}
	}
	if levelName(a.Level) == levelName(i.Priority) {
		if strings.TrimSpace(a.Reason) == "" {
			return c, already(i.PrioritySource, nil), nil
		}
		c.Changed = true
		c.record(by.At, by.Actor, PriorityPayload{Via: by.Via, Reason: strings.TrimSpace(a.Reason), From: levelName(i.Priority), To: levelName(i.Priority)})
		return c, done(), nil
	}
	c.record(by.At, by.Actor, PriorityPayload{
		Via: by.Via, Reason: strings.TrimSpace(a.Reason), From: levelName(i.Priority), To: levelName(a.Level),
	})
	urgency := UrgencyOf(a.Level, k.DeploymentKnown, k.Production, false)
	switch {
	case i.Status != Triggered:
	case i.Urgency == Low && urgency == High:
		c.Escalate = EscalateWake
	case a.Level != nil && *a.Level == 1:
		c.Escalate = EscalateRelease
	}
	i.Priority, i.PrioritySource, i.Urgency = a.Level, by.Actor, urgency
	c.Changed = true
	if expires := k.expires(a.Level); i.Status == Acknowledged && i.AskedAt == nil && i.AcknowledgedAt != nil && expires > 0 {
		c.timer(TimerAck, i.AcknowledgedAt.Add(expires))
	}
	return c, done(), nil
}
