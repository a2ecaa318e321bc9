package blueprint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Options say how a file is to be applied.
type Options struct {
	// Prune deletes what a file leaves out of the sections that it gives: never
	// what is in use, and people are deactivated, but for administrators.
	Prune bool
	// TrustVerified takes contacts that the file marks as verified for such. It
	// is for commands on the server itself.
	TrustVerified bool
}

// Plan compares the file with the configuration. The error is a fault of kind
// invalid whose cause, Mistakes, lists all that does not fit together.
func (f *File) Plan(s *State, o Options) (*Plan, error) {
	p := &planner{file: f, state: s, options: o, current: s.describe(), entries: map[string]entry{}, numbers: s.numbers(),
		plan: &Plan{Version: s.Organization.ConfigVersion}}
	p.merge()
	p.prune()
	p.references()
	p.order()
	if err := p.mistakes.fault(f.Name); err != nil {
		return nil, err
	}
	p.compare()
	return p.plan, nil
}

type planner struct {
	file             *File
	state            *State
	options          Options
	current, desired *Document
	// entries are the things that the desired document consists of, by words.
	entries map[string]entry
	// numbers are the ids of people by address; those who are new get a
	// provisional one, below 0.
	numbers  map[string]int64
	removed  []Change
	mistakes Mistakes
	plan     *Plan
}

// entry is a thing in the desired document.
type entry struct {
	words string // "team payments"
	path  string // in the file; empty where the file does not have it
}

func (p *planner) entry(kind Kind, key string) entry {
	words := strings.TrimSpace(string(kind) + " " + key)
	if e, ok := p.entries[words]; ok {
		return e
	}
	return entry{words: words}
}

// wrong reports a mistake at a key of a thing.
func (p *planner) wrong(e entry, key, format string, args ...any) {
	m := Mistake{File: p.file.Name, Message: fmt.Sprintf(format, args...)}
	if e.path == "" {
		m.Message = fmt.Sprintf("The %s, which the file does not have, would no longer fit: %s", e.words, m.Message)
	} else {
		if m.Field = e.path; key != "" {
			m.Field = join(e.path, key)
		}
		at := p.file.placeAt(m.Field)
		m.Line, m.Column = at.line, at.column
	}
	p.mistakes = append(p.mistakes, m)
}

func (p *planner) note(format string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(format, args...))
}

func (s *State) numbers() map[string]int64 {
	numbers := make(map[string]int64, len(s.Users))
	for _, u := range s.Users {
		numbers[u.Email] = u.ID
	}
	return numbers
}

func (p *planner) number(email string) int64 {
	id, ok := p.numbers[email]
	if !ok {
		id = -int64(len(p.numbers)) - 1
		p.numbers[email] = id
	}
	return id
}

// merge makes the desired document: the current one with the file over it.
func (p *planner) merge() {
	f, c := p.file, p.current
	d := &Document{Version: FormatVersion}
	organization := *c.Organization
	if f.Organization != nil {
		p.entries[string(OfOrganization)] = entry{string(OfOrganization), "organization"}
		f.overlay(&organization, f.Organization, "organization")
	}
	d.Organization = &organization
	d.Priorities = merged(p, "priorities", OfPriority, c.Priorities, f.Priorities, Priority.key, func(v *Priority, path string, _ bool) {
		if v.Name == "" {
			v.Name = "P" + v.key()
		}
	})
	p.renamePriorities(d.Priorities)
	d.Users = merged(p, "users", OfUser, c.Users, f.Users, User.key, p.user)
	d.Teams = merged(p, "teams", OfTeam, c.Teams, f.Teams, Team.key, func(v *Team, _ string, _ bool) {
		named(&v.Name, v.Slug)
	})
	d.Deployments = merged(p, "deployments", OfDeployment, c.Deployments, f.Deployments, Deployment.key, func(v *Deployment, _ string, _ bool) {
		named(&v.Name, v.Slug)
		named(&v.Kind, catalog.Production)
	})
	d.Schedules = merged(p, "schedules", OfSchedule, c.Schedules, f.Schedules, Schedule.key, func(v *Schedule, _ string, _ bool) {
		named(&v.Name, v.Slug)
		named(&v.Timezone, d.Organization.Timezone)
	})
	d.EscalationPolicies = merged(p, "escalation_policies", OfPolicy, c.EscalationPolicies, f.EscalationPolicies, Policy.key,
		func(v *Policy, _ string, _ bool) { named(&v.Name, v.Slug) })
	d.Services = merged(p, "services", OfService, c.Services, f.Services, Service.key, func(v *Service, path string, fresh bool) {
		named(&v.Name, v.Slug)
		if fresh && !f.given(path+".reopen_window") {
			v.ReopenWindow = Duration(catalog.DefaultReopenWindow)
		}
	})
	d.Integrations = merged(p, "integrations", OfIntegration, c.Integrations, f.Integrations, Integration.key, func(v *Integration, _ string, _ bool) {
		named(&v.Name, v.Slug)
		named(&v.Kind, catalog.KindSLO)
	})
	p.desired = d
}

// merged lays the entries of a section over those that there are. settle gives
// an entry what the file leaves open; fresh says that it is new.
func merged[T any](p *planner, section string, kind Kind, current, given []T, key func(T) string, settle func(v *T, path string, fresh bool)) []T {
	list := slices.Clone(current)
	for i := range given {
		path := fmt.Sprintf("%s[%d]", section, i)
		k := key(given[i])
		p.entries[string(kind)+" "+k] = entry{string(kind) + " " + k, path}
		at := slices.IndexFunc(list, func(v T) bool { return key(v) == k })
		if at < 0 {
			v := given[i]
			settle(&v, path, true)
			list = append(list, v)
			continue
		}
		p.file.overlay(&list[at], &given[i], path)
		settle(&list[at], path, false)
	}
	return list
}

func named(name *string, otherwise string) {
	if *name == "" {
		*name = otherwise
	}
}

// order puts lists whose order means nothing into the one that describe uses.
// It comes after the last look at the file's places.
func (p *planner) order() {
	for i := range p.desired.Teams {
		t := &p.desired.Teams[i]
		t.Members = set(t.Members)
	}
	for i := range p.desired.Services {
		s := &p.desired.Services[i]
		s.Deployments = set(s.Deployments)
		s.SLOs = slices.Clone(s.SLOs)
		slices.SortFunc(s.SLOs, func(a, b SLO) int { return strings.Compare(a.Slug, b.Slug) })
	}
}

func set(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// renamePriorities has the policies that there are call the levels as they will
// be called.
func (p *planner) renamePriorities(desired []Priority) {
	n := p.state.names()
	for _, v := range desired {
		n.priorities[v.Level] = v.Name
	}
	for i, k := range p.state.Policies {
		at := slices.IndexFunc(p.current.EscalationPolicies, func(v Policy) bool { return v.Slug == p.state.Policies[i].Slug })
		p.current.EscalationPolicies[at] = n.policy(k)
	}
}

// user settles a person: contact methods and rules are theirs, so that the file
// only adds what they do not have, and corrects a contact that is still as a file
// made it.
func (p *planner) user(u *User, _ string, fresh bool) {
	var has User
	if fresh {
		if u.Name == "" {
			p.wrong(p.entry(OfUser, u.Email), "", "%s is new here and needs a name.", u.Email)
		}
		named(&u.Role, string(auth.Responder))
	} else {
		i := slices.IndexFunc(p.current.Users, func(v User) bool { return v.Email == u.Email })
		has = p.current.Users[i]
	}
	u.Contacts = p.contacts(u.Email, has.Contacts, u.Contacts)
	u.Rules = p.rules(u.Email, has.Rules, u.Rules)
	for _, r := range u.Rules {
		if !slices.ContainsFunc(u.Contacts, func(c Contact) bool { return c.ID == r.Contact }) {
			p.wrong(p.entry(OfUser, u.Email), "rules", "%s has no contact %s.", u.Email, r.Contact)
		}
	}
}

func (p *planner) contacts(email string, has, given []Contact) []Contact {
	all := slices.Clone(has)
	for _, c := range given {
		trusted := c.Verified && p.options.TrustVerified
		now, correction := p.contact(email, c.ID)
		if correction != nil && string(correction.Medium) == c.Type && correction.Address == c.Value && !trusted {
			p.note("user %s: the contact %s is corrected once its owner has verified that.", email, c.ID)
			continue
		}
		if correction != nil && !slices.ContainsFunc(given, func(g Contact) bool { return g.ID == correction.Slug }) {
			all = slices.DeleteFunc(all, func(h Contact) bool { return h.ID == correction.Slug })
		}
		i := slices.IndexFunc(all, func(h Contact) bool { return h.ID == c.ID })
		switch {
		case i < 0:
			if c.Verified && !trusted {
				p.note("user %s: the contact %s has to be verified by its owner.", email, c.ID)
			}
			c.Verified = trusted
			all = append(all, c)
		case all[i].Type == c.Type && all[i].Value == c.Value:
			all[i].Verified = all[i].Verified || trusted
		case now == nil || !now.FromFile || p.replacedByOwner(now.ID):
			p.note("user %s: the contact %s stays what its owner made of it.", email, c.ID)
		default:
			switch {
			case trusted:
			case now.Usable():
				p.note("user %s: the contact %s is another now and has to be verified by its owner; until then the present one stays in use.", email, c.ID)
			default:
				p.note("user %s: the contact %s is another now and has to be verified by its owner.", email, c.ID)
			}
			c.Verified = trusted
			all[i] = c
		}
	}
	return all
}

// contact finds a person's contact method, and the correction by a file that
// waits to take its place; nil where there is none.
func (p *planner) contact(email, slug string) (now, correction *notify.ContactMethod) {
	user := slices.IndexFunc(p.state.Users, func(u auth.User) bool { return u.Email == email })
	if user < 0 {
		return nil, nil
	}
	methods := p.state.Contacts
	i := slices.IndexFunc(methods, func(m notify.ContactMethod) bool { return m.UserID == p.state.Users[user].ID && m.Slug == slug })
	if i < 0 {
		return nil, nil
	}
	for k := range methods {
		if methods[k].ReplacesID != nil && *methods[k].ReplacesID == methods[i].ID && methods[k].FromFile {
			correction = &methods[k]
		}
	}
	return &methods[i], correction
}

// replacedByOwner reports whether the owner is about to replace a contact.
func (p *planner) replacedByOwner(id int64) bool {
	return slices.ContainsFunc(p.state.Contacts, func(m notify.ContactMethod) bool {
		return m.ReplacesID != nil && *m.ReplacesID == id && !m.FromFile
	})
}

func (p *planner) rules(email string, has, given []Rule) []Rule {
	all := slices.Clone(has)
	for _, urgency := range []string{"high", "low"} {
		mine, theirs := ofUrgency(has, urgency), ofUrgency(given, urgency)
		switch {
		case len(mine) == 0:
			all = append(all, theirs...)
		case len(theirs) > 0 && !slices.Equal(mine, theirs):
			p.note("user %s: the rules for %s urgency stay as their owner made them.", email, urgency)
		}
	}
	return all
}

func ofUrgency(rules []Rule, urgency string) []Rule {
	var some []Rule
	for _, r := range rules {
		if r.Urgency == urgency {
			some = append(some, r)
		}
	}
	slices.SortStableFunc(some, func(a, b Rule) int { return int(a.After.seconds() - b.After.seconds()) })
	return some
}
