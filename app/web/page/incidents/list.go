package incidents

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

const (
	// pageSize is how many incidents a page of the list shows.
	pageSize = 50
	// From minUnansweredToGroup unanswered incidents on, the list is grouped by
	// service. A group shows at most maxRowsPerGroup of the first maxGroupedRows of all,
	// and one of the first maxOpenGroups at least its most urgent one. Of the others,
	// those without a row are links to the lists of their services.
	minUnansweredToGroup = 20
	maxRowsPerGroup      = 10
	maxGroupedRows       = 100
	maxOpenGroups        = 50
)

// listIncidents shows one tab of the list.
func (p *handlers) listIncidents(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Incidents", layout.Incidents)
	if err != nil {
		return err
	}
	data := view.ListPage{
		Frame: frame, Tab: tabOf(c.QueryParam("tab"), req.Counts), Filter: filterOf(c),
		Counts:   view.Counts{Mine: req.Counts.Mine, Unanswered: req.Counts.Unanswered, Open: req.Counts.Open},
		Services: req.Config.ServiceRefs(), Teams: req.Config.TeamRefs(), Priorities: req.Config.PriorityOptions(),
		MayAct: req.May(auth.ActOnIncident),
	}
	data.Sort = sortOf(c.QueryParam("sort"), data.Tab)
	before, _ := web.ParseNumber(c.QueryParam("before"))
	if isGrouped(data.Tab, data.Filter, before, req.Counts) {
		err = p.fillGroups(c, req, &data)
	} else {
		err = p.fillRows(c, req, &data, before)
	}
	if err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.List(data))
}

// tabOf is the requested tab, else Mine if the reader has open incidents, else Open.
func tabOf(name string, counts incident.Counts) view.Tab {
	switch tab := view.Tab(name); tab {
	case view.Mine, view.Unanswered, view.Open, view.Past:
		return tab
	}
	if counts.Mine > 0 {
		return view.Mine
	}
	return view.Open
}

// sortOf is the requested order, else the tab's.
func sortOf(name string, tab view.Tab) view.Sort {
	switch s := view.Sort(name); s {
	case view.Newest, view.Oldest:
		return s
	}
	return tab.Default()
}

// sorts are the orders of the store.
var sorts = map[view.Sort]incident.Sort{view.Urgent: incident.MostUrgentFirst, view.Newest: incident.NewestFirst, view.Oldest: incident.OldestFirst}

func filterOf(c echo.Context) view.Filter {
	return view.Filter{Service: c.QueryParam("service"), Team: c.QueryParam("team"), Priority: c.QueryParam("priority"), Query: c.QueryParam("q")}
}

// listFilter is the store's filter for a page of a tab.
func listFilter(tab view.Tab, f view.Filter, userID, before int64) incident.ListFilter {
	q := incident.ListFilter{Service: f.Service, Team: f.Team, Unset: f.Priority == "unset", Search: f.Query, Before: before, Limit: pageSize + 1}
	// A number that does not fit the column is clamped to one that no incident has.
	if level, err := strconv.ParseInt(f.Priority, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		cut := int(level)
		q.Priority = &cut
	}
	switch tab {
	case view.Mine:
		q.MineOf, q.Statuses = userID, []incident.Status{incident.Triggered, incident.Acknowledged}
	case view.Unanswered:
		q.Statuses = []incident.Status{incident.Triggered}
	case view.Open:
		q.Statuses = []incident.Status{incident.Triggered, incident.Acknowledged}
	default:
		q.Statuses = []incident.Status{incident.Resolved}
	}
	return q
}

func inOrder(f incident.ListFilter, s view.Sort) incident.ListFilter {
	f.Sort = sorts[s]
	return f
}

func (p *handlers) fillRows(c echo.Context, req *page.Request, data *view.ListPage, before int64) error {
	ctx := c.Request().Context()
	found, err := p.Incidents.ListIncidents(ctx, inOrder(listFilter(data.Tab, data.Filter, req.User.ID, before), data.Sort))
	if err != nil {
		return err
	}
	if len(found) > pageSize {
		found = found[:pageSize]
		data.Older = view.Query(data.Tab, data.Filter, data.Sort, found[pageSize-1].Number)
	}
	if before > 0 {
		data.Newest = view.Query(data.Tab, data.Filter, data.Sort, 0)
	}
	data.Rows = req.IncidentRows(found)
	if data.Filter.Any() && before == 0 {
		return p.search(ctx, req, data)
	}
	if len(found) == 0 && req.Counts.Open == 0 && !data.Filter.Any() {
		ever, err := p.Incidents.ListIncidents(ctx, incident.ListFilter{Limit: 1})
		data.Fresh = len(ever) == 0
		return err
	}
	return nil
}

// isGrouped reports whether a list is grouped by service: only the first page of an
// unfiltered one.
func isGrouped(tab view.Tab, f view.Filter, before int64, counts incident.Counts) bool {
	return (tab == view.Open || tab == view.Unanswered) && !f.Any() && before == 0 && counts.Unanswered >= minUnansweredToGroup
}

// groupOf is the group of a service, and the service's most urgent open incident.
type groupOf struct {
	view.Group
	service, first int64
}

func (p *handlers) fillGroups(c echo.Context, req *page.Request, data *view.ListPage) error {
	ctx := c.Request().Context()
	counts, err := p.Incidents.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	var groups []groupOf
	for id, n := range counts {
		g := groupOf{view.Group{Service: req.Config.ServiceRef(&id), Count: n.Open, Unanswered: n.Unanswered,
			OldestUnanswered: page.Instant(n.OldestUnanswered), Worst: req.Config.Priority(n.Worst)}, id, n.First}
		if data.Tab == view.Unanswered {
			g.Count = n.Unanswered
		}
		if g.Count > 0 {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, worstFirst)
	byService, err := p.rowsOfGroups(ctx, req, data, groups)
	if err != nil {
		return err
	}
	for _, g := range groups {
		g.Rows = req.IncidentRows(byService[g.service])
		data.Groups = append(data.Groups, g.Group)
	}
	return nil
}

// rowsOfGroups are the incidents that each service's group shows.
func (p *handlers) rowsOfGroups(ctx context.Context, req *page.Request, data *view.ListPage, groups []groupOf) (map[int64][]incident.Row, error) {
	q := inOrder(listFilter(data.Tab, data.Filter, req.User.ID, 0), data.Sort)
	q.Limit = maxGroupedRows
	found, err := p.Incidents.ListIncidents(ctx, q)
	if err != nil {
		return nil, err
	}
	byService := map[int64][]incident.Row{}
	for _, r := range found {
		if rows := byService[r.ServiceID]; len(rows) < maxRowsPerGroup {
			byService[r.ServiceID] = append(rows, r)
		}
	}
	var missing []int64
	for _, g := range groups[:min(len(groups), maxOpenGroups)] {
		if byService[g.service] == nil {
			missing = append(missing, g.first)
		}
	}
	if missing == nil {
		return byService, nil
	}
	first, err := p.Incidents.IncidentsNumbered(ctx, missing)
	for _, r := range first {
		byService[r.ServiceID] = append(byService[r.ServiceID], r)
	}
	return byService, err
}

// worstFirst sorts by whether any is triggered, then by highest priority, then by
// longest wait.
func worstFirst(a, b groupOf) int {
	return cmp.Or(cmp.Compare(min(b.Unanswered, 1), min(a.Unanswered, 1)), cmp.Compare(urgencyRank(a.Worst), urgencyRank(b.Worst)), a.OldestUnanswered.Compare(b.OldestUnanswered),
		cmp.Compare(a.Service.Name, b.Service.Name))
}

// urgencyRank sorts a service whose incidents have no level after those with one.
func urgencyRank(p element.Priority) int {
	if p.Level == 0 {
		return math.MaxInt
	}
	return p.Level
}
