package web

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// exampleService is what a signal of an integration is about: its own service,
// or for want of one any.
func (v *visit) exampleService(i organization.IntegrationRecord) catalog.Service {
	if i.ServiceID != nil {
		return v.picture.Service(*i.ServiceID)
	}
	if refs := v.picture.serviceRefs(); len(refs) > 0 {
		s, _ := v.picture.service(refs[0].Slug)
		return s
	}
	return catalog.Service{}
}

// wouldPage says whom a breach would page if it came in now, and how: "Ana Ortiz
// by SMS". Empty where it would be nobody, or depends on the body.
func (p *pages) wouldPage(v *visit, i organization.IntegrationRecord) string {
	if i.ServiceID == nil {
		return ""
	}
	var words []string
	for _, r := range v.firstPaged(v.picture.Service(*i.ServiceID)) {
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
func (p *pages) sendTest(c echo.Context, v *visit, i organization.IntegrationRecord) (ingest.Answer, error) {
	ctx := c.Request().Context()
	key, err := p.Pages.Signals.IntegrationKey(ctx, p.Pages.Keys, i.Slug)
	if err != nil {
		return ingest.Answer{}, err
	}
	body, err := json.Marshal(map[string]any{
		"service":   v.exampleService(i).Slug,
		"sli":       "availability",
		"slo":       map[string]any{"name": "Test breach by " + v.user.Name, "objective": 99.9, "window": "28d"},
		"observed":  99.1,
		"dedup_key": fmt.Sprintf("test %d %d", v.user.ID, v.clock.Now.UnixMicro()),
	})
	if err != nil {
		return ingest.Answer{}, err
	}
	return p.accepted(ctx, ingest.Request{Key: key, Kind: i.Kind, ContentType: "application/json", Body: body, Remote: c.RealIP()})
}

func (p *pages) accepted(ctx context.Context, req ingest.Request) (ingest.Answer, error) {
	answer, err := p.Signals.Accept(ctx, req)
	if err == nil && answer.Incident == nil {
		err = fault.Conflict("The test breach was %s, and opened no incident.", answer.Status)
	}
	return answer, err
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
	answer, err := p.Pages.Replays.Replay(ctx, id, v.actor.String())
	switch {
	case err != nil:
		return p.refused(c, address, err)
	case answer.Incident == nil:
		return p.done(c, address, "Replayed: %s.", answer.Status)
	}
	return p.done(c, address, "Replayed: %s, incident #%d.", answer.Status, answer.Incident.Number)
}
