package server

import (
	"context"

	"github.com/tocsin-oncall/tocsin/app/store"
)

// preload reads the configuration, and derives from it what signals and pages need. It
// costs two queries once that is done.
func preload(ctx context.Context, configuration Configuration, db *store.Store) error {
	view, err := configuration.View(ctx)
	if err != nil {
		return err
	}
	view.Catalog()
	view.Roster()
	view.Recipients()
	return db.Organization.LoadRoutes(ctx)
}
