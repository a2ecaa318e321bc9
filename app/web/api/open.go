package api

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/manual"
)

// Manual opens incidents by hand: manual.Service.
type Manual interface {
	Open(ctx context.Context, actor auth.Actor, r manual.Report, idempotencyKey string) (int64, error)
}

func (h *handlers) openIncident(c echo.Context, actor auth.Actor) (any, error) {
	var report manual.Report
	if _, err := readBody(c, &report); err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	n, err := h.Manual.Open(ctx, actor, report, c.Request().Header.Get("Idempotency-Key"))
	if err != nil {
		return nil, err
	}
	row, err := h.Incidents.Incident(ctx, n)
	if err != nil {
		return nil, err
	}
	return h.incidentJSON(row), nil
}
