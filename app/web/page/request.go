package page

import (
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Request is a request for a page by a person who is signed in: the reader.
type Request struct {
	User   *auth.User
	Actor  auth.Actor
	Config *Config
	// Clock is in the reader's zone.
	Clock element.Clock
	// Counts are set by Frame, for readers who may see incidents.
	Counts incident.Counts
	// mark is the Live.Mark from before anything was read: layout.Frame.
	mark string
}

// May reports whether the reader may do an action that depends on no object.
func (req *Request) May(action auth.Action) bool { return req.MayOn(action, auth.Object{}) }

// MayOn reports whether the reader may do an action on an object.
func (req *Request) MayOn(action auth.Action, object auth.Object) bool {
	return auth.Allow(req.Actor, action, object) == nil
}

// Frame is what surrounds a page.
func (p *Pages) Frame(c echo.Context, req *Request, title string, section layout.Section) (layout.Frame, error) {
	f := layout.Frame{Title: title, Section: section, Clock: req.Clock, Flash: p.TakeFlash(c), Banners: p.banners(req), Mark: req.mark}
	f.User = layout.User{
		Person: element.Person{ID: req.User.ID, Name: req.User.Name},
		Role:   string(req.User.Role),
		Sees: layout.Sees{
			Incidents: req.May(auth.ViewIncidents),
			Catalog:   req.May(auth.ViewCatalog),
			Technical: req.May(auth.ViewIntegrations),
			People:    req.May(auth.ViewPeople),
			Start:     req.Config.Incomplete() && req.May(auth.ViewIncidents),
		},
	}
	f.User.OnCall, f.User.OnCallUntil = req.Config.onCallUntil(req.User.ID, req.Clock.Now)
	if f.User.Sees.Incidents {
		var err error
		if req.Counts, err = p.deps.Counter.CountIncidents(c.Request().Context(), req.User.ID); err != nil {
			return f, err
		}
		f.User.Unanswered = req.Counts.Unanswered
	}
	return f, nil
}

// banners are about configuration that keeps pages from being delivered.
func (p *Pages) banners(req *Request) []layout.Banner {
	if p.deps.OnlyLog {
		return []layout.Banner{{Kind: layout.Warning, Text: "Pages only reach the log until a channel is configured."}}
	}
	if !req.May(auth.ViewIntegrations) {
		return nil
	}
	var unavailable []string
	for _, medium := range notify.Media {
		if !p.deps.Works(medium) && req.Config.usedMedia[medium] {
			unavailable = append(unavailable, medium.Inside())
		}
	}
	if unavailable == nil {
		return nil
	}
	return []layout.Banner{{Kind: layout.Warning,
		Text: "Not configured here: " + element.And(unavailable) + ". Pages to such contacts go to the person’s next one."}}
}
