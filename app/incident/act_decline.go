package incident

import (
	"slices"
	"strings"
)

var decline = ActKind{
	Name:   "decline",
	Web:    true,
	API:    true,
	Fields: []string{"reason"},
	Read: func(f Fields) (Act, error) {
		return ActDecline{Reason: f.Text("reason")}, nil
	},
}

// ActDecline answers every request that asks the actor. The request goes on at once
// with its next step where nobody else of the current one is asked.
type ActDecline struct {
	Reason string // may be empty
}

func (a ActDecline) validate() error { return tooLong("reason", a.Reason) }

func (a ActDecline) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, isResolved(inc), nil
	}
	asking := k.asking(by)
	if len(asking) == 0 {
		return c, notAllowed(ReasonNotAsked), nil
	}
	for _, r := range asking {
		others := slices.ContainsFunc(r.Waiting, func(id int64) bool { return id != *by.UserID })
		c.DeclineRequests = append(c.DeclineRequests, RequestDecline{ID: r.ID, UserID: *by.UserID, Next: !others})
	}
	c.Changed = true
	c.record(by.At, by.Actor, DeclinedPayload{Via: by.Via, Reason: strings.TrimSpace(a.Reason)})
	return c, done(), nil
}
