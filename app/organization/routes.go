package organization

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// Routes are what a write of an incident needs to know of the configuration:
// where a service's incidents go.
type Routes struct {
	// Version is the Config of Versions that they are of.
	Version int64
	// Zone is the organisation's, for support hours that name none.
	Zone string
	// ByService are the routes of all services, by id.
	ByService map[int64]Route
	// AckExpires is, by the level of a priority, how long an acknowledgment lasts;
	// 0 for ever.
	AckExpires map[int]time.Duration
}

// Route is where the incidents of one service go.
type Route struct {
	// Hours are the support hours that low urgency waits for; nil for none.
	Hours    *catalog.Hours
	versions []PolicyVersion // of the service's policy, oldest first
}

// PolicyVersionAt is the id of the version of the policy in force at an instant,
// nil for none.
func (r Route) PolicyVersionAt(at time.Time) *int64 {
	var id *int64
	for i := range r.versions {
		if !r.versions[i].Effective.After(at) {
			id = &r.versions[i].ID
		}
	}
	return id
}

// Routes are where incidents go.
func (s *State) Routes() *Routes {
	r := &Routes{Version: s.Organization.ConfigVersion, Zone: s.Organization.Timezone,
		ByService: make(map[int64]Route, len(s.Services)), AckExpires: make(map[int]time.Duration, len(s.Priorities))}
	versions := make(map[int64][]PolicyVersion, len(s.Policies))
	for _, p := range s.Policies {
		versions[p.ID] = p.Versions
	}
	teams := make(map[int64]catalog.Team, len(s.Teams))
	for _, t := range s.Teams {
		teams[t.ID] = t
	}
	for _, v := range s.Services {
		team := teams[orZero(v.TeamID)]
		route := Route{Hours: team.SupportHours, versions: versions[orZero(v.PolicyID)]}
		if route.Hours == nil {
			route.Hours = s.Organization.SupportHours
		}
		r.ByService[v.ID] = route
	}
	for _, p := range s.Priorities {
		r.AckExpires[p.Level] = time.Duration(p.AckExpires) * time.Second
	}
	return r
}

// Catalog is what signals are resolved by.
func (s *State) Catalog() *catalog.Snapshot {
	c := catalog.Contents{Organization: s.Organization, Teams: s.Teams, Deployments: s.Deployments, Services: s.Services, SLOs: s.SLOs,
		Priorities: slices.Clone(s.Priorities)}
	for _, i := range s.Integrations {
		c.Integrations = append(c.Integrations, i.Integration)
	}
	for _, p := range s.Policies {
		for _, v := range p.Versions {
			c.PolicyVersions = append(c.PolicyVersions, catalog.PolicyVersionRef{PolicyID: p.ID, ID: v.ID, Effective: v.Effective})
		}
	}
	return catalog.NewSnapshot(c)
}
