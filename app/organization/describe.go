package organization

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Document is the state in names, in a fixed order, so that the same
// configuration is always the same document. Of a schedule it has the latest
// version, even if that is yet to begin.
func (s *State) Document() *Document {
	n := s.names()
	d := &Document{Organization: n.organization(s.Organization)}
	for _, p := range s.Priorities {
		d.Priorities = append(d.Priorities, priority(p))
	}
	for _, u := range s.Users {
		d.Users = append(d.Users, n.user(s, u))
	}
	for _, t := range s.Teams {
		d.Teams = append(d.Teams, n.team(s, t))
	}
	for _, v := range s.Deployments {
		d.Deployments = append(d.Deployments, Deployment{Slug: v.Slug, Name: v.Name, Region: v.Region, Kind: v.Kind})
	}
	for _, v := range s.Schedules {
		d.Schedules = append(d.Schedules, n.schedule(s, v))
	}
	for _, p := range s.Policies {
		d.EscalationPolicies = append(d.EscalationPolicies, n.policy(p))
	}
	for _, v := range s.Services {
		d.Services = append(d.Services, n.service(s, v))
	}
	for _, i := range s.Integrations {
		d.Integrations = append(d.Integrations, Integration{Slug: i.Slug, Name: i.Name, Kind: i.Kind,
			Service: n.services.ref(i.ServiceID), Key: i.Key, Dedup: i.Dedup, RateLimit: i.RateLimit})
	}
	d.sort()
	return d
}

func (d *Document) sort() {
	slices.SortFunc(d.Priorities, func(a, b Priority) int { return cmp.Compare(a.Level, b.Level) })
	slices.SortFunc(d.Users, func(a, b User) int { return cmp.Compare(a.Email, b.Email) })
	slices.SortFunc(d.Teams, func(a, b Team) int { return cmp.Compare(a.Slug, b.Slug) })
	slices.SortFunc(d.Deployments, func(a, b Deployment) int { return cmp.Compare(a.Slug, b.Slug) })
	slices.SortFunc(d.Schedules, func(a, b Schedule) int { return cmp.Compare(a.Slug, b.Slug) })
	slices.SortFunc(d.EscalationPolicies, func(a, b Policy) int { return cmp.Compare(a.Slug, b.Slug) })
	slices.SortFunc(d.Services, func(a, b Service) int { return cmp.Compare(a.Slug, b.Slug) })
	slices.SortFunc(d.Integrations, func(a, b Integration) int { return cmp.Compare(a.Slug, b.Slug) })
}

// names are the names of what the database numbers.
type names struct {
	users, teams, deployments, schedules, policies, services named
	priorities                                               map[int]string
}

// named are names by id.
type named map[int64]string

// of is the name of an id, empty for 0. What the state has left out as unreadable
// gets a name by its id, so that nothing that refers to it changes.
func (n named) of(id int64) string {
	if name, ok := n[id]; ok || id == 0 {
		return name
	}
	return unnamed(id)
}

// of a nil id is no name.
func (n named) ref(id *int64) string {
	if id == nil {
		return ""
	}
	return n.of(*id)
}

// unnamed stands for a name in no form that a name may have.
func unnamed(id int64) string { return "#" + strconv.FormatInt(id, 10) }

// IDOf is the id of a name of something that a State has left out as unreadable,
// such as "#17"; false for any other name.
func IDOf(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil
}

func (s *State) names() names {
	n := names{named{}, named{}, named{}, named{}, named{}, named{}, map[int]string{}}
	for _, u := range s.Users {
		n.users[u.ID] = u.Email
	}
	for _, t := range s.Teams {
		n.teams[t.ID] = t.Slug
	}
	for _, d := range s.Deployments {
		n.deployments[d.ID] = d.Slug
	}
	for _, v := range s.Schedules {
		n.schedules[v.ID] = v.Slug
	}
	for _, p := range s.Policies {
		n.policies[p.ID] = p.Slug
	}
	for _, v := range s.Services {
		n.services[v.ID] = v.Slug
	}
	for _, p := range s.Priorities {
		n.priorities[p.Level] = p.Name
	}
	return n
}

func (n names) organization(o catalog.Organization) *Organization {
	return &Organization{Name: o.Name, Timezone: o.Timezone, SupportHours: hoursOf(o.SupportHours),
		CatchAllService: n.services.ref(o.CatchAllServiceID)}
}

// hoursOf leaves out what cannot be read.
func hoursOf(h *catalog.Hours) *Hours {
	if h == nil {
		return nil
	}
	hours := &Hours{Timezone: h.Timezone, Days: []oncall.Weekday{}}
	for _, name := range h.Days {
		var d oncall.Weekday
		if d.UnmarshalText([]byte(name)) == nil {
			hours.Days = append(hours.Days, d)
		}
	}
	_ = hours.From.UnmarshalText([]byte(h.From))
	_ = hours.To.UnmarshalText([]byte(h.To))
	return hours
}

func priority(p catalog.Priority) Priority {
	return Priority{Level: p.Level, Name: p.Name, Hotfix: p.Hotfix, Postmortem: p.Postmortem,
		NotifyManagement: p.NotifyManagement, NotifyStakeholders: p.NotifyStakeholders,
		StatusUpdateEvery: inSeconds(p.StatusUpdateEvery), AckExpires: inSeconds(p.AckExpires),
		Criteria: maps.Clone(p.Criteria)}
}

func (n names) user(s *State, u auth.User) User {
	user := User{Email: u.Email, Name: u.Name, Role: string(u.Role), Timezone: u.Timezone, Deactivated: !u.Active}
	ids := map[int64]string{}
	for _, c := range s.Contacts {
		if c.UserID == u.ID {
			ids[c.ID] = c.Slug
			user.Contacts = append(user.Contacts, Contact{c.Slug, string(c.Medium), c.Address, c.VerifiedAt != nil})
		}
	}
	for _, r := range s.Rules {
		if r.UserID == u.ID {
			user.Rules = append(user.Rules, Rule{r.Urgency, inSeconds(r.AfterSeconds), ids[r.ContactMethodID]})
		}
	}
	slices.SortStableFunc(user.Rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Urgency, b.Urgency), cmp.Compare(a.After, b.After))
	})
	return user
}

func (n names) team(s *State, t catalog.Team) Team {
	team := Team{Slug: t.Slug, Name: t.Name, Manager: n.users.ref(t.ManagerID), Members: []string{},
		Chat: Chat{Slack: t.SlackChannel}, SupportHours: hoursOf(t.SupportHours)}
	for _, m := range s.Members {
		if m.TeamID == t.ID {
			team.Members = append(team.Members, n.users.of(m.UserID))
		}
	}
	slices.Sort(team.Members)
	return team
}

func (n names) service(s *State, v catalog.Service) Service {
	service := Service{Slug: v.Slug, Name: v.Name, Description: v.Description, Parent: n.services.ref(v.ParentID),
		Team: n.teams.ref(v.TeamID), EscalationPolicy: n.policies.ref(v.PolicyID), Runbook: v.Runbook,
		ReopenWindow: inSeconds(v.ReopenWindow)}
	for _, d := range s.ServiceDeployments {
		if d.ServiceID == v.ID {
			service.Deployments = append(service.Deployments, n.deployments.of(d.DeploymentID))
		}
	}
	slices.Sort(service.Deployments)
	for _, l := range v.Dashboards {
		service.Dashboards = append(service.Dashboards, Link{l.Text, l.Href})
	}
	for _, o := range s.SLOs {
		if o.ServiceID == v.ID {
			service.SLOs = append(service.SLOs, SLO{o.Slug, o.Name, o.Endpoint, o.SLI, o.Objective, o.Window, o.Priority, o.PriorityReason})
		}
	}
	slices.SortFunc(service.SLOs, func(a, b SLO) int { return cmp.Compare(a.Slug, b.Slug) })
	return service
}

func (n names) policy(p PolicyRecord) Policy {
	policy := Policy{Slug: p.Slug, Name: p.Name, Team: n.teams.ref(p.TeamID), Repeat: p.Policy.Repeat,
		Fallback: n.targets(p.Policy.Fallback)}
	for _, s := range p.Policy.Steps {
		step := Step{Timeout: inSeconds(s.Timeout), Targets: n.targets(s.Targets)}
		for level, seconds := range s.TimeoutFor {
			if step.TimeoutFor == nil {
				step.TimeoutFor = map[string]Duration{}
			}
			step.TimeoutFor[n.priorities[level]] = inSeconds(seconds)
		}
		policy.Steps = append(policy.Steps, step)
	}
	return policy
}

func (n names) targets(targets []escalation.Target) []Target {
	var all []Target
	for _, t := range targets {
		all = append(all, Target{n.schedules.of(t.Schedule), t.Position, n.users.of(t.User), n.teams.of(t.Team), t.Role})
	}
	return all
}

func (n names) schedule(s *State, k ScheduleRecord) Schedule {
	schedule := Schedule{Slug: k.Slug, Name: k.Name, Team: n.teams.ref(k.TeamID)}
	if len(k.Schedule.Versions) > 0 {
		n.definition(&schedule, k.Schedule.Versions[len(k.Schedule.Versions)-1])
	}
	for _, o := range k.Schedule.Overrides {
		if o.To.After(s.At) {
			schedule.Overrides = append(schedule.Overrides, n.override(o, schedule.Timezone))
		}
	}
	return schedule
}

func (n names) definition(s *Schedule, v oncall.Version) {
	s.Timezone, s.Positions, s.Layers = v.Zone, positions(v.Positions), []Layer{}
	for _, l := range v.Layers {
		layer := Layer{Name: l.Name, Timezone: l.Zone, Start: l.Start, Members: n.people(l.Order()), Positions: positions(l.Positions)}
		if l.Rotate != nil {
			layer.Rotate = &Rotate{l.Rotate.Every, string(l.Rotate.Unit)}
		}
		for _, w := range l.Restrictions {
			layer.Restrictions = append(layer.Restrictions, Window{w.Days, w.From, w.To})
		}
		s.Layers = append(s.Layers, layer)
	}
	for _, w := range v.Shadows {
		s.Shadows = append(s.Shadows, Shadow{n.users.of(int64(w.Person)), string(w.Position), MomentIn(w.From, v.Zone), MomentIn(w.To, v.Zone)})
	}
}

func (n names) people(ids []oncall.Person) []string {
	emails := make([]string, len(ids))
	for i, id := range ids {
		emails[i] = n.users.of(int64(id))
	}
	return emails
}

func positions(list []oncall.Position) []string {
	var all []string
	for _, p := range list {
		all = append(all, string(p))
	}
	return all
}

func (n names) override(o oncall.Override, zone string) Override {
	out, in := n.users.of(int64(o.Out)), n.users.of(int64(o.In))
	override := Override{From: MomentIn(o.From, zone), To: MomentIn(o.To, zone), Position: string(o.Position), Reason: o.Reason}
	switch {
	case o.Kind == oncall.Replace:
		override.Replace, override.With = out, in
	case o.Kind == oncall.Add:
		override.Add = in
	case o.Out == oncall.Nobody:
		override.Remove = Everyone
	default:
		override.Remove = out
	}
	return override
}
