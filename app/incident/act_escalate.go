package incident

import "time"

var escalate = ActKind{
	Name:   "escalate",
	Web:    true,
	API:    true,
	Fields: []string{"reassign"},
	Read: func(f Fields) (Act, error) {
		return ActEscalate{Reassign: f.Flag("reassign")}, nil
	},
}

// EscalateAgain is how long one escalation by hand stands for every other. It is
// what two people do at once, or one twice, when a click or a text went unanswered.
const EscalateAgain = 30 * time.Second

// ActEscalate pages the next step at once, but not twice within EscalateAgain. An
// acknowledged incident keeps its owner, and the people of the step are asked to join;
// with Reassign, or where no person owns it, its acknowledgment ends and the policy goes
// on with that step.
type ActEscalate struct {
	Reassign bool
}

// NextStep is the step of a policy that an escalation by hand goes to.
type NextStep struct {
	// Step is counted from 1; 0 is the fallback.
	Step    int
	Targets []Target
}

func (ActEscalate) validate() error { return nil }

func (a ActEscalate) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if inc.Status == Resolved {
		return c, isResolved(inc), nil
	}
	if k.LastEscalatedAt != nil && by.At.Sub(*k.LastEscalatedAt) < EscalateAgain && (inc.Status == Triggered || !a.Reassign) {
		return c, Outcome{Kind: NotAllowed, Reason: ReasonJustEscalated, Name: k.LastEscalatedBy, At: *k.LastEscalatedAt}, nil
	}
	escalated := EscalatedPayload{Via: by.Via}
	if inc.OwnerID != nil && !a.Reassign {
		return pageNext(c, k, by)
	}
	if inc.Status == Acknowledged {
		escalated.From = Acknowledged
		if inc.OwnerID != nil {
			escalated.Owner = []int64{*inc.OwnerID}
		}
		c.Incident.unacknowledge()
	}
	c.Changed, c.Escalate = true, EscalateNext
	c.record(by.At, by.Actor, escalated)
	return c, done(), nil
}

// pageNext asks the people of the next step to join. Of two escalations the second asks
// the step after.
func pageNext(c Change, k Known, by By) (Change, Outcome, error) {
	for _, next := range k.NextSteps {
		if k.hasRequest(AskToJoin, next.Targets) {
			continue
		}
		c.ask(AskToJoin, by, "", next.Targets)
		c.record(by.At, by.Actor, EscalatedPayload{Via: by.Via, Step: next.Step, Joining: true})
		return c, done(), nil
	}
	return c, notAllowed(ReasonNoNextStep), nil
}
