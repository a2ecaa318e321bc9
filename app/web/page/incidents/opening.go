package incidents

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/manual"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// openingForm shows the form that opens an incident, filled from the query.
func (p *handlers) openingForm(c echo.Context, req *page.Request) error {
	return p.showOpening(c, req, http.StatusOK, nil)
}

// showOpening shows the form as it was sent, with what is wrong.
func (p *handlers) showOpening(c echo.Context, req *page.Request, status int, faults page.FieldErrors) error {
	frame, err := p.Frame(c, req, "New incident", layout.Incidents)
	if err != nil {
		return err
	}
	data := view.OpeningPage{
		Frame: frame, Key: cmp.Or(c.FormValue("key"), rand.Text()),
		Title: faults.Field(c, "title"), Service: faults.Field(c, "service"), Deployment: faults.Field(c, "deployment"),
		Priority: faults.Field(c, "priority"), Description: faults.Field(c, "description"),
		Services: req.Config.ServiceRefs(), Deployments: deploymentRefs(req), Priorities: req.Config.PriorityOptions(),
	}
	if service, err := req.Config.ServiceBySlug(c.FormValue("service")); err == nil {
		data.Preview = p.preview(c, req, service)
	}
	return page.Render(c, status, view.NewIncident(data))
}

func deploymentRefs(req *page.Request) []element.Ref {
	refs := make([]element.Ref, len(req.Config.Deployments))
	for i, d := range req.Config.Deployments {
		refs[i] = element.Ref{Slug: d.Slug, Name: d.Name}
	}
	return page.SortByName(refs)
}

// preview is whom an incident of a service pages with the deployment and the priority
// of the form.
func (p *handlers) preview(c echo.Context, req *page.Request, s catalog.Service) *view.Preview {
	level := (&formFields{c: c}).Level("priority")
	deployment, err := req.Config.DeploymentBySlug(c.FormValue("deployment"))
	urgency := incident.UrgencyOf(level, err == nil, deployment.Kind == catalog.Production, false)
	preview := &view.Preview{NoPolicy: s.PolicyID == nil, People: p.reaches(req, req.FirstPagedWith(s, level), string(urgency))}
	if urgency == incident.Low {
		preview.WaitsUntil = req.PagingOpens(s.ID)
	}
	return preview
}

// reaches are people who are paged, without shadows, each with how they are reached.
func (p *handlers) reaches(req *page.Request, people []escalation.Reached, urgency string) []view.Reach {
	var all []view.Reach
	for _, r := range people {
		person := req.Config.Person(r.UserID)
		if !r.Shadow && !slices.ContainsFunc(all, func(other view.Reach) bool { return other.Person == person }) {
			all = append(all, view.Reach{Person: person, How: p.ReachedBy(req, r.UserID, urgency)})
		}
	}
	return all
}

// open opens an incident by hand.
func (p *handlers) open(c echo.Context, req *page.Request) error {
	faults := page.FieldErrors{}
	if strings.TrimSpace(c.FormValue("title")) == "" {
		faults["title"] = "Enter a title."
	}
	if c.FormValue("service") == "" {
		faults["service"] = "Choose a service."
	}
	fields := &formFields{c: c}
	report := manual.Report{Title: c.FormValue("title"), Service: c.FormValue("service"), Deployment: c.FormValue("deployment"),
		Priority: fields.Level("priority"), Description: c.FormValue("description")}
	if fields.err != nil {
		faults["priority"] = choosePriority("priority").Message
	}
	if len(faults) > 0 {
		return p.showOpening(c, req, http.StatusUnprocessableEntity, faults)
	}
	number, err := p.Manual.Open(c.Request().Context(), req.Actor, report, c.FormValue("key"))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showOpening(c, req, http.StatusUnprocessableEntity, faults)
	}
	if err != nil {
		return err
	}
	return p.Done(c, "/incidents/"+web.FormatInt(number), "Incident #%d opened.", number)
}

// pagingForm shows the form that pages somebody.
func (p *handlers) pagingForm(c echo.Context, req *page.Request) error {
	return p.showPaging(c, req, http.StatusOK, nil)
}

// pagingFields are the kinds of targets: the field of the form, and the name that links
// to the form use.
var pagingFields = [...]struct{ field, link string }{{"users", "user"}, {"teams", "team"}, {"schedules", "schedule"}}

// namesIn are the values of a field of targets, by either of its names.
func namesIn(c echo.Context, field, link string) []string {
	sent, err := c.FormParams()
	if err != nil {
		return nil
	}
	names := slices.DeleteFunc(slices.Concat(sent[field], sent[link]), func(name string) bool { return name == "" })
	return slices.Compact(names)
}

func (p *handlers) showPaging(c echo.Context, req *page.Request, status int, faults page.FieldErrors) error {
	frame, err := p.Frame(c, req, "Page somebody", layout.Incidents)
	if err != nil {
		return err
	}
	data := view.PagingPage{Frame: frame, Key: cmp.Or(c.FormValue("key"), rand.Text()), Reason: faults.Field(c, "reason"),
		Service: faults.Field(c, "service"), Services: req.Config.ServiceRefs(), Query: c.FormValue("q")}
	data.Reason.Error = cmp.Or(data.Reason.Error, faults["title"], faults["message"])
	if text := c.FormValue("incident"); text != "" {
		n, ok := web.ParseNumber(text)
		if !ok {
			return fault.Malformed("%q is no incident's number.", text)
		}
		row, err := p.Incidents.Incident(c.Request().Context(), n)
		if err != nil {
			return err
		}
		data.Number, data.Title = n, row.Title
	}
	p.fillTargets(c, req, &data, faults)
	if data.Query != "" || len(data.Targets) == 0 {
		data.Candidates = candidates(req, data.Query, catalog.Service{})
	}
	return page.Render(c, status, view.PageSomebody(data))
}

// fillTargets fills in those that are chosen; what names nobody is told of and left out.
func (p *handlers) fillTargets(c echo.Context, req *page.Request, data *view.PagingPage, faults page.FieldErrors) {
	for _, kind := range pagingFields {
		data.Wrong = cmp.Or(data.Wrong, faults[kind.field])
		for _, name := range namesIn(c, kind.field, kind.link) {
			named, err := req.Config.Roster.Named(kind.field, []string{name}, req.Clock.Now)
			if wrong, ok := page.FieldErrorsOf(err); ok {
				data.Wrong = cmp.Or(data.Wrong, wrong[kind.field])
				continue
			}
			people := req.Config.Roster.Asked(named[0].Target, req.Clock.Now)
			data.Targets = append(data.Targets, view.PagingTarget{Field: kind.field, Value: name, Name: named[0].Name,
				People: p.reaches(req, people, string(incident.High))})
		}
	}
}

// page pages those who are chosen.
func (p *handlers) page(c echo.Context, req *page.Request) error {
	asked := manual.Page{Reason: c.FormValue("reason"), Service: c.FormValue("service")}
	asked.Users, asked.Teams, asked.Schedules = namesIn(c, "users", "user"), namesIn(c, "teams", "team"), namesIn(c, "schedules", "schedule")
	if len(asked.Users)+len(asked.Teams)+len(asked.Schedules) == 0 {
		return p.showPaging(c, req, http.StatusUnprocessableEntity, page.FieldErrors{"users": "Choose whom to page."})
	}
	address := "/page"
	if text := c.FormValue("incident"); text != "" {
		n, ok := web.ParseNumber(text)
		if !ok {
			return fault.Malformed("%q is no incident's number.", text)
		}
		asked.Incident, address = n, "/incidents/"+text
	}
	number, err := p.Manual.Page(c.Request().Context(), req.Actor, web.By(req.Actor, "web"), asked, c.FormValue("key"))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showPaging(c, req, http.StatusUnprocessableEntity, faults)
	}
	if err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, "/incidents/"+web.FormatInt(number), "Paging starts. #%d shows who was reached.", number)
}
