package organization

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// View is the configuration at one revision with all that is derived from it and
// look-ups by id and by the names that people use. It never changes and is shared.
type View struct {
	*State
	users        table[auth.User]
	teams        table[catalog.Team]
	deployments  table[catalog.Deployment]
	schedules    table[ScheduleRecord]
	policies     table[PolicyRecord]
	services     table[catalog.Service]
	integrations table[IntegrationRecord]
	versions     map[int64]policyRef

	roster     func() *escalation.Roster
	recipients func() map[int64]notify.Recipient
	catalog    func() *catalog.Snapshot
	routes     func() *Routes
	lateRules  func() []LateRule
}

type policyRef struct {
	policy  *PolicyRecord
	version *PolicyVersion
}

// table finds rows by id and by slug or address.
type table[T any] struct {
	what   string
	byID   map[int64]*T
	byName map[string]*T
}

func tableOf[T any](what string, rows []T, id func(*T) int64, name func(*T) string) table[T] {
	t := table[T]{what, make(map[int64]*T, len(rows)), make(map[string]*T, len(rows))}
	for i := range rows {
		t.byID[id(&rows[i])] = &rows[i]
		t.byName[name(&rows[i])] = &rows[i]
	}
	return t
}

// named is the row of a name, or a fault of kind not found.
func (t table[T]) named(name string) (T, error) {
	if row, ok := t.byName[name]; ok {
		return *row, nil
	}
	var none T
	return none, fault.NotFound("There is no %s %s.", t.what, name)
}

// of is the row of an id; the zero value for an id that nothing has.
func (t table[T]) of(id int64) T {
	if row, ok := t.byID[id]; ok {
		return *row
	}
	var none T
	return none
}

// NewView derives a view from a state, which must not change any more. works
// tells which media have a channel that works.
func NewView(s *State, works func(notify.Medium) bool) *View {
	v := &View{
		State: s,
		users: tableOf("person", s.Users, func(u *auth.User) int64 { return u.ID }, func(u *auth.User) string { return u.Email }),
		teams: tableOf("team", s.Teams, func(t *catalog.Team) int64 { return t.ID }, func(t *catalog.Team) string { return t.Slug }),
		deployments: tableOf("deployment", s.Deployments, func(d *catalog.Deployment) int64 { return d.ID },
			func(d *catalog.Deployment) string { return d.Slug }),
		schedules: tableOf("schedule", s.Schedules, func(r *ScheduleRecord) int64 { return r.ID }, func(r *ScheduleRecord) string { return r.Slug }),
		policies:  tableOf("escalation policy", s.Policies, func(p *PolicyRecord) int64 { return p.ID }, func(p *PolicyRecord) string { return p.Slug }),
		services:  tableOf("service", s.Services, func(r *catalog.Service) int64 { return r.ID }, func(r *catalog.Service) string { return r.Slug }),
		integrations: tableOf("integration", s.Integrations, func(i *IntegrationRecord) int64 { return i.ID },
			func(i *IntegrationRecord) string { return i.Slug }),
		versions:   map[int64]policyRef{},
		roster:     sync.OnceValue(func() *escalation.Roster { return s.Roster(works) }),
		recipients: sync.OnceValue(s.Recipients),
		catalog:    sync.OnceValue(s.Catalog),
		routes:     sync.OnceValue(s.Routes),
		lateRules:  sync.OnceValue(func() []LateRule { return s.Document().lateRules() }),
	}
	v.indexVersions(s.Policies)
	v.indexArchived()
	return v
}

func (v *View) indexVersions(policies []PolicyRecord) {
	for i := range policies {
		p := &policies[i]
		for j := range p.Versions {
			v.versions[p.Versions[j].ID] = policyRef{p, &p.Versions[j]}
		}
	}
}

// indexArchived has what is archived found by id, but not by slug.
func (v *View) indexArchived() {
	for i := range v.Archived.Services {
		v.services.byID[v.Archived.Services[i].ID] = &v.Archived.Services[i]
	}
	for i := range v.Archived.Policies {
		v.policies.byID[v.Archived.Policies[i].ID] = &v.Archived.Policies[i]
	}
	v.indexVersions(v.Archived.Policies)
}

// Roster is State.Roster, made once.
func (v *View) Roster() *escalation.Roster { return v.roster() }

// Recipients is State.Recipients, made once.
func (v *View) Recipients() map[int64]notify.Recipient { return v.recipients() }

// Catalog is State.Catalog, made once.
func (v *View) Catalog() *catalog.Snapshot { return v.catalog() }

// Routes is State.Routes, made once.
func (v *View) Routes() *Routes { return v.routes() }

// PolicyVersion is the policy of a version's id. It is a fault of kind not found
// once the policy was deleted, and wraps escalation.ErrUnreadable where the version
// is there and cannot be read.
func (v *View) PolicyVersion(id int64) (escalation.NamedPolicy, error) {
	ref, ok := v.versions[id]
	if !ok {
		return escalation.NamedPolicy{}, fault.NotFound("There is no such version of an escalation policy.")
	}
	if err := ref.version.Err; err != nil {
		return escalation.NamedPolicy{}, fmt.Errorf("an escalation policy %w: %w", escalation.ErrUnreadable, err)
	}
	return escalation.NamedPolicy{Slug: ref.policy.Slug, Name: ref.policy.Name, Policy: ref.version.Policy}, nil
}

// The look-ups by id are the zero value for an id that nothing has, those by slug
// or address a fault of kind not found.

// User finds a person.
func (v *View) User(id int64) auth.User { return v.users.of(id) }

// UserByEmail finds a person by address.
func (v *View) UserByEmail(email string) (auth.User, error) { return v.users.named(email) }

// Team finds a team.
func (v *View) Team(id int64) catalog.Team { return v.teams.of(id) }

// TeamBySlug finds a team.
func (v *View) TeamBySlug(slug string) (catalog.Team, error) { return v.teams.named(slug) }

// Deployment finds a deployment.
func (v *View) Deployment(id int64) catalog.Deployment { return v.deployments.of(id) }

// DeploymentBySlug finds a deployment.
func (v *View) DeploymentBySlug(slug string) (catalog.Deployment, error) {
	return v.deployments.named(slug)
}

// Schedule finds a schedule.
func (v *View) Schedule(id int64) ScheduleRecord { return v.schedules.of(id) }

// ScheduleBySlug finds a schedule.
func (v *View) ScheduleBySlug(slug string) (ScheduleRecord, error) { return v.schedules.named(slug) }

// Policy finds an escalation policy.
func (v *View) Policy(id int64) PolicyRecord { return v.policies.of(id) }

// PolicyBySlug finds an escalation policy.
func (v *View) PolicyBySlug(slug string) (PolicyRecord, error) { return v.policies.named(slug) }

// Service finds a service.
func (v *View) Service(id int64) catalog.Service { return v.services.of(id) }

// ServiceBySlug finds a service.
func (v *View) ServiceBySlug(slug string) (catalog.Service, error) { return v.services.named(slug) }

// Integration finds an integration.
func (v *View) Integration(id int64) IntegrationRecord { return v.integrations.of(id) }

// IntegrationBySlug finds an integration.
func (v *View) IntegrationBySlug(slug string) (IntegrationRecord, error) {
	return v.integrations.named(slug)
}

// Priority finds a priority by its level.
func (v *View) Priority(level int) (catalog.Priority, bool) {
	i := slices.IndexFunc(v.Priorities, func(p catalog.Priority) bool { return p.Level == level })
	if i < 0 {
		return catalog.Priority{}, false
	}
	return v.Priorities[i], true
}

// MembersOf are the people of a team, by name.
func (v *View) MembersOf(teamID int64) []auth.User {
	var members []auth.User
	for _, m := range v.Members {
		if u := v.User(m.UserID); u.ID != 0 && m.TeamID == teamID {
			members = append(members, u)
		}
	}
	slices.SortFunc(members, func(a, b auth.User) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return members
}

// IsMember reports whether a person is in a team; in none for nil.
func (v *View) IsMember(userID int64, teamID *int64) bool {
	return teamID != nil && slices.Contains(v.Members, catalog.TeamMember{TeamID: *teamID, UserID: userID})
}

// ManagerOf is the id of the manager of a team, 0 for nobody and for nil.
func (v *View) ManagerOf(teamID *int64) int64 {
	return orZero(v.Team(orZero(teamID)).ManagerID)
}

// ChildrenOf are the services right below a service, by name.
func (v *View) ChildrenOf(serviceID int64) []catalog.Service {
	return byName(v.Services, func(s catalog.Service) bool { return orZero(s.ParentID) == serviceID }, func(s catalog.Service) string { return s.Name })
}

// DeploymentsOf are those that a service runs in, by name.
func (v *View) DeploymentsOf(serviceID int64) []catalog.Deployment {
	return byName(v.Deployments, func(d catalog.Deployment) bool {
		return slices.Contains(v.ServiceDeployments, catalog.ServiceDeployment{ServiceID: serviceID, DeploymentID: d.ID})
	}, func(d catalog.Deployment) string { return d.Name })
}

// SLOsOf are the objectives of a service, by name.
func (v *View) SLOsOf(serviceID int64) []catalog.SLO {
	return byName(v.SLOs, func(o catalog.SLO) bool { return o.ServiceID == serviceID }, func(o catalog.SLO) string { return o.Name })
}

// IntegrationsOf are those whose key belongs to a service, by name.
func (v *View) IntegrationsOf(serviceID int64) []IntegrationRecord {
	return byName(v.Integrations, func(i IntegrationRecord) bool { return orZero(i.ServiceID) == serviceID },
		func(i IntegrationRecord) string { return i.Name })
}

// byName is part of a list, by name.
func byName[T any](list []T, is func(T) bool, name func(T) string) []T {
	var some []T
	for _, v := range list {
		if is(v) {
			some = append(some, v)
		}
	}
	slices.SortStableFunc(some, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return some
}
