package web

import (
	"context"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// search completes the first page of a list that is searched: whoever asks for a
// number means its incident, whatever tab they stand in, and what is found in
// other tabs alone is counted there.
func (p *pages) search(ctx context.Context, v *visit, page *incidents.ListPage) error {
	if err := p.addNumbered(ctx, v, page); err != nil || len(page.Rows) > 0 {
		return err
	}
	m, err := p.Pages.Incidents.MatchingIncidents(ctx, asked(page.Tab, page.Filter, v.user.ID, 0), v.user.ID)
	if err != nil {
		return err
	}
	for _, other := range []incidents.Elsewhere{{Tab: incidents.Mine, Count: m.Mine}, {Tab: incidents.Unanswered, Count: m.Unanswered},
		{Tab: incidents.Open, Count: m.Open}, {Tab: incidents.Past, Count: m.Resolved}} {
		if other.Count > 0 && other.Tab != page.Tab {
			page.Elsewhere = append(page.Elsewhere, other)
		}
	}
	return nil
}

// addNumbered puts the incident whose number was asked for first.
func (p *pages) addNumbered(ctx context.Context, v *visit, page *incidents.ListPage) error {
	number, ok := parseNumber(strings.TrimPrefix(strings.TrimSpace(page.Filter.Query), "#"))
	if !ok || slices.ContainsFunc(page.Rows, func(r incidents.Row) bool { return r.Number == number }) {
		return nil
	}
	row, err := p.Pages.Incidents.Incident(ctx, number)
	if fault.Is(err, fault.KindNotFound) {
		return nil
	}
	if err == nil {
		page.Rows = append(v.incidentRows([]incident.Row{row}), page.Rows...)
	}
	return err
}
