package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/start"
)

func (p *pages) startRoutes(r routes) {
	r.get("/start", p.to(auth.ViewIncidents, p.start))
	r.post("/start/service", p.to(auth.Configure, p.firstService))
	r.post("/start/test", p.to(auth.Page, p.firstTest))
}

func (p *pages) start(c echo.Context, v *visit) error {
	return p.showStart(c, v, http.StatusOK, func(*start.Page) {})
}

// showStart shows how far the first run has come, with what a form brought back.
func (p *pages) showStart(c echo.Context, v *visit, status int, change func(*start.Page)) error {
	ctx := c.Request().Context()
	frame, err := p.frame(c, v, "Getting started", layout.Start)
	if err != nil {
		return err
	}
	frame.User.Sees.Start = true
	page := start.Page{Frame: frame, MayCreate: v.may(auth.Configure), Adding: p.adding()}
	if page.Contacts, err = p.contacts(ctx, v, nil); err != nil {
		return err
	}
	if i, ok := v.firstIntegration(); ok {
		page.Service = v.picture.serviceRef(i.ServiceID)
		page.Integration = element.Ref{Slug: i.Slug, Name: i.Name}
		if page.Test, err = p.lastTest(ctx, i.ID); err != nil {
			return err
		}
		if page.Curl, err = p.curl(ctx, v, i, page.Test == nil); err != nil {
			return err
		}
	}
	change(&page)
	return render(c, status, start.Start(page))
}

// firstIntegration is the oldest key that belongs to a service.
func (v *visit) firstIntegration() (blueprint.KeptIntegration, bool) {
	i := slices.IndexFunc(v.picture.Integrations, func(i blueprint.KeptIntegration) bool { return i.ServiceID != nil })
	if i < 0 {
		return blueprint.KeptIntegration{}, false
	}
	return v.picture.Integrations[i], true
}

// lastTest is the incident that the key's last signal belongs to; nil where none
// came yet.
func (p *pages) lastTest(ctx context.Context, integrationID int64) (*start.Test, error) {
	alerts, err := p.Pages.Signals.LastSignals(ctx, integrationID, 1)
	if err != nil || len(alerts) == 0 {
		return nil, err
	}
	r, err := p.Pages.Incidents.Incident(ctx, alerts[0].IncidentNo)
	if err != nil {
		return nil, err
	}
	records, err := p.Pages.Incidents.IncidentPages(ctx, r.Number)
	if err != nil {
		return nil, err
	}
	test := &start.Test{Number: r.Number, Version: r.Version, Title: r.Title, Status: incidents.Status(r.Status), CreatedAt: r.CreatedAt}
	for _, record := range records {
		if happened(record) || waitsToLeave(record) {
			test.Attempts = append(test.Attempts, attemptOf(record))
		}
	}
	if r.AcknowledgedAt != nil {
		test.AnsweredIn = r.AcknowledgedAt.Sub(r.CreatedAt)
	}
	return test, nil
}

// waitsToLeave reports whether there is a message that was not tried so far.
func waitsToLeave(r incident.PageRecord) bool {
	return r.MessageID != 0 && (r.State == incident.AttemptQueued || r.State == incident.AttemptBundled)
}

// curl is the command that sends a breach. The key stands in it for those who
// may see it, as long as nothing came in by it, and the audit log tells; then it
// is on the integration's page.
func (p *pages) curl(ctx context.Context, v *visit, i blueprint.KeptIntegration, first bool) (string, error) {
	key := "KEY"
	if first && v.mayTo(auth.RevealKey, v.managed(i)) {
		var err error
		if key, err = p.Pages.Signals.ShowKey(ctx, v.actor, p.Pages.Keys, i.Slug); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf(`curl -X POST %s/%s \
  -H 'Content-Type: application/json' \
  -d '{"service": %q, "sli": "availability", "slo": {"name": "Test breach", "objective": 99.9, "window": "28d"}, "observed": 99.1}'`,
		p.endpointOf(i.Kind), key, v.exampleService(i).Slug), nil
}
