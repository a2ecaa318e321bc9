package web

import (
	"context"
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// exampleService is what a signal of an integration is about: its own service,
// or for want of one any.
func (v *visit) exampleService(i blueprint.KeptIntegration) catalog.Service {
	if i.ServiceID != nil {
		return v.picture.services[*i.ServiceID]
	}
	if refs := v.picture.serviceRefs(); len(refs) > 0 {
		s, _ := v.picture.service(refs[0].Slug)
		return s
	}
	return catalog.Service{}
}

// wouldPage says whom a breach would page if it came in now, and how: "Ana Ortiz
// by SMS". Empty where it would be nobody, or depends on the body.
func (p *pages) wouldPage(v *visit, i blueprint.KeptIntegration) string {
	if i.ServiceID == nil {
		return ""
	}
	var words []string
	for _, r := range v.firstPaged(v.picture.services[*i.ServiceID]) {
		n, ok := v.picture.people[r.UserID].Notification(0, "high", p.Works)
		if ok && !r.Shadow {
			words = append(words, v.picture.person(r.UserID).Name+" by "+midSentence(n.Method.Medium))
		}
	}
	return element.And(words)
}

// testIntegration sends a breach as the integration's sender would, through all
// that a real one goes through, and leads to its incident.
func (p *pages) testIntegration(c echo.Context, v *visit) error {
	i, err := v.integration(c)
	if err != nil {
		return err
	}
	answer, err := p.sendTest(c, v, i)
	if err != nil {
		return p.refused(c, "/integrations/"+i.Slug, err)
	}
	address := fmt.Sprintf("/incidents/%d", answer.Incident.Number)
	if answer.Status == incident.ResultDeduplicated {
		return p.done(c, address, "The test breach is in, and joined this incident: the integration’s own rule takes them for the same.")
	}
	return p.done(c, address, "The test breach is in, and goes the way of a real one.")
}

// sendTest posts a breach of its own: no test joins the incident of another, but
// where the integration’s own rule takes them for the same, as it would of real
// ones.
func (p *pages) sendTest(c echo.Context, v *visit, i blueprint.KeptIntegration) (ingest.Answer, error) {
	ctx := c.Request().Context()
	key, err := p.Pages.Signals.IntegrationKey(ctx, p.Pages.Keys, i.Slug)
	if err != nil {
		return ingest.Answer{}, err
	}
	format, ok := p.Formats.Kind(i.Kind)
	if !ok || format.Sample == nil {
		return ingest.Answer{}, fault.Conflict("There is no test signal for an integration of kind %s.", i.Kind)
	}
	return p.accepted(ctx, ingest.Request{
		Endpoint: format.Endpoints[0].Path, Key: key, ContentType: "application/json", Remote: c.RealIP(),
		Body: format.Sample(ingest.Sample{
			Service: v.exampleService(i).Slug, Title: "Test breach by " + v.user.Name,
			DedupKey: fmt.Sprintf("test %d %d", v.user.ID, v.clock.Now.UnixMicro()),
		}),
	})
}

func (p *pages) accepted(ctx context.Context, req ingest.Request) (ingest.Answer, error) {
	answers, err := p.Signals.Accept(ctx, req)
	if err != nil {
		return ingest.Answer{}, err
	}
	if answers[0].Incident == nil {
		return ingest.Answer{}, fault.Conflict("The test breach was %s, and opened no incident.", answers[0].Status)
	}
	return answers[0], nil
}

// replay runs a rejected signal again. That it was rejected again is said, with
// the reason.
func (p *pages) replay(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	i, err := v.integration(c)
	if err != nil {
		return err
	}
	if err := auth.Allow(v.actor, auth.ReplaySignal, v.managed(i)); err != nil {
		return err
	}
	id, err := idIn(c)
	if err != nil {
		return err
	}
	r, err := p.Pages.Signals.Rejection(ctx, id)
	if err == nil && r.IntegrationID != i.ID {
		err = fault.NotFound("There is no such rejected signal.")
	}
	if err != nil {
		return err
	}
	address := "/integrations/" + i.Slug
	answers, err := p.Pages.Replays.Replay(ctx, id, v.actor.String())
	if err != nil {
		return p.refused(c, address, err)
	}
	for _, answer := range answers {
		if answer.Incident != nil {
			return p.done(c, address, "Replayed: %s, incident #%d.", answer.Status, answer.Incident.Number)
		}
	}
	for _, answer := range answers {
		return p.done(c, address, "Replayed: %s.", answer.Status)
	}
	return p.done(c, address, "Replayed: it asks for nothing.")
}
