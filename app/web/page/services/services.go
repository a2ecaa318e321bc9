// Package services has the pages about services.
package services

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// Incidents reads the incidents of services.
type Incidents interface {
	ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error)
	// OpenIncidents counts those of each service.
	OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error)
}

// Changes reads the changes of services.
type Changes interface {
	// ChangesBefore are the last changes of a service at or before an instant,
	// newest first.
	ChangesBefore(ctx context.Context, serviceID int64, at time.Time, limit int) ([]ingest.RecordedChange, error)
}

// Deps is what the pages need. All are required.
type Deps struct {
	Incidents Incidents
	Changes   Changes
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/services", p.Require(auth.ViewCatalog, p.listServices))
	p.Routes.Get("/services/:slug", p.Require(auth.ViewCatalog, p.showService))
}
