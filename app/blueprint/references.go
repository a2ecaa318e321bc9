package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// references finds what in the desired document refers to something that is not
// in it, and what does not fit together.
func (p *planner) references() {
	d := p.desired
	if s := d.Organization.CatchAllService; s != "" {
		p.refer(p.entry(OfOrganization, ""), "catch_all_service", "service", s, slugs(d.Services, Service.key))
	}
	p.priorities()
	p.administrators()
	for _, t := range d.Teams {
		e := p.entry(OfTeam, t.Slug)
		p.someone(e, "manager", t.Manager)
		for i, m := range t.Members {
			p.someone(e, fmt.Sprintf("members[%d]", i), m)
		}
	}
	for _, s := range d.Schedules {
		p.scheduleReferences(s)
	}
	for _, v := range d.EscalationPolicies {
		p.policyReferences(v)
	}
	for _, s := range d.Services {
		p.serviceReferences(s)
	}
	p.parents()
	keys := map[string]string{}
	for _, i := range d.Integrations {
		e := p.entry(OfIntegration, i.Slug)
		p.refer(e, "service", "service", i.Service, slugs(d.Services, Service.key))
		if other, taken := keys[i.Key]; taken && i.Key != "" {
			p.wrong(e, "key", "The integration %s has the same key.", other)
		}
		keys[i.Key] = i.Slug
	}
}

func slugs[T any](list []T, key func(T) string) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = key(v)
	}
	return all
}

// refer checks that what a key names exists; nothing is named by an empty name.
func (p *planner) refer(e entry, key, what, name string, known []string) bool {
	if name == "" || slices.Contains(known, name) {
		return true
	}
	p.wrong(e, key, "There is no %s %s.%s", what, name, didYouMean(name, known))
	return false
}

func (p *planner) someone(e entry, key, email string) {
	p.refer(e, key, "user", email, slugs(p.desired.Users, User.key))
}

func (p *planner) priorities() {
	names := map[string]bool{}
	if n := len(p.desired.Priorities); n > mostPriorities {
		p.wrong(entry{words: "priorities", path: "priorities"}, "", "There may be at most %d priorities; this makes %d.", mostPriorities, n)
	}
	for _, v := range p.desired.Priorities {
		if names[v.Name] {
			p.wrong(p.entry(OfPriority, v.key()), "name", "Another priority is called %s.", v.Name)
		}
		names[v.Name] = true
	}
}

// administrators sees to it that somebody can still change the configuration.
func (p *planner) administrators() {
	administers := func(u User) bool { return !u.Deactivated && u.Role == string(auth.Administrator) }
	if !slices.ContainsFunc(p.current.Users, administers) || slices.ContainsFunc(p.desired.Users, administers) {
		return
	}
	for _, u := range p.current.Users {
		if administers(u) {
			p.wrong(p.entry(OfUser, u.Email), "role", "%s is the last administrator. Make somebody else one first.", u.Email)
		}
	}
}

func (p *planner) scheduleReferences(s Schedule) {
	e := p.entry(OfSchedule, s.Slug)
	p.refer(e, "team", "team", s.Team, slugs(p.desired.Teams, Team.key))
	for i, l := range s.Layers {
		for j, m := range l.Members {
			p.someone(e, fmt.Sprintf("layers[%d].members[%d]", i, j), m)
		}
	}
	for i, w := range s.Shadows {
		p.someone(e, fmt.Sprintf("shadows[%d].user", i), w.User)
	}
	for i, o := range s.Overrides {
		at := fmt.Sprintf("overrides[%d].", i)
		p.someone(e, at+"replace", o.Replace)
		p.someone(e, at+"with", o.With)
		p.someone(e, at+"add", o.Add)
		if o.Remove != Everyone {
			p.someone(e, at+"remove", o.Remove)
		}
		p.refer(e, at+"position", "position", o.Position, s.Positions)
		if !o.From.In(s.Timezone).Before(o.To.In(s.Timezone)) {
			p.wrong(e, at+"to", "The override has to end after it begins.")
		}
	}
	// What is left, such as the positions of a layer, package oncall knows.
	if f, ok := errors.AsType[*fault.Error](s.Version(p.number, p.state.At).Validate()); ok && f != nil {
		for _, field := range f.Fields {
			if !p.reported(join(e.path, field.Path)) {
				p.wrong(e, field.Path, "%s", field.Message)
			}
		}
	}
}

// reported reports whether something is known to be wrong at or around a path.
func (p *planner) reported(path string) bool {
	return slices.ContainsFunc(p.mistakes, func(m Mistake) bool { return m.Field != "" && within(path, m.Field) })
}

func (p *planner) policyReferences(v Policy) {
	e := p.entry(OfPolicy, v.Slug)
	p.refer(e, "team", "team", v.Team, slugs(p.desired.Teams, Team.key))
	if len(v.Steps) == 0 {
		p.wrong(e, "steps", "A policy needs at least one step.")
	}
	for i, t := range v.Fallback {
		p.target(e, fmt.Sprintf("fallback[%d]", i), t)
	}
	names := slugs(p.desired.Priorities, func(v Priority) string { return v.Name })
	for i, s := range v.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		for name := range s.TimeoutFor {
			p.refer(e, at+".timeout_for."+name, "priority", name, names)
		}
		for j, t := range s.Targets {
			p.target(e, fmt.Sprintf("%s.targets[%d]", at, j), t)
		}
	}
}

func (p *planner) target(e entry, path string, t Target) {
	p.someone(e, path+".user", t.User)
	p.refer(e, path+".team", "team", t.Team, slugs(p.desired.Teams, Team.key))
	if t.Schedule == "" || !p.refer(e, path+".schedule", "schedule", t.Schedule, slugs(p.desired.Schedules, Schedule.key)) {
		return
	}
	i := slices.IndexFunc(p.desired.Schedules, func(s Schedule) bool { return s.Slug == t.Schedule })
	positions := p.desired.Schedules[i].Positions
	if !slices.Contains(positions, t.Position) {
		p.wrong(e, path+".position", "The schedule %s has no position %s.%s", t.Schedule, t.Position, didYouMean(t.Position, positions))
	}
}

func (p *planner) serviceReferences(s Service) {
	e, d := p.entry(OfService, s.Slug), p.desired
	p.refer(e, "parent", "service", s.Parent, slugs(d.Services, Service.key))
	p.refer(e, "team", "team", s.Team, slugs(d.Teams, Team.key))
	p.refer(e, "escalation_policy", "escalation policy", s.EscalationPolicy, slugs(d.EscalationPolicies, Policy.key))
	for i, v := range s.Deployments {
		p.refer(e, fmt.Sprintf("deployments[%d]", i), "deployment", v, slugs(d.Deployments, Deployment.key))
	}
	levels := slugs(d.Priorities, Priority.key)
	for i, o := range s.SLOs {
		if o.Priority != nil {
			p.refer(e, fmt.Sprintf("slos[%d].priority", i), "priority", fmt.Sprint(*o.Priority), levels)
		}
	}
}

// parents refuses services that are below themselves, and puts every service
// after its parent, so that they can be made in turn.
func (p *planner) parents() {
	bySlug := map[string]Service{}
	for _, s := range p.desired.Services {
		bySlug[s.Slug] = s
	}
	done := map[string]bool{}
	var ordered []Service
	var visit func(s Service, above []string)
	visit = func(s Service, above []string) {
		if i := slices.Index(above, s.Slug); i >= 0 {
			circle := append(slices.Clone(above[i:]), s.Slug)
			p.wrong(p.entry(OfService, above[len(above)-1]), "parent", "Services cannot be above themselves: %s.", strings.Join(circle, " is below "))
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
	for _, s := range p.desired.Services {
		visit(s, nil)
	}
	p.desired.Services = ordered
}
