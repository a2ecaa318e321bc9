package api

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Actions are what the API does to incidents: incident.Service.
type Actions interface {
	Acknowledge(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Unacknowledge(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Resolve(ctx context.Context, number int64, by incident.By, fixedBy string) (incident.Incident, error)
	Reopen(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	SetPriority(ctx context.Context, number int64, by incident.By, level *int, reason string) (incident.Incident, error)
	Escalate(ctx context.Context, number int64, by incident.By) (incident.Incident, error)
	Note(ctx context.Context, number int64, by incident.By, text string) (incident.Incident, error)
}

// actOn carries out an action and answers with the incident after it.
func (h *handlers) actOn(c echo.Context, actor auth.Actor, action func(number int64, by incident.By) (incident.Incident, error)) (any, error) {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return nil, err
	}
	if _, err := action(n, web.By(actor, "api")); err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(c.Request().Context(), n)
	return h.incidentJSON(row), err
}

// noFields is the body of an action without parameters.
type noFields struct{}

func (h *handlers) acknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Acknowledge(c.Request().Context(), n, by)
	})
}

func (h *handlers) unacknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Unacknowledge(c.Request().Context(), n, by)
	})
}

func (h *handlers) resolve(c echo.Context, actor auth.Actor) (any, error) {
	var body struct {
		Resolution string `json:"resolution"`
		Note       string `json:"note"`
	}
	if _, err := readBody(c, &body); err != nil {
		return nil, err
	}
	if body.Resolution == "" {
		body.Resolution = body.Note
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Resolve(c.Request().Context(), n, by, body.Resolution)
	})
}

func (h *handlers) reopen(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Reopen(c.Request().Context(), n, by)
	})
}

func (h *handlers) escalate(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Escalate(c.Request().Context(), n, by)
	})
}

func (h *handlers) setPriority(c echo.Context, actor auth.Actor) (any, error) {
	var body struct {
		Priority *int   `json:"priority"`
		Reason   string `json:"reason"`
	}
	given, err := readBody(c, &body)
	if err != nil {
		return nil, err
	}
	if !given["priority"] {
		return nil, fault.Invalid("The priority is missing.").With(fault.Field{Path: "priority", Message: "must be a level, or null for none"})
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.SetPriority(c.Request().Context(), n, by, body.Priority, body.Reason)
	})
}

func (h *handlers) note(c echo.Context, actor auth.Actor) (any, error) {
	var body struct {
		Note string `json:"note"`
	}
	if _, err := readBody(c, &body); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Note(c.Request().Context(), n, by, body.Note)
	})
}
