// Package incidents has the pages about incidents: the list, one incident, and why
// somebody was paged for it.
package incidents

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/manual"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// Incidents reads incidents. A number that does not exist is a fault of kind not
// found.
type Incidents interface {
	ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error)
	// MatchingIncidents counts what a filter finds in any status.
	MatchingIncidents(ctx context.Context, f incident.ListFilter, userID int64) (incident.Matches, error)
	// OpenIncidents counts those of each service.
	OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error)
	Incident(ctx context.Context, number int64) (incident.Row, error)
	// IncidentsNumbered leaves out those that do not exist.
	IncidentsNumbered(ctx context.Context, numbers []int64) ([]incident.Row, error)
	EarlierIncidents(ctx context.Context, inc incident.Incident, limit int) ([]incident.Row, error)
	LatestAlert(ctx context.Context, number int64) (incident.AlertRecord, error)
	// Alerts are those of an incident, firing ones first, without their bodies.
	Alerts(ctx context.Context, number int64, limit int) ([]incident.AlertRecord, error)
	Timeline(ctx context.Context, number, after int64, limit int) ([]incident.TimelineEvent, error)
	IncidentEscalations(ctx context.Context, number int64) ([]incident.EscalationRecord, error)
	IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error)
}

// Changes reads the changes of services.
type Changes interface {
	// ChangesBefore are the last changes of a service at or before an instant,
	// newest first.
	ChangesBefore(ctx context.Context, serviceID int64, at time.Time, limit int) ([]ingest.RecordedChange, error)
}

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
	DoMany(ctx context.Context, numbers []int64, by incident.By, act incident.Act) (incident.BulkOutcome, error)
}

// Manual opens incidents and pages people by hand: manual.Service.
type Manual interface {
	Open(ctx context.Context, actor auth.Actor, r manual.Report, idempotencyKey string) (int64, error)
	Page(ctx context.Context, actor auth.Actor, by incident.By, p manual.Page, idempotencyKey string) (int64, error)
}

// Deps is what the pages need. All are required.
type Deps struct {
	Incidents Incidents
	Changes   Changes
	Actions   Actions
	Manual    Manual
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/incidents", p.Require(auth.ViewIncidents, p.listIncidents))
	for _, b := range bulkActs {
		p.Routes.Post("/incidents/"+b.name, p.Require(auth.ActOnIncident, p.bulk(b)))
	}
	p.Routes.Post("/incidents/undo", p.Require(auth.ActOnIncident, p.undoMany))
	p.Routes.Get("/incidents/:number/responders", p.Require(web.ActPermission("responders"), p.showAsk))
	p.Routes.Get("/incidents/:number/handover", p.Require(web.ActPermission("handover"), p.showAsk))
	p.Routes.Get("/incidents/new", p.Require(auth.ActOnIncident, p.openingForm))
	p.Routes.Post("/incidents/new", p.Require(auth.ActOnIncident, p.open))
	p.Routes.Get("/page", p.Require(auth.Page, p.pagingForm))
	p.Routes.Post("/page", p.Require(auth.Page, p.page))
	p.Routes.Get("/incidents/:number", p.Require(auth.ViewIncidents, p.showIncident))
	for _, kind := range incident.ActKinds {
		if kind.Web {
			p.Routes.Post("/incidents/:number/"+kind.Name, p.Require(web.ActPermission(kind.Name), p.act(kind)))
		}
	}
	p.Routes.Get("/incidents/:number/pages/:id", p.Require(auth.ViewIncidents, p.why))
}
