package organization

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
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
	for _, k := range kinds {
		l.run(k.routing)
		l.run(k.load)
	}
	s.MarkLeft()
	return l.failed()
}

// loadRouting reads the part of the state that routes are made of.
func loadRouting(g *gorm.DB, s *organization.State) error {
	l := &stateLoad{g: g, s: s}
	for _, k := range kinds {
		l.run(k.routing)
	}
	return l.failed()
}

func (l *stateLoad) run(read func(*stateLoad)) {
	if read != nil {
		read(l)
	}
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

// View is a view of the present configuration, which is not cached. works reports
// whether a medium has a channel that works.
func (s *Store) View(ctx context.Context, works func(notify.Medium) bool) (*organization.View, error) {
	state, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	return organization.NewView(state, works), nil
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
