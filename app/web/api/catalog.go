package api

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// listing is the configuration in the forms that the API shows.
type listing struct{ *web.Config }

type hoursJSON struct {
	Timezone *string  `json:"timezone"`
	Days     []string `json:"days"`
	From     string   `json:"from"`
	To       string   `json:"to"`
}

func hoursOf(hours *catalog.Hours) *hoursJSON {
	if hours == nil {
		return nil
	}
	return &hoursJSON{Timezone: orNull(hours.Timezone), Days: hours.Days, From: hours.From, To: hours.To}
}

type teamJSON struct {
	Slug         string     `json:"slug"`
	Name         string     `json:"name"`
	Manager      *string    `json:"manager"`
	Members      []string   `json:"members"`
	SlackChannel *string    `json:"slack_channel"`
	SupportHours *hoursJSON `json:"support_hours"`
}

// email is a person's address; empty for nobody.
func (l *listing) email(id int64) string { return l.User(id).Email }

// emailOf is null for nobody.
func (l *listing) emailOf(id *int64) *string {
	if id == nil {
		return nil
	}
	return orNull(l.email(*id))
}

// teamSlug is null for none.
func (l *listing) teamSlug(id *int64) *string {
	if id == nil {
		return nil
	}
	return orNull(l.Team(*id).Slug)
}

func (l *listing) allTeams() []teamJSON {
	members := map[int64][]string{}
	for _, m := range l.Members {
		members[m.TeamID] = append(members[m.TeamID], l.email(m.UserID))
	}
	all := make([]teamJSON, len(l.Teams))
	for i, t := range l.Teams {
		all[i] = teamJSON{t.Slug, t.Name, l.emailOf(t.ManagerID), orEmpty(members[t.ID]), orNull(t.SlackChannel), hoursOf(t.SupportHours)}
	}
	return all
}

// orEmpty is a list that is never null.
func orEmpty[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

type deploymentJSON struct {
	Slug   string  `json:"slug"`
	Name   string  `json:"name"`
	Region *string `json:"region"`
	Kind   string  `json:"kind"`
}

func (l *listing) allDeployments() []deploymentJSON {
	all := make([]deploymentJSON, len(l.Deployments))
	for i, d := range l.Deployments {
		all[i] = deploymentJSON{d.Slug, d.Name, orNull(d.Region), d.Kind}
	}
	return all
}

type sloJSON struct {
	Slug           string   `json:"slug"`
	Name           string   `json:"name"`
	Endpoint       *string  `json:"endpoint"`
	SLI            string   `json:"sli"`
	Objective      float64  `json:"objective"`
	Window         string   `json:"window"`
	Default        bool     `json:"default"`
	Deployments    []string `json:"deployments"`
	Priority       *int     `json:"priority"`
	PriorityReason *string  `json:"priority_reason"`
}

type serviceJSON struct {
	Slug             string         `json:"slug"`
	Name             string         `json:"name"`
	Description      *string        `json:"description"`
	Parent           *string        `json:"parent"`
	Team             *string        `json:"team"`
	Deployments      []string       `json:"deployments"`
	EscalationPolicy *string        `json:"escalation_policy"`
	Runbook          *string        `json:"runbook"`
	Dashboards       []catalog.Link `json:"dashboards"`
	ReopenWindow     int64          `json:"reopen_window_seconds"`
	SLOs             []sloJSON      `json:"slos"`
}

func (l *listing) allServices() []serviceJSON {
	runsIn := map[int64][]string{}
	for _, d := range l.ServiceDeployments {
		runsIn[d.ServiceID] = append(runsIn[d.ServiceID], l.Deployment(d.DeploymentID).Slug)
	}
	slos := map[int64][]sloJSON{}
	for _, o := range l.SLOs {
		slos[o.ServiceID] = append(slos[o.ServiceID], sloJSON{o.Slug, o.Name, orNull(o.Endpoint), o.SLI, o.Objective, o.Window, o.Default, orEmpty(o.Deployments), o.Priority, orNull(o.PriorityReason)})
	}
	all := make([]serviceJSON, len(l.Services))
	for i, s := range l.Services {
		all[i] = serviceJSON{
			Slug: s.Slug, Name: s.Name, Description: orNull(s.Description), Team: l.teamSlug(s.TeamID), Deployments: orEmpty(runsIn[s.ID]),
			Runbook: orNull(s.Runbook), Dashboards: orEmpty(s.Dashboards), ReopenWindow: s.ReopenWindow, SLOs: orEmpty(slos[s.ID]),
		}
		if s.ParentID != nil {
			all[i].Parent = orNull(l.Service(*s.ParentID).Slug)
		}
		if s.PolicyID != nil {
			all[i].EscalationPolicy = orNull(l.Policy(*s.PolicyID).Slug)
		}
	}
	return all
}

type priorityJSON struct {
	Level              int               `json:"level"`
	Name               string            `json:"name"`
	Hotfix             bool              `json:"hotfix"`
	Postmortem         bool              `json:"postmortem"`
	NotifyManagement   bool              `json:"notify_management"`
	NotifyStakeholders bool              `json:"notify_stakeholders"`
	StatusUpdateEvery  int64             `json:"status_update_every_seconds"`
	AckExpires         int64             `json:"ack_expires_seconds"`
	Criteria           map[string]string `json:"criteria"`
}

func (l *listing) allPriorities() []priorityJSON {
	all := make([]priorityJSON, len(l.Priorities))
	for i, p := range l.Priorities {
		all[i] = priorityJSON{p.Level, p.Name, p.Hotfix, p.Postmortem, p.NotifyManagement, p.NotifyStakeholders, p.StatusUpdateEvery, p.AckExpires, p.Criteria}
		if p.Criteria == nil {
			all[i].Criteria = map[string]string{}
		}
	}
	return all
}

// integrationJSON has no key: those who may see it do so in the browser.
type integrationJSON struct {
	Slug      string    `json:"slug"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Service   *string   `json:"service"`
	Dedup     *string   `json:"dedup"`
	RateLimit int       `json:"rate_limit"`
	CreatedAt time.Time `json:"created_at"`
}

func (l *listing) allIntegrations() []integrationJSON {
	all := make([]integrationJSON, len(l.Integrations))
	for i, v := range l.Integrations {
		all[i] = integrationJSON{Slug: v.Slug, Name: v.Name, Kind: v.Kind, Dedup: orNull(v.Dedup), RateLimit: v.RateLimit, CreatedAt: v.CreatedAt.UTC()}
		if v.ServiceID != nil {
			all[i].Service = orNull(l.Service(*v.ServiceID).Slug)
		}
	}
	return all
}

type userJSON struct {
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	Role     auth.Role `json:"role"`
	Timezone *string   `json:"timezone"`
	Active   bool      `json:"active"`
}

func (l *listing) allUsers() []userJSON {
	all := make([]userJSON, len(l.Users))
	for i, u := range l.Users {
		all[i] = userJSON{u.Email, u.Name, u.Role, orNull(u.Timezone), u.Active}
	}
	return all
}

// targetJSON is one of: a schedule's position, a user, a team, the manager of a
// team, a role.
type targetJSON struct {
	Schedule string `json:"schedule,omitempty"`
	Position string `json:"position,omitempty"`
	User     string `json:"user,omitempty"`
	Team     string `json:"team,omitempty"`
	Role     string `json:"role,omitempty"`
}

type stepJSON struct {
	Timeout int64 `json:"timeout_seconds"`
	// TimeoutFor is by the name of the level: "P1".
	TimeoutFor map[string]int64 `json:"timeout_for_seconds"`
	// OutsideCover is "pass" or "hold".
	OutsideCover escalation.OutsideCover `json:"outside_cover"`
	Targets      []targetJSON            `json:"targets"`
}

type policyJSON struct {
	Slug     string       `json:"slug"`
	Name     string       `json:"name"`
	Team     *string      `json:"team"`
	Repeat   int          `json:"repeat"`
	Steps    []stepJSON   `json:"steps"`
	Fallback []targetJSON `json:"fallback"`
}

func (l *listing) allPolicies() []policyJSON {
	all := make([]policyJSON, len(l.Policies))
	for i, p := range l.Policies {
		all[i] = l.policy(p)
	}
	return all
}

func (l *listing) policy(p organization.PolicyRecord) policyJSON {
	shown := policyJSON{Slug: p.Slug, Name: p.Name, Team: l.teamSlug(p.TeamID), Repeat: p.Policy.Repeat, Steps: []stepJSON{}, Fallback: l.targets(p.Policy.Fallback)}
	for _, s := range p.Policy.Steps {
		step := stepJSON{Timeout: s.Timeout, TimeoutFor: map[string]int64{}, OutsideCover: cmp.Or(s.OutsideCover, escalation.Pass), Targets: l.targets(s.Targets)}
		for level, seconds := range s.TimeoutFor {
			step.TimeoutFor[fmt.Sprintf("P%d", level)] = seconds
		}
		shown.Steps = append(shown.Steps, step)
	}
	return shown
}

func (l *listing) targets(all []escalation.Target) []targetJSON {
	shown := make([]targetJSON, len(all))
	for i, t := range all {
		shown[i] = targetJSON{Schedule: l.Schedule(t.Schedule).Slug, Position: t.Position, User: l.email(t.User), Team: l.Team(t.Team).Slug, Role: t.Role}
	}
	return shown
}
