package incidents

import (
	"context"
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

// incidentForm carries out what a form on an incident's page asks for. What was
// typed wrong comes back with the page; what the incident's state forbids is
// said on it.
func (p *handlers) incidentForm(c echo.Context, req *page.Request,
	act func(ctx context.Context, number int64, by incident.By) (layout.Flash, error),
	again func(data *view.IncidentPage, faults page.FieldErrors),
) error {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return err
	}
	address := "/incidents/" + web.FormatInt(n)
	said, err := act(c.Request().Context(), n, web.By(req.Actor, "web"))
	if faults, ok := page.FieldErrorsOf(err); ok && again != nil {
		data, err := p.incidentPage(c, req, n)
		if err != nil {
			return err
		}
		again(&data, faults)
		return page.Render(c, http.StatusUnprocessableEntity, view.Incident(data))
	}
	if err != nil {
		return p.Refused(c, address, err)
	}
	if err := p.SetFlash(c, said); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, page.Back(c, address))
}

func (p *handlers) acknowledge(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.Acknowledge(ctx, n, by)
		if err != nil {
			return layout.Flash{}, err
		}
		return acknowledgedFlash(req, inc), nil
	}, nil)
}

// acknowledged says what an acknowledgment came to: it may have come second, or
// from a shadow.
func acknowledgedFlash(req *page.Request, inc incident.Incident) layout.Flash {
	if reply.Shadowed(inc) {
		return layout.Flash{Text: reply.ShadowedText([]int64{inc.Number})}
	}
	at := req.Clock.Exact(*inc.AcknowledgedAt)
	if inc.OwnerID == nil || *inc.OwnerID != req.User.ID {
		return layout.Flash{Text: req.Config.ActorName(inc.AcknowledgedBy) + " was first, at " + at + "."}
	}
	return layout.Flash{Text: "Acknowledged " + at + ". It is yours; nobody else is paged."}
}

func (p *handlers) resolve(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.Resolve(ctx, n, by, c.FormValue("resolution"))
		if err != nil || inc.ResolvedAt == nil {
			return layout.Flash{}, err
		}
		address := "/incidents/" + web.FormatInt(n)
		said := layout.Flash{Text: "Resolved " + req.Clock.Exact(*inc.ResolvedAt) + ".", Later: address + "/reopen", LaterLabel: "Reopen and page"}
		if inc.ResolvedBy == by.Actor {
			said.Undo = address + "/undo-resolve"
		} else {
			said.Text = req.Config.ActorName(inc.ResolvedBy) + " was first, at " + req.Clock.Exact(*inc.ResolvedAt) + "."
		}
		return said, nil
	}, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Resolving = faults.Field(c, "resolution")
	})
}

// undoResolve takes back a resolve of a moment ago, in silence where somebody had
// the incident.
func (p *handlers) undoResolve(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.UndoResolve(ctx, n, by)
		if err != nil {
			return layout.Flash{}, err
		}
		if inc.Status == incident.Acknowledged {
			return layout.Flash{Text: "Taken back. It is " + req.Config.ActorName(inc.AcknowledgedBy) + "’s as before, and nobody was paged."}, nil
		}
		return layout.Flash{Text: "Taken back. Nobody had it, so paging goes on."}, nil
	}, nil)
}

func (p *handlers) reopen(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Reopen(ctx, n, by)
		return layout.Flash{Text: "Reopened. Whoever is on call is paged."}, err
	}, nil)
}

func (p *handlers) escalate(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Escalate(ctx, n, by)
		return layout.Flash{Text: "Escalated. The next step is paged."}, err
	}, nil)
}

func (p *handlers) note(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Note(ctx, n, by, c.FormValue("note"))
		return layout.Flash{Text: "Your note is on the timeline."}, err
	}, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Noting = faults.Field(c, "note")
	})
}

// setPriority asks for a reason, which the timeline keeps.
func (p *handlers) setPriority(c echo.Context, req *page.Request) error {
	return p.incidentForm(c, req, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		level, err := levelOf(c.FormValue("priority"))
		if err != nil {
			return layout.Flash{}, err
		}
		reason := c.FormValue("reason")
		if reason == "" {
			return layout.Flash{}, fault.Invalid("Say why.").With(fault.Field{Path: "reason", Message: "Say why; the timeline keeps it."})
		}
		inc, err := p.Actions.SetPriority(ctx, n, by, level, reason)
		if err != nil {
			return layout.Flash{}, err
		}
		if inc.Priority == nil {
			return layout.Flash{Text: "The priority is none now."}, nil
		}
		return layout.Flash{Text: "The priority is " + req.Config.Priority(inc.Priority).Name + " now."}, nil
	}, func(data *view.IncidentPage, faults page.FieldErrors) {
		data.Repricing = view.Repricing{Level: faults.Field(c, "priority"), Reason: faults.Field(c, "reason")}
	})
}

// levelOf reads a level; nothing asks for none.
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
