package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// manualIncident is an incident that somebody opens by hand.
type manualIncident struct {
	Title       string `json:"title"`
	Service     string `json:"service"`
	Deployment  string `json:"deployment"`
	Priority    *int   `json:"priority"`
	Description string `json:"description"`
}

// check names every wrong field.
func (m *manualIncident) check(config *catalog.Snapshot) error {
	given := m.Title != ""
	m.Title = strings.TrimSpace(m.Title)
	var faults []fault.Field
	add := func(path, message string) { faults = append(faults, fault.Field{Path: path, Message: message}) }
	switch {
	case !given:
		add("title", missing)
	case m.Title == "":
		add("title", "must not be blank")
	case utf8.RuneCountInString(m.Title) > document.MaxName || strings.ContainsFunc(m.Title, unicode.IsControl):
		add("title", "must be one line of at most 1,024 characters, none of them a control character")
	}
	if m.Service == "" {
		add("service", missing)
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

func (h *handlers) openIncident(c echo.Context, actor auth.Actor) (any, error) {
	var m manualIncident
	if _, err := readBody(c, &m); err != nil {
		return nil, err
	}
	n, err := h.open(c.Request().Context(), actor, m, manualKey(actor, c.Request().Header.Get("Idempotency-Key")))
	if err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(c.Request().Context(), n)
	if err != nil {
		return nil, err
	}
	return h.incidentJSON(row), nil
}

// maxRetries bounds how often an incident is prepared again because the
// configuration changed meanwhile.
const maxRetries = 4

// timePrecision is that of both databases.
const timePrecision = time.Microsecond

// open opens an incident by hand, through the same path as a signal: when it
// returns the number, the incident is durable and its escalation has begun.
func (h *handlers) open(ctx context.Context, actor auth.Actor, m manualIncident, key string) (int64, error) {
	for range maxRetries {
		config, err := h.Catalog.Reload(ctx)
		if err != nil {
			return 0, err
		}
		if err := m.check(config); err != nil {
			return 0, err
		}
		results, err := h.Submitter.Submit(ctx, []ingest.Signal{h.manualSignal(config, actor, m, key)})
		if err != nil {
			return 0, err
		}
		if !results[0].Stale {
			return results[0].Number, nil
		}
	}
	return 0, fault.Unavailable("The configuration is changing. Try again in a moment.")
}

// manualKey is the dedup key of an incident that is opened by hand. It follows from
// the actor's Idempotency-Key, so that a repeated request whose answer was lost
// opens no second incident; without one it is random.
func manualKey(actor auth.Actor, idempotencyKey string) string {
	if idempotencyKey == "" {
		return "manual:" + strings.ToLower(rand.Text())
	}
	sum := sha256.Sum256([]byte(actor.String() + "\n" + idempotencyKey))
	return "manual:" + hex.EncodeToString(sum[:])
}

// manualSignal is the signal that opens an incident by hand. The description goes
// into its facts, where the incident's page looks for it.
func (h *handlers) manualSignal(config *catalog.Snapshot, actor auth.Actor, m manualIncident, key string) ingest.Signal {
	at := h.Now().UTC().Truncate(timePrecision)
	service, _ := config.ServiceNamed(m.Service)
	deployment, known := config.Deployment(m.Deployment)
	body, err := json.Marshal(m)
	if err != nil { // texts and a number can always be marshalled
		panic(err)
	}
	signal := ingest.Signal{
		ServiceID: service.ID, ConfigVersion: config.Version(), ReceivedAt: at,
		Event: incident.Event{
			Action: incident.Trigger, DedupKey: key, Title: m.Title, ServiceName: m.Service, Deployment: m.Deployment,
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
	if service.PolicyID != nil {
		if id, ok := config.PolicyVersionAt(*service.PolicyID, at); ok {
			signal.PolicyVersionID = &id
		}
	}
	return signal
}
