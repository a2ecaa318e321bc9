package organization

import (
	"maps"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
)

// Remove deletes a thing to which nothing that stays refers, whatever else the
// edits make of it. A person is deactivated. The organisation cannot be removed.
type Remove struct {
	Kind Kind
	// Key is a slug, an address, or a level.
	Key string
	// IfUnused leaves alone what is in use, what does not exist, and
	// administrators, and notes it in the plan. Otherwise that is a problem.
	IfUnused bool
	// Path is where a problem is; empty makes one of kind and key.
	Path string
}

func (r *Remove) subject() (Kind, string) { return r.Kind, r.Key }

// removes reports whether planning an edit needs the State's History.
func removes(e Edit) bool {
	_, ok := e.(*Remove)
	return ok
}

func (r *Remove) check(c *checker) {
	if r.Kind == KindOrganization || orderOf(r.Kind) == len(kinds) {
		c.wrong(r.Path, "A thing of kind %s cannot be removed.", r.Kind)
	}
}

func (r *Remove) apply(d *draft) { d.removals[r.Kind] = append(d.removals[r.Kind], r) }

func (r *Remove) thing() thing {
	return thing{words: wordsOf(r.Kind, r.Key), path: Input{Path: r.Path}.path(r.Kind, r.Key), touched: true}
}

// remove takes out of the desired document what is to be removed and what
// nothing that stays refers to. What refers goes before what is referred to.
func (d *draft) remove() {
	if len(d.removals) == 0 {
		return
	}
	is, why := d.desired, map[*Remove]string{}
	is.Integrations = removed(d, why, KindIntegration, is.Integrations, Integration.key, func(Integration) string { return "" })
	for before := -1; before != len(is.Services); { // the last child to go frees its parent
		before = len(is.Services)
		is.Services = removed(d, why, KindService, is.Services, Service.key, d.serviceInUse)
	}
	is.EscalationPolicies = removed(d, why, KindPolicy, is.EscalationPolicies, Policy.key, d.policyInUse)
	is.Schedules = removed(d, why, KindSchedule, is.Schedules, Schedule.key, d.scheduleInUse)
	is.Teams = removed(d, why, KindTeam, is.Teams, Team.key, d.teamInUse)
	is.Deployments = removed(d, why, KindDeployment, is.Deployments, Deployment.key, d.deploymentInUse)
	is.Priorities = removed(d, why, KindPriority, is.Priorities, Priority.key, d.priorityInUse)
	d.deactivate(why)
	byWords := map[string]*Remove{}
	for r := range why {
		byWords[r.thing().words] = r
	}
	for _, words := range slices.Sorted(maps.Keys(byWords)) {
		if r := byWords[words]; r.IfUnused {
			d.note("%s stays: it is in use by %s.", words, why[r])
		} else {
			d.wrong(r.thing(), "", "%s is in use by %s.", r.Key, why[r])
		}
	}
	d.unknownRemovals()
}

// removed is what is left of a section. inUse names what refers to a thing, or
// is empty; it goes into why.
func removed[T any](d *draft, why map[*Remove]string, kind Kind, list []T, key func(T) string, inUse func(T) string) []T {
	asked := map[string]*Remove{}
	for _, r := range d.removals[kind] {
		asked[r.Key] = r
	}
	if len(asked) == 0 {
		return list
	}
	var left []T
	for _, v := range list {
		r := asked[key(v)]
		if r == nil {
			left = append(left, v)
			continue
		}
		if by := inUse(v); by != "" {
			why[r] = by
			left = append(left, v)
			continue
		}
		delete(why, r)
		d.removed = append(d.removed, Change{Op: Delete, Kind: kind, Key: key(v)})
	}
	return left
}

// deactivate deactivates people whom nothing refers to. Administrators are
// deactivated by hand, so that no file locks its own author out.
func (d *draft) deactivate(why map[*Remove]string) {
	for _, r := range d.removals[KindUser] {
		i := slices.IndexFunc(d.desired.Users, func(u User) bool { return u.Email == r.Key })
		if i < 0 {
			continue
		}
		u := &d.desired.Users[i]
		switch by := d.userInUse(u.Email); {
		case u.Deactivated:
		case r.IfUnused && u.Role == string(auth.Administrator):
			d.note("%s stays: administrators are deactivated by hand.", r.thing().words)
		case by != "":
			why[r] = by
		default:
			u.Deactivated = true
			d.reach(KindUser, u.Email)
		}
	}
}

// unknownRemovals reports what is to be removed and does not exist.
func (d *draft) unknownRemovals() {
	exists := map[string]bool{}
	for _, k := range kinds {
		for _, key := range d.current.Keys(k.kind) {
			exists[wordsOf(k.kind, key)] = true
		}
	}
	for _, list := range d.removals {
		for _, r := range list {
			if t := r.thing(); !r.IfUnused && !exists[t.words] {
				d.wrong(t, "", "There is no %s.", t.words)
			}
		}
	}
}

func (d *draft) serviceInUse(s Service) string {
	for _, v := range d.state.Services {
		if v.Slug == s.Slug && d.state.History.Services[v.ID] {
			return "incidents"
		}
	}
	if d.desired.Organization.CatchAllService == s.Slug {
		return "the organization, as its catch-all service"
	}
	return first(
		using(d.desired.Services, "service ", Service.key, func(v Service) bool { return v.Parent == s.Slug }),
		using(d.desired.Integrations, "integration ", Integration.key, func(v Integration) bool { return v.Service == s.Slug }))
}

func (d *draft) policyInUse(v Policy) string {
	for _, k := range d.state.Policies {
		if k.Slug == v.Slug && d.state.History.Policies[k.ID] {
			return "incidents"
		}
	}
	return using(d.desired.Services, "service ", Service.key, func(s Service) bool { return s.EscalationPolicy == v.Slug })
}

func (d *draft) scheduleInUse(s Schedule) string {
	return d.targeting(func(t Target) bool { return t.Schedule == s.Slug })
}

func (d *draft) teamInUse(t Team) string {
	is := d.desired
	return first(
		using(is.Services, "service ", Service.key, func(v Service) bool { return v.Team == t.Slug }),
		using(is.Schedules, "schedule ", Schedule.key, func(v Schedule) bool { return v.Team == t.Slug }),
		using(is.EscalationPolicies, "escalation policy ", Policy.key, func(v Policy) bool { return v.Team == t.Slug }),
		d.targeting(func(v Target) bool { return v.Team == t.Slug }))
}

func (d *draft) deploymentInUse(v Deployment) string {
	return using(d.desired.Services, "service ", Service.key, func(s Service) bool { return slices.Contains(s.Deployments, v.Slug) })
}

func (d *draft) priorityInUse(v Priority) string {
	if d.state.History.Priorities[v.Level] {
		return "open incidents"
	}
	return first(
		using(d.desired.Services, "service ", Service.key, func(s Service) bool {
			return slices.ContainsFunc(s.SLOs, func(o SLO) bool { return o.Priority != nil && *o.Priority == v.Level })
		}),
		using(d.desired.EscalationPolicies, "escalation policy ", Policy.key, func(q Policy) bool {
			return slices.ContainsFunc(q.Steps, func(s Step) bool { _, named := s.TimeoutFor[v.Name]; return named })
		}))
}

func (d *draft) userInUse(email string) string {
	return first(
		using(d.desired.Teams, "team ", Team.key, func(t Team) bool { return t.Manager == email || slices.Contains(t.Members, email) }),
		using(d.desired.Schedules, "schedule ", Schedule.key, func(s Schedule) bool { return s.names(email) }),
		d.targeting(func(t Target) bool { return t.User == email }))
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
func (d *draft) targeting(meant func(Target) bool) string {
	return using(d.desired.EscalationPolicies, "escalation policy ", Policy.key, func(v Policy) bool {
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
