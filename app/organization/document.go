// Package organization is all that the organisation configures, as one State,
// and the one way to change it.
//
// Edits (RenameTeam, ChangeSchedule, PutPolicy and so on) say what somebody wants
// otherwise. MakePlan checks them against a State and says in words what would
// change; the store applies the Plan in one transaction, all of it or nothing. A
// form, the API, `tocsin apply` and an importer all go this way. What else reads
// the configuration (the roster, routes, recipients, the catalog of signals,
// pages) is derived from one State, which Current keeps.
//
// Three things are people's own, and edits from a file only ever add to them:
// contact methods (where the person has none of that id), personal rules (where
// the person has none of that urgency) and verifications.
package organization

import (
	"strconv"

	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Document is a whole configuration in names: slugs, email addresses, wall
// clocks. The tags are the keys of the YAML format, and of the paths of what is
// wrong; the order of fields is that of an export.
type Document struct {
	Organization       *Organization `yaml:"organization,omitempty"`
	Priorities         []Priority    `yaml:"priorities,omitempty"`
	Users              []User        `yaml:"users,omitempty"`
	Teams              []Team        `yaml:"teams,omitempty"`
	Deployments        []Deployment  `yaml:"deployments,omitempty"`
	Schedules          []Schedule    `yaml:"schedules,omitempty"`
	EscalationPolicies []Policy      `yaml:"escalation_policies,omitempty"`
	Services           []Service     `yaml:"services,omitempty"`
	Integrations       []Integration `yaml:"integrations,omitempty"`
}

// Organization is what holds for the whole organisation.
type Organization struct {
	Name            string `yaml:"name,omitempty"`
	Timezone        string `yaml:"timezone,omitempty"`
	SupportHours    *Hours `yaml:"support_hours,omitempty"`
	CatchAllService string `yaml:"catch_all_service,omitempty"`
}

// Hours are recurring hours of work. Without a zone they go by the
// organisation's.
type Hours struct {
	Timezone string           `yaml:"timezone,omitempty"`
	Days     []oncall.Weekday `yaml:"days"`
	From     oncall.Clock     `yaml:"from"`
	To       oncall.Clock     `yaml:"to"`
}

// User is a person, known by email address.
type User struct {
	Email    string `yaml:"email"`
	Name     string `yaml:"name,omitempty"`
	Role     string `yaml:"role,omitempty"`
	Timezone string `yaml:"timezone,omitempty"`
	// Deactivated people neither sign in nor are paged; nobody is ever deleted.
	Deactivated bool      `yaml:"deactivated,omitempty"`
	Contacts    []Contact `yaml:"contacts,omitempty"`
	Rules       []Rule    `yaml:"rules,omitempty"`
}

// Contact is a contact method.
type Contact struct {
	ID       string `yaml:"id"`
	Type     string `yaml:"type"`
	Value    string `yaml:"value"`
	Verified bool   `yaml:"verified,omitempty"`
}

// Rule is a personal rule. Contact is the id of one of the person's contacts.
type Rule struct {
	Urgency string   `yaml:"urgency"`
	After   Duration `yaml:"after"`
	Contact string   `yaml:"contact"`
}

// Team owns schedules, policies and services.
type Team struct {
	Slug         string   `yaml:"slug"`
	Name         string   `yaml:"name,omitempty"`
	Manager      string   `yaml:"manager,omitempty"`
	Members      []string `yaml:"members"`
	Chat         Chat     `yaml:"chat,omitempty"`
	SupportHours *Hours   `yaml:"support_hours,omitempty"`
}

// Chat is where a team talks.
type Chat struct {
	Slack string `yaml:"slack,omitempty"`
}

// Deployment is an environment.
type Deployment struct {
	Slug   string `yaml:"slug"`
	Name   string `yaml:"name,omitempty"`
	Region string `yaml:"region,omitempty"`
	Kind   string `yaml:"kind,omitempty"`
}

// Schedule is the definition in force, and the overrides that are not over.
type Schedule struct {
	Slug      string     `yaml:"slug"`
	Name      string     `yaml:"name,omitempty"`
	Team      string     `yaml:"team,omitempty"`
	Timezone  string     `yaml:"timezone,omitempty"`
	Positions []string   `yaml:"positions"`
	Layers    []Layer    `yaml:"layers"`
	Shadows   []Shadow   `yaml:"shadows,omitempty"`
	Overrides []Override `yaml:"overrides,omitempty"`
}

// Layer is a rotation.
type Layer struct {
	Name         string          `yaml:"name"`
	Timezone     string          `yaml:"timezone,omitempty"`
	Start        oncall.WallTime `yaml:"start,omitempty"`
	Rotate       *Rotate         `yaml:"rotate,omitempty"`
	Members      []string        `yaml:"members"`
	Positions    []string        `yaml:"positions,omitempty"`
	Restrictions []Window        `yaml:"restrictions,omitempty"`
}

// Rotate is the length of a period.
type Rotate struct {
	Every int    `yaml:"every"`
	Unit  string `yaml:"unit"`
}

// Window is a time of the week. Without days it is every day.
type Window struct {
	Days []oncall.Weekday `yaml:"days,omitempty"`
	From oncall.Clock     `yaml:"from"`
	To   oncall.Clock     `yaml:"to"`
}

// Shadow is somebody who gets copies of what a position, or every position,
// gets.
type Shadow struct {
	User     string `yaml:"user"`
	Position string `yaml:"position,omitempty"`
	From     Moment `yaml:"from,omitempty"`
	To       Moment `yaml:"to,omitempty"`
}

// Override is exactly one of: Replace by With, Add, or Remove; the last one's
// Everyone takes off whoever is on. Without a position it is for all.
type Override struct {
	From     Moment `yaml:"from"`
	To       Moment `yaml:"to"`
	Position string `yaml:"position,omitempty"`
	Replace  string `yaml:"replace,omitempty"`
	With     string `yaml:"with,omitempty"`
	Add      string `yaml:"add,omitempty"`
	Remove   string `yaml:"remove,omitempty"`
	Reason   string `yaml:"reason,omitempty"`
}

// Everyone is whom a removal without a person takes off.
const Everyone = "everyone"

// Policy is an escalation policy.
type Policy struct {
	Slug     string   `yaml:"slug"`
	Name     string   `yaml:"name,omitempty"`
	Team     string   `yaml:"team,omitempty"`
	Repeat   int      `yaml:"repeat"`
	Fallback []Target `yaml:"fallback,omitempty"`
	Steps    []Step   `yaml:"steps"`
}

// Step is whom to page and how long to wait.
type Step struct {
	Timeout Duration `yaml:"timeout"`
	// TimeoutFor is by the name of a priority.
	TimeoutFor map[string]Duration `yaml:"timeout_for,omitempty"`
	Targets    []Target            `yaml:"targets"`
}

// Target is one of: a schedule's position, a user, a team, the manager of a
// team, a role.
type Target struct {
	Schedule string `yaml:"schedule,omitempty"`
	Position string `yaml:"position,omitempty"`
	User     string `yaml:"user,omitempty"`
	Team     string `yaml:"team,omitempty"`
	Role     string `yaml:"role,omitempty"`
}

// Priority is a level.
type Priority struct {
	Level              int               `yaml:"level"`
	Name               string            `yaml:"name,omitempty"`
	Hotfix             bool              `yaml:"hotfix"`
	Postmortem         bool              `yaml:"postmortem"`
	NotifyManagement   bool              `yaml:"notify_management"`
	NotifyStakeholders bool              `yaml:"notify_stakeholders"`
	StatusUpdateEvery  Duration          `yaml:"status_update_every"`
	AckExpires         Duration          `yaml:"ack_expires"`
	Criteria           map[string]string `yaml:"criteria,omitempty"`
}

// Service is what may break.
type Service struct {
	Slug             string   `yaml:"slug"`
	Name             string   `yaml:"name,omitempty"`
	Description      string   `yaml:"description,omitempty"`
	Parent           string   `yaml:"parent,omitempty"`
	Team             string   `yaml:"team,omitempty"`
	Deployments      []string `yaml:"deployments,omitempty"`
	EscalationPolicy string   `yaml:"escalation_policy,omitempty"`
	Runbook          string   `yaml:"runbook,omitempty"`
	Dashboards       []Link   `yaml:"dashboards,omitempty"`
	ReopenWindow     Duration `yaml:"reopen_window"`
	SLOs             []SLO    `yaml:"slos,omitempty"`
}

// Link is a titled address.
type Link struct {
	Text string `yaml:"text"`
	Href string `yaml:"href"`
}

// SLO is an objective for one SLI.
type SLO struct {
	Slug           string  `yaml:"slug"`
	Name           string  `yaml:"name,omitempty"`
	Endpoint       string  `yaml:"endpoint,omitempty"`
	SLI            string  `yaml:"sli"`
	Objective      float64 `yaml:"objective"`
	Window         string  `yaml:"window"`
	Priority       *int    `yaml:"priority,omitempty"`
	PriorityReason string  `yaml:"priority_reason,omitempty"`
}

// Integration is a key that signals come in by.
type Integration struct {
	Slug    string `yaml:"slug"`
	Name    string `yaml:"name,omitempty"`
	Kind    string `yaml:"kind,omitempty"`
	Service string `yaml:"service,omitempty"`
	// Key is made where an integration is new and has none. That of one that is
	// there stays where this is empty.
	Key string `yaml:"key,omitempty"`
	// Dedup is an expression over the signal, as package rule has it.
	Dedup     string `yaml:"dedup,omitempty"`
	RateLimit int    `yaml:"rate_limit,omitempty"`
}

func (p Priority) key() string    { return strconv.Itoa(p.Level) }
func (u User) key() string        { return u.Email }
func (t Team) key() string        { return t.Slug }
func (d Deployment) key() string  { return d.Slug }
func (s Schedule) key() string    { return s.Slug }
func (p Policy) key() string      { return p.Slug }
func (s Service) key() string     { return s.Slug }
func (i Integration) key() string { return i.Slug }

// Keys are what the things of a kind are known by: slugs, addresses, levels.
func (d *Document) Keys(kind Kind) []string {
	switch kind {
	case KindPriority:
		return knownOf(d.Priorities, Priority.key).keys
	case KindUser:
		return knownOf(d.Users, User.key).keys
	case KindTeam:
		return knownOf(d.Teams, Team.key).keys
	case KindDeployment:
		return knownOf(d.Deployments, Deployment.key).keys
	case KindSchedule:
		return knownOf(d.Schedules, Schedule.key).keys
	case KindPolicy:
		return knownOf(d.EscalationPolicies, Policy.key).keys
	case KindService:
		return knownOf(d.Services, Service.key).keys
	case KindIntegration:
		return knownOf(d.Integrations, Integration.key).keys
	case KindOrganization:
	}
	return nil
}
