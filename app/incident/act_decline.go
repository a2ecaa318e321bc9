package incident

import (
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var decline = ActKind{
	Name:   "decline",
	Web:    true,
	API:    true,
	Fields: []string{"kind", "reason"},
	Read: func(f Fields) (Act, error) {
		return ActDecline{Kind: RequestKind(f.Text("kind")), Reason: f.Text("reason")}, nil
	},
}

// ActDecline answers the requests of one kind that ask the actor. A request goes on at
// once with its next step where nobody else of the current one is asked.
type ActDecline struct {
	Kind   RequestKind // empty for every kind
	Reason string      // may be empty
}

func (a ActDecline) validate() error {
	switch a.Kind {
	case "", AskToJoin, AskToTakeOver, AskToAnswer:
		return tooLong("reason", a.Reason)
	}
	return fault.Invalid("There is no such kind of request.").With(fault.Field{Path: "kind", Message: "Use join, handover or page."})
}

func (a ActDecline) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, isResolved(inc), nil
	}
	asking := slices.DeleteFunc(k.asking(by), func(r ActiveRequest) bool { return a.Kind != "" && r.Kind != a.Kind })
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
