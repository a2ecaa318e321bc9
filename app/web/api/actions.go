package api

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
}

// actOn carries out an act and answers with the incident after it. What the
// incident's state does not allow is a conflict; what was so already is not.
func (h *handlers) actOn(c echo.Context, actor auth.Actor, act incident.Act) (any, error) {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	out, err := h.Actions.Do(ctx, incident.Command{Number: n, By: web.By(actor, "api"), Act: act})
	if err != nil {
		return nil, err
	}
	if err := out.Err(); err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(ctx, n)
	return h.incidentJSON(row), err
}

// noFields is the body of an action without parameters.
type noFields struct{}

func (h *handlers) acknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, incident.ActAcknowledge{})
}

func (h *handlers) unacknowledge(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, incident.ActUnacknowledge{})
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
	return h.actOn(c, actor, incident.ActResolve{FixedBy: body.Resolution})
}

func (h *handlers) reopen(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, incident.ActReopen{})
}

func (h *handlers) escalate(c echo.Context, actor auth.Actor) (any, error) {
	if _, err := readBody(c, &noFields{}); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, incident.ActEscalate{})
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
	return h.actOn(c, actor, incident.ActSetPriority{Level: body.Priority, Reason: body.Reason})
}

func (h *handlers) note(c echo.Context, actor auth.Actor) (any, error) {
	var body struct {
		Note string `json:"note"`
	}
	if _, err := readBody(c, &body); err != nil {
		return nil, err
	}
	return h.actOn(c, actor, incident.ActNote{Text: body.Note})
}
