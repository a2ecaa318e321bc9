package incident

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var addResponders = ActKind{
	Name:   "responders",
	Web:    true,
	API:    true,
	Fields: []string{"users", "teams", "schedules", "message"},
	Read: func(f Fields) (Act, error) {
		var act ActRequest
		for _, kind := range TargetKinds {
			act.Targets = append(act.Targets, f.Targets(kind)...)
		}
		act.Message = f.Text("message")
		return act, nil
	},
}

// TargetKinds are the kinds of targets that a person can ask for, as the names of
// their fields.
var TargetKinds = []string{"users", "teams", "schedules"}

const (
	// MaxMessage bounds the message of a request, in characters: it has to fit a page.
	MaxMessage = 500
	// MaxTargets bounds how many people, teams and schedules are asked at once.
	MaxTargets = 20
)

// ActRequest asks people to join an incident. Each target is a request of its own. The
// owner and the primary escalation stay as they are. Who is asked already is not asked
// again.
type ActRequest struct {
	Targets []NamedTarget
	Message string // may be empty
}

func (a ActRequest) validate() error { return checkRequest(a.Targets, a.Message) }

// checkRequest refuses a request to nobody, to too many, or with too long a message.
func checkRequest(targets []NamedTarget, message string) error {
	if len(targets) == 0 {
		return fault.Invalid("Nobody is named.").With(fault.Field{Path: "users", Message: "Name at least one person, team or schedule."})
	}
	if len(targets) > MaxTargets {
		return fault.Invalid("Too many are named.").With(fault.Field{Path: "users", Message: fmt.Sprintf("Name at most %d people, teams and schedules.", MaxTargets)})
	}
	return checkMessage(message)
}

func checkMessage(message string) error {
	if utf8.RuneCountInString(strings.TrimSpace(message)) <= MaxMessage {
		return nil
	}
	return fault.Invalid("The message is too long.").With(fault.Field{Path: "message", Message: fmt.Sprintf("Use at most %d characters.", MaxMessage)})
}

func (a ActRequest) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, isResolved(inc), nil
	}
	message := strings.TrimSpace(a.Message)
	var names []string
	for _, t := range a.Targets {
		targets := []Target{t.Target}
		if k.hasRequest(AskToJoin, targets) || slices.Contains(names, t.Name) {
			continue
		}
		c.ask(AskToJoin, by, message, targets)
		names = append(names, t.Name)
	}
	if !c.Changed {
		return c, already(by.Actor, nil), nil
	}
	c.record(by.At, by.Actor, RequestedPayload{Via: by.Via, Targets: names, Message: message})
	return c, done(), nil
}
