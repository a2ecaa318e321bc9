package organization

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/spelling"
)

// references finds what in the desired document refers to something that is not
// in it, and what does not fit together. What does not fit already, and is in a
// thing that no edit is of, keeps nobody from an edit.
func (d *draft) references() {
	d.findReferences()
	untouched := func(p Problem) bool { return p.Untouched != "" }
	if !slices.ContainsFunc(d.problems, untouched) {
		return
	}
	before := newDraft(d.state, d.options)
	before.findReferences()
	d.problems = slices.DeleteFunc(d.problems, func(p Problem) bool { return untouched(p) && slices.Contains(before.problems, p) })
}

func (d *draft) findReferences() {
	is := d.desired
	d.known = map[Kind]known{
		KindPriority: knownOf(is.Priorities, Priority.key), KindUser: knownOf(is.Users, User.key), KindTeam: knownOf(is.Teams, Team.key),
		KindDeployment: knownOf(is.Deployments, Deployment.key), KindSchedule: knownOf(is.Schedules, Schedule.key),
		KindPolicy: knownOf(is.EscalationPolicies, Policy.key), KindService: knownOf(is.Services, Service.key),
	}
	d.refer(d.thing(KindOrganization, ""), "catch_all_service", KindService, is.Organization.CatchAllService)
	d.priorities()
	d.administrators()
	for _, v := range is.Teams {
		t := d.thing(KindTeam, v.Slug)
		d.refer(t, "manager", KindUser, v.Manager)
		for i, m := range v.Members {
			d.refer(t, fmt.Sprintf("members[%d]", i), KindUser, m)
		}
	}
	for _, v := range is.Schedules {
		d.scheduleReferences(v)
	}
	for _, v := range is.EscalationPolicies {
		d.policyReferences(v)
	}
	for _, v := range is.Services {
		d.serviceReferences(v)
	}
	d.parents()
	keys := map[string]string{}
	for _, i := range is.Integrations {
		t := d.thing(KindIntegration, i.Slug)
		d.refer(t, "service", KindService, i.Service)
		if other, taken := keys[i.Key]; taken && i.Key != "" {
			d.wrong(t, "key", "The integration %s has the same key.", other)
		}
		keys[i.Key] = i.Slug
	}
}

// known are the keys of a section of the desired document, in its order.
type known struct {
	keys []string
	at   map[string]int
}

func knownOf[T any](list []T, key func(T) string) known {
	k := known{at: make(map[string]int, len(list))}
	for i, v := range list {
		k.keys = append(k.keys, key(v))
		k.at[key(v)] = i
	}
	return k
}

// refer checks that what a key names exists; an empty name refers to nothing.
func (d *draft) refer(t thing, key string, kind Kind, name string) bool {
	if _, exists := d.known[kind].at[name]; exists || name == "" {
		return true
	}
	if _, unreadable := IDOf(name); unreadable {
		return true
	}
	return d.among(t, key, string(kind), name, d.known[kind].keys)
}

// among checks that a name is one of a list.
func (d *draft) among(t thing, key, what, name string, names []string) bool {
	if name == "" || slices.Contains(names, name) {
		return true
	}
	d.wrong(t, key, "There is no %s %s.%s", what, name, spelling.DidYouMean(name, names))
	return false
}

func (d *draft) priorities() {
	if n := len(d.desired.Priorities); n > maxPriorities {
		d.wrong(thing{path: "priorities", touched: true}, "", "There may be at most %d priorities; this makes %d.", maxPriorities, n)
	}
	names := map[string]bool{}
	for _, v := range d.desired.Priorities {
		if names[v.Name] {
			d.wrong(d.thing(KindPriority, v.key()), "name", "Another priority is called %s.", v.Name)
		}
		names[v.Name] = true
	}
}

// administrators makes sure that somebody can still change the configuration.
func (d *draft) administrators() {
	administers := func(u User) bool { return !u.Deactivated && u.Role == string(auth.Administrator) }
	if !slices.ContainsFunc(d.current.Users, administers) || slices.ContainsFunc(d.desired.Users, administers) {
		return
	}
	for _, u := range d.current.Users {
		if administers(u) {
			d.fails(fault.KindConflict, d.thing(KindUser, u.Email), "role", "%s is the last administrator. Make somebody else one first.", u.Email)
		}
	}
}

func (d *draft) scheduleReferences(s Schedule) {
	t := d.thing(KindSchedule, s.Slug)
	d.refer(t, "team", KindTeam, s.Team)
	for i, l := range s.Layers {
		for j, m := range l.Members {
			d.refer(t, fmt.Sprintf("layers[%d].members[%d]", i, j), KindUser, m)
		}
	}
	for i, w := range s.Shadows {
		d.refer(t, fmt.Sprintf("shadows[%d].user", i), KindUser, w.User)
	}
	// Those that no edit gives were checked when they were made. One whose position
	// is no longer there matches nobody, and keeps nobody from an edit.
	if t.given("overrides") {
		for i, o := range s.Overrides {
			d.overrideReferences(t, fmt.Sprintf("overrides[%d]", i), o, s, s.Positions)
		}
	}
	if edits := d.schedules[s.Slug]; edits != nil {
		for i, o := range edits.add {
			path := thing{words: t.words, path: edits.paths[i], touched: true}
			d.overrideReferences(path, "", o.Override, s, append(d.pastPositions(s.Slug), s.Positions...))
		}
	}
	// What is left, such as the positions of a layer, package oncall knows.
	if f, ok := errors.AsType[*fault.Error](s.Version(d.number, d.state.At).Validate()); ok && f != nil {
		for _, field := range f.Fields {
			if !d.reported(join(t.path, field.Path)) {
				d.wrong(t, field.Path, "%s", field.Message)
			}
		}
	}
}

func (d *draft) overrideReferences(t thing, path string, o Override, s Schedule, positions []string) {
	d.refer(t, join(path, "replace"), KindUser, o.Replace)
	d.refer(t, join(path, "with"), KindUser, o.With)
	d.refer(t, join(path, "add"), KindUser, o.Add)
	if o.Remove != Everyone {
		d.refer(t, join(path, "remove"), KindUser, o.Remove)
	}
	d.among(t, join(path, "position"), "position", o.Position, positions)
	if !o.From.In(s.Timezone).Before(o.To.In(s.Timezone)) {
		d.wrong(t, join(path, "to"), "The override has to end after it begins.")
	}
}

// pastPositions are those that a schedule has had in any version.
func (d *draft) pastPositions(slug string) []string {
	var all []string
	for _, r := range d.state.Schedules {
		for _, v := range r.Schedule.Versions {
			if r.Slug == slug {
				all = append(all, positions(v.Positions)...)
			}
		}
	}
	return all
}

// reported reports whether something is known to be wrong at or around a path.
func (d *draft) reported(path string) bool {
	return slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Path != "" && within(path, p.Path) })
}

func (d *draft) policyReferences(v Policy) {
	t := d.thing(KindPolicy, v.Slug)
	d.refer(t, "team", KindTeam, v.Team)
	if len(v.Steps) == 0 {
		d.wrong(t, "steps", "A policy needs at least one step.")
	}
	for i, target := range v.Fallback {
		d.target(t, fmt.Sprintf("fallback[%d]", i), target)
	}
	var names []string
	for _, p := range d.desired.Priorities {
		names = append(names, p.Name)
	}
	for i, s := range v.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		for name := range s.TimeoutFor {
			d.among(t, at+".timeout_for."+name, "priority", name, names)
		}
		for j, target := range s.Targets {
			d.target(t, fmt.Sprintf("%s.targets[%d]", at, j), target)
		}
	}
}

func (d *draft) target(t thing, path string, v Target) {
	d.refer(t, path+".user", KindUser, v.User)
	d.refer(t, path+".team", KindTeam, v.Team)
	if v.Schedule == "" || !d.refer(t, path+".schedule", KindSchedule, v.Schedule) {
		return
	}
	i, exists := d.known[KindSchedule].at[v.Schedule]
	if !exists {
		return // it cannot be read
	}
	positions := d.desired.Schedules[i].Positions
	if !slices.Contains(positions, v.Position) {
		d.wrong(t, path+".position", "The schedule %s has no position %s.%s", v.Schedule, v.Position, spelling.DidYouMean(v.Position, positions))
	}
}

func (d *draft) serviceReferences(s Service) {
	t := d.thing(KindService, s.Slug)
	d.refer(t, "parent", KindService, s.Parent)
	d.refer(t, "team", KindTeam, s.Team)
	d.refer(t, "escalation_policy", KindPolicy, s.EscalationPolicy)
	for i, v := range s.Deployments {
		d.refer(t, fmt.Sprintf("deployments[%d]", i), KindDeployment, v)
	}
	for i, o := range s.SLOs {
		if o.Priority != nil {
			d.refer(t, fmt.Sprintf("slos[%d].priority", i), KindPriority, fmt.Sprint(*o.Priority))
		}
	}
}

// parents refuses services that are below themselves, and puts every service
// after its parent, so that they can be made in turn.
func (d *draft) parents() {
	bySlug := map[string]Service{}
	for _, s := range d.desired.Services {
		bySlug[s.Slug] = s
	}
	done := map[string]bool{}
	var ordered []Service
	var visit func(s Service, above []string)
	visit = func(s Service, above []string) {
		if i := slices.Index(above, s.Slug); i >= 0 {
			circle := append(slices.Clone(above[i:]), s.Slug)
			d.wrong(d.thing(KindService, above[len(above)-1]), "parent", "Services cannot be above themselves: %s.", strings.Join(circle, " is below "))
			return
		}
		if done[s.Slug] {
			return
		}
		if above = append(above, s.Slug); bySlug[s.Parent].Slug != "" {
			visit(bySlug[s.Parent], above)
		}
		if !done[s.Slug] {
			done[s.Slug] = true
			ordered = append(ordered, s)
		}
	}
	for _, s := range d.desired.Services {
		visit(s, nil)
	}
	d.desired.Services = ordered
}
