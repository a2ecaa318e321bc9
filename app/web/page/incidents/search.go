package incidents

import (
	"context"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// search completes the first page of a search: it adds the incident whose number
// was entered, of any tab, and if the tab has no results, counts those of the
// others.
func (p *handlers) search(ctx context.Context, req *page.Request, data *view.ListPage) error {
	if err := p.addNumbered(ctx, req, data); err != nil || len(data.Rows) > 0 {
		return err
	}
	f := listFilter(data.Tab, data.Filter, req.User.ID, 0)
	f.Statuses = elsewhere(data.Tab)
	m, err := p.Incidents.MatchingIncidents(ctx, f, req.User.ID)
	if err != nil {
		return err
	}
	for _, other := range []view.Elsewhere{{Tab: view.Mine, Count: m.Mine}, {Tab: view.Unanswered, Count: m.Unanswered},
		{Tab: view.Open, Count: m.Open}, {Tab: view.Past, Count: m.Resolved}} {
		other.AtLeast = other.Tab == view.Past && other.Count >= incident.MaxMatches
		if other.Count > 0 && other.Tab != data.Tab {
			data.Elsewhere = append(data.Elsewhere, other)
		}
	}
	return nil
}

// elsewhere are the statuses that a tab without results may have left out.
func elsewhere(tab view.Tab) []incident.Status {
	switch tab {
	case view.Open:
		return []incident.Status{incident.Resolved}
	case view.Past:
		return []incident.Status{incident.Triggered, incident.Acknowledged}
	}
	return []incident.Status{incident.Triggered, incident.Acknowledged, incident.Resolved}
}

// addNumbered adds the incident whose number was entered, as the first row.
func (p *handlers) addNumbered(ctx context.Context, req *page.Request, data *view.ListPage) error {
	number, ok := web.ParseNumber(strings.TrimPrefix(strings.TrimSpace(data.Filter.Query), "#"))
	if !ok || slices.ContainsFunc(data.Rows, func(r view.Row) bool { return r.Number == number }) {
		return nil
	}
	row, err := p.Incidents.Incident(ctx, number)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err == nil {
		data.Rows = append(req.IncidentRows([]incident.Row{row}), data.Rows...)
	}
	return err
}
