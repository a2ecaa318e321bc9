package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// incidentForm carries out what a form on an incident's page asks for. What was
// typed wrong comes back with the page; what the incident's state forbids is
// said on it.
func (p *pages) incidentForm(c echo.Context, v *visit,
	act func(ctx context.Context, number int64, by incident.By) (layout.Flash, error),
	again func(page *incidents.IncidentPage, faults wrong),
) error {
	n, err := number(c)
	if err != nil {
		return err
	}
	address := "/incidents/" + formatInt(n)
	said, err := act(c.Request().Context(), n, by(v.actor, "web"))
	if faults, ok := wrongFields(err); ok && again != nil {
		page, err := p.incidentPage(c, v, n)
		if err != nil {
			return err
		}
		again(&page, faults)
		return render(c, http.StatusUnprocessableEntity, incidents.Incident(page))
	}
	if err != nil {
		return p.refused(c, address, err)
	}
	if err := p.say(c, said); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, p.back(c, address))
}

func (p *pages) acknowledge(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.Acknowledge(ctx, n, by)
		if err != nil {
			return layout.Flash{}, err
		}
		return v.acknowledged(inc), nil
	}, nil)
}

// acknowledged says what an acknowledgment came to: it may have come second, or
// from a shadow.
func (v *visit) acknowledged(inc incident.Incident) layout.Flash {
	if shadowed(inc) {
		return layout.Flash{Text: sayShadowed([]int64{inc.Number})}
	}
	at := v.clock.Exact(*inc.AcknowledgedAt)
	if inc.OwnerID == nil || *inc.OwnerID != v.user.ID {
		return layout.Flash{Text: v.picture.actor(inc.AcknowledgedBy) + " was first, at " + at + "."}
	}
	return layout.Flash{Text: "Acknowledged " + at + ". It is yours; nobody else is paged."}
}

func (p *pages) resolve(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.Resolve(ctx, n, by, c.FormValue("resolution"))
		if err != nil || inc.ResolvedAt == nil {
			return layout.Flash{}, err
		}
		address := "/incidents/" + formatInt(n)
		said := layout.Flash{Text: "Resolved " + v.clock.Exact(*inc.ResolvedAt) + ".", Later: address + "/reopen", LaterLabel: "Reopen and page"}
		if inc.ResolvedBy == by.Actor {
			said.Undo = address + "/undo-resolve"
		} else {
			said.Text = v.picture.actor(inc.ResolvedBy) + " was first, at " + v.clock.Exact(*inc.ResolvedAt) + "."
		}
		return said, nil
	}, func(page *incidents.IncidentPage, faults wrong) {
		page.Resolving = faults.field(c, "resolution")
	})
}

// undoResolve takes back a resolve of a moment ago, in silence where somebody had
// the incident.
func (p *pages) undoResolve(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		inc, err := p.Actions.UndoResolve(ctx, n, by)
		if err != nil {
			return layout.Flash{}, err
		}
		if inc.Status == incident.Acknowledged {
			return layout.Flash{Text: "Taken back. It is " + v.picture.actor(inc.AcknowledgedBy) + "’s as before, and nobody was paged."}, nil
		}
		return layout.Flash{Text: "Taken back. Nobody had it, so paging goes on."}, nil
	}, nil)
}

func (p *pages) reopen(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Reopen(ctx, n, by)
		return layout.Flash{Text: "Reopened. Whoever is on call is paged."}, err
	}, nil)
}

func (p *pages) escalate(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Escalate(ctx, n, by)
		return layout.Flash{Text: "Escalated. The next step is paged."}, err
	}, nil)
}

func (p *pages) note(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
		_, err := p.Actions.Note(ctx, n, by, c.FormValue("note"))
		return layout.Flash{Text: "Your note is on the timeline."}, err
	}, func(page *incidents.IncidentPage, faults wrong) {
		page.Noting = faults.field(c, "note")
	})
}

// setPriority asks for a reason, which the timeline keeps.
func (p *pages) setPriority(c echo.Context, v *visit) error {
	return p.incidentForm(c, v, func(ctx context.Context, n int64, by incident.By) (layout.Flash, error) {
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
		return layout.Flash{Text: "The priority is " + v.picture.priority(inc.Priority).Name + " now."}, nil
	}, func(page *incidents.IncidentPage, faults wrong) {
		page.Repricing = incidents.Repricing{Level: faults.field(c, "priority"), Reason: faults.field(c, "reason")}
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
