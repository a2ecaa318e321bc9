package services

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/services"
)

func (p *handlers) listServices(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Services", layout.Services)
	if err != nil {
		return err
	}
	open, err := p.openCounts(c.Request().Context(), req)
	if err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.List(view.ListPage{Frame: frame, Services: nodes(req.Config, nil, open)}))
}

// nodes are the services below a parent, by name; nil is the top.
func nodes(config *page.Config, parent *int64, open map[int64]incident.ServiceCounts) []view.Node {
	var all []view.Node
	for _, s := range config.Services {
		if (s.ParentID == nil) != (parent == nil) || parent != nil && *s.ParentID != *parent {
			continue
		}
		counts := open[s.ID]
		all = append(all, view.Node{
			Service: element.Ref{Slug: s.Slug, Name: s.Name}, Description: s.Description, Team: config.TeamRef(s.TeamID),
			Open: counts.Open, Unanswered: counts.Unanswered, Worst: config.Priority(counts.Worst), Children: nodes(config, &s.ID, open),
		})
	}
	slices.SortFunc(all, func(a, b view.Node) int { return cmp.Compare(a.Service.Name, b.Service.Name) })
	return all
}

// maxOpen and maxChanges bound what a service's page shows.
const (
	maxOpen    = 20
	maxChanges = 10
)

func (p *handlers) showService(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	s, err := req.Config.ServiceNamed(c.Param("slug"))
	if err != nil {
		return page.NotFound(err)
	}
	frame, err := p.Frame(c, req, s.Name, layout.Services)
	if err != nil {
		return err
	}
	counts, err := p.openCounts(ctx, req)
	if err != nil {
		return err
	}
	data := serviceFacts(req, s)
	data.Frame, data.Children = frame, nodes(req.Config, &s.ID, counts)
	if !req.May(auth.ViewIncidents) {
		data.Integrations = nil
		return page.Render(c, http.StatusOK, view.Service(data))
	}
	data.Open, err = p.openOf(ctx, req, s.Slug)
	if err != nil {
		return err
	}
	// A sender's clock may be ahead, so the future counts too.
	changes, err := p.Changes.ChangesBefore(ctx, s.ID, req.Clock.Now.Add(time.Hour), maxChanges)
	if err != nil {
		return err
	}
	data.Changes = page.Changes(changes)
	return page.Render(c, http.StatusOK, view.Service(data))
}

// openCounts are none for a reader who may not see incidents.
func (p *handlers) openCounts(ctx context.Context, req *page.Request) (map[int64]incident.ServiceCounts, error) {
	if !req.May(auth.ViewIncidents) {
		return nil, nil //nolint:nilnil // no service has open incidents that the reader may see
	}
	return p.Incidents.OpenIncidents(ctx)
}

func (p *handlers) openOf(ctx context.Context, req *page.Request, slug string) ([]incidents.Row, error) {
	open, err := p.Incidents.ListIncidents(ctx, incident.ListFilter{
		Service: slug, Statuses: []incident.Status{incident.Triggered, incident.Acknowledged}, Limit: maxOpen,
	})
	return req.IncidentRows(open), err
}

func serviceFacts(req *page.Request, s catalog.Service) view.Page {
	config := req.Config
	data := view.Page{
		Service: element.Ref{Slug: s.Slug, Name: s.Name}, Description: s.Description, Ancestors: ancestors(config, s),
		Team: config.TeamRef(s.TeamID), Policy: config.PolicyRef(s.PolicyID), Runbook: page.RunbookOf(s.Runbook).Link, Dashboards: page.Links(s.Dashboards),
		ReopenWindow: element.Duration(time.Duration(s.ReopenWindow) * time.Second), Reach: reach(req, s),
	}
	for _, pair := range config.ServiceDeployments {
		if d := config.Deployment(pair.DeploymentID); pair.ServiceID == s.ID {
			data.Deployments = append(data.Deployments, view.Deployment{Slug: d.Slug, Name: d.Name, Region: d.Region, Production: d.Kind == catalog.Production})
		}
	}
	for _, o := range config.SLOs {
		if o.ServiceID == s.ID {
			data.SLOs = append(data.SLOs, view.SLO{Name: o.Name, Endpoint: o.Endpoint, SLI: o.SLI, Objective: o.Objective,
				Window: o.Window, Default: o.Default, Deployments: deploymentNames(config, o.Deployments), Priority: config.Priority(o.Priority), PriorityReason: o.PriorityReason})
		}
	}
	for _, i := range config.Integrations {
		if i.ServiceID == nil || *i.ServiceID == s.ID {
			data.Integrations = append(data.Integrations, element.Ref{Slug: i.Slug, Name: i.Name})
		}
	}
	data.Integrations = page.SortByName(data.Integrations)
	return data
}

// reach is whom a signal for a service would page first now.
func reach(req *page.Request, s catalog.Service) view.Reach {
	firings := req.FirstFirings(s, nil)
	last := firings[len(firings)-1]
	r := view.Reach{People: req.Config.Reached(last.People), By: view.ByStep, Step: last.Step + 1, HeldUntil: last.HeldUntil}
	switch last.Phase {
	case escalation.PhaseFallback:
		r.By = view.ByFallback
	case escalation.PhaseAdministrators:
		r.By = view.ByAdministrators
	}
	for _, f := range firings {
		if f.Phase == escalation.PhaseAdministrators {
			continue
		}
		for _, u := range req.Config.Roster.Unreached(f.Targets, req.Clock.Now) {
			if person := req.Config.Person(u.Person); !slices.Contains(r.Unreached, person) && !slices.Contains(r.People, person) {
				r.Unreached = append(r.Unreached, person)
			}
		}
	}
	return r
}

func deploymentNames(config *page.Config, slugs []string) []string {
	var names []string
	for _, slug := range slugs {
		if d, err := config.DeploymentBySlug(slug); err == nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// ancestors lead from the top of the hierarchy to a service's parent.
func ancestors(config *page.Config, s catalog.Service) []element.Ref {
	var refs []element.Ref
	for range len(config.Services) { // a circle would be a mistake, and must not hold a page up
		if s.ParentID == nil {
			break
		}
		s = config.Service(*s.ParentID)
		refs = append(refs, element.Ref{Slug: s.Slug, Name: s.Name})
	}
	slices.Reverse(refs)
	return refs
}
