package organization

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
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

// ScheduleRecord is a schedule with all of its versions, and with the overrides
// that were not taken back, in the order in which they were made.
type ScheduleRecord struct {
	ID       int64
	Slug     string
	Name     string
	TeamID   *int64
	Schedule oncall.Schedule
	// MadeAt is when the version was made that always held.
	MadeAt time.Time
	// FromApp are the ids of the overrides that were made in the app.
	FromApp map[int64]bool
}

// PolicyRecord is a policy with all of its versions.
type PolicyRecord struct {
	ID     int64
	Slug   string
	Name   string
	TeamID *int64
	// Policy is the latest version that could be read.
	Policy   escalation.Policy
	Versions []PolicyVersion // by when they take effect, then by id
}

// PolicyVersion is one version of a policy, which never changes.
type PolicyVersion struct {
	ID int64
	// Effective is from when on it holds. The zero time stands for always.
	Effective time.Time
	CreatedAt time.Time
	Policy    escalation.Policy
	// Err says why Policy could not be read; nil where it was.
	Err error
}

// Since is when each version began to hold, oldest first.
func (r PolicyRecord) Since() []time.Time {
	since := make([]time.Time, len(r.Versions))
	for i, v := range r.Versions {
		since[i] = v.Since()
	}
	return since
}

// Since is when the version began to hold: of one that always did, when it was
// made.
func (v PolicyVersion) Since() time.Time {
	if v.Effective.IsZero() {
		return v.CreatedAt
	}
	return v.Effective
}

// IntegrationRecord is an integration. Key is empty unless WithKeys opened it.
type IntegrationRecord struct {
	catalog.Integration
	Key string
	// KeyErr says why WithKeys could not open the key; nil where it did.
	KeyErr error
}

// WithKeys is a copy of the state with the keys of integrations opened, but those
// that cannot be: KeyErr.
func (s *State) WithKeys(unseal func(sealed []byte) (string, error)) *State {
	opened := *s
	opened.Integrations = slices.Clone(s.Integrations)
	for i := range opened.Integrations {
		key, err := unseal(opened.Integrations[i].KeySealed)
		if err != nil {
			key, err = "", fmt.Errorf("open the key of integration %s: %w", opened.Integrations[i].Slug, err)
		}
		opened.Integrations[i].Key, opened.Integrations[i].KeyErr = key, err
	}
	return &opened
}

// KeyErr is a fault of kind invalid that names the integrations whose keys could
// not be opened; nil where all were.
func (s *State) KeyErr() error {
	var slugs []string
	var causes []error
	for _, i := range s.Integrations {
		if i.KeyErr != nil {
			slugs, causes = append(slugs, i.Slug), append(causes, i.KeyErr)
		}
	}
	if slugs == nil {
		return nil
	}
	return fault.Invalid("The key cannot be opened of: %s. Is the secret key the one that the server has?", strings.Join(slugs, ", ")).Because(errors.Join(causes...))
}

// NoKeyOpens reports whether there are integrations and the key of none could be
// opened: mostly, the secret is another one than that of the server.
func (s *State) NoKeyOpens() bool {
	return len(s.Integrations) > 0 && !slices.ContainsFunc(s.Integrations, func(i IntegrationRecord) bool { return i.KeyErr == nil })
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

// History is what incidents refer to, so that it cannot be deleted.
type History struct {
	Services   map[int64]bool
	Policies   map[int64]bool
	Priorities map[int]bool // of open incidents
}
