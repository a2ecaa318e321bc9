package blueprint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// compare writes the plan: what the desired document has that the current one
// has not, or has otherwise. Whatever is referred to comes first; what is
// deleted comes last, the other way round.
func (p *planner) compare() {
	c, d := p.current, p.desired
	compared(p, OfPriority, c.Priorities, d.Priorities, Priority.key)
	compared(p, OfUser, c.Users, d.Users, User.key)
	compared(p, OfTeam, c.Teams, d.Teams, Team.key)
	compared(p, OfDeployment, c.Deployments, d.Deployments, Deployment.key)
	for _, s := range d.Schedules {
		p.schedule(s)
	}
	compared(p, OfPolicy, c.EscalationPolicies, d.EscalationPolicies, Policy.key)
	compared(p, OfService, c.Services, d.Services, Service.key)
	compared(p, OfIntegration, c.Integrations, d.Integrations, Integration.key)
	p.rekeyed(c.Integrations, d.Integrations)
	p.tried(c.Integrations, d.Integrations)
	p.change(OfOrganization, "", differences(*c.Organization, *d.Organization), *d.Organization)
	p.plan.Changes = append(p.plan.Changes, p.removed...)
}

// rekeyed notes the integrations whose signals have other keys from now on.
func (p *planner) rekeyed(current, desired []Integration) {
	for _, d := range desired {
		if slices.ContainsFunc(current, func(c Integration) bool { return c.Slug == d.Slug && c.Dedup != d.Dedup }) {
			p.note("integration %s: incidents that are open keep their dedup keys. Resolve by hand those that no recovery ends.", d.Slug)
		}
	}
}

func compared[T any](p *planner, kind Kind, current, desired []T, key func(T) string) {
	for _, v := range desired {
		i := slices.IndexFunc(current, func(c T) bool { return key(c) == key(v) })
		if i < 0 {
			p.plan.Changes = append(p.plan.Changes, Change{Op: Create, Kind: kind, Key: key(v), Value: v})
			continue
		}
		p.change(kind, key(v), differences(current[i], v), v)
	}
}

// change adds an update, where there is a difference.
func (p *planner) change(kind Kind, key string, words []string, v any) {
	switch {
	case len(words) > 0:
		p.plan.Changes = append(p.plan.Changes, Change{Op: Update, Kind: kind, Key: key, Words: words, Value: v})
	case p.entry(kind, key).path != "":
		p.plan.Unchanged++
	}
}

// schedule compares by what a definition means: one that goes on as the present
// one does is none, whoever it begins with.
func (p *planner) schedule(s Schedule) {
	i := slices.IndexFunc(p.state.Schedules, func(k KeptSchedule) bool { return k.Slug == s.Slug })
	e := p.entry(OfSchedule, s.Slug)
	if i < 0 {
		change := ScheduleChange{Schedule: s, Definition: true, Add: p.notOver(s, e)}
		p.plan.Changes = append(p.plan.Changes, Change{Op: Create, Kind: OfSchedule, Key: s.Slug, Value: change})
		p.unmatched(s, nil, change)
		return
	}
	kept := p.state.Schedules[i]
	was := p.current.Schedules[slices.IndexFunc(p.current.Schedules, func(c Schedule) bool { return c.Slug == s.Slug })]
	change := ScheduleChange{Schedule: s}
	words := differences(was, s, "positions", "layers", "shadows", "overrides", "timezone")
	if present := kept.present(); !present.SameAs(present.Succeed(s.Version(p.number, p.state.At))) {
		change.Definition = true
		words = append(words, p.definitionWords(was, s)...)
	}
	if p.file.given(e.path + ".overrides") {
		change.Add, change.End = p.overrides(s, kept, e)
	}
	for _, o := range change.Add {
		words = append(words, "+override "+o.words())
	}
	for _, id := range change.End {
		words = append(words, "-override "+p.state.names().override(find(kept.Schedule.Overrides, id), s.Timezone).words())
	}
	p.change(OfSchedule, s.Slug, words, change)
	p.unmatched(s, &kept, change)
}

// present is the latest version, or an empty one.
func (k KeptSchedule) present() oncall.Version {
	if n := len(k.Schedule.Versions); n > 0 {
		return k.Schedule.Versions[n-1]
	}
	return oncall.Version{}
}

func find(overrides []oncall.Override, id int64) oncall.Override {
	return overrides[slices.IndexFunc(overrides, func(o oncall.Override) bool { return o.ID == id })]
}

func (p *planner) definitionWords(was, is Schedule) []string {
	words := differences(was, is, "slug", "name", "team", "layers", "shadows", "overrides")
	for _, l := range is.Layers {
		i := slices.IndexFunc(was.Layers, func(w Layer) bool { return w.Name == l.Name })
		if i < 0 {
			words = append(words, "+layer "+l.Name)
			continue
		}
		if inside := differences(was.Layers[i], l); len(inside) > 0 {
			words = append(words, fmt.Sprintf("layer %s: %s", l.Name, strings.Join(inside, ", ")))
		}
	}
	for _, w := range was.Layers {
		if !slices.ContainsFunc(is.Layers, func(l Layer) bool { return l.Name == w.Name }) {
			words = append(words, "-layer "+w.Name)
		}
	}
	if len(words) == 0 {
		words = append(words, "definition changed") // shadows, or the order of layers
	}
	return words
}

// notOver are the overrides of a schedule that can still have an effect.
func (p *planner) notOver(s Schedule, e entry) []Override {
	var some []Override
	for i, o := range s.Overrides {
		if o.To.In(s.Timezone).After(p.state.At) {
			some = append(some, o)
			continue
		}
		at := p.file.placeAt(fmt.Sprintf("%s.overrides[%d]", e.path, i))
		p.note("schedule %s: the override in line %d is over and was left out: the past stays as it was.", s.Slug, at.line)
	}
	return some
}

// overrides are those to be made and those to be ended for the list that the
// file gives to be in force, besides what was made in the app.
func (p *planner) overrides(s Schedule, kept KeptSchedule, e entry) (add []Override, end []int64) {
	matched := map[int64]bool{}
	for _, o := range p.notOver(s, e) {
		i := slices.IndexFunc(kept.Schedule.Overrides, func(k oncall.Override) bool {
			return !matched[k.ID] && sameOverride(k, o.Override(p.number, s.Timezone))
		})
		if i < 0 {
			add = append(add, o)
			continue
		}
		matched[kept.Schedule.Overrides[i].ID] = true
	}
	for _, k := range kept.Schedule.Overrides {
		if k.To.After(p.state.At) && !matched[k.ID] && !kept.FromApp[k.ID] {
			end = append(end, k.ID)
		}
	}
	return add, end
}

func sameOverride(a, b oncall.Override) bool {
	return a.From.Equal(b.From) && a.To.Equal(b.To) && a.Position == b.Position && a.Kind == b.Kind && a.Out == b.Out && a.In == b.In
}

// unmatched notes the overrides of a schedule in the file that, as it will be,
// act on nobody.
func (p *planner) unmatched(s Schedule, kept *KeptSchedule, change ScheduleChange) {
	if p.entry(OfSchedule, s.Slug).path == "" {
		return
	}
	version := s.Version(p.number, p.state.At)
	next := oncall.Schedule{Slug: s.Slug}
	if kept != nil {
		next.Versions = slices.Clone(kept.Schedule.Versions)
		version = kept.present().Succeed(version)
		for _, o := range kept.Schedule.Overrides {
			if !slices.Contains(change.End, o.ID) {
				next.Overrides = append(next.Overrides, o)
			}
		}
	}
	if len(next.Versions) == 0 {
		version.Effective = time.Time{}
	}
	next.Versions = append(next.Versions, version)
	for _, o := range change.Add {
		next.Overrides = append(next.Overrides, o.Override(p.number, s.Timezone))
	}
	for _, o := range next.Unmatched(p.state.At) {
		p.note("schedule %s: the override %s matches nobody.", s.Slug, p.words(o, s.Timezone))
	}
}

// words describes an override that may name people who are new.
func (p *planner) words(o oncall.Override, zone string) string {
	n := names{users: map[int64]string{}}
	for email, id := range p.numbers {
		n.users[id] = email
	}
	return n.override(o, zone).words()
}

func (o Override) words() string {
	position := o.Position
	if position == "" {
		position = "every position"
	}
	what := "without " + o.Remove
	switch {
	case o.Replace != "":
		what = o.With + " for " + o.Replace
	case o.Add != "":
		what = "with " + o.Add + " too"
	}
	return fmt.Sprintf("of %s from %v to %v, %s", position, o.From, o.To, what)
}
