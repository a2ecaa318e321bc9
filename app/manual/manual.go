// Package manual opens incidents by hand and pages people by hand.
package manual

import (
	"context"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
}

// Rosters gives the people of targets, of a version of the configuration or a later
// one.
type Rosters interface {
	Roster(ctx context.Context, version int64) (*escalation.Roster, error)
}

// Service opens incidents and pages people. All of it is required.
type Service struct {
	Catalog   ingest.Config
	Rosters   Rosters
	Submitter ingest.Submitter
	Actions   Actions
	Now       func() time.Time
}

// Targets are the people, teams and schedules that a page names: people by email
// address or id, teams and schedules by slug or id.
type Targets struct {
	Users, Teams, Schedules []string
}

func (t Targets) empty() bool { return len(t.Users)+len(t.Teams)+len(t.Schedules) == 0 }

// Page asks people to look at something.
type Page struct {
	Targets
	// Reason is why, in the asker's words: the title of the incident that is opened,
	// or the message of the request to join one.
	Reason string
	// Incident is the open incident that they are asked to join, 0 to open one.
	Incident int64
	// Service and Deployment are of the incident that is opened: slugs, or empty.
	Service, Deployment string
}

// Page pages somebody, and returns the number of the incident: the one they are asked
// to join, or a new one that nobody but them is paged for. Under one key, which may be
// empty, a repeated request opens no second incident. Faults: invalid with the fields
// users, teams, schedules, reason, service, deployment; not found and conflict for the
// incident.
func (s *Service) Page(ctx context.Context, actor auth.Actor, by incident.By, p Page, idempotencyKey string) (int64, error) {
	reason := strings.TrimSpace(p.Reason)
	if reason == "" {
		return 0, fault.Invalid("The reason is missing.").With(fault.Field{Path: "reason", Message: "Say why: it is in the page."})
	}
	if p.Incident == 0 {
		title, rest, _ := strings.Cut(reason, "\n")
		return s.Open(ctx, actor, Report{Title: title, Description: strings.TrimSpace(rest), Service: p.Service, Deployment: p.Deployment, Users: p.Users, Teams: p.Teams, Schedules: p.Schedules}, idempotencyKey)
	}
	targets, err := s.targets(ctx, p.Targets)
	if err != nil {
		return 0, err
	}
	out, err := s.Actions.Do(ctx, incident.Command{Number: p.Incident, By: by, Act: incident.ActRequest{Targets: targets, Message: reason}})
	if err != nil {
		return 0, err
	}
	return p.Incident, out.Err()
}

// targets finds what a page names, by the configuration as of now.
func (s *Service) targets(ctx context.Context, t Targets) ([]incident.NamedTarget, error) {
	config, err := s.Catalog.Reload(ctx)
	if err != nil {
		return nil, err
	}
	roster, err := s.Rosters.Roster(ctx, config.Version())
	if err != nil {
		return nil, err
	}
	var all []incident.NamedTarget
	for _, field := range []struct {
		name  string
		names []string
	}{{"users", t.Users}, {"teams", t.Teams}, {"schedules", t.Schedules}} {
		found, err := roster.Named(field.name, field.names, s.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
