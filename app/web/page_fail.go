package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/fail"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// failed shows a person what went wrong. It must not fail itself, so that it
// does without whatever cannot be read now, down to a page of nobody.
func (p *pages) failed(c echo.Context, problem Problem) error {
	// The handler may have used up the time that limitTime gave it.
	ctx, cancel := context.WithTimeout(c.Request().Context(), requestTime)
	defer cancel()
	c.SetRequest(c.Request().WithContext(ctx))
	page := fail.Page{Status: problem.Status, Message: problem.Detail, Reference: problem.Reference, Back: p.cameFrom(c)}
	if problem.Status == http.StatusInternalServerError {
		page.Message = ""
	}
	for _, f := range problem.Errors {
		page.Fields = append(page.Fields, f.Message)
	}
	page.Frame = p.failureFrame(c, problem.Title)
	return render(c, problem.Status, fail.Fail(page))
}

func (p *pages) failureFrame(c echo.Context, title string) layout.Frame {
	p.lookForSession(c)
	if v, err := p.visit(c); err == nil {
		if f, err := p.frame(c, v, title, ""); err == nil {
			return f
		}
	}
	return layout.Frame{Title: title, Clock: element.Clock{Now: p.Now(), Zone: time.UTC}}
}

// lookForSession loads the session of a request that led to no route, and so
// behind no middleware. Nothing of it is kept.
func (p *pages) lookForSession(c echo.Context) {
	cookie, err := c.Cookie(auth.SessionCookie)
	if err != nil || c.Get(sessionKey) != nil {
		return
	}
	ctx, err := p.Sessions.Load(c.Request().Context(), cookie.Value)
	if err != nil {
		return
	}
	c.SetRequest(c.Request().WithContext(ctx))
	c.Set(sessionKey, true)
}

// cameFrom is the page of this installation that a form or a link was on; empty
// where that is this one.
func (p *pages) cameFrom(c echo.Context) string {
	from, err := url.Parse(c.Request().Referer())
	if err != nil || from.Host != c.Request().Host {
		return ""
	}
	if back := local(from.RequestURI()); back != "/" && back != c.Request().URL.RequestURI() {
		return back
	}
	return ""
}
