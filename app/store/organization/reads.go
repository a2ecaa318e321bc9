package organization

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Integrations are all, by name.
func (s *Store) Integrations(ctx context.Context) ([]catalog.Integration, error) {
	var integrations []catalog.Integration
	return integrations, db.ReadAll(s.db.GormRead(ctx), "name, id", &integrations)
}

// Integration finds an integration, or is a fault of kind not found.
func (s *Store) Integration(ctx context.Context, slug string) (catalog.Integration, error) {
	var i catalog.Integration
	err := s.db.GormRead(ctx).Where("slug = ?", slug).Take(&i).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return i, fault.NotFound("There is no integration %s.", slug)
	}
	if err != nil {
		return i, fmt.Errorf("read an integration: %w", err)
	}
	return i, nil
}

// Team is a team with its people, in the order of their names.
type Team struct {
	catalog.Team
	Manager *auth.User // nil for none
	Members []auth.User
}

// Service is a service with what surrounds it; lists are in the order of names.
type Service struct {
	catalog.Service
	Parent       *catalog.Service // nil for none
	Children     []catalog.Service
	Team         *catalog.Team // nil for none
	Policy       *PolicyName   // nil for none
	Deployments  []catalog.Deployment
	SLOs         []catalog.SLO
	Integrations []catalog.Integration
}

// PolicyName is a policy by name.
type PolicyName struct {
	ID         int64
	Slug, Name string
}

// Schedule is a schedule with all of its versions and the overrides that were
// not taken back.
type Schedule struct {
	ID         int64
	Slug, Name string
	Team       *catalog.Team // nil for none
	Schedule   oncall.Schedule
}

// Policy is a policy at its latest version.
type Policy struct {
	PolicyName
	Team   *catalog.Team // nil for none
	Policy escalation.Policy
}

// Organization is the one organisation.
func (s *Store) Organization(ctx context.Context) (catalog.Organization, error) {
	var o catalog.Organization
	return o, db.ReadAll(s.db.GormRead(ctx), "", &o)
}

// Priorities are the levels, the most urgent first.
func (s *Store) Priorities(ctx context.Context) ([]catalog.Priority, error) {
	var priorities []catalog.Priority
	return priorities, db.ReadAll(s.db.GormRead(ctx), "level", &priorities)
}

// Deployments are all, by name.
func (s *Store) Deployments(ctx context.Context) ([]catalog.Deployment, error) {
	var deployments []catalog.Deployment
	return deployments, db.ReadAll(s.db.GormRead(ctx), "name, id", &deployments)
}

// Teams are all, by name.
func (s *Store) Teams(ctx context.Context) ([]Team, error) {
	var teams []catalog.Team
	var members []catalog.TeamMember
	var users []auth.User
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		if err := db.ReadAll(g, "name, id", &teams, &users); err != nil {
			return err
		}
		return db.ReadAll(g, "team_id, user_id", &members)
	})
	if err != nil {
		return nil, err
	}
	inTeam := map[[2]int64]bool{}
	for _, m := range members {
		inTeam[[2]int64{m.TeamID, m.UserID}] = true
	}
	all := make([]Team, len(teams))
	for i, t := range teams {
		all[i].Team = t
		for _, u := range users {
			if t.ManagerID != nil && *t.ManagerID == u.ID {
				all[i].Manager = &u
			}
			if inTeam[[2]int64{t.ID, u.ID}] {
				all[i].Members = append(all[i].Members, u)
			}
		}
	}
	return all, nil
}

// Team finds a team, or is a fault of kind not found.
func (s *Store) Team(ctx context.Context, slug string) (Team, error) {
	teams, err := s.Teams(ctx)
	if err != nil {
		return Team{}, err
	}
	return theOne(teams, "team", slug, func(t Team) string { return t.Slug })
}

// theOne finds a thing by its slug.
func theOne[T any](all []T, what, slug string, key func(T) string) (T, error) {
	if i := slices.IndexFunc(all, func(v T) bool { return key(v) == slug }); i >= 0 {
		return all[i], nil
	}
	var none T
	return none, fault.NotFound("There is no %s %s.", what, slug)
}

// Services are all, by name.
func (s *Store) Services(ctx context.Context) ([]Service, error) {
	var c catalogTables
	if err := s.db.Snapshot(ctx, c.read); err != nil {
		return nil, err
	}
	all := make([]Service, len(c.services))
	for i, s := range c.services {
		all[i] = c.service(s)
	}
	return all, nil
}

// Service finds a service, or is a fault of kind not found.
func (s *Store) Service(ctx context.Context, slug string) (Service, error) {
	var c catalogTables
	if err := s.db.Snapshot(ctx, c.read); err != nil {
		return Service{}, err
	}
	found, err := theOne(c.services, "service", slug, func(s catalog.Service) string { return s.Slug })
	if err != nil {
		return Service{}, err
	}
	return c.service(found), nil
}

// catalogTables are the tables that a service's surroundings stand in.
type catalogTables struct {
	services     []catalog.Service
	teams        []catalog.Team
	policies     []policyRow
	deployments  []catalog.Deployment
	slos         []catalog.SLO
	integrations []catalog.Integration
	runsIn       map[[2]int64]bool // service, deployment
}

func (c *catalogTables) read(g *gorm.DB) error {
	err := db.ReadAll(g, "name, id", &c.services, &c.teams, &c.policies, &c.deployments, &c.slos, &c.integrations)
	if err != nil {
		return err
	}
	var pairs []catalog.ServiceDeployment
	if err := db.ReadAll(g, "service_id", &pairs); err != nil {
		return err
	}
	c.runsIn = make(map[[2]int64]bool, len(pairs))
	for _, p := range pairs {
		c.runsIn[[2]int64{p.ServiceID, p.DeploymentID}] = true
	}
	return nil
}

func (c *catalogTables) service(s catalog.Service) Service {
	v := Service{Service: s, Team: byID(c.teams, s.TeamID, func(t catalog.Team) int64 { return t.ID }),
		Parent: byID(c.services, s.ParentID, func(p catalog.Service) int64 { return p.ID })}
	if p := byID(c.policies, s.PolicyID, func(p policyRow) int64 { return p.ID }); p != nil {
		v.Policy = &PolicyName{p.ID, p.Slug, p.Name}
	}
	for _, child := range c.services {
		if child.ParentID != nil && *child.ParentID == s.ID {
			v.Children = append(v.Children, child)
		}
	}
	for _, d := range c.deployments {
		if c.runsIn[[2]int64{s.ID, d.ID}] {
			v.Deployments = append(v.Deployments, d)
		}
	}
	for _, o := range c.slos {
		if o.ServiceID == s.ID {
			v.SLOs = append(v.SLOs, o)
		}
	}
	for _, i := range c.integrations {
		if i.ServiceID != nil && *i.ServiceID == s.ID {
			v.Integrations = append(v.Integrations, i)
		}
	}
	return v
}

// byID is nil for a nil id.
func byID[T any](all []T, id *int64, key func(T) int64) *T {
	if id == nil {
		return nil
	}
	i := slices.IndexFunc(all, func(v T) bool { return key(v) == *id })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// Schedules are all, by name.
func (s *Store) Schedules(ctx context.Context) ([]Schedule, error) { return s.schedules(ctx, "") }

// Schedule finds a schedule, or is a fault of kind not found.
func (s *Store) Schedule(ctx context.Context, slug string) (Schedule, error) {
	schedules, err := s.schedules(ctx, slug)
	if err != nil {
		return Schedule{}, err
	}
	return theOne(schedules, "schedule", slug, func(s Schedule) string { return s.Slug })
}

func (s *Store) schedules(ctx context.Context, slug string) ([]Schedule, error) {
	var all []Schedule
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		kept, err := readSchedules(g, slug)
		if err != nil {
			return err
		}
		var teams []catalog.Team
		if err := db.ReadAll(g, "id", &teams); err != nil {
			return err
		}
		for _, k := range kept {
			all = append(all, Schedule{k.ID, k.Slug, k.Name, byID(teams, k.TeamID, func(t catalog.Team) int64 { return t.ID }), k.Schedule})
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Schedule) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// Policies are all, by name.
func (s *Store) Policies(ctx context.Context) ([]Policy, error) {
	var all []Policy
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		kept, err := readPolicies(g)
		if err != nil {
			return err
		}
		var teams []catalog.Team
		if err := db.ReadAll(g, "id", &teams); err != nil {
			return err
		}
		for _, k := range kept {
			all = append(all, Policy{PolicyName{k.ID, k.Slug, k.Name}, byID(teams, k.TeamID, func(t catalog.Team) int64 { return t.ID }), k.Policy})
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b Policy) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// Policy finds a policy, or is a fault of kind not found.
func (s *Store) Policy(ctx context.Context, slug string) (Policy, error) {
	policies, err := s.Policies(ctx)
	if err != nil {
		return Policy{}, err
	}
	return theOne(policies, "escalation policy", slug, func(p Policy) string { return p.Slug })
}

// PolicyVersion is the policy of a version's id, which never changes. It is not
// found once the policy was deleted.
func (s *Store) PolicyVersion(ctx context.Context, versionID int64) (escalation.NamedPolicy, error) {
	var version policyVersionRow
	var row policyRow
	err := s.db.GormRead(ctx).Where("id = ?", versionID).Take(&version).Error
	if err == nil {
		err = s.db.GormRead(ctx).Where("id = ?", version.PolicyID).Take(&row).Error
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return escalation.NamedPolicy{}, fault.NotFound("There is no such version of an escalation policy.")
	}
	if db.IsDataError(err) {
		return escalation.NamedPolicy{}, fmt.Errorf("an escalation policy %w: %w", escalation.ErrUnreadable, err)
	}
	if err != nil {
		return escalation.NamedPolicy{}, fmt.Errorf("read an escalation policy: %w", err)
	}
	return escalation.NamedPolicy{Slug: row.Slug, Name: row.Name, Policy: version.Definition}, nil
}
