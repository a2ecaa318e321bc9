package oncall

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// ListPage is all schedules: GET /schedules.
type ListPage struct {
	Frame     layout.Frame
	Schedules []ListRow
}

// ListRow is one schedule of the list.
type ListRow struct {
	Schedule  element.Ref
	Team      element.Ref
	Zone      string
	Positions []Position
	// Gaps is how many there are in the next 14 days.
	Gaps int
}

// SchedulePage is one schedule, 14 days of it: GET /schedules/{slug}?from=.
// The value of from is a date in the schedule's zone: 2026-11-23.
type SchedulePage struct {
	Frame    layout.Frame
	Schedule element.Ref
	Team     element.Ref
	// Zone is the schedule's, which days and times are shown in; Reader is the
	// reader's.
	Zone      *time.Location
	Reader    *time.Location
	Positions []Position // now
	// From and To bound the strip: midnights in Zone.
	From time.Time
	To   time.Time
	// Earlier, Later are values of from; Today is empty where the strip holds
	// today already.
	Earlier string
	Later   string
	Today   string
	// Mine narrows the shifts to the reader's, which is offered where MayFilter.
	Mine      bool
	MayFilter bool
	// RequiredCover is in words: "Mon–Fri 09:00–17:00"; empty for always.
	RequiredCover []string
	// Final is one lane a position; Layers one group of lanes a layer.
	Final  []Lane
	Layers []Layer
	// Gaps and Conflicts are those of the days shown, from now on where today is
	// one of them.
	Gaps      []Gap
	Conflicts []Conflict
	Upcoming  []Shift
	Overrides []Override
	Shadows   []ShadowRow
	// MayOverride offers the form that removes an override: POST
	// /schedules/{slug}/overrides/{id}/end with reason.
	MayOverride bool
	// Effective is since when the version that holds now does; zero where none
	// does yet. Before is when the versions before it began to, newest first.
	Effective time.Time
	Before    []time.Time
}

// Lane is a strip of time for one position.
type Lane struct {
	Position string
	// Blocks are ordered by start and may be cut to the strip. Where several
	// people hold the position at once, they overlap.
	Blocks []Block
}

// Block is a shift or a time without one in a lane.
type Block struct {
	Start time.Time
	End   time.Time
	// Person is nobody in a gap.
	Person   element.Person
	Override bool
	Gap      bool
	// Agreed says that a gap lies outside required cover.
	Agreed bool
}

// Layer is a rotation, in words and as a strip.
type Layer struct {
	Name    string
	Members []element.Person
	// Every and Unit are the length of a period: 1 "week". Every 0 never
	// rotates.
	Every int
	Unit  string
	// Handoff is an instant at which the layer hands over, for its weekday and
	// time; zero where it never does.
	Handoff time.Time
	// Zone is the layer's own where it differs from the schedule's.
	Zone         *time.Location
	Positions    []string // those that it fills; empty for all
	Restrictions []string // in words: "Mon–Fri 09:00–17:00"
	// CountsOnlyCovered says that periods that the restrictions exclude as a whole are
	// no turns.
	CountsOnlyCovered bool
	Lanes             []Lane
}

// Gap is a time within required cover in which a position has nobody.
type Gap struct {
	Position string
	Start    time.Time
	End      time.Time
}

// Conflict is a time in which one person holds several positions.
type Conflict struct {
	Person    element.Person
	Positions []string
	Start     time.Time
	End       time.Time
}

// Shift is a row in the table of what comes next.
type Shift struct {
	Position string
	Person   element.Person
	Start    time.Time
	End      time.Time // zero for no end date
	// Override tells that it is no layer's choice.
	Override bool
}

// Override is a change of the schedule for a time.
type Override struct {
	ID       int64
	Position string // empty for all
	Kind     string // "replace", "add", "remove"
	Replaced element.Person
	With     element.Person
	From     time.Time
	To       time.Time
	Reason   string
	By       string
	// Unmatched tells that it changes nothing any more.
	Unmatched bool
}

// ShadowRow is a person who gets copies.
type ShadowRow struct {
	Person   element.Person
	Position string // empty for all
	From     time.Time
	To       time.Time
}
