package incidents

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// maxBulk bounds how many incidents one form acts on.
const maxBulk = 500

// bulkAct is an act on several incidents at once.
type bulkAct struct {
	name, verb, past string
	act              func(resolution string) incident.Act
	undo             incident.Act
}

var bulkActs = []bulkAct{
	{"acknowledge", "Acknowledge", "Acknowledged", func(string) incident.Act { return incident.ActAcknowledge{} }, incident.ActUndoAcknowledge{}},
	{"resolve", "Resolve", "Resolved", func(text string) incident.Act { return incident.ActResolve{FixedBy: text} }, incident.ActUndoResolve{}},
}

// bulkScope counts the incidents of a list, and those of teams that the reader is in
// no part of.
func bulkScope(req *page.Request, rows []incident.Row) view.Scope {
	scope := view.Scope{All: len(rows)}
	for i := range rows {
		if !req.OwnTeam(rows[i].ServiceID) {
			scope.Others++
		}
	}
	return scope
}

// bulk answers the form of an act on several incidents. Where some belong to other
// teams it asks first.
func (p *handlers) bulk(b bulkAct) func(echo.Context, *page.Request) error {
	return func(c echo.Context, req *page.Request) error {
		form, err := c.FormParams()
		if err != nil {
			return fault.Malformed("The form cannot be read.").Because(err)
		}
		next := "/incidents?" + view.Query(tabOf(form.Get("tab"), incident.Counts{}), view.Filter{}, "", 0)
		numbers, err := bulkNumbers(form["number"])
		if fault.Is(err, fault.KindInvalid) {
			return p.Refused(c, next, err)
		}
		if err != nil {
			return err
		}
		if form.Get("others") != "yes" {
			asked, err := p.confirmOthers(c, req, b, numbers)
			if asked || err != nil {
				return err
			}
		}
		out, err := p.Actions.DoMany(c.Request().Context(), numbers, web.By(req.Actor, "web"), b.act(form.Get("resolution")))
		if err != nil {
			return p.Refused(c, next, err)
		}
		if err := p.SetFlash(c, bulkFlash(b, out)); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, next)
	}
}

// bulkNumbers reads the numbers of a form, each once.
func bulkNumbers(texts []string) ([]int64, error) {
	var numbers []int64
	for _, text := range texts {
		n, ok := web.ParseNumber(text)
		if !ok {
			return nil, fault.Malformed("%q is no incident’s number.", text)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	switch {
	case len(numbers) == 0:
		return nil, fault.Invalid("Nothing was selected.")
	case len(numbers) > maxBulk:
		return nil, fault.Invalid("Select at most %d incidents at once.", maxBulk)
	}
	return numbers, nil
}

// confirmOthers asks whether other teams' incidents are meant too, where there are any.
func (p *handlers) confirmOthers(c echo.Context, req *page.Request, b bulkAct, numbers []int64) (asked bool, err error) {
	ctx := c.Request().Context()
	data := view.BulkPage{Action: "/incidents/" + b.name, Verb: b.verb, Tab: view.Tab(c.FormValue("tab")), Resolution: c.FormValue("resolution")}
	rows, err := p.Incidents.IncidentsNumbered(ctx, numbers)
	if err != nil {
		return false, err
	}
	for _, r := range rows {
		if req.OwnTeam(r.ServiceID) {
			data.Own = append(data.Own, r.Number)
			continue
		}
		data.Others = append(data.Others, r.Number)
		if !slices.Contains(data.Teams, r.TeamName) {
			data.Teams = append(data.Teams, r.TeamName)
		}
	}
	if len(data.Others) == 0 {
		return false, nil
	}
	slices.Sort(data.Teams)
	data.Scope = bulkScope(req, rows)
	if data.Frame, err = p.Frame(c, req, b.verb, layout.Incidents); err != nil {
		return false, err
	}
	return true, page.Render(c, http.StatusOK, view.Bulk(data))
}

// bulkFlash says what came of an act on several incidents, and offers to undo it.
func bulkFlash(b bulkAct, out incident.BulkOutcome) layout.Flash {
	var sentences []string
	if len(out.Changed)+len(out.Missed) > 0 {
		sentences = append(sentences, b.past+" "+element.Count(len(out.Changed), "incident")+".")
	}
	if len(out.Missed) > 0 {
		sentences = append(sentences, element.Count(len(out.Missed), "other")+" had been acknowledged by someone else, or resolved.")
	}
	if len(out.Joined) > 0 {
		sentences = append(sentences, "You joined "+element.Count(len(out.Joined), "incident")+" that others own.")
	}
	if out.Shadow != nil {
		sentences = append(sentences, reply.ShadowedText(out.Shadow))
	}
	flash := layout.Flash{Text: strings.Join(sentences, " ")}
	if len(out.Changed) > 0 {
		flash.Undo = "/incidents/undo?" + url.Values{"act": {b.name}, "numbers": {incident.FormatNumbers(out.Changed)}}.Encode()
	}
	return flash
}

// undoMany undoes an act on several incidents, for exactly those that it changed.
func (p *handlers) undoMany(c echo.Context, req *page.Request) error {
	i := slices.IndexFunc(bulkActs, func(b bulkAct) bool { return b.name == c.QueryParam("act") })
	numbers, ok := incident.ParseNumbers(c.QueryParam("numbers"), maxBulk)
	if i < 0 || !ok {
		return fault.Malformed("The address names nothing to undo.")
	}
	next := page.Back(c, "/incidents")
	out, err := p.Actions.DoMany(c.Request().Context(), numbers, web.By(req.Actor, "web"), bulkActs[i].undo)
	if err != nil {
		return p.Refused(c, next, err)
	}
	text := "Undone for " + element.Count(len(out.Changed), "incident") + "."
	if len(out.Missed) > 0 {
		text += " " + element.Count(len(out.Missed), "incident") + " could not be undone: " + cmp.Or(out.Why, "somebody has acted since") + "."
	}
	return p.Done(c, next, "%s", text)
}
