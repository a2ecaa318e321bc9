// Package search has the page that finds incidents, people, teams, services,
// schedules, policies and actions by a text.
package search

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/search"
)

// Incidents reads incidents.
type Incidents interface {
	ListIncidents(ctx context.Context, f incident.ListFilter) ([]incident.Row, error)
	// Incident is NotFound for a number that none has.
	Incident(ctx context.Context, number int64) (incident.Row, error)
}

// Deps is what the page needs. All are required.
type Deps struct {
	Incidents Incidents
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the page.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/search", p.Require(auth.ViewOnCall, p.search))
}

// maxQuery bounds a query, in bytes.
const maxQuery = 200

// search finds only what the reader may see.
func (p *handlers) search(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Search", "")
	if err != nil {
		return err
	}
	query := strings.TrimSpace(c.QueryParam("q"))
	query = strings.ToValidUTF8(query[:min(len(query), maxQuery)], "")
	incidents, err := p.incidents(c.Request().Context(), req, query)
	if err != nil {
		return err
	}
	triggered, err := p.mineTriggered(c.Request().Context(), req)
	if err != nil {
		return err
	}
	data := view.Page{Frame: frame, Query: query}
	groups := []view.Group{incidents}
	if query != "" {
		groups = append(groups, named(req, query)...)
	}
	groups = append(groups, actions(req, frame.User.Sees, query, triggered), places(frame.User.Sees, query))
	for _, g := range groups {
		if len(g.Hits) > 0 {
			data.Groups = append(data.Groups, g)
		}
	}
	data.Nothing = len(data.Groups) == 0
	if g := resolved(req, query); len(g.Hits) > 0 {
		data.Groups = append(data.Groups, g)
	}
	return page.Render(c, http.StatusOK, view.Search(data))
}

// places are the pages of the navigation.
func places(sees layout.Sees, query string) view.Group {
	var hits ranked
	for _, place := range layout.Places(sees) {
		hits.add(page.MatchOf(query, place.Text), view.Hit{Href: place.Href, Icon: place.Icon, Text: place.Text})
	}
	return view.Group{Name: "Pages", Hits: hits.all()}
}
