package integrations

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// testIntegration sends a test signal and redirects to its incident.
func (p *handlers) testIntegration(c echo.Context, req *page.Request) error {
	i, err := findIntegration(req, c)
	if err != nil {
		return err
	}
	answer, err := p.Tests.Send(c.Request().Context(), req, i, c.RealIP())
	if err != nil {
		return p.Refused(c, "/integrations/"+i.Slug, err)
	}
	address := fmt.Sprintf("/incidents/%d", answer.Incident.Number)
	if answer.Status == incident.ResultDeduplicated {
		return p.Done(c, address, "The test %s is in, and joined this incident: the integration’s own rule takes them for the same.", p.Tests.Signal(i.Kind))
	}
	return p.Done(c, address, "The test %s is in, and goes the way of a real one.", p.Tests.Signal(i.Kind))
}

// replay submits a rejected signal again. If it is rejected again, the reason is
// shown.
func (p *handlers) replay(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	i, err := findIntegration(req, c)
	if err != nil {
		return err
	}
	if err := auth.Allow(req.Actor, auth.ReplaySignal, req.IntegrationObject(i)); err != nil {
		return err
	}
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	r, err := p.Signals.Rejection(ctx, id)
	if err == nil && r.IntegrationID != i.ID {
		err = fault.NotFound("There is no such rejected signal.")
	}
	if err != nil {
		return err
	}
	address := "/integrations/" + i.Slug
	answers, err := p.Replays.Replay(ctx, id, req.Actor.String())
	if err != nil {
		return p.Refused(c, address, err)
	}
	for _, answer := range answers {
		if answer.Incident != nil {
			return p.Done(c, address, "Replayed: %s, incident #%d.", answer.Status, answer.Incident.Number)
		}
	}
	if len(answers) == 0 {
		return p.Done(c, address, "Replayed: it asks for nothing.")
	}
	return p.Done(c, address, "Replayed: %s.", answers[0].Status)
}
