package page

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/fail"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// renderError renders an error for people. It must not fail itself, so it leaves
// out whatever cannot be read, down to a page without a reader.
func (p *Pages) renderError(c echo.Context, problem web.Problem) error {
	page := fail.Page{Status: problem.Status, Message: problem.Detail, Reference: problem.Reference, Back: referer(c)}
	if problem.Status == http.StatusInternalServerError {
		page.Message = ""
	}
	for _, f := range problem.Errors {
		page.Fields = append(page.Fields, f.Message)
	}
	page.Frame = p.errorFrame(c, problem.Title)
	return Render(c, problem.Status, fail.Fail(page))
}

func (p *Pages) errorFrame(c echo.Context, title string) layout.Frame {
	if req, err := p.request(c); err == nil {
		if f, err := p.Frame(c, req, title, ""); err == nil {
			return f
		}
	}
	return layout.Frame{Title: title, Clock: element.Clock{Now: p.Now(), Zone: time.UTC}}
}
