// Package start has the page that leads from a fresh installation to a first page,
// and the address / that leads there or to the list of incidents.
package start

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/start"
)

// Incidents reads the incident of the last test.
type Incidents interface {
	Incident(ctx context.Context, number int64) (incident.Row, error)
	IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error)
}

// Signals reads what the first integration sent, and its key.
type Signals interface {
	LastSignals(ctx context.Context, integrationID int64, limit int) ([]incident.Alert, error)
	// ShowKey decrypts an integration's key for an actor, with one entry in the audit
	// log for each actor and key.
	ShowKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error)
}

// ContactMethods reads those of a person.
type ContactMethods interface {
	ContactMethods(ctx context.Context, userID int64) ([]notify.ContactMethod, error)
}

// Deps is what the page needs. All are required.
type Deps struct {
	Editor         web.Editor
	Incidents      Incidents
	Signals        Signals
	ContactMethods ContactMethods
	Tests          page.TestSender
	Keys           *auth.Keyring
}

type handlers struct {
	*page.Pages
	Deps
}

// ShowContacts renders the page; change adds what a form of a contact method
// returns.
type ShowContacts func(c echo.Context, req *page.Request, status int, change func([]account.Contact, *account.AddContact)) error

// Mount adds the page and /, and returns how the forms of contact methods on it,
// which belong to the account, render it.
func Mount(pages *page.Pages, d Deps) ShowContacts {
	p := &handlers{pages, d}
	p.Routes.Get("/", p.Require(auth.ViewOnCall, p.home))
	p.Routes.Get("/start", p.Require(auth.ViewIncidents, p.start))
	p.Routes.Get("/welcome", p.Require(auth.ViewOnCall, p.welcome))
	p.Routes.Post("/start/service", p.Require(auth.Configure, p.firstService))
	p.Routes.Post("/start/test", p.Require(auth.Page, p.firstTest))
	return func(c echo.Context, req *page.Request, status int, change func([]account.Contact, *account.AddContact)) error {
		if page.Back(c, "/start") == "/welcome" {
			return p.showWelcome(c, req, status, change)
		}
		return p.showStart(c, req, status, func(data *view.Page) { change(data.Contacts, &data.Adding) })
	}
}

// home redirects to the reader's first page.
func (p *handlers) home(c echo.Context, req *page.Request) error {
	switch {
	case req.Config.Incomplete() && req.May(auth.Configure):
		return c.Redirect(http.StatusSeeOther, "/start")
	case req.May(auth.ViewIncidents):
		return c.Redirect(http.StatusSeeOther, "/incidents")
	}
	return c.Redirect(http.StatusSeeOther, "/oncall")
}

func (p *handlers) start(c echo.Context, req *page.Request) error {
	return p.showStart(c, req, http.StatusOK, func(*view.Page) {})
}

// showStart renders the page; change adds what a form returns.
func (p *handlers) showStart(c echo.Context, req *page.Request, status int, change func(*view.Page)) error {
	ctx := c.Request().Context()
	frame, err := p.Frame(c, req, "Getting started", layout.Start)
	if err != nil {
		return err
	}
	frame.User.Sees.Start = true
	data := view.Page{Frame: frame, MayCreate: req.May(auth.Configure), MaySetUp: req.May(auth.ManageProviders), OnlyLog: p.OnlyLog(), Step: step(c), Noun: p.Tests.Signal(catalog.KindSLO)}
	methods, err := p.ContactMethods.ContactMethods(ctx, req.User.ID)
	if err != nil {
		return err
	}
	data.Contacts, data.Adding = p.ContactRows(methods, nil), p.ContactForm(req, methods)
	if i, ok := firstIntegration(req); ok {
		data.Service = req.Config.ServiceRef(i.ServiceID)
		data.Integration = element.Ref{Slug: i.Slug, Name: i.Name}
		if data.Test, err = p.lastTest(ctx, i.ID); err != nil {
			return err
		}
		if err := p.fillSender(ctx, req, &data, i); err != nil {
			return err
		}
	}
	change(&data)
	return page.Render(c, status, view.Start(data))
}

// step is the step that the reader asked for; 0 for none.
func step(c echo.Context) int {
	n, ok := web.ParseNumber(c.QueryParam("step"))
	if !ok || n > view.Steps {
		return 0
	}
	return int(n)
}

// welcome is the first page of a colleague who was invited.
func (p *handlers) welcome(c echo.Context, req *page.Request) error {
	return p.showWelcome(c, req, http.StatusOK, func([]account.Contact, *account.AddContact) {})
}

func (p *handlers) showWelcome(c echo.Context, req *page.Request, status int, change func([]account.Contact, *account.AddContact)) error {
	frame, err := p.Frame(c, req, "Welcome", "")
	if err != nil {
		return err
	}
	methods, err := p.ContactMethods.ContactMethods(c.Request().Context(), req.User.ID)
	if err != nil {
		return err
	}
	data := view.WelcomePage{Frame: frame, Contacts: p.ContactRows(methods, nil), Adding: p.ContactForm(req, methods), Responds: req.May(auth.ActOnIncident)}
	change(data.Contacts, &data.Adding)
	return page.Render(c, status, view.Welcome(data))
}

// firstIntegration is the oldest integration with a service.
func firstIntegration(req *page.Request) (organization.IntegrationRecord, bool) {
	i := slices.IndexFunc(req.Config.Integrations, func(i organization.IntegrationRecord) bool { return i.ServiceID != nil })
	if i < 0 {
		return organization.IntegrationRecord{}, false
	}
	return req.Config.Integrations[i], true
}

// lastTest is the incident of an integration's last signal; nil for none.
func (p *handlers) lastTest(ctx context.Context, integrationID int64) (*view.Test, error) {
	alerts, err := p.Signals.LastSignals(ctx, integrationID, 1)
	if err != nil || len(alerts) == 0 || alerts[0].IncidentNo == 0 {
		return nil, err
	}
	r, err := p.Incidents.Incident(ctx, alerts[0].IncidentNo)
	if err != nil {
		return nil, err
	}
	records, err := p.Incidents.IncidentPages(ctx, r.Number)
	if err != nil {
		return nil, err
	}
	test := &view.Test{Number: r.Number, Version: r.Version, Title: r.Title, Status: incidents.Status(r.Status), CreatedAt: r.CreatedAt}
	for _, record := range records {
		if page.Attempted(record) || notAttempted(record) {
			test.Attempts = append(test.Attempts, page.AttemptOf(record))
		}
	}
	if r.AcknowledgedAt != nil {
		test.AnsweredIn = r.AcknowledgedAt.Sub(r.CreatedAt)
	}
	return test, nil
}

// notAttempted reports whether a message exists that was not attempted yet.
func notAttempted(r incident.PageRecord) bool {
	return r.MessageID != 0 && (r.State == incident.AttemptQueued || r.State == incident.AttemptBundled)
}

// fillSender says how a sender is configured. Until the first signal the key is
// shown with it, to readers who may see it, with an entry in the audit log; later
// it is on the integration's page only.
func (p *handlers) fillSender(ctx context.Context, req *page.Request, data *view.Page, i organization.IntegrationRecord) error {
	data.Noun = p.Tests.Signal(i.Kind)
	data.MayTest = req.May(auth.Page) && p.Tests.Possible(i.Kind)
	data.MayReveal = req.MayOn(auth.RevealKey, req.IntegrationObject(i))
	p.fillExamples(req, data, i, element.KeyVariable)
	if data.Test != nil || !data.MayReveal || data.Curl == "" && !element.LackKey(data.Snippets) {
		return nil
	}
	key, err := p.Signals.ShowKey(ctx, req.Actor, p.Keys, i.Slug)
	if err != nil {
		return err
	}
	p.fillExamples(req, data, i, key)
	return nil
}

// fillExamples fills in what is copied to the sender: none for a kind that is not
// registered.
func (p *handlers) fillExamples(req *page.Request, data *view.Page, i organization.IntegrationRecord, key string) {
	if i.Kind == catalog.KindSLO && p.Tests.Path(i.Kind) != "" {
		data.Curl = p.curl(req, i, key)
	}
	data.Snippets = p.Tests.Snippets(i.Kind, p.PublicURL(), key)
}

// curl is the command that sends a breach.
func (p *handlers) curl(req *page.Request, i organization.IntegrationRecord, key string) string {
	return fmt.Sprintf(`curl -X POST %s%s/%s \
  -H 'Content-Type: application/json' \
  -d '{"service": %q, "sli": "availability", "slo": {"name": "Test breach", "objective": 99.9, "window": "28d"}, "observed": 99.1}'`,
		p.PublicURL(), p.Tests.Path(i.Kind), key, req.ExampleService(i).Slug)
}
