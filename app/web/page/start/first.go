package start

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/start"
)

// firstService creates a service with a team, schedule, policy and integration that
// page the reader, in one transaction.
func (p *handlers) firstService(c echo.Context, req *page.Request) error {
	if i, ok := firstIntegration(req); ok {
		return p.Refused(c, "/start", fault.Conflict("%s is there already.", req.Config.ServiceRef(i.ServiceID).Name))
	}
	service, team := strings.TrimSpace(c.FormValue("service")), strings.TrimSpace(c.FormValue("team"))
	err := checkNames(req.Config, service, team)
	if err == nil {
		err = p.applyFirst(c.Request().Context(), req.User, service, team)
	}
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showStart(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			data.Form = view.ServiceForm{Service: faults.Field(c, "service"), Team: faults.Field(c, "team")}
		})
	}
	if err != nil {
		return p.Refused(c, "/start", err)
	}
	return p.Done(c, "/start", "%s is there, and you are on call for it.", service)
}

// checkNames checks the names of the first service and its team. They must be new,
// since the form must not change what exists.
func checkNames(config *page.Config, service, team string) error {
	var wrong []fault.Field
	check := func(field, name string, taken func(slug string) bool) {
		slug := slugOf(name)
		switch {
		case !page.ValidName(name):
			wrong = append(wrong, fault.Field{Path: field, Message: "Write a name, in one line of at most 100 characters."})
		case slug == "":
			wrong = append(wrong, fault.Field{Path: field, Message: "The name needs a letter from a to z or a digit, for its address."})
		case taken(slug):
			wrong = append(wrong, fault.Field{Path: field, Message: "That name is taken. Choose another."})
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
	if wrong == nil {
		return nil
	}
	return fault.Invalid("%s", wrong[0].Message).With(wrong...)
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

// maxSlug bounds a slug, in bytes.
const maxSlug = 50

// slugOf is the slug for a name: "checkout-api" for "Checkout API".
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	slug := strings.Join(words, "-")
	return strings.TrimRight(slug[:min(len(slug), maxSlug)], "-")
}

// applyFirst applies a configuration file, as `tocsin apply` does.
func (p *handlers) applyFirst(ctx context.Context, user *auth.User, service, team string) error {
	document, err := firstDocument(user, service, team)
	if err != nil {
		return err
	}
	file, err := blueprint.Parse("first service", document, func(string) (string, bool) { return "", false })
	if err != nil {
		return internalMistakes(err)
	}
	state, err := p.Catalog.Configuration(ctx, p.Keys)
	if err != nil {
		return err
	}
	plan, err := file.Plan(state, blueprint.Options{})
	if err != nil {
		return internalMistakes(err)
	}
	return p.Catalog.Apply(ctx, user.Actor(), p.Keys, plan)
}

// internalMistakes are internal errors, since the document is our own.
func internalMistakes(err error) error {
	var list blueprint.Mistakes
	if errors.As(err, &list) {
		return fault.Internal(err)
	}
	return err
}

// firstDocument is written as JSON, which is YAML too.
func firstDocument(user *auth.User, service, team string) ([]byte, error) {
	type object = map[string]any
	name, slug, owner := literal(service), slugOf(team), user.Email
	return json.Marshal(object{
		"version": blueprint.FormatVersion,
		"teams":   []object{{"slug": slug, "name": literal(team), "manager": owner, "members": []string{owner}}},
		"schedules": []object{{"slug": slug, "name": literal(team), "team": slug, "positions": []string{"main"},
			"layers": []object{{"name": "main", "members": []string{owner}}}}},
		"escalation_policies": []object{{"slug": slug, "name": literal(team), "team": slug, "repeat": 2, "fallback": []object{{"user": owner}},
			"steps": []object{{"timeout": "15m", "targets": []object{{"schedule": slug, "position": "main"}}}}}},
		"services":     []object{{"slug": slugOf(service), "name": name, "team": slug, "escalation_policy": slug}},
		"integrations": []object{{"slug": slugOf(service), "name": name, "kind": catalog.KindSLO, "service": slugOf(service)}},
	})
}

// literal escapes a name, which may look like a variable.
func literal(name string) string { return strings.ReplaceAll(name, "${", "$${") }

// firstTest sends a test breach to the first integration.
func (p *handlers) firstTest(c echo.Context, req *page.Request) error {
	i, ok := firstIntegration(req)
	if !ok {
		return p.Refused(c, "/start", fault.Conflict("Name a first service before you test it."))
	}
	answer, err := p.Tests.Send(c.Request().Context(), req, i, c.RealIP())
	if err != nil {
		return p.Refused(c, "/start", err)
	}
	if who := p.WouldPage(req, i); who != "" {
		return p.Done(c, "/start", "The test breach is in: incident #%d. It pages %s.", answer.Incident.Number, who)
	}
	return p.Done(c, "/start", "The test breach is in: incident #%d. It reaches nobody until somebody on call has a verified contact.", answer.Incident.Number)
}
