// Package link has the page behind the link in a message, on which its recipient
// acts without signing in.
package link

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	view "github.com/tocsin-oncall/tocsin/views/link"
)

// Incidents reads incidents.
type Incidents interface {
	Incident(ctx context.Context, number int64) (incident.Row, error)
	IncidentPages(ctx context.Context, number int64) ([]incident.PageRecord, error)
	page.Escalations
}

// Actions carries out commands on incidents: incident.Service.
type Actions interface {
	Do(ctx context.Context, c incident.Command) (incident.Outcome, error)
}

// Deps is what the page needs. All are required.
type Deps struct {
	Auth      *auth.Service
	Keys      *auth.Keyring
	Incidents Incidents
	Actions   Actions
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the page.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/a/:token", p.openLink)
	p.Routes.Post("/a/:token", p.answerLink)
}

// recipient is the person whom a link in a message was made for, and the incident
// that it is about.
type recipient struct {
	*page.Request
	number int64
}

// openLink shows the incident of a link. It has no effects, since mail scanners
// follow links.
func (p *handlers) openLink(c echo.Context) error {
	recipient, err := p.readLink(c)
	if err != nil {
		return p.expiredLink(c, err)
	}
	return p.showLink(c, recipient, http.StatusOK, view.DoneNothing)
}

// answerLink acts as the recipient of the link.
func (p *handlers) answerLink(c echo.Context) error {
	recipient, err := p.readLink(c)
	if err != nil {
		return p.expiredLink(c, err)
	}
	var act incident.Act
	switch c.FormValue("action") {
	case "acknowledge":
		act = incident.ActAcknowledge{}
	case "decline":
		act = incident.ActDecline{Kind: incident.RequestKind(c.FormValue("kind"))}
	case "escalate":
		act = incident.ActEscalate{}
	case "resolve":
		if err := mayResolve(recipient.User); err != nil {
			return err
		}
		act = incident.ActResolve{FixedBy: c.FormValue("resolution")}
	default:
		return fault.Malformed("The action is acknowledge, decline, escalate or resolve.")
	}
	asked, err := p.askedBy(c, recipient)
	if err != nil {
		return err
	}
	by := web.By(recipient.Actor, "link")
	out, err := p.Actions.Do(c.Request().Context(), incident.Command{Number: recipient.number, By: by, Act: act})
	if err != nil {
		return err
	}
	done := doneOf(act, out, by.Actor)
	if done == view.DoneAcknowledged && asked != nil && asked.TakeOver {
		done = view.DoneTakenOver
	}
	return p.showLink(c, recipient, http.StatusOK, done)
}

// askedBy is the request that asks the recipient; nil for none.
func (p *handlers) askedBy(c echo.Context, b *recipient) (*incidents.Responder, error) {
	ctx := c.Request().Context()
	records, err := p.Incidents.IncidentPages(ctx, b.number)
	if err != nil {
		return nil, err
	}
	escalations, err := p.Incidents.IncidentEscalations(ctx, b.number)
	_, asked := b.Responders(escalations, records)
	return asked, err
}

// mayResolve allows more than an acknowledgment, which everybody may who was paged.
func mayResolve(u *auth.User) error { return auth.Allow(u.Actor(), auth.ActOnIncident, auth.Object{}) }

// doneOf is what the page says of an outcome. A shadow's acknowledgment, which
// stops nothing, and what is over already count as nothing done; the page shows
// how the incident is.
func doneOf(act incident.Act, out incident.Outcome, actor string) view.Done {
	_, acknowledges := act.(incident.ActAcknowledge)
	_, declines := act.(incident.ActDecline)
	_, escalates := act.(incident.ActEscalate)
	switch {
	case out.Kind == incident.NotAllowed && out.Reason == incident.ReasonJustEscalated:
		return view.DoneEscalated
	case out.Kind == incident.NotAllowed || out.Kind == incident.Shadow:
		return view.DoneNothing
	case out.Kind == incident.Joined:
		return view.DoneJoined
	case declines:
		return view.DoneDeclined
	case out.Faster(actor) && acknowledges:
		return view.DoneAlready
	case out.Faster(actor):
		return view.DoneNothing
	case escalates:
		return view.DoneEscalated
	case acknowledges:
		return view.DoneAcknowledged
	}
	return view.DoneResolved
}

// readLink reads the link in the path. It is a fault of kind gone for a recipient
// who is deactivated.
func (p *handlers) readLink(c echo.Context) (*recipient, error) {
	ctx := c.Request().Context()
	l, err := p.Keys.OpenLink(c.Param("token"), p.Now())
	if err != nil {
		return nil, err
	}
	user, err := p.Auth.User(ctx, auth.Tocsin, l.UserID)
	if err != nil {
		return nil, err
	}
	if !user.Active {
		return nil, fault.Gone("This link has expired. Sign in to see the incident.")
	}
	config, err := p.Config(c.Request().Context())
	if err != nil {
		return nil, err
	}
	req := &page.Request{User: user, Actor: user.Actor(), Config: config, Clock: p.Clock(config, user.Timezone)}
	return &recipient{Request: req, number: l.Incident}, nil
}

// expiredLink answers a link that is expired or invalid; any other error is
// returned unchanged.
func (p *handlers) expiredLink(c echo.Context, err error) error {
	data := view.ExpiredPage{Clock: element.Clock{Now: p.Now(), Zone: page.Location("")}}
	switch {
	case fault.Is(err, fault.KindGone):
		return page.Render(c, http.StatusGone, view.Expired(data))
	case fault.Is(err, fault.KindNotFound):
		return page.Render(c, http.StatusNotFound, view.Expired(data))
	}
	return err
}

func (p *handlers) showLink(c echo.Context, b *recipient, status int, done view.Done) error {
	ctx := c.Request().Context()
	r, err := p.Incidents.Incident(ctx, b.number)
	if err != nil {
		return err
	}
	records, err := p.Incidents.IncidentPages(ctx, b.number)
	if err != nil {
		return err
	}
	data := view.Page{
		Clock: b.Clock, Token: c.Param("token"), Person: element.Person{ID: b.User.ID, Name: b.User.Name}, Done: done,
		Number: r.Number, Title: r.Title, Status: incidents.Status(r.Status), Priority: page.PriorityOf(&r),
		Service: r.ServiceName, Deployment: r.DeploymentName, CreatedAt: r.CreatedAt, Occurrences: r.Occurrences,
		Facts: page.FactsOf(r.Facts), Runbook: page.RunbookOf(r.Runbook),
		AcknowledgedAt: page.Instant(r.AcknowledgedAt), ResolvedAt: page.Instant(r.ResolvedAt), Resolution: r.Resolution,
	}
	data.Why = whyPaged(b, records)
	for _, paged := range p.RecipientsOf(b.Request, &r, records) {
		if paged.Person.ID != b.User.ID && paged.State == incidents.Paging && !paged.Shadow {
			data.Others = append(data.Others, paged.Person)
		}
	}
	if data.Next, err = b.Upcoming(ctx, p.Incidents, &r); err != nil {
		return err
	}
	if r.Open() {
		if data.AskedBy, err = p.askedBy(c, b); err != nil {
			return err
		}
	}
	data.MayResolve = mayResolve(b.User) == nil
	if r.Status == incident.Acknowledged && r.AskedAt != nil && r.OwnerID != nil && *r.OwnerID == b.User.ID {
		data.Asked, data.AnswerBy = true, r.AskedAt.Add(incident.AnswerWithin)
	}
	data.ResolvedBy, data.RecoveredBy = b.Config.Resolver(&r)
	if r.AcknowledgedAt != nil {
		data.AcknowledgedBy = b.Config.ActorName(r.AcknowledgedBy)
	}
	if data.At = data.AcknowledgedAt; done == view.DoneResolved {
		data.At = data.ResolvedAt
	}
	return page.Render(c, status, view.Incident(data))
}

// whyPaged is the reason of the recipient's latest page; empty where there is none.
func whyPaged(b *recipient, records []incident.PageRecord) string {
	why := ""
	for _, r := range records {
		if r.UserID == b.User.ID {
			why = page.Reason(page.WhyOf(r), r.Shadow)
		}
	}
	return why
}
