package incidents

import (
	"fmt"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// ownerStays says who owns the incident until somebody takes over.
func (p AskPage) ownerStays() string {
	if p.Owner == "" {
		return ""
	}
	if p.HandOver {
		return p.Owner + " owns the incident until they accept."
	}
	return p.Owner + " still owns the incident."
}

// askedSentence is whom a request paged.
func (e Event) askedSentence() string {
	names := withPeople(e.Targets, e.People)
	if e.Run > 1 {
		return "Paged " + names + " again, to join"
	}
	return "Paged " + names
}

func (e Event) requestEnded() string {
	who := element.And(e.Targets)
	switch e.To {
	case "declined":
		return who + " declined; nobody else is asked"
	case "nobody":
		return who + " cannot be paged"
	}
	return who + " did not answer after three pages"
}

func (e Event) takenFrom() string {
	if len(e.People) == 0 {
		return ""
	}
	return " from " + element.Names(e.People)
}

// escalated is what an escalation by hand did.
func (e Event) escalated() string {
	switch {
	case e.Count == 0:
		return "escalated"
	case e.Step == 0:
		return "asked the fallback of the policy to join"
	}
	return fmt.Sprintf("asked step %d of the policy to join", e.Step)
}

func (e Event) acknowledgmentEnded() string {
	if len(e.People) == 0 {
		return "The acknowledgment ended."
	}
	return "The acknowledgment of " + element.Names(e.People) + " ended."
}

// confirmed reports whether a priority was set to what it was.
func (e Event) confirmed() bool { return e.Kind == "priority" && e.From == e.To }

// escalateWords say whom an escalation pages, and what it takes from whom.
func (p IncidentPage) escalateWords() string {
	ahead := p.Acts.Reassign
	if ahead.Names == "" {
		return "This goes on to the next step of the policy at once."
	}
	if p.Status != Acknowledged {
		return "This pages " + ahead.words() + " at once."
	}
	return p.ownerLoses() + " Pages " + ahead.words() + "."
}

func (p IncidentPage) ownerLoses() string {
	if p.Acts.Yours {
		return "You no longer own it."
	}
	return p.Acts.Owner + " no longer owns it and is notified."
}

// joinWords say whom "Page more people" asks.
func (p IncidentPage) joinWords() string {
	keeps := p.Acts.Owner + " stays the owner."
	if p.Acts.Yours {
		keeps = "You stay the owner."
	}
	return "Asks " + p.Acts.Join.words() + " to join. " + keeps
}

// unacknowledgeWords say what it leads to.
func (p IncidentPage) unacknowledgeWords() string {
	return "Nobody owns it then, and the policy starts again: whoever is on call is paged."
}
