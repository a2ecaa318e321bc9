// Package teams shows teams: who is in them, what they own, who is on call.
package teams

import (
	"strings"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
)

// ListPage is all teams: GET /teams.
type ListPage struct {
	Frame layout.Frame
	Teams []ListRow
}

// ListRow is one team of the list.
type ListRow struct {
	Team     element.Ref
	Manager  element.Person
	Members  []element.Person
	Services int
	// OnCall are the people in any position of any of its schedules.
	OnCall []element.Person
	// Uncovered tells that a position of its schedules has nobody now.
	Uncovered bool
	Open      int // incidents
}

// Page is one team: GET /teams/{slug}.
type Page struct {
	Frame        layout.Frame
	Team         element.Ref
	Manager      element.Person // nobody where the team has none
	Members      []Member
	Schedules    []oncall.ScheduleNow
	Policies     []element.Ref
	Services     []element.Ref
	Chat         string // "#payments"
	SupportHours string // in words; empty where it has none of its own
	Open         int    // incidents
}

// Member is a person in a team.
type Member struct {
	Person   element.Person
	Contacts element.Contacts
	Role     string
	// Unreachable tells that no verified contact is on a working channel.
	Unreachable bool
}

// firstNames are people in a line, as colleagues call them.
func firstNames(people []element.Person) string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.First()
	}
	return strings.Join(names, ", ")
}
