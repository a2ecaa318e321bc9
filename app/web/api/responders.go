package api

import (
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// responderJSON is one request to join an incident, or to take it over.
type responderJSON struct {
	Incident  int64                `json:"incident"`
	Kind      incident.RequestKind `json:"kind"`
	Users     []string             `json:"users"`
	Teams     []string             `json:"teams"`
	Schedules []string             `json:"schedules"`
	Message   *string              `json:"message"`
	AskedBy   string               `json:"asked_by"`
	AskedAt   time.Time            `json:"asked_at"`
	State     string               `json:"state"`
	Declined  []string             `json:"declined"` // by whom
	EndedAt   *time.Time           `json:"ended_at"`

	id int64 // of the escalation
}

// listResponders answers whom an incident's people asked to join or to take over,
// oldest first.
func (h *handlers) listResponders(c echo.Context, _ auth.Actor) (any, error) {
	n, err := h.existing(c)
	if err != nil {
		return nil, err
	}
	escalations, err := h.Incidents.IncidentEscalations(c.Request().Context(), n)
	if err != nil {
		return nil, err
	}
	config, err := h.current(c)
	if err != nil {
		return nil, err
	}
	var all []responderJSON
	for _, e := range escalations {
		if request, ok := e.Request(); ok {
			all = append(all, config.responder(n, e, request))
		}
	}
	return paginate(c, all, func(r responderJSON) string { return fmt.Sprintf("%019d", r.id) })
}

func (l *listing) responder(number int64, e incident.EscalationRecord, r incident.Request) responderJSON {
	row := responderJSON{Incident: number, Kind: r.Kind, Users: []string{}, Teams: []string{}, Schedules: []string{}, Message: orNull(r.Message),
		AskedBy: r.By, AskedAt: e.StartedAt.UTC(), State: e.RequestState(), Declined: []string{}, EndedAt: utc(e.EndedAt), id: e.ID}
	for _, t := range r.Targets {
		switch {
		case t.User != 0:
			row.Users = append(row.Users, l.email(t.User))
		case t.Schedule != 0:
			row.Schedules = append(row.Schedules, l.scheduleSlug(t.Schedule))
		case t.Team != 0:
			row.Teams = append(row.Teams, l.Team(t.Team).Slug)
		}
	}
	for _, id := range r.Declined {
		row.Declined = append(row.Declined, l.email(id))
	}
	return row
}

// scheduleSlug is empty for a schedule that was deleted.
func (l *listing) scheduleSlug(id int64) string {
	for _, s := range l.Schedules {
		if s.ID == id {
			return s.Slug
		}
	}
	return ""
}
