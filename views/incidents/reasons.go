package incidents

import (
	"fmt"
	"strings"

	"github.com/tocsin-oncall/tocsin/views/element"
)

func (p WhyPage) question() string {
	if p.You {
		return "Why me?"
	}
	return "Why " + p.Person.First() + "?"
}

func (p WhyPage) subject() string {
	if p.You {
		return "You were"
	}
	return p.Person.Name + " was"
}

func (p WhyPage) name() string {
	if p.You {
		return "you"
	}
	return p.Person.First()
}

func (p WhyPage) overrideWords() string {
	words := fmt.Sprintf("%s put %s on", p.Override.By, p.name())
	if p.Override.Replaced.ID != 0 {
		words += " instead of " + p.Override.Replaced.Name
	}
	return words
}

func (p WhyPage) rulesWords() string {
	whose := p.Person.First() + "’s"
	if p.You {
		whose = "your"
	}
	if len(p.Rules) == 0 {
		return fmt.Sprintf("As the rules are now: without %s own for %s urgency, every verified contact is used at once.", whose, p.Urgency)
	}
	return fmt.Sprintf("By %s rules for %s urgency, as they are now:", whose, p.Urgency)
}

func (r WhyRule) words() string {
	words := element.Medium(r.Medium)
	if r.Contact != "" {
		words += " to " + r.Contact
	}
	if r.After == 0 {
		return words + " at once"
	}
	return strings.TrimSpace(words + " after " + element.Duration(r.After))
}

func (p WhyPage) shadowWords() string {
	if p.You {
		return "You are a shadow: you get copies, and your acknowledgment stops nothing."
	}
	return p.Person.First() + " is a shadow: gets copies, and an acknowledgment by a shadow stops nothing."
}

func (p WhyPage) stepWords() string {
	run := ""
	if p.Run > 1 {
		run = fmt.Sprintf(" of run %d", p.Run)
	}
	return fmt.Sprintf(" says in step %d%s: page %s.", p.Step, run, p.Target)
}

// askedWords are who asked for the page, and for what.
func (p WhyPage) askedWords() string {
	switch p.Asked {
	case AskedToJoin:
		return p.Asker + " asked " + p.name() + " to join."
	case AskedToTakeOver:
		return p.Asker + " asked " + p.name() + " to take over."
	}
	words := p.Asker + " paged " + p.name()
	if p.Target != p.Person.Name && p.Target != "" {
		words += " (" + p.Target + ")"
	}
	return words + "."
}
