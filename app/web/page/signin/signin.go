// Package signin has the pages for those who are not signed in: signing in, the
// first administrator, and setting a password.
package signin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/signin"
)

// Deps is what the pages need. All are required.
type Deps struct {
	Auth *auth.Service
}

// signedOut is the parameter of the sign-in page that tells of a sign-out. There is
// no session any more that a message could be in.
const signedOut = "signed-out"

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/sign-in", p.signInForm)
	p.Routes.Post("/sign-in", p.signIn)
	p.Routes.Post("/sign-out", p.signOut)
	p.Routes.Get("/setup/:token", p.setUpForm)
	p.Routes.Post("/setup/:token", p.setUp)
	p.Routes.Get("/password/:token", p.passwordForm)
	p.Routes.Post("/password/:token", p.setPassword)
}

func (p *handlers) signInForm(c echo.Context) error {
	next := page.LocalAddress(c.QueryParam("next"))
	switch _, err := p.Auth.SignedIn(c.Request().Context()); {
	case err == nil:
		return c.Redirect(http.StatusSeeOther, next)
	case !fault.Is(err, fault.KindUnauthorized):
		return err
	}
	vacancy, err := p.Auth.Vacancy(c.Request().Context())
	if err != nil {
		return err
	}
	return p.showSignIn(c, http.StatusOK, view.Page{Next: next, NoAdministrator: vacancy.NoAdministrator, Nobody: vacancy.Nobody})
}

func (p *handlers) showSignIn(c echo.Context, status int, data view.Page) error {
	known, err := p.Config(c.Request().Context())
	if err != nil {
		return err
	}
	data.Now, data.Organization, data.Flash = p.Now(), known.Organization.Name, p.TakeFlash(c)
	if c.Request().Method == http.MethodGet && c.QueryParams().Has(signedOut) {
		data.Flash = &layout.Flash{Text: "You are signed out."}
	}
	return page.Render(c, status, view.SignIn(data))
}

// signIn starts a session. An invalid email address is answered like a wrong
// password.
func (p *handlers) signIn(c echo.Context) error {
	email, next := c.FormValue("email"), page.LocalAddress(c.FormValue("next"))
	u, err := p.Auth.SignIn(c.Request().Context(), email, c.FormValue("password"), page.Visitor(c))
	if err == nil {
		p.RememberDevice(c, p.Auth.DeviceToken(u))
		return c.Redirect(http.StatusSeeOther, next)
	}
	data := view.Page{Email: email, Next: next}
	var wait *auth.Wait
	switch {
	case fault.Is(err, fault.KindUnauthorized), fault.Is(err, fault.KindInvalid):
		data.Wrong = true
		return p.showSignIn(c, http.StatusUnprocessableEntity, data)
	case errors.As(err, &wait):
		data.RetryIn = wait.For
		c.Response().Header().Set("Retry-After", strconv.Itoa(web.RetryAfter(err, http.StatusTooManyRequests)))
		return p.showSignIn(c, http.StatusTooManyRequests, data)
	}
	return err
}

func (p *handlers) signOut(c echo.Context) error {
	if err := p.Auth.SignOut(c.Request().Context()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/sign-in?"+signedOut)
}
