package incidents

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// act carries out what a form on an incident's page asks for. invalid is what is
// wrong with the form itself, nil for nothing. What was typed wrong comes back
// with the page, where showErrors fills it in; what the incident's state does not
// allow is said on it.
func (p *handlers) act(c echo.Context, req *page.Request, act incident.Act, invalid error,
	showErrors func(data *view.IncidentPage, faults page.FieldErrors),
) error {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return err
	}
	address := "/incidents/" + web.FormatInt(n)
	var out incident.Outcome
	if err = invalid; err == nil {
		out, err = p.Actions.Do(c.Request().Context(), incident.Command{Number: n, By: web.By(req.Actor, "web"), Act: act})
	}
	if err == nil {
		err = out.Err()
	}
	if faults, ok := page.FieldErrorsOf(err); ok && showErrors != nil {
		data, err := p.incidentPage(c, req, n)
		if err != nil {
			return err
		}
		showErrors(&data, faults)
		return page.Render(c, http.StatusUnprocessableEntity, view.Incident(data))
	}
	if err != nil {
		return p.Refused(c, address, err)
	}
	if err := p.SetFlash(c, flashOf(req, act, out)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, page.Back(c, address))
}

// flashOf says what came of an act that was allowed.
func flashOf(req *page.Request, act incident.Act, out incident.Outcome) layout.Flash {
	inc := &out.Incident
	if out.Kind == incident.Shadow {
		return layout.Flash{Text: reply.ShadowedText([]int64{inc.Number})}
	}
	first := ""
	if out.Faster(req.Actor.String()) {
		first = req.Config.ActorName(out.By) + " was first, at " + req.Clock.Exact(out.At) + "."
	}
	switch act.(type) {
	case incident.ActAcknowledge:
		if first != "" {
			return layout.Flash{Text: first}
		}
		return layout.Flash{Text: "Acknowledged " + req.Clock.Exact(page.Instant(inc.AcknowledgedAt)) + ". It is yours; nobody else is paged."}
	case incident.ActResolve:
		address := "/incidents/" + web.FormatInt(inc.Number)
		flash := layout.Flash{Text: first, Later: address + "/reopen", LaterLabel: "Reopen and page"}
		if first == "" {
			flash.Text = "Resolved " + req.Clock.Exact(page.Instant(inc.ResolvedAt)) + "."
			flash.Undo = address + "/undo-resolve"
		}
		return flash
	case incident.ActUndoResolve:
		if inc.Status == incident.Acknowledged {
			return layout.Flash{Text: "Taken back. It is " + req.Config.ActorName(inc.AcknowledgedBy) + "’s as before, and nobody was paged."}
		}
		return layout.Flash{Text: "Taken back. Nobody had it, so paging goes on."}
	case incident.ActReopen:
		return layout.Flash{Text: "Reopened. Whoever is on call is paged."}
	case incident.ActEscalate:
		return layout.Flash{Text: "Escalated. The next step is paged."}
	case incident.ActSetPriority:
		if inc.Priority == nil {
			return layout.Flash{Text: "The priority is none now."}
		}
		return layout.Flash{Text: "The priority is " + req.Config.Priority(inc.Priority).Name + " now."}
	case incident.ActNote:
		return layout.Flash{Text: "Your note is on the timeline."}
	}
	return layout.Flash{}
}

func (p *handlers) acknowledge(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActAcknowledge{}, nil, nil)
}

func (p *handlers) resolve(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActResolve{FixedBy: c.FormValue("resolution")}, nil, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Resolving = faults.Field(c, "resolution")
	})
}

// undoResolve takes back a resolve of a moment ago.
func (p *handlers) undoResolve(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActUndoResolve{}, nil, nil)
}

func (p *handlers) reopen(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActReopen{}, nil, nil)
}

func (p *handlers) escalate(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActEscalate{}, nil, nil)
}

func (p *handlers) note(c echo.Context, req *page.Request) error {
	return p.act(c, req, incident.ActNote{Text: c.FormValue("note")}, nil, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Noting = faults.Field(c, "note")
	})
}

// setPriority requires a reason, which goes on the timeline.
func (p *handlers) setPriority(c echo.Context, req *page.Request) error {
	level, err := levelOf(c.FormValue("priority"))
	reason := c.FormValue("reason")
	if err == nil && reason == "" {
		err = fault.Invalid("Say why.").With(fault.Field{Path: "reason", Message: "Say why; the timeline keeps it."})
	}
	return p.act(c, req, incident.ActSetPriority{Level: level, Reason: reason}, err, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Repricing = view.Repricing{Level: faults.Field(c, "priority"), Reason: faults.Field(c, "reason")}
	})
}

// levelOf reads a level; an empty text is nil, for no priority.
func levelOf(text string) (*int, error) {
	if text == "" {
		return nil, nil
	}
	level, err := strconv.Atoi(text)
	if err != nil {
		return nil, fault.Invalid("There is no priority %q.", text).With(fault.Field{Path: "priority", Message: "Choose one of the priorities."})
	}
	return &level, nil
}
