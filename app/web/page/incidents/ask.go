package incidents

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// showAsk offers whom to ask to join an incident, or to take it over.
func (p *handlers) showAsk(c echo.Context, req *page.Request) error {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return err
	}
	data, err := p.askPage(c, req, n)
	if err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.Ask(data))
}

func (p *handlers) askPage(c echo.Context, req *page.Request, n int64) (view.AskPage, error) {
	row, err := p.Incidents.Incident(c.Request().Context(), n)
	if err != nil {
		return view.AskPage{}, err
	}
	data := view.AskPage{Number: n, Title: row.Title, HandOver: strings.HasSuffix(c.Path(), "/handover"), Query: c.QueryParam("q")}
	if row.AcknowledgedAt != nil {
		data.Owner = req.Config.ActorName(row.AcknowledgedBy)
	}
	data.Groups = candidates(req, data.Query, req.Config.Service(row.ServiceID))
	title := "Add people"
	if data.HandOver {
		title = "Hand over"
		data.Groups = slices.DeleteFunc(data.Groups, func(g view.CandidateGroup) bool { return g.Field != "users" })
		for i := range data.Groups {
			data.Groups[i].Field = "user"
		}
	}
	data.Frame, err = p.Frame(c, req, title, layout.Incidents)
	return data, err
}

// askAgain shows the form of a request again, with what is wrong with it.
func (p *handlers) askAgain(c echo.Context, req *page.Request, n int64, faults page.FieldErrors) error {
	data, err := p.askPage(c, req, n)
	if err != nil {
		return err
	}
	data.Message = faults.Field(c, "message")
	for _, field := range append([]string{"user"}, incident.TargetKinds...) {
		if data.Error == "" {
			data.Error = faults[field]
		}
	}
	form, err := c.FormParams()
	if err != nil {
		return err
	}
	data.Selected = form["user"]
	for _, field := range incident.TargetKinds {
		for _, value := range form[field] {
			data.Selected = append(data.Selected, field+value)
		}
	}
	return page.Render(c, http.StatusUnprocessableEntity, view.Ask(data))
}
