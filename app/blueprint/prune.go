package blueprint

import (
	"maps"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// prune takes out of the desired document what the file leaves out of the
// sections that it gives, where nothing that stays refers to it. What refers
// goes before what is referred to.
func (p *planner) prune() {
	if !p.options.Prune {
		return
	}
	g := p.file.given
	d, why := p.desired, map[string]string{}
	d.Integrations = pruned(p, why, OfIntegration, g("integrations"), d.Integrations, Integration.key, func(Integration) string { return "" })
	for before := -1; before != len(d.Services); { // the last child to go frees its parent
		before = len(d.Services)
		d.Services = pruned(p, why, OfService, g("services"), d.Services, Service.key, p.serviceInUse)
	}
	d.EscalationPolicies = pruned(p, why, OfPolicy, g("escalation_policies"), d.EscalationPolicies, Policy.key, p.policyInUse)
	d.Schedules = pruned(p, why, OfSchedule, g("schedules"), d.Schedules, Schedule.key, p.scheduleInUse)
	d.Teams = pruned(p, why, OfTeam, g("teams"), d.Teams, Team.key, p.teamInUse)
	d.Deployments = pruned(p, why, OfDeployment, g("deployments"), d.Deployments, Deployment.key, p.deploymentInUse)
	d.Priorities = pruned(p, why, OfPriority, g("priorities"), d.Priorities, Priority.key, p.priorityInUse)
	p.pruneUsers(why)
	for _, words := range slices.Sorted(maps.Keys(why)) {
		p.note("%s stays: it is in use by %s.", words, why[words])
	}
}

// pruned is what is left of a section. inUse names what refers to a thing, or
// is empty; it goes into why.
func pruned[T any](p *planner, why map[string]string, kind Kind, given bool, list []T, key func(T) string, inUse func(T) string) []T {
	if !given {
		return list
	}
	var left []T
	for _, v := range list {
		e := p.entry(kind, key(v))
		if e.path != "" {
			left = append(left, v)
			continue
		}
		if by := inUse(v); by != "" {
			why[e.words] = by
			left = append(left, v)
			continue
		}
		delete(why, e.words)
		p.removed = append(p.removed, Change{Op: Delete, Kind: kind, Key: key(v)})
	}
	return left
}

// pruneUsers deactivates people whom nothing refers to. Administrators are
// deactivated by hand, so that no file locks its own author out.
func (p *planner) pruneUsers(why map[string]string) {
	if !p.file.given("users") {
		return
	}
	for i := range p.desired.Users {
		u := &p.desired.Users[i]
		e := p.entry(OfUser, u.Email)
		switch by := p.userInUse(u.Email); {
		case e.path != "" || u.Deactivated:
		case u.Role == string(auth.Administrator):
			p.note("%s stays: administrators are deactivated by hand.", e.words)
		case by != "":
			why[e.words] = by
		default:
			u.Deactivated = true
		}
	}
}

func (p *planner) serviceInUse(s Service) string {
	for _, v := range p.state.Services {
		if v.Slug == s.Slug && p.state.History.Services[v.ID] {
			return "incidents"
		}
	}
	if p.desired.Organization.CatchAllService == s.Slug {
		return "the organization, as its catch-all service"
	}
	return first(
		using(p.desired.Services, "service ", Service.key, func(v Service) bool { return v.Parent == s.Slug }),
		using(p.desired.Integrations, "integration ", Integration.key, func(v Integration) bool { return v.Service == s.Slug }))
}

func (p *planner) policyInUse(v Policy) string {
	for _, k := range p.state.Policies {
		if k.Slug == v.Slug && p.state.History.Policies[k.ID] {
			return "incidents"
		}
	}
	return using(p.desired.Services, "service ", Service.key, func(s Service) bool { return s.EscalationPolicy == v.Slug })
}

func (p *planner) scheduleInUse(s Schedule) string {
	return p.targeting(func(t Target) bool { return t.Schedule == s.Slug })
}

func (p *planner) teamInUse(t Team) string {
	d := p.desired
	return first(
		using(d.Services, "service ", Service.key, func(v Service) bool { return v.Team == t.Slug }),
		using(d.Schedules, "schedule ", Schedule.key, func(v Schedule) bool { return v.Team == t.Slug }),
		using(d.EscalationPolicies, "escalation policy ", Policy.key, func(v Policy) bool { return v.Team == t.Slug }),
		p.targeting(func(v Target) bool { return v.Team == t.Slug }))
}

func (p *planner) deploymentInUse(v Deployment) string {
	return using(p.desired.Services, "service ", Service.key, func(s Service) bool { return slices.Contains(s.Deployments, v.Slug) })
}

func (p *planner) priorityInUse(v Priority) string {
	if p.state.History.Priorities[v.Level] {
		return "open incidents"
	}
	return first(
		using(p.desired.Services, "service ", Service.key, func(s Service) bool {
			return slices.ContainsFunc(s.SLOs, func(o SLO) bool { return o.Priority != nil && *o.Priority == v.Level })
		}),
		using(p.desired.EscalationPolicies, "escalation policy ", Policy.key, func(q Policy) bool {
			return slices.ContainsFunc(q.Steps, func(s Step) bool { _, named := s.TimeoutFor[v.Name]; return named })
		}))
}

func (p *planner) userInUse(email string) string {
	return first(
		using(p.desired.Teams, "team ", Team.key, func(t Team) bool { return t.Manager == email || slices.Contains(t.Members, email) }),
		using(p.desired.Schedules, "schedule ", Schedule.key, func(s Schedule) bool { return s.names(email) }),
		p.targeting(func(t Target) bool { return t.User == email }))
}

// names reports whether a schedule, or an override that is not over, names a
// person.
func (s Schedule) names(email string) bool {
	return slices.ContainsFunc(s.Layers, func(l Layer) bool { return slices.Contains(l.Members, email) }) ||
		slices.ContainsFunc(s.Shadows, func(w Shadow) bool { return w.User == email }) ||
		slices.ContainsFunc(s.Overrides, func(o Override) bool {
			return slices.Contains([]string{o.Replace, o.With, o.Add, o.Remove}, email)
		})
}

// targeting names a policy one of whose targets is meant.
func (p *planner) targeting(meant func(Target) bool) string {
	return using(p.desired.EscalationPolicies, "escalation policy ", Policy.key, func(v Policy) bool {
		return slices.ContainsFunc(v.Fallback, meant) ||
			slices.ContainsFunc(v.Steps, func(s Step) bool { return slices.ContainsFunc(s.Targets, meant) })
	})
}

// using names the first in a list that refers to a thing, or is empty.
func using[T any](list []T, what string, key func(T) string, refers func(T) bool) string {
	if i := slices.IndexFunc(list, refers); i >= 0 {
		return what + key(list[i])
	}
	return ""
}

func first(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}
