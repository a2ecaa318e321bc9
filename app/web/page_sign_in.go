package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/views/signin"
)

func (p *pages) askToSignIn(c echo.Context) error {
	next := local(c.QueryParam("next"))
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
	return p.showSignIn(c, http.StatusOK, signin.Page{Next: next, NoAdministrator: vacancy.NoAdministrator, Nobody: vacancy.Nobody})
}

func (p *pages) showSignIn(c echo.Context, status int, page signin.Page) error {
	known, err := p.picture(c)
	if err != nil {
		return err
	}
	page.Now, page.Organization, page.Flash = p.Now(), known.Organization.Name, p.flash(c)
	return render(c, status, signin.SignIn(page))
}

// signIn begins a session. What is no address at all is answered like a wrong
// password.
func (p *pages) signIn(c echo.Context) error {
	email, next := c.FormValue("email"), local(c.FormValue("next"))
	_, err := p.Auth.SignIn(c.Request().Context(), email, c.FormValue("password"), c.RealIP())
	if err == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	page := signin.Page{Email: email, Next: next}
	var wait *auth.Wait
	switch {
	case fault.Is(err, fault.KindUnauthorized), fault.Is(err, fault.KindInvalid):
		page.Wrong = true
		return p.showSignIn(c, http.StatusUnprocessableEntity, page)
	case errors.As(err, &wait):
		page.RetryIn = wait.For
		return p.showSignIn(c, http.StatusTooManyRequests, page)
	}
	return err
}

func (p *pages) signOut(c echo.Context) error {
	if err := p.Auth.SignOut(c.Request().Context()); err != nil {
		return err
	}
	return p.done(c, "/sign-in", "You are signed out.")
}
