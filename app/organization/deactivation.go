package organization

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
		notes = append(notes, d.shiftNotes(person, name, s)...)
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

// left are the people who are deactivated as the edits make it, with the instant.
func (d *draft) left() map[oncall.Person]time.Time {
	if d.leaving == nil {
		before := d.state.left()
		d.leaving = map[oncall.Person]time.Time{}
		for _, u := range d.desired.Users {
			if !u.Deactivated {
				continue
			}
			person := oncall.Person(d.number(u.Email))
			at, known := before[person]
			if !known {
				at = d.state.At
			}
			d.leaving[person] = at
		}
	}
	return d.leaving
}

// shiftNotes are the notes on one schedule for a person who is deactivated: their
// shifts, with who covers, and the overrides that no longer have an effect.
func (d *draft) shiftNotes(person oncall.Person, name string, s Schedule) []string {
	next := d.nextSchedules[s.Slug]
	had := next
	had.Left = maps.Clone(next.Left)
	delete(had.Left, person)
	var notes []string
	if shifts := d.shiftsOf(person, s, had, next); len(shifts) > 0 {
		notes = append(notes, fmt.Sprintf("schedule %s: %s is on call in it and will no longer be paged: %s.", s.Slug, name, strings.Join(shifts, ", ")))
	}
	for _, o := range next.Overrides {
		if o.In == person && o.To.After(d.state.At) {
			notes = append(notes, fmt.Sprintf("schedule %s: the override %s has no effect any more.", s.Slug, d.overrideWords(o, s.Timezone)))
		}
	}
	return notes
}

// shiftsOf are a person's shifts at present and the next one in a schedule as it was,
// such as "now as main until 30 Nov 09:00 (Ben covers)", and who covers as it will be.
func (d *draft) shiftsOf(person oncall.Person, s Schedule, had, next oncall.Schedule) []string {
	c := shiftChange{now: d.state.At, loc: locationOf(s.Timezone)}
	var shifts []string
	for _, shift := range had.OnCall(d.state.At, "") {
		if shift.Person != person {
			continue
		}
		words := "now as " + postOf(shift).words()
		if !shift.End.IsZero() {
			words += " until " + c.moment(shift.End)
		}
		shifts = append(shifts, words+d.coverWords(shift, next, d.state.At))
	}
	if shift, ok := had.NextShift(person, d.state.At); ok {
		shifts = append(shifts, fmt.Sprintf("next as %s from %s%s", postOf(shift).words(), c.moment(shift.Start), d.coverWords(shift, next, shift.Start)))
	}
	return shifts
}

// coverWords say who is on call at an instant instead of the person of a shift.
func (d *draft) coverWords(shift oncall.Shift, next oncall.Schedule, at time.Time) string {
	if shift.Shadow {
		return ""
	}
	var names []string
	for _, cover := range next.OnCall(at, shift.Position) {
		if !cover.Shadow {
			names = append(names, d.personName(cover.Person))
		}
	}
	switch len(names) {
	case 0:
		return " (nobody covers)"
	case 1:
		return " (" + names[0] + " covers)"
	}
	return " (" + strings.Join(names, " and ") + " cover)"
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
