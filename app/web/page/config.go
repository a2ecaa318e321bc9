package page

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// Config is the configuration at one version as pages need it, with whom targets
// resolve to and how people are reached. It is never changed and shared by
// requests.
type Config struct {
	*web.Config
	// Roster resolves targets to those who can be reached; Everybody resolves them
	// as if everybody could be.
	Roster, Everybody *escalation.Roster
	// Recipients are by user id.
	Recipients map[int64]notify.Recipient
	byEmail    map[string]auth.User
	// usedMedia are those of which somebody has a verified contact method.
	usedMedia map[notify.Medium]bool
	pageable  map[int64]bool
	// withUnreachable are the schedules that name somebody who cannot be paged.
	withUnreachable []organization.ScheduleRecord
}

// Config is the configuration as of now. It costs a query for the version; the
// rest is read only when that has changed.
func (p *Pages) Config(ctx context.Context) (*Config, error) {
	config, err := p.deps.Configs.Current(ctx)
	if err != nil {
		return nil, err
	}
	if last := p.config.Load(); last != nil && last.Config == config {
		return last, nil
	}
	extended := newConfig(config, config.View.Roster(), config.View.Recipients())
	p.config.Store(extended)
	return extended, nil
}

func newConfig(config *web.Config, roster *escalation.Roster, people map[int64]notify.Recipient) *Config {
	k := &Config{Config: config, Roster: roster, Recipients: people, byEmail: map[string]auth.User{}, usedMedia: map[notify.Medium]bool{}, pageable: pageable(config),
		withUnreachable: withUnreachable(config.Schedules, roster)}
	for _, u := range config.Users {
		k.byEmail[u.Email] = u
	}
	for id := range people {
		maps.Copy(k.usedMedia, k.ownMedia(id))
	}
	everybody := *roster
	everybody.People = make(map[int64]escalation.Person, len(roster.People))
	for id, person := range roster.People {
		person.Reachable = true
		everybody.People[id] = person
	}
	k.Everybody = &everybody
	return k
}

// ownMedia are those of which a person has a verified contact method.
func (k *Config) ownMedia(user int64) map[notify.Medium]bool {
	own := map[notify.Medium]bool{}
	for _, m := range k.Recipients[user].Methods {
		if m.Usable() {
			own[m.Medium] = true
		}
	}
	return own
}

// Incomplete reports whether the setup is unfinished: there is no integration yet,
// or nobody whom a page could reach.
func (k *Config) Incomplete() bool {
	return len(k.Integrations) == 0 || len(k.Integrations) == 1 && len(k.usedMedia) == 0
}

// Person is the zero value for an id that does not exist.
func (k *Config) Person(id int64) element.Person {
	u := k.User(id)
	if u.ID == 0 {
		return element.Person{}
	}
	return element.Person{ID: u.ID, Name: u.Name}
}

// PersonOf is Person; of nil, the zero value.
func (k *Config) PersonOf(id *int64) element.Person {
	if id == nil {
		return element.Person{}
	}
	return k.Person(*id)
}

// Persons are those of a list of ids.
func (k *Config) Persons(ids []int64) []element.Person {
	people := make([]element.Person, len(ids))
	for i, id := range ids {
		people[i] = k.Person(id)
	}
	return people
}

// PersonIDs are the user ids of people in schedules.
func PersonIDs(people []oncall.Person) []int64 {
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = int64(p)
	}
	return ids
}

// Reached are the people that targets resolve to, without shadows.
func (k *Config) Reached(people []escalation.Reached) []element.Person {
	var named []element.Person
	for _, r := range people {
		if !r.Shadow {
			named = append(named, k.Person(r.UserID))
		}
	}
	return named
}

// ActorName is an actor in words; an integration's is its name alone, since pages say
// beside it what it is.
func (k *Config) ActorName(name string) string {
	if u, ok := k.byEmail[name]; ok {
		return u.Name
	}
	if name == "" {
		return "Tocsin"
	}
	if IsIntegration(name) {
		return strings.TrimPrefix(name, integrationActor)
	}
	return incident.ActorInWords(name)
}

// Priority is a level or no priority, with its name; the zero value where it is unset.
func (k *Config) Priority(level *int) element.Priority {
	switch {
	case level == nil:
		return element.Priority{}
	case *level == catalog.NoPriority:
		return element.NoPriority
	}
	for _, p := range k.Priorities {
		if p.Level == *level {
			return element.Priority{Level: p.Level, Name: p.Name}
		}
	}
	return element.Priority{Level: *level, Name: "P" + strconv.Itoa(*level)}
}

// PriorityOptions are all priorities.
func (k *Config) PriorityOptions() []element.Priority {
	all := make([]element.Priority, len(k.Priorities))
	for i, p := range k.Priorities {
		all[i] = element.Priority{Level: p.Level, Name: p.Name}
	}
	return all
}

// TeamRef links to a team; it is the zero value for none.
func (k *Config) TeamRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	t := k.Team(*id)
	return element.Ref{Slug: t.Slug, Name: t.Name}
}

// ServiceRef links to a service; it is the zero value for none.
func (k *Config) ServiceRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	s := k.Service(*id)
	return element.Ref{Slug: s.Slug, Name: s.Name}
}

// PolicyRef links to an escalation policy; it is the zero value for none.
func (k *Config) PolicyRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	v := k.Policy(*id)
	return element.Ref{Slug: v.Slug, Name: v.Name}
}

// Manager is the manager of a service's team, 0 for nobody.
func (k *Config) Manager(serviceID *int64) int64 {
	if serviceID == nil {
		return 0
	}
	team := k.Service(*serviceID).TeamID
	if team == nil || k.Team(*team).ManagerID == nil {
		return 0
	}
	return *k.Team(*team).ManagerID
}

// Unreachable reports whether a person has no contact method that a page could go
// to, so that steps skip them.
func (k *Config) Unreachable(userID int64) bool { return !k.Roster.People[userID].Reachable }

// Pageable reports whether escalations can come to a person: by a schedule, a step or
// fallback of a policy, a team, or as an administrator, to whom they come in the end.
func (k *Config) Pageable(userID int64) bool { return k.pageable[userID] }

func pageable(config *web.Config) map[int64]bool {
	people := map[int64]bool{}
	for _, u := range config.Users {
		people[u.ID] = u.Role == auth.Administrator
	}
	for _, s := range config.Schedules {
		for p := range peopleIn(s.Schedule) {
			people[int64(p)] = true
		}
	}
	for _, m := range config.Members {
		people[m.UserID] = true
	}
	for _, t := range config.Teams {
		if t.ManagerID != nil {
			people[*t.ManagerID] = true
		}
	}
	for _, p := range config.Policies {
		targets := slices.Clone(p.Policy.Fallback)
		for _, step := range p.Policy.Steps {
			targets = append(targets, step.Targets...)
		}
		for _, t := range targets {
			if t.User != 0 {
				people[t.User] = true
			}
		}
	}
	return people
}

// ServiceRefs are all services, by name.
func (k *Config) ServiceRefs() []element.Ref {
	refs := make([]element.Ref, len(k.Services))
	for i, s := range k.Services {
		refs[i] = element.Ref{Slug: s.Slug, Name: s.Name}
	}
	return SortByName(refs)
}

// TeamRefs are all teams, by name.
func (k *Config) TeamRefs() []element.Ref {
	refs := make([]element.Ref, len(k.Teams))
	for i, t := range k.Teams {
		refs[i] = element.Ref{Slug: t.Slug, Name: t.Name}
	}
	return SortByName(refs)
}

// SortByName sorts in place.
func SortByName(refs []element.Ref) []element.Ref {
	slices.SortFunc(refs, func(a, b element.Ref) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug)) })
	return refs
}

// ServicesWhere are the services with a property, by name.
func (k *Config) ServicesWhere(is func(catalog.Service) bool) []element.Ref {
	var refs []element.Ref
	for _, s := range k.Services {
		if is(s) {
			refs = append(refs, element.Ref{Slug: s.Slug, Name: s.Name})
		}
	}
	return SortByName(refs)
}
