package incidents

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
)

// targetKind is what a target's words stand for. They are kept as they were said
// when the step fired, since teams and schedules may be called otherwise by now.
type targetKind int

const (
	aPerson   targetKind = iota // "Ana Ortiz"
	aPosition                   // "main on call in Payments"
	aTeam                       // "everyone in Payments"
	aManager                    // "the manager of Payments"
	aRole                       // "every administrator"
)

func kindOf(target string) targetKind {
	switch {
	case strings.HasPrefix(target, "everyone in "):
		return aTeam
	case strings.HasPrefix(target, "every "):
		return aRole
	case strings.HasPrefix(target, "the ") && strings.Contains(target, " of "):
		return aManager
	case strings.Contains(target, " on call in "):
		return aPosition
	}
	return aPerson
}

// themselves reports whether targets name no more than the people they stand
// for, so that saying both would say one thing twice.
func themselves(targets []string, people []element.Person) bool {
	return len(targets) == len(people) && !slices.ContainsFunc(people, func(p element.Person) bool { return !slices.Contains(targets, p.Name) })
}

// stand says whom targets stand for: "main on call in Payments is Ana Ortiz",
// "everyone in Payments (Ana Ortiz and Ben Adeyemi)", "Ana Ortiz".
func stand(targets []string, people []element.Person) templ.Component {
	names := element.Strong(element.Names(people))
	switch {
	case len(people) == 0:
		return element.Say(element.And(targets))
	case themselves(targets, people):
		return element.Say(names)
	case len(targets) == 1 && (kindOf(targets[0]) == aPosition || kindOf(targets[0]) == aManager):
		return element.Say(targets[0]+" "+isAre(people)+" ", names)
	}
	return element.Say(element.And(targets)+" (", names, ")")
}

// withPeople is targets with whoever they stand for, as text.
func withPeople(targets []string, people []element.Person) string {
	who := element.And(targets)
	switch {
	case len(people) == 0 || themselves(targets, people):
		return who
	case who == "":
		return element.Names(people)
	}
	return who + " (" + element.Names(people) + ")"
}

// unreached says why each target led to nobody.
func unreached(targets []string) string {
	reasons := make([]string, len(targets))
	for i, t := range targets {
		switch kindOf(t) {
		case aPosition:
			reasons[i] = "nobody who can be reached is " + t
		case aTeam:
			reasons[i] = "nobody in " + strings.TrimPrefix(t, "everyone in ") + " can be reached"
		case aManager:
			reasons[i] = t + " cannot be reached, or there is none"
		case aRole:
			reasons[i] = "no " + strings.TrimPrefix(t, "every ") + " can be reached"
		default:
			reasons[i] = t + " has no verified contact on a working channel"
		}
	}
	return element.And(reasons)
}
