package catalog

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tocsin-oncall/tocsin/app/rule"
)

// Contents is what a Snapshot is made of: whole tables, in any order.
type Contents struct {
	Organization   Organization
	Teams          []Team
	Deployments    []Deployment
	Services       []Service
	SLOs           []SLO
	Priorities     []Priority
	Integrations   []Integration
	PolicyVersions []PolicyVersionRef
}

// PolicyVersionRef says from when a version of a policy is in force.
type PolicyVersionRef struct {
	PolicyID  int64
	ID        int64
	Effective time.Time
}

// Snapshot is the configuration at one version, for the paths that cannot
// afford to ask the database: a signal is decoded, resolved to its service and
// given its priority from memory, and the writer refuses it as stale if the
// version has moved on by then. It never changes and may be shared.
type Snapshot struct {
	version      int64
	organization Organization
	priorities   []Priority

	teams        map[int64]Team
	services     map[int64]Service
	serviceSlugs map[string]int64
	serviceNames map[string]int64 // folded names
	deployments  map[string]Deployment
	slos         map[int64][]SLO              // by service
	integrations map[string]Integration       // by HMAC of the key
	byID         map[int64]Integration        // by ID
	policies     map[int64][]PolicyVersionRef // by policy, oldest first
	dedup        map[string]compiled          // by expression
}

// compiled is a rule that is compiled when it is first asked for, once.
type compiled func() (*rule.Key, error)

// NewSnapshot indexes the contents. Of two services with the same name, the
// one that was there first is found by it.
func NewSnapshot(c Contents) *Snapshot {
	s := &Snapshot{
		version:      c.Organization.ConfigVersion,
		organization: c.Organization,
		priorities:   slices.Clone(c.Priorities),
		teams:        make(map[int64]Team, len(c.Teams)),
		services:     make(map[int64]Service, len(c.Services)),
		serviceSlugs: make(map[string]int64, len(c.Services)),
		serviceNames: make(map[string]int64, len(c.Services)),
		deployments:  make(map[string]Deployment, len(c.Deployments)),
		slos:         make(map[int64][]SLO),
		integrations: make(map[string]Integration, len(c.Integrations)),
		byID:         make(map[int64]Integration, len(c.Integrations)),
		policies:     make(map[int64][]PolicyVersionRef),
		dedup:        make(map[string]compiled),
	}
	slices.SortFunc(s.priorities, func(a, b Priority) int { return cmp.Compare(a.Level, b.Level) })
	for _, t := range c.Teams {
		s.teams[t.ID] = t
	}
	for _, d := range c.Deployments {
		s.deployments[d.Slug] = d
	}
	for _, v := range c.Services {
		s.services[v.ID] = v
		s.serviceSlugs[v.Slug] = v.ID
		name := fold(v.Name)
		if first, taken := s.serviceNames[name]; !taken || v.ID < first {
			s.serviceNames[name] = v.ID
		}
	}
	for _, o := range c.SLOs {
		s.slos[o.ServiceID] = append(s.slos[o.ServiceID], o)
	}
	for _, list := range s.slos {
		slices.SortFunc(list, func(a, b SLO) int { return cmp.Compare(a.ID, b.ID) })
	}
	for _, i := range c.Integrations {
		s.integrations[string(i.KeyHMAC)] = i
		s.byID[i.ID] = i
		if i.Dedup != "" {
			s.dedup[i.Dedup] = sync.OnceValues(func() (*rule.Key, error) { return rule.CompileKey(i.Dedup) })
		}
	}
	for _, v := range c.PolicyVersions {
		s.policies[v.PolicyID] = append(s.policies[v.PolicyID], v)
	}
	for _, list := range s.policies {
		slices.SortFunc(list, func(a, b PolicyVersionRef) int {
			return cmp.Or(a.Effective.Compare(b.Effective), cmp.Compare(a.ID, b.ID))
		})
	}
	return s
}

// Version is the organisation's ConfigVersion at which the picture was taken.
func (s *Snapshot) Version() int64 { return s.version }

// Organization is the one organisation.
func (s *Snapshot) Organization() Organization { return s.organization }

// Priorities are the levels that exist, the most urgent first. They are
// shared: do not change them.
func (s *Snapshot) Priorities() []Priority { return s.priorities }

// Priority finds a level.
func (s *Snapshot) Priority(level int) (Priority, bool) {
	for _, p := range s.priorities {
		if p.Level == level {
			return p, true
		}
	}
	return Priority{}, false
}

// PriorityName is the name of a level that exists, or of NoPriority.
func (s *Snapshot) PriorityName(level int) string {
	if level == NoPriority {
		return NoPriorityName
	}
	p, _ := s.Priority(level)
	return p.Name
}

// Team finds a team.
func (s *Snapshot) Team(id int64) (Team, bool) {
	t, ok := s.teams[id]
	return t, ok
}

// Deployment finds a deployment by its slug.
func (s *Snapshot) Deployment(slug string) (Deployment, bool) {
	d, ok := s.deployments[slug]
	return d, ok
}

// Service finds a service.
func (s *Snapshot) Service(id int64) (Service, bool) {
	v, ok := s.services[id]
	return v, ok
}

// ServiceNamed finds the service that a sender means: by its slug, else by its
// name in any case.
func (s *Snapshot) ServiceNamed(name string) (Service, bool) {
	id, ok := s.serviceSlugs[name]
	if !ok {
		id, ok = s.serviceNames[fold(name)]
	}
	if !ok {
		return Service{}, false
	}
	return s.services[id], true
}

// IntegrationByKey finds the integration whose key has the HMAC.
func (s *Snapshot) IntegrationByKey(hmac []byte) (Integration, bool) {
	i, ok := s.integrations[string(hmac)]
	return i, ok
}

// Integration finds an integration by its ID.
func (s *Snapshot) Integration(id int64) (Integration, bool) {
	i, ok := s.byID[id]
	return i, ok
}

// DedupRule is an integration's own rule, which it must have. It is compiled once
// in the life of the snapshot. Fault: Invalid for one that cannot be compiled,
// which the configuration is kept from having.
func (s *Snapshot) DedupRule(i Integration) (*rule.Key, error) {
	if compile, ok := s.dedup[i.Dedup]; ok {
		return compile()
	}
	return rule.CompileKey(i.Dedup)
}

// PolicyVersionAt tells which version of a policy is in force at an instant.
// Before the first version took effect there is none.
func (s *Snapshot) PolicyVersionAt(policyID int64, at time.Time) (id int64, ok bool) {
	versions := s.policies[policyID]
	for i := len(versions) - 1; i >= 0; i-- {
		if !versions[i].Effective.After(at) {
			return versions[i].ID, true
		}
	}
	return 0, false
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
