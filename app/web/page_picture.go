package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// picture is the configuration at one version as pages need it: with who stands
// behind targets and how people are reached. It never changes and is shared by
// requests.
type picture struct {
	*listing
	// roster knows who can be reached; everybody is it as if all could be.
	roster, everybody *escalation.Roster
	people            map[int64]notify.Recipient
	byEmail           map[string]auth.User
	// used are the media that somebody's verified contact methods are of.
	used map[notify.Medium]bool
}

// picture is the configuration as of now. Reading its versions costs a query;
// the rest is read again only where they have changed.
func (p *pages) picture(c echo.Context) (*picture, error) {
	config, err := p.listing(c)
	if err != nil {
		return nil, err
	}
	if kept := p.seen.Load(); kept != nil && kept.View == config.View {
		return kept, nil
	}
	fresh := newPicture(config, config.Roster(), config.Recipients())
	p.seen.Store(fresh)
	return fresh, nil
}

func newPicture(config *listing, roster *escalation.Roster, people map[int64]notify.Recipient) *picture {
	k := &picture{listing: config, roster: roster, people: people, byEmail: map[string]auth.User{}, used: map[notify.Medium]bool{}}
	for _, u := range config.Users {
		k.byEmail[u.Email] = u
	}
	for _, r := range people {
		for _, m := range r.Methods {
			if m.Usable() {
				k.used[m.Medium] = true
			}
		}
	}
	everybody := *roster
	everybody.People = make(map[int64]escalation.Person, len(roster.People))
	for id, person := range roster.People {
		person.Reachable = true
		everybody.People[id] = person
	}
	k.everybody = &everybody
	return k
}

// fresh reports whether the first run is not through: there is no key yet that a
// signal could come in by, or nobody whom a page could reach.
func (k *picture) fresh() bool {
	return len(k.Integrations) == 0 || len(k.Integrations) == 1 && len(k.used) == 0
}

// person is nobody for an id that nobody has.
func (k *picture) person(id int64) element.Person {
	u := k.User(id)
	if u.ID == 0 {
		return element.Person{}
	}
	return element.Person{ID: u.ID, Name: u.Name}
}

func (k *picture) personOf(id *int64) element.Person {
	if id == nil {
		return element.Person{}
	}
	return k.person(*id)
}

func (k *picture) persons(ids []int64) []element.Person {
	people := make([]element.Person, len(ids))
	for i, id := range ids {
		people[i] = k.person(id)
	}
	return people
}

func personIDs(people []oncall.Person) []int64 {
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = int64(p)
	}
	return ids
}

// reached are the people that targets lead to, without those who only watch.
func (k *picture) reached(people []escalation.Reached) []element.Person {
	var named []element.Person
	for _, r := range people {
		if !r.Shadow {
			named = append(named, k.person(r.UserID))
		}
	}
	return named
}

// actor is whoever did something, in words.
func (k *picture) actor(name string) string {
	switch {
	case name == "" || name == auth.Tocsin.String():
		return "Tocsin"
	case strings.HasPrefix(name, "token:"):
		return "API token " + strings.TrimPrefix(name, "token:")
	case strings.HasPrefix(name, "integration:"):
		return strings.TrimPrefix(name, "integration:")
	}
	if u, ok := k.byEmail[name]; ok {
		return u.Name
	}
	return name
}

func (k *picture) priority(level *int) element.Priority {
	if level == nil {
		return element.Priority{}
	}
	for _, p := range k.Priorities {
		if p.Level == *level {
			return element.Priority{Level: p.Level, Name: p.Name}
		}
	}
	return element.Priority{Level: *level, Name: "P" + strconv.Itoa(*level)}
}

func (k *picture) priorities() []element.Priority {
	all := make([]element.Priority, len(k.Priorities))
	for i, p := range k.Priorities {
		all[i] = element.Priority{Level: p.Level, Name: p.Name}
	}
	return all
}

// teamRef, serviceRef and policyRef refer to what has a page; nothing for nothing.
func (k *picture) teamRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	t := k.Team(*id)
	return element.Ref{Slug: t.Slug, Name: t.Name}
}

func (k *picture) serviceRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	s := k.Service(*id)
	return element.Ref{Slug: s.Slug, Name: s.Name}
}

func (k *picture) policyRef(id *int64) element.Ref {
	if id == nil {
		return element.Ref{}
	}
	v := k.Policy(*id)
	return element.Ref{Slug: v.Slug, Name: v.Name}
}

// manager is who manages the team of a service, 0 for nobody.
func (k *picture) manager(serviceID *int64) int64 {
	if serviceID == nil {
		return 0
	}
	team := k.Service(*serviceID).TeamID
	if team == nil || k.Team(*team).ManagerID == nil {
		return 0
	}
	return *k.Team(*team).ManagerID
}

// unreachable reports whether somebody counts as nobody when they are to be
// paged.
func (k *picture) unreachable(userID int64) bool { return !k.roster.People[userID].Reachable }

// serviceRefs and teamRefs are all, by name.
func (k *picture) serviceRefs() []element.Ref {
	refs := make([]element.Ref, len(k.Services))
	for i, s := range k.Services {
		refs[i] = element.Ref{Slug: s.Slug, Name: s.Name}
	}
	return byName(refs)
}

func (k *picture) teamRefs() []element.Ref {
	refs := make([]element.Ref, len(k.Teams))
	for i, t := range k.Teams {
		refs[i] = element.Ref{Slug: t.Slug, Name: t.Name}
	}
	return byName(refs)
}

func byName(refs []element.Ref) []element.Ref {
	slices.SortFunc(refs, func(a, b element.Ref) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Slug, b.Slug)) })
	return refs
}
