package organization

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// State is the whole configuration as it is kept, at one instant: whole tables,
// in any order unless stated otherwise. It is not changed once it was read, and
// may be shared.
type State struct {
	// At is when it was read: what is over by then is left alone, and what is
	// changed is changed from then on.
	At                 time.Time
	Organization       catalog.Organization
	Users              []auth.User
	Contacts           []notify.ContactMethod // in the order in which they were made
	Rules              []notify.Rule
	Teams              []catalog.Team
	Members            []catalog.TeamMember
	Deployments        []catalog.Deployment
	Schedules          []ScheduleRecord
	Policies           []PolicyRecord
	Services           []catalog.Service
	ServiceDeployments []catalog.ServiceDeployment
	SLOs               []catalog.SLO
	Priorities         []catalog.Priority
	Integrations       []IntegrationRecord
	History            History
	// Archived are not part of the configuration any more.
	Archived Archived
	// Unreadable are the rows that are left out.
	Unreadable []Unreadable
}

// Versions say of which configuration something is.
type Versions struct {
	// Config is raised by every change that signals and routes go by: everything
	// but what People counts.
	Config int64
	// People is raised instead by changes of contact methods, personal rules and
	// passwords.
	People int64
}

// Revision is raised by every change of either kind.
func (v Versions) Revision() int64 { return v.Config + v.People }

// Versions are those of the state.
func (s *State) Versions() Versions {
	return Versions{s.Organization.ConfigVersion, s.Organization.PeopleVersion}
}

// MarkLeft tells every schedule who left. Whoever makes a State calls it once.
func (s *State) MarkLeft() {
	left := s.left()
	for i := range s.Schedules {
		s.Schedules[i].Schedule.Left = left
	}
}

// left are the people who are deactivated, with the instant; see oncall.Schedule.
func (s *State) left() map[oncall.Person]time.Time {
	var left map[oncall.Person]time.Time
	for _, u := range s.Users {
		if u.Active {
			continue
		}
		if left == nil {
			left = map[oncall.Person]time.Time{}
		}
		left[oncall.Person(u.ID)] = time.Time{}
		if u.DeactivatedAt != nil {
			left[oncall.Person(u.ID)] = u.DeactivatedAt.UTC()
		}
	}
	return left
}

// AsOf is a copy of the state with another instant.
func (s *State) AsOf(at time.Time) *State {
	later := *s
	later.At = at
	return &later
}

// Unreadable is a row that could not be read and was left out of a State.
type Unreadable struct {
	Table string
	ID    int64 // 0 where the row has none
	Err   error
}
