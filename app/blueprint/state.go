package blueprint

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// State is the whole configuration as it is kept, at one instant: whole tables,
// in any order but for what says otherwise.
type State struct {
	// At is when it was taken: what is over by then is left alone, and what is
	// changed is changed from then on.
	At                 time.Time
	Organization       catalog.Organization
	Users              []auth.User
	Contacts           []notify.ContactMethod // in the order in which they were made
	Rules              []notify.Rule
	Teams              []catalog.Team
	Members            []catalog.TeamMember
	Deployments        []catalog.Deployment
	Schedules          []KeptSchedule
	Policies           []KeptPolicy
	Services           []catalog.Service
	ServiceDeployments []catalog.ServiceDeployment
	SLOs               []catalog.SLO
	Priorities         []catalog.Priority
	Integrations       []KeptIntegration
	History            History
}

// KeptSchedule is a schedule with all of its versions, and with the overrides
// that were not taken back, in the order in which they were made.
type KeptSchedule struct {
	ID       int64
	Slug     string
	Name     string
	TeamID   *int64
	Schedule oncall.Schedule
	// MadeAt is when the version was made that holds since ever.
	MadeAt time.Time
	// FromApp are the ids of the overrides that were made in the app.
	FromApp map[int64]bool
}

// KeptPolicy is a policy at its latest version.
type KeptPolicy struct {
	ID     int64
	Slug   string
	Name   string
	TeamID *int64
	Policy escalation.Policy
	// Since is when each version began to hold, oldest first, the latest last; of
	// one that holds since ever, when it was made.
	Since []time.Time
}

// KeptIntegration is an integration with its key opened.
type KeptIntegration struct {
	catalog.Integration
	Key string
}

// History is what incidents refer to, so that it cannot be deleted.
type History struct {
	Services   map[int64]bool
	Policies   map[int64]bool
	Priorities map[int]bool // of open incidents
}
