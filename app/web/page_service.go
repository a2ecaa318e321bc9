package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/services"
)

func (p *pages) listServices(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Services", layout.Services)
	if err != nil {
		return err
	}
	open, err := p.Pages.Incidents.OpenIncidents(c.Request().Context())
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, services.List(services.ListPage{Frame: frame, Services: v.picture.nodes(nil, open)}))
}

// nodes are the services below a parent, by name; nil is the top.
func (k *picture) nodes(parent *int64, open map[int64]incident.ServiceCounts) []services.Node {
	var nodes []services.Node
	for _, s := range k.Services {
		if (s.ParentID == nil) != (parent == nil) || parent != nil && *s.ParentID != *parent {
			continue
		}
		counts := open[s.ID]
		nodes = append(nodes, services.Node{
			Service: element.Ref{Slug: s.Slug, Name: s.Name}, Description: s.Description, Team: k.teamRef(s.TeamID),
			Open: counts.Open, Unanswered: counts.Unanswered, Worst: k.priority(counts.Worst), Children: k.nodes(&s.ID, open),
		})
	}
	slices.SortFunc(nodes, func(a, b services.Node) int { return cmp.Compare(a.Service.Name, b.Service.Name) })
	return nodes
}

// mostOpen bounds the open incidents that a service's page shows.
const mostOpen = 20

func (p *pages) showService(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	s, err := v.picture.service(c.Param("slug"))
	if err != nil {
		return p.nothingThere(err)
	}
	frame, err := p.frame(c, v, s.Name, layout.Services)
	if err != nil {
		return err
	}
	counts, err := p.Pages.Incidents.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	page := v.serviceFacts(s)
	page.Frame, page.Children = frame, v.picture.nodes(&s.ID, counts)
	page.Open, err = p.openOf(ctx, v, s.Slug)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, services.Service(page))
}

func (p *pages) openOf(ctx context.Context, v *visit, slug string) ([]incidents.Row, error) {
	open, err := p.Pages.Incidents.ListIncidents(ctx, incident.ListFilter{
		Service: slug, Statuses: []incident.Status{incident.Triggered, incident.Acknowledged}, Limit: mostOpen,
	})
	return v.incidentRows(open), err
}

func (v *visit) serviceFacts(s catalog.Service) services.Page {
	k := v.picture
	page := services.Page{
		Service: element.Ref{Slug: s.Slug, Name: s.Name}, Description: s.Description, Ancestors: k.ancestors(s),
		Team: k.teamRef(s.TeamID), Policy: k.policyRef(s.PolicyID), Runbook: runbookOf(s.Runbook).Link, Dashboards: elementLinks(s.Dashboards),
		ReopenWindow: element.Duration(time.Duration(s.ReopenWindow) * time.Second), Reach: k.reached(v.firstPaged(s)),
	}
	for _, pair := range k.ServiceDeployments {
		if d := k.Deployment(pair.DeploymentID); pair.ServiceID == s.ID {
			page.Deployments = append(page.Deployments, services.Deployment{Slug: d.Slug, Name: d.Name, Region: d.Region, Production: d.Kind == catalog.Production})
		}
	}
	for _, o := range k.SLOs {
		if o.ServiceID == s.ID {
			page.SLOs = append(page.SLOs, services.SLO{Name: o.Name, Endpoint: o.Endpoint, SLI: o.SLI, Objective: o.Objective,
				Window: o.Window, Priority: k.priority(o.Priority), PriorityReason: o.PriorityReason})
		}
	}
	for _, i := range k.Integrations {
		if i.ServiceID == nil || *i.ServiceID == s.ID {
			page.Integrations = append(page.Integrations, element.Ref{Slug: i.Slug, Name: i.Name})
		}
	}
	page.Integrations = byName(page.Integrations)
	return page
}

// ancestors lead from the top of the hierarchy to a service's parent.
func (k *picture) ancestors(s catalog.Service) []element.Ref {
	var refs []element.Ref
	for range len(k.Services) { // a circle would be a mistake, and must not hold a page up
		if s.ParentID == nil {
			break
		}
		s = k.Service(*s.ParentID)
		refs = append(refs, element.Ref{Slug: s.Slug, Name: s.Name})
	}
	slices.Reverse(refs)
	return refs
}

// firstPaged are those whom a breach of a service's SLO would page first if it
// came in now.
func (v *visit) firstPaged(s catalog.Service) []escalation.Reached {
	var policy escalation.Policy
	if s.PolicyID != nil {
		policy = v.picture.Policy(*s.PolicyID).Policy
	}
	firings, _ := policy.Fire(escalation.State{Phase: escalation.Stepping}, v.clock.Now, nil, func(d escalation.Decision) []escalation.Reached {
		return v.picture.roster.Resolve(d.Targets, v.clock.Now)
	})
	return firings[len(firings)-1].People
}
