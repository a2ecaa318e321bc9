package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Incidents reads incidents. A number that does not exist is a fault of kind not
// found.
type Incidents interface {
	ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error)
	Incident(ctx context.Context, number int64) (incident.Row, error)
	Timeline(ctx context.Context, number, after int64, limit int) ([]incident.TimelineEvent, error)
	IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error)
	IncidentEscalations(ctx context.Context, number int64) ([]incident.EscalationRecord, error)
}

// incidentJSON is an incident as the API shows it. MergedInto is part of the format and
// always null so far.
type incidentJSON struct {
	Number         int64           `json:"number"`
	Title          string          `json:"title"`
	Status         incident.Status `json:"status"`
	SnoozedUntil   *time.Time      `json:"snoozed_until"`
	Priority       *int            `json:"priority"`
	Severity       *string         `json:"severity"`
	Service        *string         `json:"service"`
	Deployment     *string         `json:"deployment"`
	DedupKey       string          `json:"dedup_key"`
	Occurrences    int64           `json:"occurrences"`
	CreatedAt      time.Time       `json:"created_at"`
	LastSeenAt     time.Time       `json:"last_seen_at"`
	AcknowledgedAt *time.Time      `json:"acknowledged_at"`
	AcknowledgedBy *string         `json:"acknowledged_by"`
	ResolvedAt     *time.Time      `json:"resolved_at"`
	MergedInto     *int64          `json:"merged_into"`
	URL            string          `json:"url"`
}

func (h *handlers) incidentJSON(r incident.Row) incidentJSON {
	return incidentJSON{
		Number: r.Number, Title: r.Title, Status: r.Status, SnoozedUntil: utc(r.SnoozedUntil), Priority: r.Priority, Severity: orNull(r.Severity),
		Service: orNull(r.ServiceSlug), Deployment: orNull(r.Deployment), DedupKey: r.DedupKey, Occurrences: r.Occurrences,
		CreatedAt: r.CreatedAt.UTC(), LastSeenAt: r.LastSeenAt.UTC(), AcknowledgedAt: utc(r.AcknowledgedAt),
		AcknowledgedBy: orNull(r.AcknowledgedBy), ResolvedAt: utc(r.ResolvedAt), URL: h.incidentURL(r.Number),
	}
}

func (h *handlers) listIncidents(c echo.Context, _ auth.Actor) (any, error) {
	filter, err := h.incidentFilter(c)
	if err != nil {
		return nil, err
	}
	size := filter.Limit
	filter.Limit++ // one more tells whether another page follows
	rows, err := h.Incidents.ListIncidents(c.Request().Context(), filter)
	if err != nil {
		return nil, err
	}
	answer := list[incidentJSON]{Items: []incidentJSON{}}
	for i, r := range rows {
		if i == size {
			answer.NextCursor = cursorOf(web.FormatInt(rows[size-1].Number))
			break
		}
		answer.Items = append(answer.Items, h.incidentJSON(r))
	}
	return answer, nil
}

// incidentFilter reads the query. It rejects a name that does not exist, so that a
// typing error does not read as "no incidents".
func (h *handlers) incidentFilter(c echo.Context) (incident.ListFilter, error) {
	f := incident.ListFilter{Service: c.QueryParam("service"), Team: c.QueryParam("team")}
	var err error
	if f.Limit, err = limit(c); err != nil {
		return f, err
	}
	if f.Before, err = numberCursor(c); err != nil {
		return f, err
	}
	if f.Statuses, err = statuses(c.QueryParams()["status"]); err != nil {
		return f, err
	}
	priority := c.QueryParam("priority")
	if f.Service == "" && f.Team == "" && priority == "" {
		return f, nil
	}
	config, err := h.current(c)
	if err != nil {
		return f, err
	}
	switch priority {
	case "":
	case "unset":
		f.Unset = true
	default:
		if f.Priority, err = config.PriorityLevel(priority); err != nil {
			return f, err
		}
	}
	if f.Service != "" {
		if _, err := config.ServiceNamed(f.Service); err != nil {
			return f, err
		}
	}
	if f.Team != "" {
		_, err = config.TeamNamed(f.Team)
	}
	return f, err
}

// statuses reads "triggered,acknowledged", or the parameter given several times.
func statuses(given []string) ([]incident.Status, error) {
	var all []incident.Status
	for _, list := range given {
		for word := range strings.SplitSeq(list, ",") {
			switch s := incident.Status(word); s {
			case incident.Triggered, incident.Acknowledged, incident.Resolved:
				all = append(all, s)
			case "":
			default:
				return nil, web.InvalidField("status", "A status is triggered, acknowledged or resolved.")
			}
		}
	}
	return all, nil
}

func (h *handlers) getIncident(c echo.Context, _ auth.Actor) (any, error) {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(c.Request().Context(), n)
	return h.incidentJSON(row), err
}

// eventJSON is an event of the timeline. Which details it has depends on its kind.
type eventJSON struct {
	ID     int64              `json:"id"`
	At     time.Time          `json:"at"`
	Kind   incident.EventKind `json:"kind"`
	Actor  string             `json:"actor"`
	Detail detailJSON         `json:"detail"`
}

// detailJSON has the fields of all payloads, under the names that they are stored
// by; people are email addresses here.
type detailJSON struct {
	Text     string   `json:"text,omitempty"`
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Via      string   `json:"via,omitempty"`
	Policy   string   `json:"policy,omitempty"`
	Step     int      `json:"step,omitempty"`
	Run      int      `json:"run,omitempty"`
	People   []string `json:"people,omitempty"`
	Targets  []string `json:"targets,omitempty"`
	Until    string   `json:"until,omitempty"`
	Count    int64    `json:"count,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Sender   string   `json:"sender,omitempty"`

	Unreached []unreachedJSON `json:"unreached,omitempty"`
}

func (h *handlers) listTimeline(c echo.Context, _ auth.Actor) (any, error) {
	n, err := h.existing(c)
	if err != nil {
		return nil, err
	}
	size, err := limit(c)
	if err != nil {
		return nil, err
	}
	after, err := numberCursor(c)
	if err != nil {
		return nil, err
	}
	events, err := h.Incidents.Timeline(c.Request().Context(), n, after, size+1)
	if err != nil {
		return nil, err
	}
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	answer := list[eventJSON]{Items: []eventJSON{}}
	for i, e := range events {
		if i == size {
			answer.NextCursor = cursorOf(web.FormatInt(events[size-1].ID))
			break
		}
		line, err := eventOf(e, config)
		if err != nil {
			return nil, err
		}
		answer.Items = append(answer.Items, line)
	}
	return answer, nil
}

func eventOf(e incident.TimelineEvent, config *listing) (eventJSON, error) {
	line := eventJSON{ID: e.ID, At: e.At.UTC(), Kind: e.Kind(), Actor: e.Actor}
	var d struct {
		detailJSON
		People    []int64              `json:"people"`
		Unreached []incident.Unreached `json:"unreached"`
	}
	if err := json.Unmarshal([]byte(incident.EncodePayload(e.Payload)), &d); err != nil {
		if _, unknown := e.Payload.(incident.Unknown); unknown {
			return line, nil // a newer version's fields may be of other types
		}
		return eventJSON{}, fmt.Errorf("read event %d: %w", e.ID, err)
	}
	line.Detail = d.detailJSON
	for _, id := range d.People {
		line.Detail.People = append(line.Detail.People, config.email(id))
	}
	for _, u := range d.Unreached {
		line.Detail.Unreached = append(line.Detail.Unreached, unreachedJSON{config.email(u.Person), u.Reason})
	}
	return line, nil
}

// pageJSON is one attempt to reach a person.
type pageJSON struct {
	Incident   int64                 `json:"incident"`
	User       string                `json:"user"`
	Contact    *string               `json:"contact"`
	Channel    *string               `json:"channel"`
	Status     incident.AttemptState `json:"status"`
	Step       *int                  `json:"step"`
	Run        *int                  `json:"run"`
	Why        json.RawMessage       `json:"why"`
	CreatedAt  time.Time             `json:"created_at"`
	SentAt     *time.Time            `json:"sent_at"`
	ProviderID *string               `json:"provider_id"`
	Error      *string               `json:"error"`
}

func (h *handlers) listPages(c echo.Context, _ auth.Actor) (any, error) {
	n, err := h.existing(c)
	if err != nil {
		return nil, err
	}
	records, err := h.Incidents.IncidentPages(c.Request().Context(), n)
	if err != nil {
		return nil, err
	}
	cut, err := paginate(c, records, func(r incident.PageRecord) string {
		return fmt.Sprintf("%019d %019d %06d", r.PageID, r.MessageID, r.Number)
	})
	if err != nil {
		return nil, err
	}
	answer := list[pageJSON]{Items: []pageJSON{}, NextCursor: cut.NextCursor}
	for _, r := range cut.Items {
		answer.Items = append(answer.Items, pageOf(n, r))
	}
	return answer, nil
}

func pageOf(n int64, r incident.PageRecord) pageJSON {
	p := pageJSON{
		Incident: n, User: r.UserEmail, Contact: orNull(r.Contact), Channel: orNull(r.Medium), Status: r.State,
		Why: r.Why, CreatedAt: r.CreatedAt.UTC(), ProviderID: orNull(r.ProviderID), Error: orNull(r.Error),
	}
	if r.MessageID == 0 {
		p.Contact = nil
	}
	if r.Step > 0 {
		p.Step = &r.Step
	}
	if r.Run > 0 {
		p.Run = &r.Run
	}
	switch r.State {
	case incident.AttemptSending: // its delivery is not certain yet
		p.Status = incident.AttemptQueued
	case incident.AttemptSent, incident.AttemptDelivered:
		p.SentAt = utc(r.StartedAt)
	}
	return p
}

// existing is the number in the path, of an incident that exists.
func (h *handlers) existing(c echo.Context) (int64, error) {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return 0, err
	}
	_, err = h.Incidents.Incident(c.Request().Context(), n)
	return n, err
}
