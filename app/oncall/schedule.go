// Package oncall computes who is on call. It consists of pure functions of a schedule's
// definition and an instant; it has no state and reads no clock.
//
// A schedule has positions (main, backup…), filled by layers. Each layer is a
// rotation of people through periods, possibly restricted to some hours of the
// week. The later layer wins where it has somebody, and overrides win over all
// layers. Schedules are changed by versions, each from an instant on, so that
// the past stays as it was.
//
// Local times of handoffs and windows: one that does not exist on a day, when clocks go
// forward, means the first instant after the change; one that occurs twice means the
// first.
//
// Instants are exact to the microsecond, which is what both databases keep, and
// are returned in UTC.
package oncall

import "time"

// Person is a user's id. Nobody is 0.
type Person int64

// Nobody is the person of a position that is empty.
const Nobody Person = 0

// Position is a place in a schedule that pages go to: "main", "backup". As an
// argument, the empty position stands for all.
type Position string

func (p Position) covers(o Position) bool { return p == "" || p == o }

// Schedule is everything that decides who is on call.
type Schedule struct {
	Slug string `json:"slug"`
	// Versions are ordered by Effective. Where two are equal, the later one
	// in the list is in force.
	Versions []Version `json:"versions"`
	// Overrides stand in the order in which they were made, which is the
	// order in which they act. They outlive versions.
	Overrides []Override `json:"overrides,omitempty"`
	// Left are the people who were deactivated, with the instant; zero means since
	// ever. From then on their turns go to the members who follow them, and overrides
	// that put them on and their shadowing have no effect. It may be shared by
	// schedules and is not changed.
	Left map[Person]time.Time `json:"-"`
}

// Version is the definition of a schedule from an instant until the next
// version's.
type Version struct {
	// Effective zero means since ever. Before its first version a schedule
	// has no positions, hence nobody on call and no gaps.
	Effective time.Time `json:"effective,omitzero"`
	// Zone is an IANA name. It is the default for layers.
	Zone string `json:"timezone"`
	// Positions are ordered: the first is the one that is paged first.
	Positions []Position `json:"positions"`
	Layers    []Layer    `json:"layers,omitempty"`
	Shadows   []Shadow   `json:"shadows,omitempty"`
	// RequiredCover are the windows of the week, in Zone, in which every position has
	// to be filled. Empty means always. Outside them an empty position is no gap.
	RequiredCover []Window `json:"required_cover,omitempty"`
}

// Layer is a rotation: in its turn i, which is period i unless only covered periods
// count, its p-th position belongs to member (i + p + Phase) mod n. A list shorter than
// the positions leaves the extra ones empty.
type Layer struct {
	// Name is unique in a version and identifies the layer across versions.
	Name string `json:"name"`
	// Zone is that of Start, of the handoffs and of the restrictions. Empty
	// means the schedule's.
	Zone string `json:"timezone,omitempty"`
	// Start is where period 0 begins; before it the layer has nobody. A layer
	// that never rotates may leave it out and has somebody since ever.
	Start WallTime `json:"start,omitzero"`
	// Rotate nil means that period 0 never ends.
	Rotate  *Rotate  `json:"rotate,omitempty"`
	Members []Person `json:"members"`
	// Positions are those that the layer fills; it counts them from 0 in this
	// list, so that a layer with the one position "backup" is a pool of its
	// own. Empty means all of the version's.
	Positions []Position `json:"positions,omitempty"`
	// Restrictions are the windows of the week outside which the layer has
	// nobody. Empty means none: it always has. Periods keep counting outside, unless
	// CountsOnlyCovered.
	Restrictions []Window `json:"restrictions,omitempty"`
	// CountsOnlyCovered means that a period that the restrictions exclude from its
	// begin to its end is no turn: of daily turns on weekdays, that of Friday is
	// followed by that of Monday. Without restrictions it has no effect.
	CountsOnlyCovered bool `json:"counts_only_covered,omitempty"`
	// Phase is where in Members the count begins. Version.Succeed sets it, so
	// that a change of members does not change who is on call at present.
	Phase int `json:"phase,omitempty"`
	// Held is the list that stays in force until the period in which the
	// members were changed is over.
	Held *Held `json:"held,omitempty"`
}

// Held is an earlier list of a layer's members, in force in periods before
// Before, whichever of them are turns.
type Held struct {
	Members []Person `json:"members"`
	Phase   int      `json:"phase,omitempty"`
	Before  int      `json:"before"`
}

// Unit is what a rotation counts in.
type Unit string

// The units. Hours are elapsed hours; days, weeks and months hand off at the
// wall-clock time of the layer's start. A month that is too short for the day
// of the start hands off on its last day.
const (
	Hour  Unit = "hour"
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
)

// Rotate is how long a period is.
type Rotate struct {
	Every int  `json:"every"`
	Unit  Unit `json:"unit"`
}

// Shadow is a person who gets a copy of every page to a position. A shadow does not
// fill
// the position, and overrides do not apply to it.
type Shadow struct {
	Person   Person   `json:"person"`
	Position Position `json:"position,omitempty"`
	// From and To bound it; zero means open.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Shift is a person in a position for a time, for one and the same reason.
type Shift struct {
	Position Position `json:"position"`
	Person   Person   `json:"person"`
	// Start zero means since ever.
	Start time.Time `json:"start,omitzero"`
	// End is the first instant that no longer belongs to the shift. Zero
	// means that no end is in sight.
	End time.Time `json:"end,omitzero"`
	// Source is the reason: "layer:weekly", "override", "shadow".
	Source string `json:"source"`
	// Layer is the name of the layer whose choice the person is, or whose
	// choice the person stands in for. Empty for one who was added.
	Layer string `json:"layer,omitempty"`
	// Override is the id of the override that put the person on, or 0.
	Override int64 `json:"override,omitempty"`
	// Shadow tells that the person only gets copies.
	Shadow bool `json:"shadow,omitempty"`
}

// Gap is a time within required cover, or for UncoveredByAgreement outside it, in which
// a position has nobody.
type Gap struct {
	Position Position  `json:"position"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
}

// Conflict is a time in which one person holds several positions, so that the
// second page would go to the person who did not answer the first.
type Conflict struct {
	Person    Person     `json:"person"`
	Positions []Position `json:"positions"`
	Start     time.Time  `json:"start"`
	End       time.Time  `json:"end"`
}

// VersionAt returns the version in force at an instant. ok is false before the
// first.
func (s Schedule) VersionAt(at time.Time) (version Version, ok bool) {
	i := s.versionIndex(instantOf(at))
	if i < 0 {
		return Version{}, false
	}
	return s.Versions[i], true
}
