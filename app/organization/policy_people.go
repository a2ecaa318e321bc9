package organization

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/escalation"
)

// policyPeople says, a line a step, which targets a change of a policy adds and
// which it drops.
func policyPeople(was, is Policy) []string {
	var lines []string
	line := func(step string, before, after []Target) {
		var phrases []string
		for _, t := range after {
			if !slices.Contains(before, t) {
				phrases = append(phrases, "+"+t.words())
			}
		}
		for _, t := range before {
			if !slices.Contains(after, t) {
				phrases = append(phrases, "-"+t.words())
			}
		}
		if len(phrases) > 0 {
			lines = append(lines, step+": "+strings.Join(phrases, ", "))
		}
	}
	for i := range max(len(was.Steps), len(is.Steps)) {
		line(fmt.Sprintf("step %d", i+1), was.targets(i), is.targets(i))
		if before, after := was.outsideCover(i), is.outsideCover(i); before != after && i < min(len(was.Steps), len(is.Steps)) {
			lines = append(lines, fmt.Sprintf("step %d: outside required cover %s (was %s)", i+1, after, before))
		}
	}
	line("fallback", was.Fallback, is.Fallback)
	return bounded(lines, maxPeopleLines)
}

// targets are those of a step, counted from 0; none of a step that there is not.
func (p Policy) targets(step int) []Target {
	if step >= len(p.Steps) {
		return nil
	}
	return p.Steps[step].Targets
}

// outsideCover is what a step, counted from 0, does outside required cover.
func (p Policy) outsideCover(step int) escalation.OutsideCover {
	if step >= len(p.Steps) || p.Steps[step].OutsideCover == "" {
		return escalation.Pass
	}
	return escalation.OutsideCover(p.Steps[step].OutsideCover)
}

// words are such as "user ben@acme.example" or "schedule payments as main".
func (t Target) words() string {
	switch {
	case t.Schedule != "":
		return fmt.Sprintf("schedule %s as %s", t.Schedule, t.Position)
	case t.User != "":
		return "user " + t.User
	case t.Team != "" && t.Role != "":
		return fmt.Sprintf("%s of team %s", t.Role, t.Team)
	case t.Team != "":
		return "team " + t.Team
	}
	return "everybody of role " + t.Role
}
