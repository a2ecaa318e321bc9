package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/views/start"
)

// firstService makes a service with all that it takes to page the reader about
// it, at once or not at all.
func (p *pages) firstService(c echo.Context, v *visit) error {
	if i, ok := v.firstIntegration(); ok {
		return p.refused(c, "/start", fault.Conflict("%s is there already.", v.picture.serviceRef(i.ServiceID).Name))
	}
	service, team := strings.TrimSpace(c.FormValue("service")), strings.TrimSpace(c.FormValue("team"))
	err := v.picture.free(service, team)
	if err == nil {
		_, err = p.Editor.Edit(c.Request().Context(), v.actor, firstEdits(v.user, service, team)...)
	}
	if faults, ok := wrongFields(err); ok {
		return p.showStart(c, v, http.StatusUnprocessableEntity, func(page *start.Page) {
			page.Form = start.ServiceForm{Service: faults.field(c, "service"), Team: faults.field(c, "team")}
		})
	}
	if err != nil {
		return p.refused(c, "/start", err)
	}
	return p.done(c, "/start", "%s is there, and you are on call for it.", service)
}

// free names what is wrong with the names of a first service and its team. What
// exists already is not to be changed by this form.
func (k *picture) free(service, team string) error {
	var wrong []fault.Field
	check := func(field, name string, taken func(slug string) bool) {
		slug := organization.Slug(name)
		switch {
		case !nameable(name):
			wrong = append(wrong, fault.Field{Path: field, Message: "Write a name, in one line of at most 100 characters."})
		case slug == "":
			wrong = append(wrong, fault.Field{Path: field, Message: "The name needs a letter from a to z or a digit, for its address."})
		case taken(slug):
			wrong = append(wrong, fault.Field{Path: field, Message: "That name is taken. Choose another."})
		}
	}
	check("service", service, func(slug string) bool {
		_, err := k.service(slug)
		return err == nil || k.hasIntegration(slug)
	})
	check("team", team, func(slug string) bool {
		_, noTeam := k.team(slug)
		_, noSchedule := k.schedule(slug)
		return noTeam == nil || noSchedule == nil || k.hasPolicy(slug)
	})
	if wrong == nil {
		return nil
	}
	return fault.Invalid("%s", wrong[0].Message).With(wrong...)
}

func (k *picture) hasIntegration(slug string) bool {
	for _, i := range k.Integrations {
		if i.Slug == slug {
			return true
		}
	}
	return false
}

func (k *picture) hasPolicy(slug string) bool {
	for _, p := range k.Policies {
		if p.Slug == slug {
			return true
		}
	}
	return false
}

// firstEdits, which are made in one plan, are a service and all that it takes to page its owner: a team, a
// schedule and a policy of the team's name, and a key. The names of what is wrong
// are those of the form's fields.
func firstEdits(owner *auth.User, service, team string) []organization.Edit {
	slug, key := organization.Slug(team), organization.Slug(service)
	ofTeam := organization.Input{New: true, Path: "team"}
	ofService := organization.Input{New: true, Path: "service"}
	return []organization.Edit{
		&organization.PutTeam{Team: organization.Team{Slug: slug, Name: team, Manager: owner.Email, Members: []string{owner.Email}}, Input: ofTeam},
		&organization.PutSchedule{Schedule: organization.Schedule{Slug: slug, Name: team, Team: slug, Positions: []string{"main"},
			Layers: []organization.Layer{{Name: "main", Members: []string{owner.Email}}}}, Input: ofTeam},
		&organization.PutPolicy{Policy: organization.Policy{Slug: slug, Name: team, Team: slug, Repeat: firstRepeats,
			Fallback: []organization.Target{{User: owner.Email}},
			Steps: []organization.Step{{Timeout: organization.Duration(firstTimeout),
				Targets: []organization.Target{{Schedule: slug, Position: "main"}}}}}, Input: ofTeam},
		&organization.PutService{Service: organization.Service{Slug: key, Name: service, Team: slug, EscalationPolicy: slug,
			ReopenWindow: organization.Duration(catalog.DefaultReopenWindow)}, Input: ofService},
		&organization.PutIntegration{Integration: organization.Integration{Slug: key, Name: service, Kind: catalog.KindSLO, Service: key}, Input: ofService},
	}
}

// The first policy pages its owner again until somebody answers.
const (
	firstTimeout = 15 * time.Minute
	firstRepeats = 2
)

// firstTest sends a test breach by the first service's key.
func (p *pages) firstTest(c echo.Context, v *visit) error {
	i, ok := v.firstIntegration()
	if !ok {
		return p.refused(c, "/start", fault.Conflict("Name a first service before you test it."))
	}
	answer, err := p.sendTest(c, v, i)
	if err != nil {
		return p.refused(c, "/start", err)
	}
	if who := p.wouldPage(v, i); who != "" {
		return p.done(c, "/start", "The test breach is in: incident #%d. It pages %s.", answer.Incident.Number, who)
	}
	return p.done(c, "/start", "The test breach is in: incident #%d. It reaches nobody until somebody on call has a verified contact.", answer.Incident.Number)
}
