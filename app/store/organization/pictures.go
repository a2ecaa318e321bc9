package organization

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Snapshot is the picture that signals are resolved by. What cannot be read is
// left out of it, rather than that nobody's signals are taken: those of a service
// go to the catch-all or are listed as rejected, and of a policy's versions
// another one counts.
func (s *Store) Snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	var c catalog.Contents
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		if err := readOrganization(g, s.db.Log, &c.Organization); err != nil {
			return err
		}
		var versions []policyVersionRow
		if err := errors.Join(db.ReadEach(g, s.db.Log, &c.Teams), db.ReadEach(g, s.db.Log, &c.Services), db.ReadEach(g, s.db.Log, &c.Deployments), db.ReadEach(g, s.db.Log, &c.SLOs),
			db.ReadEach(g, s.db.Log, &c.Integrations), db.ReadEach(g.Select("id", "policy_id", "effective_at").Session(&gorm.Session{}), s.db.Log, &versions)); err != nil {
			return err
		}
		if err := db.ReadAll(g.Omit("criteria"), "level", &c.Priorities); err != nil {
			return err
		}
		for _, v := range versions {
			c.PolicyVersions = append(c.PolicyVersions, catalog.PolicyVersionRef{PolicyID: v.PolicyID, ID: v.ID, Effective: v.EffectiveAt.UTC()})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return catalog.NewSnapshot(c), nil
}

// Roster is who stands behind which target. works says which media have a
// channel that works; whoever has no verified contact method on one counts as
// nobody, and so does whoever was deactivated.
func (s *Store) Roster(ctx context.Context, works func(notify.Medium) bool) (*escalation.Roster, error) {
	r := &escalation.Roster{Schedules: map[int64]escalation.NamedSchedule{}, Teams: map[int64]escalation.Team{},
		People: map[int64]escalation.Person{}, Services: map[int64]string{}}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		var organization catalog.Organization
		var teams []catalog.Team
		var members []catalog.TeamMember
		var services []catalog.Service
		if err := readOrganization(g, s.db.Log, &organization); err != nil {
			return err
		}
		r.Version = organization.ConfigVersion
		if err := errors.Join(db.ReadEach(g, s.db.Log, &teams), db.ReadEach(g, s.db.Log, &services)); err != nil {
			return err
		}
		if err := db.ReadAll(g, "team_id, user_id", &members); err != nil {
			return err
		}
		for _, t := range teams {
			r.Teams[t.ID] = escalation.Team{Slug: t.Slug, Name: t.Name, Manager: int64(personOf(t.ManagerID))}
		}
		for _, m := range members {
			t := r.Teams[m.TeamID]
			t.Members = append(t.Members, m.UserID)
			r.Teams[m.TeamID] = t
		}
		for _, s := range services {
			r.Services[s.ID] = s.Name
		}
		schedules, err := readableSchedules(g, s.db.Log)
		if err != nil {
			return err
		}
		for _, s := range schedules {
			r.Schedules[s.ID] = escalation.NamedSchedule{Slug: s.Slug, Name: s.Name, Schedule: s.Schedule}
		}
		return readReach(g, s.db.Log, works, r)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func readReach(g *gorm.DB, log *slog.Logger, works func(notify.Medium) bool, r *escalation.Roster) error {
	people, err := readPeople(g, log)
	if err != nil {
		return err
	}
	for _, p := range people {
		r.People[p.user.ID] = escalation.Person{Name: p.user.Name, Email: p.user.Email, Role: string(p.user.Role),
			Reachable: p.user.Active && len(p.recipient().Working(works)) > 0}
	}
	return nil
}

// Recipients are people as pages see them, by id. Whoever was deactivated has
// no contact methods.
func (s *Store) Recipients(ctx context.Context) (map[int64]notify.Recipient, error) {
	recipients := map[int64]notify.Recipient{}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		var organization catalog.Organization
		if err := readOrganization(g, s.db.Log, &organization); err != nil {
			return err
		}
		people, err := readPeople(g, s.db.Log)
		for _, p := range people {
			r := p.recipient()
			if r.Zone == "" {
				r.Zone = organization.Timezone
			}
			recipients[r.UserID] = r
		}
		return err
	})
	return recipients, err
}

// personRow is somebody with what is theirs.
type personRow struct {
	user    auth.User
	methods []notify.ContactMethod
	rules   []notify.Rule
}

func (p *personRow) recipient() notify.Recipient {
	r := notify.Recipient{UserID: p.user.ID, Name: p.user.Name, Email: p.user.Email, Zone: p.user.Timezone}
	if p.user.Active {
		r.Methods, r.Rules = p.methods, p.rules
	}
	return r
}

// readPeople leaves out who cannot be read, and what of theirs cannot be.
func readPeople(g *gorm.DB, log *slog.Logger) ([]*personRow, error) {
	var users []auth.User
	var methods []notify.ContactMethod
	var rules []notify.Rule
	if err := errors.Join(db.ReadEach(g, log, &users), db.ReadEach(g, log, &methods), db.ReadEach(g, log, &rules)); err != nil {
		return nil, err
	}
	people := make([]*personRow, len(users))
	byID := make(map[int64]*personRow, len(users))
	for i, u := range users {
		people[i] = &personRow{user: u}
		byID[u.ID] = people[i]
	}
	for _, m := range methods {
		if p := byID[m.UserID]; p != nil {
			p.methods = append(p.methods, m)
		}
	}
	for _, rule := range rules {
		if p := byID[rule.UserID]; p != nil {
			p.rules = append(p.rules, rule)
		}
	}
	return people, nil
}

// Configuration is the whole configuration as a file describes it, with the
// keys of integrations opened.
func (s *Store) Configuration(ctx context.Context, keys *auth.Keyring) (*blueprint.State, error) {
	state := &blueprint.State{At: s.db.Now()}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error { return readConfiguration(g, keys, state) })
	return state, err
}

func readConfiguration(g *gorm.DB, keys *auth.Keyring, s *blueprint.State) error {
	if err := db.ReadAll(g, "", &s.Organization); err != nil {
		return err
	}
	if err := db.ReadAll(g, "id", &s.Users, &s.Contacts, &s.Rules, &s.Teams, &s.Deployments, &s.Services, &s.SLOs); err != nil {
		return err
	}
	if err := db.ReadAll(g, "team_id, user_id", &s.Members); err != nil {
		return err
	}
	if err := db.ReadAll(g, "service_id, deployment_id", &s.ServiceDeployments); err != nil {
		return err
	}
	if err := db.ReadAll(g, "level", &s.Priorities); err != nil {
		return err
	}
	var err error
	if s.Schedules, err = readSchedules(g, ""); err != nil {
		return err
	}
	if s.Policies, err = readPolicies(g); err != nil {
		return err
	}
	if s.Integrations, err = readIntegrations(g, keys); err != nil {
		return err
	}
	s.History, err = readHistory(g)
	return err
}

// readPolicies reads policies at their latest version.
func readPolicies(g *gorm.DB) ([]blueprint.KeptPolicy, error) {
	var rows []policyRow
	var versions []policyVersionRow
	if err := db.ReadAll(g, "id", &rows); err != nil {
		return nil, err
	}
	if err := db.ReadAll(g, "effective_at, id", &versions); err != nil {
		return nil, err
	}
	latest, since := map[int64]escalation.Policy{}, map[int64][]time.Time{}
	for _, v := range versions {
		latest[v.PolicyID] = v.Definition
		from := v.EffectiveAt
		if from.IsZero() {
			from = v.CreatedAt
		}
		since[v.PolicyID] = append(since[v.PolicyID], from.UTC())
	}
	policies := make([]blueprint.KeptPolicy, len(rows))
	for i, r := range rows {
		policies[i] = blueprint.KeptPolicy{ID: r.ID, Slug: r.Slug, Name: r.Name, TeamID: r.TeamID, Policy: latest[r.ID], Since: since[r.ID]}
	}
	return policies, nil
}

func readIntegrations(g *gorm.DB, keys *auth.Keyring) ([]blueprint.KeptIntegration, error) {
	var rows []catalog.Integration
	if err := db.ReadAll(g, "id", &rows); err != nil {
		return nil, err
	}
	kept := make([]blueprint.KeptIntegration, len(rows))
	for i, r := range rows {
		key, err := keys.Unseal(r.KeySealed)
		if err != nil {
			return nil, fmt.Errorf("open the key of the integration %s: %w", r.Slug, err)
		}
		kept[i] = blueprint.KeptIntegration{Integration: r, Key: key}
	}
	return kept, nil
}

// readHistory asks, thing by thing, whether incidents refer to it.
func readHistory(g *gorm.DB) (blueprint.History, error) {
	h := blueprint.History{Services: map[int64]bool{}, Policies: map[int64]bool{}, Priorities: map[int]bool{}}
	var services, policies []int64
	var levels []int
	for query, into := range map[string]any{
		// Each probe is answered by alerts' unique key or incidents_service.
		`SELECT id FROM services s WHERE EXISTS (SELECT 1 FROM alerts WHERE service_id = s.id)
			OR EXISTS (SELECT 1 FROM incidents WHERE service_id = s.id)`: &services,
		`SELECT DISTINCT v.policy_id FROM policy_versions v WHERE EXISTS (SELECT 1 FROM escalations WHERE policy_version_id = v.id)`: &policies,
		// incidents_open has the few that are open.
		`SELECT DISTINCT priority FROM incidents WHERE status <> 'resolved' AND priority IS NOT NULL`: &levels,
	} {
		if err := g.Raw(query).Scan(into).Error; err != nil {
			return h, fmt.Errorf("read what incidents refer to: %w", err)
		}
	}
	for _, id := range services {
		h.Services[id] = true
	}
	for _, id := range policies {
		h.Policies[id] = true
	}
	for _, level := range levels {
		h.Priorities[level] = true
	}
	return h, nil
}
