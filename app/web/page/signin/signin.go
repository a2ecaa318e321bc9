// Package signin has the pages for those who are not signed in: signing in, the
// first administrator, and setting a password.
package signin

import (
	"errors"
	"maps"
	"net/http"
	"slices"
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
	pages.SetSignIn(p.signInFirst)
	p.Routes.Get("/sign-in", p.signInForm)
	p.Routes.Post("/sign-in", p.signIn)
	p.Routes.Post("/sign-out", p.signOut)
	p.Routes.Get("/setup/:token", p.setUpForm)
	p.Routes.Post("/setup/:token", p.setUp)
	p.Routes.Get("/invite/:token", p.inviteForm)
	p.Routes.Post("/invite/:token", p.acceptInvitation)
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

// signInFirst answers a form that was sent without a session with the sign-in page, in
// which the form waits.
func (p *handlers) signInFirst(c echo.Context, f page.Pending) error {
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="Tocsin"`)
	return p.showSignIn(c, http.StatusUnauthorized, view.Page{Next: f.Next, Pending: pendingView(f)})
}

func pendingView(f page.Pending) *view.Pending {
	return &view.Pending{Sealed: f.Sealed, NotDone: f.Words.NotDone}
}

// signIn starts a session. An invalid email address is answered like a wrong
// password.
func (p *handlers) signIn(c echo.Context) error {
	email, next := c.FormValue("email"), page.LocalAddress(c.FormValue("next"))
	var waiting *page.Pending
	if sealed := c.FormValue("pending"); sealed != "" {
		f, err := p.OpenPending(sealed)
		if err != nil {
			return err
		}
		waiting = &f
	}
	u, err := p.Auth.SignIn(c.Request().Context(), email, c.FormValue("password"), page.Visitor(c))
	if err == nil {
		p.RememberDevice(c, p.Auth.DeviceToken(u))
	}
	switch {
	case err == nil && waiting != nil:
		return p.showResume(c, u, *waiting)
	case err == nil:
		return c.Redirect(http.StatusSeeOther, next)
	}
	data := view.Page{Email: email, Next: next}
	if waiting != nil {
		data.Pending = pendingView(*waiting)
	}
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

// showResume asks the person who has signed in whether to send the form that waited.
// For the person who sent it, an acknowledgment is sent at once where scripts run.
func (p *handlers) showResume(c echo.Context, u *auth.User, f page.Pending) error {
	data := view.ResumePage{Now: p.Now(), Name: u.Name, NotDone: f.Words.NotDone, Button: f.Words.Button, Discard: f.Words.Discard, Main: f.Repeatable, Action: f.Path, Next: f.Next,
		AtOnce: f.Repeatable && f.UserID == u.ID}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		for _, value := range f.Fields[name] {
			data.Fields = append(data.Fields, view.ResumeField{Name: name, Value: value, Text: slices.Contains(textFields, name) && value != ""})
		}
	}
	return page.Render(c, http.StatusOK, view.Resume(data))
}

// textFields are what a person typed at length, which is shown again.
var textFields = []string{"note", "resolution", "reason", "description", "title"}

func (p *handlers) signOut(c echo.Context) error {
	if err := p.Auth.SignOut(c.Request().Context()); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/sign-in?"+signedOut)
}
