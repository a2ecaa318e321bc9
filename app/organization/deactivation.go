package organization

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// maxDeactivationNotes bounds the notes on what names people whom a plan
// deactivates.
const maxDeactivationNotes = 16

// deactivationNotes notes which schedules and policies would page the people whom
// the plan deactivates, and which teams they manage: pages to somebody who is
// deactivated reach nobody.
func (d *draft) deactivationNotes() {
	active := map[string]bool{}
	for _, u := range d.current.Users {
		active[u.Email] = !u.Deactivated
	}
	var notes []string
	for _, u := range d.desired.Users {
		if u.Deactivated && active[u.Email] {
			notes = append(notes, d.deactivationNotesOf(u)...)
		}
	}
	if more := len(notes) - maxDeactivationNotes; more > 0 {
		notes = append(notes[:maxDeactivationNotes], fmt.Sprintf("people who are deactivated are named in %d more places.", more))
	}
	d.plan.Notes = append(d.plan.Notes, notes...)
}

func (d *draft) deactivationNotesOf(u User) []string {
	person := oncall.Person(d.number(u.Email))
	name := d.personName(person)
	var notes []string
	for _, s := range d.desired.Schedules {
		if shifts := d.shiftsOf(person, s); len(shifts) > 0 {
			notes = append(notes, fmt.Sprintf("schedule %s: %s is on call in it and will no longer be paged: %s.", s.Slug, name, strings.Join(shifts, ", ")))
		}
	}
	for _, p := range d.desired.EscalationPolicies {
		if places := p.placesOf(u.Email); len(places) > 0 {
			notes = append(notes, fmt.Sprintf("escalation policy %s: %s is a target of it and will no longer be paged: %s.", p.Slug, name, strings.Join(places, ", ")))
		}
	}
	for _, t := range d.desired.Teams {
		if t.Manager == u.Email {
			notes = append(notes, fmt.Sprintf("team %s: %s is its manager and will no longer be paged.", t.Slug, name))
		}
	}
	return notes
}

// shiftsOf are a person's shifts at present and the next one, such as "now as main
// until 30 Nov 09:00" and "next as main from 14 Dec 09:00".
func (d *draft) shiftsOf(person oncall.Person, s Schedule) []string {
	next := d.nextSchedules[s.Slug]
	c := shiftChange{now: d.state.At, loc: locationOf(s.Timezone)}
	var shifts []string
	for _, shift := range next.OnCall(d.state.At, "") {
		if shift.Person != person {
			continue
		}
		words := "now as " + postOf(shift).words()
		if !shift.End.IsZero() {
			words += " until " + c.moment(shift.End)
		}
		shifts = append(shifts, words)
	}
	if shift, ok := next.NextShift(person, d.state.At); ok {
		shifts = append(shifts, fmt.Sprintf("next as %s from %s", postOf(shift).words(), c.moment(shift.Start)))
	}
	return shifts
}

// placesOf are where a policy names a person: "step 1", "fallback".
func (p Policy) placesOf(email string) []string {
	names := func(t Target) bool { return t.User == email }
	var places []string
	for i, s := range p.Steps {
		if slices.ContainsFunc(s.Targets, names) {
			places = append(places, fmt.Sprintf("step %d", i+1))
		}
	}
	if slices.ContainsFunc(p.Fallback, names) {
		places = append(places, "fallback")
	}
	return places
}
