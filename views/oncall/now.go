// Package oncall shows who is on call: now, and on each schedule. Policies and
// their time lines are package policies'.
package oncall

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// NowPage is who is on call at this moment: GET /oncall?q=. Stakeholders see
// it too.
type NowPage struct {
	Frame layout.Frame
	Query string
	Teams []Team
	// Services are those that the query means and whose policies page others than
	// schedules do, or that have no policy.
	Services []ServiceFound
	// People are those whom the query means and who are in none of the teams shown.
	People []PersonFound
	// Known are what else the query means, each in a sentence: "The team Idle hands
	// has no schedule."
	Known []string
}

// ServiceFound is a service with whom its policy pages otherwise than by a schedule.
type ServiceFound struct {
	Service element.Ref
	// NoPolicy says that it has none, so that its incidents page the administrators.
	NoPolicy bool
	Targets  []Target
}

// Target is a target of a policy other than a schedule, with those whom it pages.
type Target struct {
	Words string // "everyone in Payments"
	// OnePerson says that the target is a person, whose name Words are.
	OnePerson bool
	// People is empty where nobody can be reached.
	People []Reached
}

// Reached is somebody whom a target pages.
type Reached struct {
	Person   element.Person
	Contacts element.Contacts
}

// PersonFound is somebody who is neither on call in what is shown nor next.
type PersonFound struct {
	Person   element.Person
	Contacts element.Contacts
	// Shifts are the person's, now and to come, by start. Where there are none,
	// Schedules are those that name the person.
	Shifts    []PersonShift
	Schedules []element.Ref
}

// PersonShift is a shift of one person.
type PersonShift struct {
	Schedule element.Ref
	Position string
	From     time.Time
	Until    time.Time // zero for no end date
}

// Team is a team with its schedules. A schedule of no team stands under the
// zero Team.
type Team struct {
	Team      element.Ref
	Schedules []ScheduleNow
}

// ScheduleNow is who is on now, a position a row.
type ScheduleNow struct {
	Schedule  element.Ref
	Zone      string // IANA name
	Positions []Position
}

// Position is a place in a schedule, and who holds it now.
type Position struct {
	Name string // "main"
	// Now is empty where nobody is on: then Next says when somebody is again.
	Now []Holder
	// Next is who is next; nobody where no shift is planned.
	Next Holder
	// GapSince is when the position became empty, and GapUntil when that ends;
	// zero for no end date.
	GapSince time.Time
	GapUntil time.Time
	// Agreed says that this is outside required cover.
	Agreed bool
}

// Holder is a person in a position for a time.
type Holder struct {
	Person   element.Person
	Contacts element.Contacts
	// Zone is the person's own, for their local time; nil for the reader's.
	Zone     *time.Location
	From     time.Time
	Until    time.Time // zero for no end date
	Override bool
	Shadow   bool
	// Unreachable says that no page can reach the person.
	Unreachable bool
}
