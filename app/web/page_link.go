package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/link"
)

// bearerOfLink is the person whom a link in a message was made for, and the
// incident that it is about.
type bearerOfLink struct {
	user    *auth.User
	number  int64
	picture *picture
	clock   element.Clock
}

// openLink shows an incident to whoever has a link to it. Mail scanners follow
// links, so that this does nothing else.
func (p *pages) openLink(c echo.Context) error {
	bearer, err := p.bearerOfLink(c)
	if err != nil {
		return p.expiredLink(c, err)
	}
	return p.showLink(c, bearer, http.StatusOK, link.DoneNothing)
}

// answerLink acts as the person whom the link was made for.
func (p *pages) answerLink(c echo.Context) error {
	ctx := c.Request().Context()
	bearer, err := p.bearerOfLink(c)
	if err != nil {
		return p.expiredLink(c, err)
	}
	who := by(bearer.user.Actor(), "link")
	var inc incident.Incident
	done := link.DoneAcknowledged
	switch c.FormValue("action") {
	case "acknowledge":
		inc, err = p.Actions.Acknowledge(ctx, bearer.number, who)
		if err == nil && (inc.OwnerID == nil || *inc.OwnerID != bearer.user.ID) {
			done = link.DoneAlready
		}
	case "resolve":
		done = link.DoneResolved
		inc, err = p.Actions.Resolve(ctx, bearer.number, who, c.FormValue("resolution"))
		if err == nil && inc.ResolvedBy != who.Actor {
			done = link.DoneNothing
		}
	default:
		return fault.Malformed("The form says neither to acknowledge nor to resolve.")
	}
	switch {
	case fault.Is(err, fault.KindConflict), err == nil && inc.Status == incident.Triggered:
		done = link.DoneNothing // it is over; or a shadow's, which stops nothing
	case err != nil:
		return err
	}
	return p.showLink(c, bearer, http.StatusOK, done)
}

// bearerOfLink reads the link. Whoever was deactivated, or may act on incidents
// no more, finds it expired.
func (p *pages) bearerOfLink(c echo.Context) (*bearerOfLink, error) {
	ctx := c.Request().Context()
	l, err := p.Pages.Keys.OpenLink(c.Param("token"), p.Now())
	if err != nil {
		return nil, err
	}
	user, err := p.Auth.User(ctx, auth.Tocsin, l.UserID)
	if err != nil {
		return nil, err
	}
	if !user.Active || auth.Allow(user.Actor(), auth.ActOnIncident, auth.Object{}) != nil {
		return nil, fault.Gone("This link has expired. Sign in to see the incident.")
	}
	known, err := p.picture(c)
	if err != nil {
		return nil, err
	}
	return &bearerOfLink{user: user, number: l.Incident, picture: known, clock: p.clock(known, user.Timezone)}, nil
}

// expiredLink is where a link that ran out, or never was one, leads.
func (p *pages) expiredLink(c echo.Context, err error) error {
	page := link.ExpiredPage{Clock: element.Clock{Now: p.Now(), Zone: location("")}}
	switch {
	case fault.Is(err, fault.KindGone):
		return render(c, http.StatusGone, link.Expired(page))
	case fault.Is(err, fault.KindNotFound):
		return render(c, http.StatusNotFound, link.Expired(page))
	}
	return err
}

func (p *pages) showLink(c echo.Context, b *bearerOfLink, status int, done link.Done) error {
	r, err := p.Pages.Incidents.Incident(c.Request().Context(), b.number)
	if err != nil {
		return err
	}
	page := link.Page{
		Clock: b.clock, Token: c.Param("token"), Person: element.Person{ID: b.user.ID, Name: b.user.Name}, Done: done,
		Number: r.Number, Title: r.Title, Status: incidents.Status(r.Status), Priority: priorityOf(&r),
		Service: r.ServiceName, Deployment: r.DeploymentName, CreatedAt: r.CreatedAt, Occurrences: r.Occurrences,
		Facts: factsOf(r.Facts), Runbook: runbookOf(r.Runbook),
		AcknowledgedAt: instant(r.AcknowledgedAt), ResolvedAt: instant(r.ResolvedAt), Resolution: r.Resolution,
	}
	page.ResolvedBy, page.RecoveredBy = b.picture.resolver(&r)
	if r.AcknowledgedAt != nil {
		page.AcknowledgedBy = b.picture.actor(r.AcknowledgedBy)
	}
	if page.At = page.AcknowledgedAt; done == link.DoneResolved {
		page.At = page.ResolvedAt
	}
	return render(c, status, link.Incident(page))
}
