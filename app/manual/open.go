package manual

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// Report is an incident that somebody opens by hand.
type Report struct {
	Title      string `json:"title"`
	Service    string `json:"service"` // a slug or a name; may be empty where somebody is named to be paged
	Deployment string `json:"deployment"`
	Priority   *int   `json:"priority"`
	// Description may be empty, and have several lines.
	Description string `json:"description"`
	// Users, Teams and Schedules are paged instead of the service's policy.
	Users     []string `json:"users,omitempty"`
	Teams     []string `json:"teams,omitempty"`
	Schedules []string `json:"schedules,omitempty"`
}

func (m *Report) targets() Targets { return Targets{m.Users, m.Teams, m.Schedules} }

// check names every wrong field.
func (m *Report) check(config *catalog.Snapshot) error {
	given := m.Title != ""
	m.Title = strings.TrimSpace(m.Title)
	var faults []fault.Field
	add := func(path, message string) { faults = append(faults, fault.Field{Path: path, Message: message}) }
	switch {
	case !given:
		add("title", missing)
	case m.Title == "":
		add("title", "must not be blank")
	case strings.ContainsFunc(m.Title, unicode.IsControl):
		add("title", "must be one line without control characters")
	}
	if m.Service == "" {
		if m.targets().empty() {
			add("service", missing)
		}
	} else if _, ok := config.ServiceNamed(m.Service); !ok {
		add("service", "must be the slug or the name of a service")
	}
	if _, ok := config.Deployment(m.Deployment); m.Deployment != "" && !ok {
		add("deployment", "must be the slug of a deployment, or left out")
	}
	if m.Priority != nil && *m.Priority != catalog.NoPriority {
		if _, ok := config.Priority(*m.Priority); !ok {
			add("priority", "must be the level of a priority, 0 for no priority, or null for unset")
		}
	}
	if len(m.Description) > incident.MaxText {
		add("description", "must have at most 20,000 characters")
	}
	if faults != nil {
		return fault.Invalid("The incident cannot be opened as it is.").With(faults...)
	}
	return nil
}

// maxRetries bounds how often an incident is prepared again because the
// configuration changed meanwhile.
const maxRetries = 4

// missing is the message about a field that is required.
const missing = "is missing"

// timePrecision is that of both databases.
const timePrecision = time.Microsecond

// Open opens an incident by hand, through the same path as a signal: when it
// returns the number, the incident is durable and its escalation has begun. Under one
// key, which may be empty, a repeated request opens no second incident. Fault: invalid
// with the fields of the report.
func (s *Service) Open(ctx context.Context, actor auth.Actor, m Report, idempotencyKey string) (int64, error) {
	key := keyOf(actor, idempotencyKey)
	for range maxRetries {
		config, err := s.Catalog.Reload(ctx)
		if err != nil {
			return 0, err
		}
		if err := m.check(config); err != nil {
			return 0, err
		}
		signal := s.signal(config, actor, m, key)
		if signal.Request, err = s.request(ctx, actor, m); err != nil {
			return 0, err
		}
		results, err := s.Submitter.Submit(ctx, []ingest.Signal{signal})
		if err != nil {
			return 0, err
		}
		if !results[0].Stale {
			return results[0].Number, nil
		}
	}
	return 0, fault.Unavailable("The configuration is changing. Try again in a moment.")
}

// request is the primary escalation of a report that names whom to page; nil where the
// service's policy does.
func (s *Service) request(ctx context.Context, actor auth.Actor, m Report) (*incident.Request, error) {
	if m.targets().empty() {
		return nil, nil
	}
	named, err := s.targets(ctx, m.targets())
	if err != nil {
		return nil, err
	}
	r := &incident.Request{Kind: incident.AskToAnswer, By: actor.String()}
	if actor.Kind == auth.Person {
		r.ByID = &actor.UserID
	}
	for _, t := range named {
		r.Targets = append(r.Targets, t.Target)
	}
	return r, nil
}

// keyOf is the dedup key of an incident that is opened by hand. It follows from
// the actor's Idempotency-Key, so that a repeated request whose answer was lost
// opens no second incident; without one it is random.
func keyOf(actor auth.Actor, idempotencyKey string) string {
	if idempotencyKey == "" {
		return incident.ManualKey + strings.ToLower(rand.Text())
	}
	sum := sha256.Sum256([]byte(actor.String() + "\n" + idempotencyKey))
	return incident.ManualKey + hex.EncodeToString(sum[:])
}

// signal is the signal that opens an incident by hand. The description goes into its
// facts, where the incident's page looks for it, and so does the whole of a title that
// had to be cut.
func (s *Service) signal(config *catalog.Snapshot, actor auth.Actor, m Report, key string) ingest.Signal {
	at := s.Now().UTC().Truncate(timePrecision)
	service, _ := config.ServiceNamed(m.Service)
	deployment, known := config.Deployment(m.Deployment)
	body, err := json.Marshal(m)
	if err != nil { // texts and a number can always be marshalled
		panic(err)
	}
	signal := ingest.Signal{
		ServiceID: service.ID, ConfigVersion: config.Version(), ReceivedAt: at,
		Event: incident.Event{
			Action: incident.Trigger, DedupKey: key, Title: document.Cut(m.Title), ServiceName: m.Service, Deployment: m.Deployment,
			Priority: m.Priority, Facts: incident.Facts{Sender: actor.Name, Service: m.Service}, Body: body,
		},
		Rules: incident.Rules{ServiceID: service.ID, Actor: actor.String(), DeploymentKnown: known, Production: deployment.Kind == catalog.Production},
	}
	if m.Priority != nil {
		signal.Event.PrioritySource = actor.String()
	}
	if description := strings.TrimSpace(m.Description); description != "" {
		signal.Event.Facts.Environment = []incident.Pair{{Name: "Description", Value: description}}
	}
	if signal.Event.Title != m.Title {
		signal.Event.Facts.Environment = append(signal.Event.Facts.Environment, incident.Pair{Name: "Whole title", Value: m.Title})
	}
	if service.PolicyID != nil {
		if id, ok := config.PolicyVersionAt(*service.PolicyID, at); ok {
			signal.PolicyVersionID = &id
		}
	}
	return signal
}
