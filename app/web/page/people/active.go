package people

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/people"
)

// deactivatePerson first shows what names the person and who covers, and carries it
// out when the form that shows it is sent.
func (p *handlers) deactivatePerson(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	address := "/people/" + web.FormatInt(id)
	if c.FormValue("confirmed") == "" {
		notes, err := p.Auth.PlanActive(c.Request().Context(), req.Actor, id, false)
		if err != nil {
			return p.Refused(c, address, err)
		}
		return p.personPage(c, req, http.StatusOK, func(data *view.Page) { data.Deactivation = &view.Deactivation{Notes: notes} })
	}
	if err := p.Auth.SetActive(c.Request().Context(), req.Actor, id, false); err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "Deactivated.")
}

func (p *handlers) activatePerson(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	address := "/people/" + web.FormatInt(id)
	if err := p.Auth.SetActive(c.Request().Context(), req.Actor, id, true); err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "Active again.")
}
