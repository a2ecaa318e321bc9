package web

import (
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// actOn answers an action with the incident as it is then.
func (h *edge) actOn(c echo.Context, actor auth.Actor, action func(number int64, by incident.By) (incident.Incident, error)) (any, error) {
	n, err := number(c)
	if err != nil {
		return nil, err
	}
	if _, err := action(n, by(actor, "api")); err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(c.Request().Context(), n)
	return h.incidentJSON(row), err
}

// bare is the body of an action that needs none.
type bare struct{}

func (h *edge) apiAcknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &bare{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Acknowledge(c.Request().Context(), n, by)
	})
}

func (h *edge) apiUnacknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &bare{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Unacknowledge(c.Request().Context(), n, by)
	})
}

func (h *edge) apiResolve(c echo.Context, actor auth.Actor) (any, error) {
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

func (h *edge) apiReopen(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &bare{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Reopen(c.Request().Context(), n, by)
	})
}

func (h *edge) apiEscalate(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &bare{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, func(n int64, by incident.By) (incident.Incident, error) {
		return h.Actions.Escalate(c.Request().Context(), n, by)
	})
}

func (h *edge) apiSetPriority(c echo.Context, actor auth.Actor) (any, error) {
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

func (h *edge) apiNote(c echo.Context, actor auth.Actor) (any, error) {
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
