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
	// Known are what the query means that is in no schedule, each in a sentence:
	// "Noel Phone is in no schedule."
	Known []string
	// SeesSchedules makes teams and schedules links.
	SeesSchedules bool
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
	// Next is who is next; nobody where none is in sight.
	Next Holder
	// GapSince is when the position became empty, and GapUntil when that ends;
	// zero where no end is in sight.
	GapSince time.Time
	GapUntil time.Time
	// Agreed says that this is outside required cover.
	Agreed bool
}

// Holder is a person in a position for a time.
type Holder struct {
	Person element.Person
	Email  string
	// Zone is the person's own, for their local time; nil for the reader's.
	Zone     *time.Location
	From     time.Time
	Until    time.Time // zero where no end is in sight
	Override bool
	Shadow   bool
}
