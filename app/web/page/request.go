package page

import (
	"context"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// channelsAddress is of the page that sets up providers.
const channelsAddress = "/settings/channels"

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
			Incidents:    req.May(auth.ViewIncidents),
			Catalog:      req.May(auth.ViewCatalog),
			Schedules:    req.May(auth.ViewSchedules),
			Policies:     req.May(auth.ViewPolicies),
			Teams:        req.May(auth.ViewPeople),
			People:       req.May(auth.ViewPeople),
			Integrations: req.May(auth.ViewIntegrations),
			Channels:     req.May(auth.ManageProviders),
			Contacts:     req.May(auth.ViewContacts),
			Start:        req.Config.Incomplete() && req.May(auth.ViewIncidents),
			Open:         req.May(auth.ActOnIncident),
			Page:         req.May(auth.Page),
		},
	}
	outages, err := p.outages(c.Request().Context(), req)
	if err != nil {
		return f, err
	}
	f.Banners = slices.Concat(outages, p.alarms(req), f.Banners)
	f.User.OnCall, f.User.OnCallUntil = req.Config.onCallUntil(req.User.ID, req.Clock.Now)
	if f.User.Sees.Incidents {
		if req.Counts, err = p.deps.Counter.CountIncidents(c.Request().Context(), req.User.ID); err != nil {
			return f, err
		}
		f.User.Unanswered = req.Counts.Unanswered
	}
	return f, nil
}

// outages is a banner for administrators about channels that do not work. Why is on the
// page that it leads to.
func (p *Pages) outages(ctx context.Context, req *Request) ([]layout.Banner, error) {
	if req.User.Role != auth.Administrator {
		return nil, nil
	}
	states, err := p.deps.Outages(ctx)
	if err != nil {
		return nil, err
	}
	var broken []notify.ChannelState
	for _, s := range states {
		if s.BrokenSince != nil {
			broken = append(broken, s)
		}
	}
	b := layout.Banner{Kind: layout.Failing, Link: element.Link{Href: channelsAddress, Text: "Channels"}}
	switch len(broken) {
	case 0:
		return nil, nil
	case 1:
		b.Text = broken[0].Medium.Name() + " has not worked since " + req.Clock.When(*broken[0].BrokenSince) + "."
	default:
		names := make([]string, len(broken))
		for i, s := range broken {
			names[i] = s.Medium.Inside()
		}
		b.Text = "Not working: " + element.And(names) + "."
	}
	return []layout.Banner{b}, nil
}

// banners are about configuration that keeps pages from being delivered.
func (p *Pages) banners(req *Request) []layout.Banner {
	if p.OnlyLog() {
		return []layout.Banner{p.noChannel(req)}
	}
	return p.unavailable(req)
}

// noChannel leads those who may to the page that sets one up.
func (p *Pages) noChannel(req *Request) layout.Banner {
	b := layout.Banner{Kind: layout.Warning, Text: "No channel is set up: pages go to the server log only."}
	if req.May(auth.ManageProviders) {
		b.Link = element.Link{Href: channelsAddress, Text: "Set one up"}
	}
	return b
}
