package integrations

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
)

// testIntegration sends a test signal and redirects to its incident. A form that asks
// for the reader alone opens an incident that pages nobody else, and sends no signal.
func (p *handlers) testIntegration(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	i, err := findIntegration(req, c)
	if err != nil {
		return err
	}
	back := "/integrations/" + i.Slug
	service, err := testService(c, req, i)
	if err != nil {
		return p.Refused(c, back, err)
	}
	if c.FormValue("only") == "me" && p.OpenForMe != nil {
		number, err := p.OpenForMe(ctx, req.Actor, p.Tests.TestTitle(req, i.Kind), service.Slug)
		if err != nil {
			return p.Refused(c, back, err)
		}
		return p.Done(c, incidentAddress(number), "Test incident #%d created. It pages only you.", number)
	}
	answer, err := p.Tests.Send(ctx, req, i, service, c.RealIP())
	if err != nil {
		return p.Refused(c, back, err)
	}
	number := answer.Incident.Number
	if answer.Status == incident.ResultDeduplicated {
		return p.Done(c, incidentAddress(number), "The test %s was deduplicated into incident #%d by the integration’s own rule.", p.Tests.Signal(i.Kind), number)
	}
	return p.Done(c, incidentAddress(number), "Test incident #%d created; it pages like a real one.", number)
}

func incidentAddress(number int64) string { return fmt.Sprintf("/incidents/%d", number) }

// testService is the service that a test is for: the integration's own, or the one
// that the form names. Without services the signal names one that does not exist.
func testService(c echo.Context, req *page.Request, i organization.IntegrationRecord) (catalog.Service, error) {
	slug := c.FormValue("service")
	if i.ServiceID != nil || slug == "" {
		return req.ExampleService(i), nil
	}
	return req.Config.ServiceNamed(slug)
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
		return p.Done(c, address, "Replayed: no incident was changed.")
	}
	return p.Done(c, address, "Replayed: %s.", answers[0].Status)
}
