package organization

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

var _ organization.Loader = (*Store)(nil)

// Versions implements organization.Loader.
func (s *Store) Versions(ctx context.Context) (organization.Versions, error) {
	config, people, err := s.db.ConfigVersions(ctx)
	return organization.Versions{Config: config, People: people}, err
}

// Load implements organization.Loader. Rows that cannot be read are left out, or read
// without the columns that cannot be, so that damaged rows do not stop the paging.
func (s *Store) Load(ctx context.Context) (*organization.State, error) {
	state := &organization.State{At: s.db.Now()}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error { return loadState(g, state) })
	return state, err
}

func loadState(g *gorm.DB, s *organization.State) error {
	l := &stateLoad{g: g, s: s}
	var integrations []catalog.Integration
	l.routing()
	load(l, &s.Users, "id", "id")
	load(l, &s.Contacts, "id", "id")
	load(l, &s.Rules, "id", "id")
	load(l, &s.Deployments, "id", "id")
	load(l, &s.SLOs, "id", "id")
	load(l, &integrations, "id", "id")
	l.pairs("team_id, user_id", &s.Members)
	l.pairs("service_id, deployment_id", &s.ServiceDeployments)
	l.schedules()
	for _, i := range integrations {
		s.Integrations = append(s.Integrations, organization.IntegrationRecord{Integration: i})
	}
	for i := range s.Users {
		s.Users[i].PasswordHash = "" // not needed by readers of the configuration
	}
	return l.failed()
}

// loadRouting reads the part of the state that routes are made of.
func loadRouting(g *gorm.DB, s *organization.State) error {
	l := &stateLoad{g: g, s: s}
	l.routing()
	return l.failed()
}

func (l *stateLoad) routing() {
	var organizations []catalog.Organization
	load(l, &organizations, "id", "id", "support_hours")
	for _, o := range organizations {
		l.s.Organization = o
	}
	load(l, &l.s.Teams, "id", "id", "support_hours")
	load(l, &l.s.Services, "id", "id", "dashboards")
	load(l, &l.s.Priorities, "level", "level", "criteria")
	l.policies()
}

func (l *stateLoad) failed() error {
	if l.err != nil {
		return fmt.Errorf("load the configuration: %w", l.err)
	}
	return nil
}

// stateLoad reads tables into a state up to the first error.
type stateLoad struct {
	g   *gorm.DB
	s   *organization.State
	err error
}

// load reads a whole table. Where it cannot be read as a whole, it is read row by
// row, by the key; a row that cannot be read is read without some columns, or left
// out, and listed in Unreadable.
func load[T any](l *stateLoad, rows *[]T, key, order string, without ...string) {
	if l.err != nil {
		return
	}
	if l.err = l.g.Order(order).Find(rows).Error; !db.IsDataError(l.err) {
		return
	}
	*rows = nil
	statement := &gorm.Statement{DB: l.g}
	var keys []int64
	if l.err = statement.Parse(new(T)); l.err != nil {
		return
	}
	if l.err = l.g.Model(new(T)).Order(order).Pluck(key, &keys).Error; l.err != nil {
		return
	}
	for _, k := range keys {
		row, unreadable, err := loadRow[T](l.g, key, k, without)
		if l.err = err; err != nil {
			return
		}
		if row != nil {
			*rows = append(*rows, *row)
		}
		if unreadable != nil {
			l.s.Unreadable = append(l.s.Unreadable, organization.Unreadable{Table: statement.Table, ID: k, Err: unreadable})
		}
	}
}

// loadRow is nil for a row that cannot be read even without some columns.
func loadRow[T any](g *gorm.DB, key string, k int64, without []string) (row *T, unreadable, err error) {
	row = new(T)
	unreadable = g.Where(key+" = ?", k).Take(row).Error
	if !db.IsDataError(unreadable) {
		return row, nil, unreadable
	}
	if len(without) == 0 {
		return nil, unreadable, nil
	}
	row = new(T)
	if err = g.Omit(without...).Where(key+" = ?", k).Take(row).Error; db.IsDataError(err) {
		return nil, unreadable, nil
	}
	return row, unreadable, err
}

// pairs reads a table that has only ids.
func (l *stateLoad) pairs(order string, rows any) {
	if l.err == nil {
		l.err = l.g.Order(order).Find(rows).Error
	}
}

func (l *stateLoad) schedules() {
	var rows []scheduleRow
	var versions []scheduleVersionRow
	var overrides []overrideRow
	load(l, &rows, "id", "id")
	load(l, &versions, "id", "effective_at, id")
	all := l.g
	l.g = all.Where("removed_at IS NULL").Session(&gorm.Session{})
	load(l, &overrides, "id", "id")
	l.g = all
	l.s.Schedules = assemble(rows, versions, overrides)
}

// policies keeps a version whose definition cannot be read: it stays in force, and
// the people paged by it are told why.
func (l *stateLoad) policies() {
	var rows []policyRow
	var versions []policyVersionRow
	load(l, &rows, "id", "id")
	load(l, &versions, "id", "effective_at, id", "definition")
	unreadable := map[int64]error{}
	for _, u := range l.s.Unreadable {
		if u.Table == (policyVersionRow{}).TableName() {
			unreadable[u.ID] = u.Err
		}
	}
	of := map[int64][]organization.PolicyVersion{}
	for _, v := range versions {
		of[v.PolicyID] = append(of[v.PolicyID], organization.PolicyVersion{ID: v.ID, Effective: v.EffectiveAt.UTC(), CreatedAt: v.CreatedAt.UTC(),
			Policy: v.Definition, Err: unreadable[v.ID]})
	}
	for _, r := range rows {
		p := organization.PolicyRecord{ID: r.ID, Slug: r.Slug, Name: r.Name, TeamID: r.TeamID, Versions: of[r.ID]}
		for _, v := range p.Versions {
			if v.Err == nil {
				p.Policy = v.Policy
			}
		}
		l.s.Policies = append(l.s.Policies, p)
	}
}

// View is a view of the present configuration, which is not cached. works reports
// whether a medium has a channel that works.
func (s *Store) View(ctx context.Context, works func(notify.Medium) bool) (*organization.View, error) {
	state, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	return organization.NewView(state, works), nil
}

// History is what incidents refer to.
func (s *Store) History(ctx context.Context) (organization.History, error) {
	var h organization.History
	err := s.db.Snapshot(ctx, func(g *gorm.DB) (err error) {
		h, err = readHistory(g)
		return err
	})
	return h, err
}

// sealing is the Store for an organization.Editor.
type sealing struct {
	*Store
	keys *auth.Keyring
}

// Apply implements organization.Store.
func (s sealing) Apply(ctx context.Context, by auth.Actor, plan *organization.Plan) (organization.Applied, error) {
	return s.Store.Apply(ctx, by, s.keys, plan)
}

// Editor makes edits of the configuration. The keys of integrations are sealed
// with keys.
func (s *Store) Editor(keys *auth.Keyring) *organization.Editor {
	return &organization.Editor{Store: sealing{s, keys}, Unseal: keys.Unseal, Now: s.db.Now}
}

// PeopleEditor makes edits of single people. It opens no keys of integrations, so
// that it works without them.
func (s *Store) PeopleEditor() organization.PeopleEditor {
	unopened := func([]byte) (string, error) { return "", nil }
	return organization.PeopleEditor{Editor: &organization.Editor{Store: sealing{s, nil}, Unseal: unopened, Now: s.db.Now}}
}

// readHistory asks, thing by thing, whether incidents refer to it.
func readHistory(g *gorm.DB) (organization.History, error) {
	h := organization.History{Services: map[int64]bool{}, Policies: map[int64]bool{}, Priorities: map[int]bool{}}
	var services, policies []int64
	var levels []int
	for query, into := range map[string]any{
		// Each probe is answered by alerts' unique key or incidents_service.
		`SELECT id FROM services s WHERE EXISTS (SELECT 1 FROM alerts WHERE service_id = s.id)
			OR EXISTS (SELECT 1 FROM incidents WHERE service_id = s.id)`: &services,
		`SELECT DISTINCT v.policy_id FROM policy_versions v WHERE EXISTS (SELECT 1 FROM escalations WHERE policy_version_id = v.id)`: &policies,
		// incidents_open has the few that are open.
		`SELECT DISTINCT priority FROM incidents WHERE ` + paging.OpenIncident + ` AND priority IS NOT NULL`: &levels,
	} {
		if err := g.Raw(query).Scan(into).Error; err != nil {
			return h, fmt.Errorf("read references of incidents: %w", err)
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
