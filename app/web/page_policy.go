package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/policies"
)

func (p *pages) listPolicies(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Escalation policies", layout.OnCall)
	if err != nil {
		return err
	}
	page := policies.ListPage{Frame: frame}
	for _, k := range slices.SortedFunc(slices.Values(v.picture.Policies), func(a, b organization.PolicyRecord) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug))
	}) {
		page.Policies = append(page.Policies, policies.ListRow{
			Policy: element.Ref{Slug: k.Slug, Name: k.Name}, Team: v.picture.teamRef(k.TeamID), Steps: v.steps(k.Policy),
			Repeat: k.Policy.Repeat, Services: len(v.picture.servicesBy(k.ID)),
		})
	}
	return render(c, http.StatusOK, policies.List(page))
}

func (p *pages) showPolicy(c echo.Context, v *visit) error {
	i := slices.IndexFunc(v.picture.Policies, func(k organization.PolicyRecord) bool { return k.Slug == c.Param("slug") })
	if i < 0 {
		return fault.NotFound("There is no escalation policy %q.", c.Param("slug"))
	}
	k := v.picture.Policies[i]
	frame, err := p.frame(c, v, k.Name, layout.Policies)
	if err != nil {
		return err
	}
	effective, earlier := inForce(k.Since(), v.clock.Now)
	return render(c, http.StatusOK, policies.Policy(policies.Page{
		Frame: frame, Effective: effective, Earlier: earlier, Policy: element.Ref{Slug: k.Slug, Name: k.Name}, Team: v.picture.teamRef(k.TeamID), Steps: v.steps(k.Policy),
		Repeat: k.Policy.Repeat, Fallback: v.targets(k.Policy.Fallback), Services: v.picture.servicesBy(k.ID),
	}))
}

// servicesBy are those that go by a policy, by name.
func (k *picture) servicesBy(policyID int64) []element.Ref {
	return k.servicesWhere(func(s catalog.Service) bool { return s.PolicyID != nil && *s.PolicyID == policyID })
}

func (k *picture) servicesWhere(is func(catalog.Service) bool) []element.Ref {
	var refs []element.Ref
	for _, s := range k.Services {
		if is(s) {
			refs = append(refs, element.Ref{Slug: s.Slug, Name: s.Name})
		}
	}
	return byName(refs)
}

func (v *visit) steps(policy escalation.Policy) []policies.Step {
	steps := make([]policies.Step, len(policy.Steps))
	for i, s := range policy.Steps {
		steps[i] = policies.Step{Targets: v.targets(s.Targets), Timeout: s.After(nil)}
		for _, p := range v.picture.Priorities { // the most urgent first
			if seconds, differs := s.TimeoutFor[p.Level]; differs {
				steps[i].TimeoutFor = append(steps[i].TimeoutFor, policies.PriorityTimeout{
					Priority: element.Priority{Level: p.Level, Name: p.Name}, Timeout: time.Duration(seconds) * time.Second,
				})
			}
		}
	}
	return steps
}

// targets are whom a policy names, with whoever stands behind it now, reachable
// or not.
func (v *visit) targets(targets []escalation.Target) []policies.Target {
	words := v.picture.roster.Describe(targets)
	all := make([]policies.Target, len(targets))
	for i, t := range targets {
		people := v.picture.everybody.Resolve([]escalation.Target{t}, v.clock.Now)
		all[i] = policies.Target{Words: words[i], Href: v.picture.targetPage(t), Now: v.picture.reached(people)}
		for _, person := range all[i].Now {
			if v.picture.unreachable(person.ID) {
				all[i].Unreachable++
			}
		}
	}
	return all
}

// targetPage is where a target is shown; empty where it has no page.
func (k *picture) targetPage(t escalation.Target) string {
	switch {
	case t.Schedule != 0:
		return "/schedules/" + k.roster.Schedules[t.Schedule].Slug
	case t.User != 0:
		return fmt.Sprintf("/people/%d", t.User)
	case t.Team != 0:
		return "/teams/" + k.roster.Teams[t.Team].Slug
	}
	return ""
}
