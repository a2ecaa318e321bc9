package web

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
		err = p.applyFirst(c.Request().Context(), v.user, service, team)
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
		slug := slugOf(name)
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

// longestSlug bounds what addresses are made of.
const longestSlug = 50

// slugOf is a name as it stands in addresses: "checkout-api" for "Checkout API".
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	slug := strings.Join(words, "-")
	return strings.TrimRight(slug[:min(len(slug), longestSlug)], "-")
}

// applyFirst goes the way of `tocsin apply`: what is made here can be exported
// and changed as a file.
func (p *pages) applyFirst(ctx context.Context, user *auth.User, service, team string) error {
	document, err := firstDocument(user, service, team)
	if err != nil {
		return err
	}
	file, err := blueprint.Parse("first service", document, func(string) (string, bool) { return "", false })
	if err != nil {
		return mistakes(err)
	}
	state, err := p.Pages.Catalog.Configuration(ctx, p.Pages.Keys)
	if err != nil {
		return err
	}
	plan, err := file.Plan(state, blueprint.Options{})
	if err != nil {
		return mistakes(err)
	}
	return p.Pages.Catalog.Apply(ctx, user.Actor(), p.Pages.Keys, plan)
}

// mistakes in what we wrote ourselves are ours.
func mistakes(err error) error {
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

// literal keeps a name from being read as the name of a variable.
func literal(name string) string { return strings.ReplaceAll(name, "${", "$${") }

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
