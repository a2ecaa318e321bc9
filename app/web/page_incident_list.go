package web

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

const (
	// rowsAPage is how many incidents a page of the list shows.
	rowsAPage = 50
	// In a storm, of that many unanswered, the list is grouped by service; a
	// group shows rowsAGroup of its own, of the latest rowsInStorm.
	stormUnanswered = 20
	rowsAGroup      = 10
	rowsInStorm     = 500
)

// listIncidents shows one tab of the list.
func (p *pages) listIncidents(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Incidents", layout.Incidents)
	if err != nil {
		return err
	}
	page := incidents.ListPage{
		Frame: frame, Tab: tabOf(c.QueryParam("tab"), v.counts), Filter: filterOf(c),
		Counts:   incidents.Counts{Mine: v.counts.Mine, Unanswered: v.counts.Unanswered, Open: v.counts.Open},
		Services: v.picture.serviceRefs(), Teams: v.picture.teamRefs(), Priorities: v.picture.priorities(),
		MayAct: v.may(auth.ActOnIncident),
	}
	before, _ := parseNumber(c.QueryParam("before"))
	if storms(page.Tab, page.Filter, before, v.counts) {
		err = p.fillStorm(c, v, &page)
	} else {
		err = p.fillRows(c, v, &page, before)
	}
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, incidents.List(page))
}

// tabOf is the tab that was asked for, else the one with something to do.
func tabOf(name string, counts incident.Counts) incidents.Tab {
	switch tab := incidents.Tab(name); tab {
	case incidents.Mine, incidents.Unanswered, incidents.Open, incidents.Past:
		return tab
	}
	if counts.Mine > 0 {
		return incidents.Mine
	}
	return incidents.Open
}

func filterOf(c echo.Context) incidents.Filter {
	return incidents.Filter{Service: c.QueryParam("service"), Team: c.QueryParam("team"), Priority: c.QueryParam("priority"), Query: c.QueryParam("q")}
}

// asked is what a page asks the store for.
func asked(tab incidents.Tab, f incidents.Filter, userID, before int64) incident.ListFilter {
	q := incident.ListFilter{Service: f.Service, Team: f.Team, NoPriority: f.Priority == "none", Search: f.Query, Before: before, Limit: rowsAPage + 1}
	// A number that no column holds is cut to one that no incident has.
	if level, err := strconv.ParseInt(f.Priority, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		cut := int(level)
		q.Priority = &cut
	}
	switch tab {
	case incidents.Mine:
		q.MineOf, q.Statuses = userID, []incident.Status{incident.Triggered, incident.Acknowledged}
	case incidents.Unanswered:
		q.Statuses = []incident.Status{incident.Triggered}
	case incidents.Open:
		q.Statuses = []incident.Status{incident.Triggered, incident.Acknowledged}
	default:
		q.Statuses = []incident.Status{incident.Resolved}
	}
	return q
}

func (p *pages) fillRows(c echo.Context, v *visit, page *incidents.ListPage, before int64) error {
	ctx := c.Request().Context()
	found, err := p.Pages.Incidents.ListIncidents(ctx, asked(page.Tab, page.Filter, v.user.ID, before))
	if err != nil {
		return err
	}
	if len(found) > rowsAPage {
		found = found[:rowsAPage]
		page.Older = listQuery(page.Tab, page.Filter, found[rowsAPage-1].Number)
	}
	if before > 0 {
		page.Newest = listQuery(page.Tab, page.Filter, 0)
	}
	page.Rows = v.incidentRows(found)
	if page.Filter.Any() && before == 0 {
		return p.search(ctx, v, page)
	}
	if len(found) == 0 && v.counts.Open == 0 && !page.Filter.Any() {
		ever, err := p.Pages.Incidents.ListIncidents(ctx, incident.ListFilter{Limit: 1})
		page.Fresh = len(ever) == 0
		return err
	}
	return nil
}

// storms reports whether a list is grouped by service: not where it is narrowed
// already.
func storms(tab incidents.Tab, f incidents.Filter, before int64, counts incident.Counts) bool {
	return (tab == incidents.Open || tab == incidents.Unanswered) && !f.Any() && before == 0 && counts.Unanswered >= stormUnanswered
}

func (p *pages) fillStorm(c echo.Context, v *visit, page *incidents.ListPage) error {
	ctx := c.Request().Context()
	q := asked(page.Tab, page.Filter, v.user.ID, 0)
	q.Limit = rowsInStorm
	found, err := p.Pages.Incidents.ListIncidents(ctx, q)
	if err != nil {
		return err
	}
	counts, err := p.Pages.Incidents.OpenIncidents(ctx)
	if err != nil {
		return err
	}
	byService := map[int64][]incident.Row{}
	for _, r := range found {
		if rows := byService[r.ServiceID]; len(rows) < rowsAGroup {
			byService[r.ServiceID] = append(rows, r)
		}
	}
	for id, n := range counts {
		g := incidents.Group{Service: v.picture.serviceRef(&id), Count: n.Open, Unanswered: n.Unanswered,
			OldestUnanswered: instant(n.OldestUnanswered), Worst: v.picture.priority(n.Worst), Rows: v.incidentRows(byService[id])}
		if page.Tab == incidents.Unanswered {
			g.Count = n.Unanswered
		}
		if g.Count > 0 {
			page.Groups = append(page.Groups, g)
		}
	}
	slices.SortFunc(page.Groups, worstFirst)
	return nil
}

// worstFirst puts first what is most urgent, then what has waited longest.
func worstFirst(a, b incidents.Group) int {
	return cmp.Or(cmp.Compare(urgencyRank(a.Worst), urgencyRank(b.Worst)), a.OldestUnanswered.Compare(b.OldestUnanswered),
		cmp.Compare(a.Service.Name, b.Service.Name))
}

// urgencyRank puts none after all levels.
func urgencyRank(p element.Priority) int {
	if p.Level == 0 {
		return math.MaxInt
	}
	return p.Level
}

// listQuery is the query of another page of a list; before 0 is the first.
func listQuery(tab incidents.Tab, f incidents.Filter, before int64) string {
	values := url.Values{"tab": {string(tab)}}
	for name, value := range map[string]string{"service": f.Service, "team": f.Team, "priority": f.Priority, "q": f.Query} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if before > 0 {
		values.Set("before", formatInt(before))
	}
	return values.Encode()
}

func (v *visit) incidentRows(found []incident.Row) []incidents.Row {
	rows := make([]incidents.Row, len(found))
	for i := range found {
		rows[i] = incidentRow(&found[i])
		rows[i].WaitsUntil = v.waitsUntil(&found[i])
	}
	return rows
}

// waitsUntil is when paging begins for what waits for support hours; zero for
// what does not.
func (v *visit) waitsUntil(r *incident.Row) time.Time {
	if r.Status != incident.Triggered || r.Urgency != incident.Low || len(r.Paged) > 0 {
		return time.Time{}
	}
	hours := v.picture.Organization.SupportHours
	if team := v.picture.Service(r.ServiceID).TeamID; team != nil && v.picture.Team(*team).SupportHours != nil {
		hours = v.picture.Team(*team).SupportHours
	}
	if hours == nil {
		return time.Time{}
	}
	if opens := hours.NextOpen(v.clock.Now, v.picture.Organization.Timezone); opens.After(v.clock.Now) {
		return opens
	}
	return time.Time{}
}

func incidentRow(r *incident.Row) incidents.Row {
	row := incidents.Row{
		Number: r.Number, Version: r.Version, Title: r.Title, Status: incidents.Status(r.Status), Priority: priorityOf(r),
		Service: element.Ref{Slug: r.ServiceSlug, Name: r.ServiceName}, Deployment: r.DeploymentName,
		CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, ResolvedAt: instant(r.ResolvedAt), Occurrences: r.Occurrences,
		OwnerName: strings.TrimPrefix(r.AcknowledgedBy, "token:"), Quiet: r.MutedUntil != nil || r.FlappingSince != nil,
	}
	if r.OwnerID != nil {
		row.Owner = element.Person{ID: *r.OwnerID, Name: r.OwnerName}
	}
	for _, p := range r.Paged {
		row.Paged = append(row.Paged, element.Person{ID: p.UserID, Name: p.Name})
	}
	return row
}

func priorityOf(r *incident.Row) element.Priority {
	if r.Priority == nil {
		return element.Priority{}
	}
	name := r.PriorityName
	if name == "" {
		name = "P" + strconv.Itoa(*r.Priority)
	}
	return element.Priority{Level: *r.Priority, Name: name}
}

// instant is the zero time for one that did not come to pass.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// acknowledgeMany takes several incidents in hand, and says which could not be.
func (p *pages) acknowledgeMany(c echo.Context, v *visit) error {
	form, err := c.FormParams()
	if err != nil {
		return fault.Malformed("The form cannot be read.").Because(err)
	}
	next := "/incidents?" + listQuery(tabOf(form.Get("tab"), incident.Counts{}), incidents.Filter{}, 0)
	done, missed := 0, 0
	var shadows []int64
	for _, text := range form["number"] {
		n, ok := parseNumber(text)
		if !ok {
			return fault.Malformed("%q is no incident's number.", text)
		}
		inc, err := p.Actions.Acknowledge(c.Request().Context(), n, by(v.actor, "web"))
		switch {
		case fault.Is(err, fault.KindConflict), fault.Is(err, fault.KindNotFound):
			missed++
		case err != nil:
			return err
		case shadowed(inc):
			shadows = append(shadows, n)
		case inc.OwnerID != nil && *inc.OwnerID == v.user.ID:
			done++
		default:
			missed++
		}
	}
	return p.acknowledgedMany(c, next, done, missed, shadows)
}

func (p *pages) acknowledgedMany(c echo.Context, next string, done, missed int, shadows []int64) error {
	if done+missed+len(shadows) == 0 {
		return p.refused(c, next, fault.Invalid("Nothing was selected."))
	}
	var said []string
	if done+missed > 0 {
		said = append(said, "Acknowledged "+element.Count(done, "incident")+".")
	}
	if missed > 0 {
		said = append(said, element.Count(missed, "other")+" had been answered by somebody else, or was over.")
	}
	if shadows != nil {
		said = append(said, sayShadowed(shadows))
	}
	return p.done(c, next, "%s", strings.Join(said, " "))
}
