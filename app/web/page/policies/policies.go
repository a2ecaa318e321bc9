// Package policies has the pages about escalation policies.
package policies

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/policies"
)

type handlers struct{ *page.Pages }

// Mount adds the pages.
func Mount(pages *page.Pages) {
	p := &handlers{pages}
	p.Routes.Get("/policies", p.Require(auth.ViewPolicies, p.listPolicies))
	p.Routes.Get("/policies/:slug", p.Require(auth.ViewPolicies, p.showPolicy))
}

func (p *handlers) listPolicies(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Escalation policies", layout.Policies)
	if err != nil {
		return err
	}
	data := view.ListPage{Frame: frame}
	for _, k := range slices.SortedFunc(slices.Values(req.Config.Policies), func(a, b organization.PolicyRecord) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug))
	}) {
		data.Policies = append(data.Policies, view.ListRow{
			Policy: element.Ref{Slug: k.Slug, Name: k.Name}, Team: req.Config.TeamRef(k.TeamID), Steps: stepRows(req, k.Policy),
			Repeat: k.Policy.Repeat, Services: len(servicesBy(req.Config, k.ID)),
		})
	}
	return page.Render(c, http.StatusOK, view.List(data))
}

func (p *handlers) showPolicy(c echo.Context, req *page.Request) error {
	i := slices.IndexFunc(req.Config.Policies, func(k organization.PolicyRecord) bool { return k.Slug == c.Param("slug") })
	if i < 0 {
		return fault.NotFound("There is no escalation policy %q.", c.Param("slug"))
	}
	k := req.Config.Policies[i]
	frame, err := p.Frame(c, req, k.Name, layout.Policies)
	if err != nil {
		return err
	}
	effective, earlier := page.InForce(k.Since(), req.Clock.Now)
	return page.Render(c, http.StatusOK, view.Policy(view.Page{
		Frame: frame, Effective: effective, Earlier: earlier, Policy: element.Ref{Slug: k.Slug, Name: k.Name}, Team: req.Config.TeamRef(k.TeamID), Steps: stepRows(req, k.Policy),
		Repeat: k.Policy.Repeat, Fallback: targetRows(req, k.Policy.Fallback), Services: servicesBy(req.Config, k.ID),
	}))
}

// servicesBy are the services that use a policy, by name.
func servicesBy(config *page.Config, policyID int64) []element.Ref {
	return config.ServicesWhere(func(s catalog.Service) bool { return s.PolicyID != nil && *s.PolicyID == policyID })
}

func stepRows(req *page.Request, policy escalation.Policy) []view.Step {
	steps := make([]view.Step, len(policy.Steps))
	for i, s := range policy.Steps {
		steps[i] = view.Step{Targets: targetRows(req, s.Targets), Timeout: s.After(nil)}
		for _, p := range req.Config.Priorities { // the most urgent first
			if seconds, differs := s.TimeoutFor[p.Level]; differs {
				steps[i].TimeoutFor = append(steps[i].TimeoutFor, view.PriorityTimeout{
					Priority: element.Priority{Level: p.Level, Name: p.Name}, Timeout: time.Duration(seconds) * time.Second,
				})
			}
		}
	}
	return steps
}

// targetRows are targets with the people that they resolve to now, reachable or not.
func targetRows(req *page.Request, targets []escalation.Target) []view.Target {
	words := req.Config.Roster.Describe(targets)
	all := make([]view.Target, len(targets))
	for i, t := range targets {
		people := req.Config.Everybody.Resolve([]escalation.Target{t}, req.Clock.Now)
		all[i] = view.Target{Words: words[i], Href: targetAddress(req.Config, t), Now: req.Config.Reached(people)}
		for _, person := range all[i].Now {
			if req.Config.Unreachable(person.ID) {
				all[i].Unreachable++
			}
		}
	}
	return all
}

// targetAddress is the page of a target; empty where it has none.
func targetAddress(config *page.Config, t escalation.Target) string {
	switch {
	case t.Schedule != 0:
		return "/schedules/" + config.Roster.Schedules[t.Schedule].Slug
	case t.User != 0:
		return fmt.Sprintf("/people/%d", t.User)
	case t.Team != 0:
		return "/teams/" + config.Roster.Teams[t.Team].Slug
	}
	return ""
}
