package organization

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Routes are where incidents go. Their version is read inside the transaction,
// and the rest only when it has changed.
func (s *Store) Routes(ctx context.Context, tx *db.Tx) (*organization.Routes, error) {
	var version int64
	if err := tx.Query(ctx, db.ReadConfigVersion(&version)); err != nil {
		return nil, err
	}
	return s.RoutesAt(ctx, tx, version)
}

// LoadRoutes reads the routes, unless the cached copy is current.
func (s *Store) LoadRoutes(ctx context.Context) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		_, err := s.Routes(ctx, tx)
		return err
	})
}

// RoutesAt is the cached copy where it has this version, which was read in the
// present transaction.
func (s *Store) RoutesAt(ctx context.Context, tx *db.Tx, version int64) (*organization.Routes, error) {
	if kept := s.routes.Load(); kept != nil && kept.Version == version {
		return kept, nil
	}
	g, err := tx.GormReads(ctx)
	if err != nil {
		return nil, err
	}
	var state organization.State
	if err := loadRouting(g, &state); err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	routes := state.Routes()
	tx.After = append(tx.After, func() { s.routes.Store(routes) })
	return routes, nil
}
