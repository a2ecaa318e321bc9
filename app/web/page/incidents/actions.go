package incidents

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// form is what a form on an incident's page has beside the fields of its act.
type form struct {
	// check refuses what a program may send and a person may not, and words for
	// people what an act would refuse in the API's words; nil for nothing.
	check func(c echo.Context) error
	// showErrors fills what was typed, and what is wrong with it, into the page.
	// Where it is nil, the page that follows says only what is wrong.
	showErrors func(c echo.Context, data *view.IncidentPage, faults page.FieldErrors)
	// askAgain shows the page that asks people, with what is wrong.
	askAgain bool
}

// forms are by the names of incident.ActKinds. A kind that is missing has nothing
// of its own.
var forms = map[string]form{
	"resolve": {
		showErrors: func(c echo.Context, data *view.IncidentPage, faults page.FieldErrors) {
			data.ResolutionField = faults.Field(c, "resolution")
		},
	},
	"priority": {
		check: func(c echo.Context) error {
			var faults []fault.Field
			if !(&formFields{c: c}).Given("priority") {
				faults = append(faults, choosePriority("priority"))
			}
			if c.FormValue("reason") == "" {
				faults = append(faults, fault.Field{Path: "reason", Message: "Say why; the timeline keeps it."})
			}
			if faults == nil {
				return nil
			}
			return fault.Invalid("%s", faults[0].Message).With(faults...)
		},
		showErrors: func(c echo.Context, data *view.IncidentPage, faults page.FieldErrors) {
			data.PriorityForm = view.PriorityForm{Level: faults.Field(c, "priority"), Reason: faults.Field(c, "reason")}
		},
	},
	"responders": {askAgain: true},
	"handover":   {askAgain: true},
	"notes": {
		showErrors: func(c echo.Context, data *view.IncidentPage, faults page.FieldErrors) {
			data.NoteField = faults.Field(c, "note")
		},
	},
}

// act answers the form of an act of a kind. What was typed wrong comes back with
// the page; what the incident's state does not allow is said on the page that
// follows.
func (p *handlers) act(kind incident.ActKind) func(echo.Context, *page.Request) error {
	its := forms[kind.Name]
	return func(c echo.Context, req *page.Request) error {
		n, err := web.IncidentNumber(c)
		if err != nil {
			return err
		}
		address := "/incidents/" + web.FormatInt(n)
		out, err := p.do(c, req, n, kind, its.check)
		if faults, ok := page.FieldErrorsOf(err); ok && its.askAgain {
			return p.askAgain(c, req, n, faults)
		} else if ok && its.showErrors != nil {
			data, err := p.incidentPage(c, req, n)
			if err != nil {
				return err
			}
			its.showErrors(c, &data, faults)
			return page.Render(c, http.StatusUnprocessableEntity, view.Incident(data))
		}
		if err != nil {
			return p.Refused(c, address, err)
		}
		if err := p.SetFlash(c, outcomeFlash(req, kind.Name, out)); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, page.Back(c, address))
	}
}

// do reads an act from the form and carries it out. What the incident's state does
// not allow is a fault of kind conflict.
func (p *handlers) do(c echo.Context, req *page.Request, number int64, kind incident.ActKind, check func(echo.Context) error) (incident.Outcome, error) {
	fields := &formFields{c: c, roster: req.Config.Roster, now: p.Now()}
	act, err := kind.Read(fields)
	if fields.err != nil {
		return incident.Outcome{}, fields.err
	}
	if check != nil {
		if failure := check(c); failure != nil {
			return incident.Outcome{}, failure
		}
	}
	if err != nil {
		return incident.Outcome{}, err
	}
	out, err := p.Actions.Do(c.Request().Context(), incident.Command{Number: number, By: web.By(req.Actor, "web"), Act: act})
	if err != nil {
		return out, err
	}
	return out, out.Err()
}

func choosePriority(field string) fault.Field {
	return fault.Field{Path: field, Message: "Choose one of the priorities."}
}

// formFields are the fields of a form as an act reads them. Those that no act asks
// for are ignored, such as the page to return to.
type formFields struct {
	c      echo.Context
	roster *escalation.Roster
	now    time.Time
	// err is what is wrong with the first field of the wrong type.
	err error
}

// Given implements incident.Fields.
func (f *formFields) Given(name string) bool {
	sent, err := f.c.FormParams()
	return err == nil && sent.Has(name)
}

// Text implements incident.Fields.
func (f *formFields) Text(name string) string { return f.c.FormValue(name) }

// Flag implements incident.Fields.
func (f *formFields) Flag(name string) bool { return f.c.FormValue(name) == "true" }

// Targets implements incident.Fields.
func (f *formFields) Targets(name string) []incident.NamedTarget {
	sent, err := f.c.FormParams()
	if err != nil {
		return nil
	}
	targets, err := f.roster.Named(name, sent[name], f.now)
	if err != nil && f.err == nil {
		f.err = err
	}
	return targets
}

// Level implements incident.Fields. An empty text is none.
func (f *formFields) Level(name string) *int {
	text := f.c.FormValue(name)
	if text == "" {
		return nil
	}
	level, err := strconv.Atoi(text)
	if err != nil {
		if f.err == nil {
			f.err = fault.Invalid("There is no priority %q.", text).With(choosePriority(name))
		}
		return nil
	}
	return &level
}
