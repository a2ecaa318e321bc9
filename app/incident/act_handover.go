package incident

import (
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var handOver = ActKind{
	Name:   "handover",
	Web:    true,
	API:    true,
	Fields: []string{"user", "message"},
	Read: func(f Fields) (Act, error) {
		act := ActHandOver{Message: f.Text("message")}
		to := f.Targets("user")
		if len(to) != 1 {
			return nil, fault.Invalid("Nobody is named.").With(fault.Field{Path: "user", Message: "Name the person who takes over."})
		}
		act.To = to[0]
		return act, nil
	},
}

var takeOver = ActKind{
	Name: "take-over",
	Web:  true,
	API:  true,
	Read: withoutFields(ActTakeOver{}),
}

// ActHandOver asks a person to take an incident over, by a page. Its owner stays the
// owner until that person acknowledges. A request of the same asker that the person
// joins ends.
type ActHandOver struct {
	To      NamedTarget // a user
	Message string      // may be empty
}

func (a ActHandOver) validate() error { return checkRequest([]NamedTarget{a.To}, a.Message) }

func (a ActHandOver) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	targets := []Target{a.To.Target}
	switch {
	case !inc.Open():
		return c, isResolved(inc), nil
	case by.UserID != nil && *by.UserID == a.To.User:
		return ActTakeOver{}.decide(inc, k, by)
	case inc.ownedBy(&a.To.User):
		return c, already(inc.AcknowledgedBy, inc.AcknowledgedAt), nil
	case k.hasRequest(AskToTakeOver, targets):
		return c, already(by.Actor, nil), nil
	}
	for _, r := range k.Requests {
		if r.Kind == AskToJoin && r.By == by.Actor && slices.Equal(r.Targets, targets) {
			c.EndRequests = append(c.EndRequests, RequestEnd{ID: r.ID})
		}
	}
	message := strings.TrimSpace(a.Message)
	c.ask(AskToTakeOver, by, message, targets)
	c.record(by.At, by.Actor, RequestedPayload{Via: by.Via, For: AskToTakeOver, Targets: []string{a.To.Name}, Message: message})
	return c, done(), nil
}

// ActTakeOver makes the actor the owner at once; the owner before is told. Where
// nobody has acknowledged it is an acknowledgment.
type ActTakeOver struct{}

func (ActTakeOver) validate() error { return nil }

func (ActTakeOver) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch {
	case !inc.Open():
		return c, isResolved(inc), nil
	case by.UserID == nil:
		return c, notAllowed(ReasonNoPerson), nil
	case inc.Status == Triggered:
		return ActAcknowledge{}.decide(inc, k, by)
	case inc.ownedBy(by.UserID):
		return c, already(inc.AcknowledgedBy, inc.AcknowledgedAt), nil
	}
	c.takeOver(k, by, false)
	return c, done(), nil
}

// takeOver makes the actor the owner of an acknowledged incident. accepted says that
// they were asked to.
func (c *Change) takeOver(k Known, by By, accepted bool) {
	i := &c.Incident
	taken := TakenOverPayload{Via: by.Via, Accepted: accepted}
	if i.OwnerID != nil {
		taken.From = []int64{*i.OwnerID}
	}
	c.own(k, by)
	c.join(k.asking(by))
	c.record(by.At, by.Actor, taken)
}

// own makes the actor the owner, from now on.
func (c *Change) own(k Known, by By) {
	i, at := &c.Incident, by.At
	i.Status, i.AcknowledgedAt, i.AskedAt, i.MutedUntil, i.SnoozedUntil = Acknowledged, &at, nil, nil, nil
	if by.UserID != nil || i.OwnerID == nil {
		i.AcknowledgedBy, i.OwnerID = by.Actor, by.UserID
	}
	c.Changed, c.Escalate = true, EscalateStop
	if expires := k.expires(i.Priority); expires > 0 {
		c.timer(TimerAck, at.Add(expires))
	}
}

func (i *Incident) ownedBy(user *int64) bool {
	return i.OwnerID != nil && user != nil && *i.OwnerID == *user
}
