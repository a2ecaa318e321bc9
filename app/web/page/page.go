// Package page is what the pages for people share: who reads them, the
// configuration as pages show it, the frame around a page, rendering, and answers
// to forms. The pages themselves are in the packages below it, one for each
// subject, as the views are. A handler reads, acts and renders; what the reader may
// do is passed to the views as booleans.
package page

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// Counter counts the incidents that the frame shows.
type Counter interface {
	CountIncidents(ctx context.Context, userID int64) (incident.Counts, error)
}

// Deps is what every page needs. All are required.
type Deps struct {
	Configs *web.ConfigCache
	Counter Counter
	// Works reports whether a medium has a channel.
	Works func(notify.Medium) bool
	// OnlyLog reports whether no channel is set up, so that pages only go to the
	// log.
	OnlyLog func() bool
	// Keys seal forms that wait for a sign-in.
	Keys *auth.Keyring
	// Outages reads the channels that fail.
	Outages func(ctx context.Context) ([]notify.ChannelState, error)
}

// Pages is shared by the handlers of all pages; those of a subject embed it.
type Pages struct {
	// Routes are for pages.
	Routes web.Routes

	deps   Deps
	router *web.Router
	// signIn shows the sign-in page with a form that waits for it.
	signIn func(c echo.Context, f Pending) error
	config atomic.Pointer[Config]
}

// New also has the router's errors rendered as pages.
func New(r *web.Router, d Deps) *Pages {
	p := &Pages{Routes: r.Pages(), deps: d, router: r}
	r.SetErrorPage(p.renderError)
	return p
}

// Now is the current instant.
func (p *Pages) Now() time.Time { return p.router.Now() }

// PublicURL is the address of this installation, without a trailing slash.
func (p *Pages) PublicURL() string { return p.router.PublicURL }

// Works reports whether a medium has a channel.
func (p *Pages) Works(m notify.Medium) bool { return p.deps.Works(m) }

// OnlyLog reports whether no channel is set up, so that messages only go to
// the log.
func (p *Pages) OnlyLog() bool { return p.deps.OnlyLog() }

// SetSignIn has show answer a form of somebody who is not signed in. Without it they
// are redirected to the sign-in page.
func (p *Pages) SetSignIn(show func(c echo.Context, f Pending) error) { p.signIn = show }

// Require runs a handler for those who may do the action. Those who are not signed in
// get the sign-in page; a form that they sent waits in it.
func (p *Pages) Require(action auth.Action, handle func(echo.Context, *Request) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		req, err := p.request(c)
		if fault.Is(err, fault.KindUnauthorized) {
			if c.Request().Method == http.MethodPost && p.signIn != nil {
				return p.signIn(c, p.pendingForm(c))
			}
			return c.Redirect(http.StatusSeeOther, signInAddress(c.Request()))
		}
		if err != nil {
			return err
		}
		if err := auth.Allow(req.Actor, action, auth.Object{}); err != nil {
			return err
		}
		return handle(c, req)
	}
}

func (p *Pages) request(c echo.Context) (*Request, error) {
	mark := p.router.Live.Mark()
	user, err := p.router.User(c)
	if err != nil {
		return nil, err
	}
	config, err := p.Config(c.Request().Context())
	if err != nil {
		return nil, err
	}
	return &Request{User: user, Actor: user.Actor(), Config: config, Clock: p.Clock(config, user.Timezone), mark: mark}, nil
}

// Clock shows times in a zone; an empty one stands for the organisation's.
func (p *Pages) Clock(config *Config, zone string) element.Clock {
	if zone == "" {
		zone = config.Organization.Timezone
	}
	return element.Clock{Now: p.Now(), Zone: Location(zone)}
}

// Location is UTC for a zone that this machine does not know.
func Location(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// ID reads the id of an object from the path. A malformed one is not found.
func ID(c echo.Context) (int64, error) {
	id, ok := web.ParseNumber(c.Param("id"))
	if !ok {
		return 0, web.ErrNoRoute
	}
	return id, nil
}

// NotFound turns the fault of a look-up by a parameter into that of a page that
// does not exist.
func NotFound(err error) error {
	if fault.Is(err, fault.KindInvalid) {
		return fault.NotFound("There is nothing at this address.").Because(err)
	}
	return err
}
