package start

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/start"
)

// firstService creates a service with a team, schedule, policy and integration that
// page the reader, in one transaction.
func (p *handlers) firstService(c echo.Context, req *page.Request) error {
	if i, ok := firstIntegration(req); ok {
		return p.Refused(c, "/start", fault.Conflict("%s exists already.", req.Config.ServiceRef(i.ServiceID).Name))
	}
	service, team := strings.TrimSpace(c.FormValue("service")), strings.TrimSpace(c.FormValue("team"))
	err := checkNames(req.Config, service, team)
	if err == nil {
		_, err = p.Editor.Edit(c.Request().Context(), req.Actor, firstEdits(req.User, service, team)...)
	}
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showStart(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			data.Form = view.ServiceForm{Service: faults.Field(c, "service"), Team: faults.Field(c, "team")}
		})
	}
	if err != nil {
		return p.Refused(c, "/start", err)
	}
	return p.Done(c, "/start", "%s created. You are on call for it.", service)
}

// checkNames checks the names of the first service and its team. They must be new,
// since the form must not change what exists.
func checkNames(config *page.Config, service, team string) error {
	var faults []fault.Field
	check := func(field, name string, taken func(slug string) bool) {
		slug := organization.Slug(name)
		switch {
		case !page.ValidName(name):
			faults = append(faults, fault.Field{Path: field, Message: "Enter a name, in one line of at most 100 characters."})
		case slug == "":
			faults = append(faults, fault.Field{Path: field, Message: "The name needs a letter from a to z or a digit, for its address."})
		case taken(slug):
			faults = append(faults, fault.Field{Path: field, Message: "That name is taken. Choose another."})
		}
	}
	check("service", service, func(slug string) bool {
		_, err := config.ServiceNamed(slug)
		return err == nil || hasIntegration(config, slug)
	})
	check("team", team, func(slug string) bool {
		_, noTeam := config.TeamNamed(slug)
		_, noSchedule := config.ScheduleNamed(slug)
		return noTeam == nil || noSchedule == nil || hasPolicy(config, slug)
	})
	if faults == nil {
		return nil
	}
	return fault.Invalid("%s", faults[0].Message).With(faults...)
}

func hasIntegration(config *page.Config, slug string) bool {
	for _, i := range config.Integrations {
		if i.Slug == slug {
			return true
		}
	}
	return false
}

func hasPolicy(config *page.Config, slug string) bool {
	for _, p := range config.Policies {
		if p.Slug == slug {
			return true
		}
	}
	return false
}

// firstEdits are a service and what it takes to page its owner, for one plan: a
// team, a schedule and a policy of the team's name, and a key. Faults name the
// fields of the form.
func firstEdits(owner *auth.User, service, team string) []organization.Edit {
	slug, key := organization.Slug(team), organization.Slug(service)
	ofTeam := organization.Input{New: true, Path: "team"}
	ofService := organization.Input{New: true, Path: "service"}
	return []organization.Edit{
		&organization.PutTeam{Value: organization.Team{Slug: slug, Name: team, Manager: owner.Email, Members: []string{owner.Email}}, Input: ofTeam},
		&organization.PutSchedule{Value: organization.Schedule{Slug: slug, Name: team, Team: slug, Positions: []string{"main"},
			Layers: []organization.Layer{{Name: "main", Members: []string{owner.Email}}}}, Input: ofTeam},
		&organization.PutPolicy{Value: organization.Policy{Slug: slug, Name: team, Team: slug, Repeat: firstRepeats,
			Fallback: []organization.Target{{User: owner.Email}},
			Steps: []organization.Step{{Timeout: organization.Duration(firstTimeout),
				Targets: []organization.Target{{Schedule: slug, Position: "main"}}}}}, Input: ofTeam},
		&organization.PutService{Value: organization.Service{Slug: key, Name: service, Team: slug, EscalationPolicy: slug,
			ReopenWindow: organization.Duration(catalog.DefaultReopenWindow)}, Input: ofService},
		&organization.PutIntegration{Value: organization.Integration{Slug: key, Name: service, Kind: catalog.KindSLO, Service: key}, Input: ofService},
	}
}

// The first policy pages its owner again until somebody answers.
const (
	firstTimeout = 15 * time.Minute
	firstRepeats = 2
)

// firstTest sends a test signal to the first integration.
func (p *handlers) firstTest(c echo.Context, req *page.Request) error {
	i, ok := firstIntegration(req)
	if !ok {
		return p.Refused(c, "/start", fault.Conflict("Create a service first."))
	}
	answer, err := p.Tests.Send(c.Request().Context(), req, i, req.ExampleService(i), c.RealIP())
	if err != nil {
		return p.Refused(c, "/start", err)
	}
	noun := p.Tests.Signal(i.Kind)
	who := p.WouldPage(req, i)
	switch {
	case who == "":
		return p.Done(c, "/start", "Test %s sent: incident #%d. Nobody can be paged until somebody on call has a verified contact method.", noun, answer.Incident.Number)
	case p.OnlyLog():
		return p.Done(c, "/start", "Test %s sent: incident #%d. No channel is set up, so the page to %s goes to the server log only.", noun, answer.Incident.Number, who)
	}
	return p.Done(c, "/start", "Test %s sent: incident #%d pages %s.", noun, answer.Incident.Number, who)
}
