// Package organizationtest generates configurations for property tests.
package organizationtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// At is when every generated configuration is taken.
var At = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"}

// awkward are texts that YAML or the format itself could take for something
// else.
var awkward = []string{"yes", "no", "null", "~", "1", "1.50", "0x10", "+34", "09:00", "2026-01-05", "2026-01-05 09:00", "true", "# x", "a # b", "- a",
	"a: b", "a:", "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "'a'", `"a"`, `a\b`, "${HOME}", "$${HOME}", "${", "|", ">", "?", "? a",
	"<<", ".inf", ".NaN", "é", "日本", "🚨", "=", "---", "..."}

// dedups are rules, and none.
var dedups = []string{"", `event.service`, `event.service + "/" + event.slo.name`, `'a: #b' + event["x"]`, "event.sli\n  + '${HOME}'", `"` + strings.Repeat("long ", 40) + `" + event.sli`}

// State is a configuration that a file could describe. Its first user is an
// administrator.
func State() *rapid.Generator[*organization.State] {
	return rapid.Custom(func(t *rapid.T) *organization.State {
		g := &generator{T: t, s: &organization.State{At: At}}
		g.s.Organization = catalog.Organization{ID: 1, Name: g.name(), Timezone: g.zone(), SupportHours: g.hours(), ConfigVersion: 3}
		g.users()
		g.priorities()
		g.teams()
		g.deployments()
		g.schedules()
		g.policies()
		g.services()
		g.integrations()
		return g.s
	})
}

type generator struct {
	*rapid.T
	s *organization.State
}

func (g *generator) count(most int) int { return rapid.IntRange(0, most).Draw(g.T, "count") }
func (g *generator) coin() bool         { return rapid.Bool().Draw(g.T, "coin") }
func (g *generator) zone() string       { return rapid.SampledFrom(zones).Draw(g.T, "zone") }
func (g *generator) seconds() int64     { return rapid.Int64Range(1, 1_000_000).Draw(g.T, "seconds") }
func (g *generator) clock(to int) string {
	return oncall.Clock(rapid.IntRange(0, to).Draw(g.T, "clock")).String()
}

func (g *generator) name() string {
	if g.coin() {
		return rapid.SampledFrom(awkward).Draw(g.T, "awkward")
	}
	name := rapid.StringMatching(`[!-~]([ -~]{0,20}[!-~])?`).Draw(g.T, "name")
	return name
}

func (g *generator) text() string {
	if g.coin() {
		return ""
	}
	return rapid.StringMatching(`[ -~\t\n]{0,30}`).Draw(g.T, "text")
}

// runbook is a name or an address.
func (g *generator) runbook() string {
	if g.coin() {
		return "https://x.example/runbooks?q=%24"
	}
	return strings.ReplaceAll(g.text(), ":", ": ")
}

func id[T any](g *generator, list []T, key func(T) int64) *int64 {
	if len(list) == 0 || g.coin() {
		return nil
	}
	n := key(rapid.SampledFrom(list).Draw(g.T, "one"))
	return &n
}

func (g *generator) hours() *catalog.Hours {
	if g.coin() {
		return nil
	}
	h := &catalog.Hours{From: g.clock(1439), To: g.clock(1440)}
	for _, d := range g.days(1) {
		h.Days = append(h.Days, d.String())
	}
	if g.coin() {
		h.Timezone = g.zone()
	}
	return h
}

func (g *generator) window() oncall.Window {
	w := oncall.Window{From: oncall.Clock(rapid.IntRange(0, 1439).Draw(g.T, "from")), To: oncall.Clock(rapid.IntRange(0, 1440).Draw(g.T, "to"))}
	if days := g.days(0); len(days) > 0 {
		w.Days = days
	}
	return w
}

func (g *generator) days(least int) []oncall.Weekday {
	return rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) oncall.Weekday {
		return oncall.Weekday(rapid.IntRange(0, 6).Draw(t, "day"))
	}), least, 7, rapid.ID).Draw(g.T, "days")
}

// pagedRoles are those of whom schedules and policies may name.
var pagedRoles = []auth.Role{auth.Responder, auth.Manager, auth.Administrator}

func (g *generator) users() {
	for i := range 1 + g.count(5) {
		u := auth.User{ID: int64(i + 1), Email: fmt.Sprintf("u%d@x.example", i), Name: g.name(), Active: i == 0 || g.coin(),
			Role: rapid.SampledFrom(pagedRoles).Draw(g.T, "role")}
		if i == 0 {
			u.Role = auth.Administrator
		}
		if g.coin() {
			u.Timezone = g.zone()
		}
		g.s.Users = append(g.s.Users, u)
		for j := range g.count(3) {
			g.contact(u.ID, j)
		}
	}
}

func (g *generator) contact(userID int64, j int) {
	c := notify.ContactMethod{ID: int64(len(g.s.Contacts) + 1), UserID: userID, Slug: fmt.Sprintf("c%d", j), Medium: notify.Email,
		Address: fmt.Sprintf("c%d.%d@x.example", userID, j)}
	if g.coin() {
		c.Medium, c.Address = notify.SMS, fmt.Sprintf("+346000%04d%d", userID, j)
	}
	if g.coin() {
		c.VerifiedAt = &At
	}
	g.s.Contacts = append(g.s.Contacts, c)
	for range g.count(2) {
		g.s.Rules = append(g.s.Rules, notify.Rule{ID: int64(len(g.s.Rules) + 1), UserID: userID, ContactMethodID: c.ID,
			Urgency: rapid.SampledFrom([]string{"high", "low"}).Draw(g.T, "urgency"), AfterSeconds: g.seconds()})
	}
}

func (g *generator) priorities() {
	for level := 1; level <= g.count(5); level++ {
		p := catalog.Priority{Level: level, Name: fmt.Sprintf("L%d", level), Hotfix: g.coin(), Postmortem: g.coin(),
			NotifyManagement: g.coin(), NotifyStakeholders: g.coin(), Criteria: map[string]string{}}
		if g.coin() {
			p.StatusUpdateEvery, p.AckExpires = g.seconds(), g.seconds()
		}
		for i := range g.count(3) {
			p.Criteria[fmt.Sprintf("%s %d", g.name(), i)] = g.name()
		}
		g.s.Priorities = append(g.s.Priorities, p)
	}
}

func userID(u auth.User) int64 { return u.ID }

func (g *generator) teams() {
	for i := range g.count(3) {
		t := catalog.Team{ID: int64(i + 1), Slug: fmt.Sprintf("t%d", i), Name: g.name(), ManagerID: id(g, g.s.Users, userID), SupportHours: g.hours()}
		if g.coin() {
			t.SlackChannel = "#" + t.Slug
		}
		g.s.Teams = append(g.s.Teams, t)
		for _, u := range g.s.Users {
			if g.coin() {
				g.s.Members = append(g.s.Members, catalog.TeamMember{TeamID: t.ID, UserID: u.ID})
			}
		}
	}
}

func teamID(t catalog.Team) int64 { return t.ID }

func (g *generator) deployments() {
	for i := range g.count(3) {
		g.s.Deployments = append(g.s.Deployments, catalog.Deployment{ID: int64(i + 1), Slug: fmt.Sprintf("d%d", i), Name: g.name(),
			Region: strings.TrimSpace(g.text()), Kind: rapid.SampledFrom([]string{"production", "staging"}).Draw(g.T, "kind")})
	}
}

func (g *generator) person() oncall.Person {
	return oncall.Person(rapid.SampledFrom(g.s.Users).Draw(g.T, "person").ID)
}

func (g *generator) schedules() {
	for i := range g.count(3) {
		s := organization.ScheduleRecord{ID: int64(i + 1), Slug: fmt.Sprintf("s%d", i), Name: g.name(), TeamID: id(g, g.s.Teams, teamID), FromApp: map[int64]bool{}}
		s.Schedule.Slug = s.Slug
		first := g.version()
		s.Schedule.Versions = []oncall.Version{first}
		if g.coin() { // somebody joined or left
			edit := first
			edit.Effective = At.Add(-time.Hour)
			edit.Layers = slices.Clone(first.Layers)
			for j := range edit.Layers {
				edit.Layers[j].Members = g.members()
			}
			s.Schedule.Versions = append(s.Schedule.Versions, first.Succeed(edit))
		}
		for j := range g.count(3) {
			o := g.override(first.Positions)
			o.ID = int64(i*10 + j + 1)
			s.FromApp[o.ID] = g.coin()
			s.Schedule.Overrides = append(s.Schedule.Overrides, o)
		}
		g.s.Schedules = append(g.s.Schedules, s)
	}
}

func (g *generator) members() []oncall.Person {
	members := []oncall.Person{g.person()}
	for range g.count(4) {
		members = append(members, g.person())
	}
	return members
}

func (g *generator) version() oncall.Version {
	v := oncall.Version{Zone: g.zone(), Positions: []oncall.Position{"main", "backup", "third"}[:1+g.count(2)], Layers: []oncall.Layer{}}
	for i := range g.count(3) {
		l := oncall.Layer{Name: fmt.Sprintf("%s %d", g.name(), i), Members: g.members()}
		if g.coin() {
			l.Zone = g.zone()
		}
		if g.coin() {
			l.Start = oncall.WallTimeOf(time.Date(2026, 1, 1+g.count(300), g.count(23), g.count(59), 0, 0, time.UTC))
			l.Rotate = &oncall.Rotate{Every: 1 + g.count(3), Unit: rapid.SampledFrom([]oncall.Unit{oncall.Hour, oncall.Day, oncall.Week, oncall.Month}).Draw(g.T, "unit")}
		}
		if g.coin() {
			l.Positions = v.Positions[:1]
		}
		for range g.count(2) {
			l.Restrictions = append(l.Restrictions, g.window())
		}
		l.CountsOnlyCovered = g.coin()
		v.Layers = append(v.Layers, l)
	}
	for range g.count(2) {
		v.RequiredCover = append(v.RequiredCover, g.window())
	}
	for range g.count(1) {
		v.Shadows = append(v.Shadows, oncall.Shadow{Person: g.person(), Position: v.Positions[0], From: At.Add(-time.Hour)})
	}
	return v
}

func (g *generator) override(positions []oncall.Position) oncall.Override {
	from := At.Add(time.Duration(rapid.Int64Range(-100, 100).Draw(g.T, "from")) * 997 * time.Second)
	o := oncall.Override{From: from, To: from.Add(time.Duration(g.seconds()) * time.Second), Reason: strings.TrimSpace(g.text())}
	if g.coin() {
		o.Position = positions[0]
	}
	switch g.count(2) {
	case 0:
		o.Kind, o.In = oncall.Add, g.person()
	case 1:
		o.Kind = oncall.Remove
		if g.coin() {
			o.Out = g.person()
		}
	default:
		o.Kind, o.In, o.Out = oncall.Replace, g.person(), g.person()
		if o.In == o.Out {
			o.Kind, o.Out = oncall.Add, oncall.Nobody
		}
	}
	return o
}

func (g *generator) target() escalation.Target {
	switch g.count(3) {
	case 0:
		if len(g.s.Schedules) > 0 {
			s := rapid.SampledFrom(g.s.Schedules).Draw(g.T, "schedule")
			return escalation.Target{Schedule: s.ID, Position: string(s.Schedule.Versions[0].Positions[0])}
		}
	case 1:
		if team := id(g, g.s.Teams, teamID); team != nil {
			t := escalation.Target{Team: *team}
			if g.coin() {
				t.Role = "manager"
			}
			return t
		}
	case 2:
		return escalation.Target{Role: rapid.SampledFrom([]string{"administrator", "manager", "responder"}).Draw(g.T, "role")}
	}
	return escalation.Target{User: int64(g.person())}
}

func (g *generator) policies() {
	for i := range g.count(3) {
		p := organization.PolicyRecord{ID: int64(i + 1), Slug: fmt.Sprintf("p%d", i), Name: g.name(), TeamID: id(g, g.s.Teams, teamID)}
		p.Policy.Repeat = g.count(5)
		for range g.count(2) {
			p.Policy.Fallback = append(p.Policy.Fallback, g.target())
		}
		for range 1 + g.count(3) {
			s := escalation.Step{Timeout: g.seconds(), Targets: []escalation.Target{g.target()}}
			if g.coin() {
				s.OutsideCover = escalation.Hold
			}
			if len(g.s.Priorities) > 0 && g.coin() {
				s.TimeoutFor = map[int]int64{rapid.SampledFrom(g.s.Priorities).Draw(g.T, "priority").Level: g.seconds()}
			}
			p.Policy.Steps = append(p.Policy.Steps, s)
		}
		g.s.Policies = append(g.s.Policies, p)
	}
}

func (g *generator) services() {
	for i := range g.count(4) {
		v := catalog.Service{ID: int64(i + 1), Slug: fmt.Sprintf("v%d", i), Name: g.name(), Description: g.text(), Runbook: g.runbook(),
			ParentID: id(g, g.s.Services, func(s catalog.Service) int64 { return s.ID }), TeamID: id(g, g.s.Teams, teamID),
			PolicyID: id(g, g.s.Policies, func(p organization.PolicyRecord) int64 { return p.ID }), ReopenWindow: g.seconds(), Dashboards: []catalog.Link{}}
		for range g.count(2) {
			v.Dashboards = append(v.Dashboards, catalog.Link{Text: g.name(), Href: "https://x.example/?q=%24%7B#a"})
		}
		g.s.Services = append(g.s.Services, v)
		for _, d := range g.s.Deployments {
			if g.coin() {
				g.s.ServiceDeployments = append(g.s.ServiceDeployments, catalog.ServiceDeployment{ServiceID: v.ID, DeploymentID: d.ID})
			}
		}
		for j := range g.count(2) {
			o := catalog.SLO{ID: int64(len(g.s.SLOs) + 1), ServiceID: v.ID, Slug: fmt.Sprintf("o%d", j), Name: g.name(), Endpoint: g.text(), SLI: "availability",
				Objective: float64(rapid.IntRange(1, 100_000).Draw(g.T, "objective")) / 1000, Window: "28d", PriorityReason: g.text()}
			o.Default = j == 0 && o.Endpoint == "" && g.coin()
			for _, d := range g.s.Deployments {
				if g.coin() {
					o.Deployments = append(o.Deployments, d.Slug)
				}
			}
			slices.Sort(o.Deployments)
			if g.coin() {
				o.Priority = new(catalog.NoPriority)
			}
			if len(g.s.Priorities) > 0 && g.coin() {
				level := rapid.SampledFrom(g.s.Priorities).Draw(g.T, "priority").Level
				o.Priority = &level
			}
			g.s.SLOs = append(g.s.SLOs, o)
		}
	}
}

func (g *generator) integrations() {
	for i := range g.count(3) {
		in := organization.IntegrationRecord{Key: fmt.Sprintf("%032d", i)}
		in.Integration = catalog.Integration{ID: int64(i + 1), Slug: fmt.Sprintf("i%d", i), Name: g.name(), Kind: catalog.KindSLO,
			ServiceID: id(g, g.s.Services, func(s catalog.Service) int64 { return s.ID }), RateLimit: g.count(100),
			Dedup: rapid.SampledFrom(dedups).Draw(g.T, "dedup")}
		g.s.Integrations = append(g.s.Integrations, in)
	}
	g.s.Organization.CatchAllServiceID = id(g, g.s.Services, func(s catalog.Service) int64 { return s.ID })
}
