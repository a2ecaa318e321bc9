package organization

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

var _ organization.Loader = (*Store)(nil)

// Versions implements organization.Loader.
func (s *Store) Versions(ctx context.Context) (organization.Versions, error) {
	version, err := s.db.ConfigVersion(ctx)
	return organization.Versions{Config: version}, err
}

// Load implements organization.Loader. Rows that cannot be read are left out, or
// read without what cannot be, rather than that nobody is paged.
func (s *Store) Load(ctx context.Context) (*organization.State, error) {
	state := &organization.State{At: s.db.Now()}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error { return loadState(g, state) })
	return state, err
}

func loadState(g *gorm.DB, s *organization.State) error {
	l := &stateLoad{g: g, s: s}
	var organizations []catalog.Organization
	var integrations []catalog.Integration
	load(l, &organizations, "id", "id", "support_hours")
	load(l, &s.Users, "id", "id")
	load(l, &s.Contacts, "id", "id")
	load(l, &s.Rules, "id", "id")
	load(l, &s.Teams, "id", "id", "support_hours")
	load(l, &s.Deployments, "id", "id")
	load(l, &s.Services, "id", "id", "dashboards")
	load(l, &s.SLOs, "id", "id")
	load(l, &s.Priorities, "level", "level", "criteria")
	load(l, &integrations, "id", "id")
	l.pairs("team_id, user_id", &s.Members)
	l.pairs("service_id, deployment_id", &s.ServiceDeployments)
	l.schedules()
	l.policies()
	if l.err != nil {
		return fmt.Errorf("load the configuration: %w", l.err)
	}
	for _, o := range organizations {
		s.Organization = o
	}
	for _, i := range integrations {
		s.Integrations = append(s.Integrations, organization.IntegrationRecord{Integration: i})
	}
	for i := range s.Users {
		s.Users[i].PasswordHash = "" // nobody who reads the configuration needs it
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
// out, and noted.
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

// pairs reads a table of nothing but ids.
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

// policies keep a version whose definition cannot be read: it is in force, and
// whoever is paged by it learns why.
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
	return s.apply(ctx, by, s.keys, plan)
}

// Editor makes edits of the configuration. The keys of integrations are sealed
// with keys.
func (s *Store) Editor(keys *auth.Keyring) *organization.Editor {
	return &organization.Editor{Store: sealing{s, keys}, Unseal: keys.Unseal, Now: s.db.Now}
}
