package incidents

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// acts is what the reader may do with an open incident, and what it leads to.
func (p *handlers) acts(ctx context.Context, req *page.Request, r *incident.Row, records []incident.PageRecord) (view.Acts, error) {
	a := view.Acts{Yours: r.OwnerID != nil && *r.OwnerID == req.User.ID, SnoozedUntil: page.Instant(r.SnoozedUntil), Tomorrow: tomorrow(req.Clock)}
	if r.AcknowledgedAt != nil {
		a.Owner = req.Config.ActorName(r.AcknowledgedBy)
	}
	escalations, err := p.Incidents.IncidentEscalations(ctx, r.Number)
	if err != nil {
		return a, err
	}
	a.Responders, a.AskedBy = req.Responders(escalations, records)
	if !r.Open() {
		return a, nil
	}
	return a, p.fillSteps(req, r, escalations, &a)
}

// tomorrow is 09:00 of the next day, in the reader's zone.
func tomorrow(c element.Clock) time.Time {
	y, m, d := c.Now.In(c.Zone).Date()
	return time.Date(y, m, d+1, 9, 0, 0, 0, c.Zone)
}

// fillSteps fills in whom the next step of the policy would page: to join, and after
// an escalation.
func (p *handlers) fillSteps(req *page.Request, r *incident.Row, escalations []incident.EscalationRecord, a *view.Acts) error {
	e, ok := latestPrimary(escalations)
	if !ok || e.PolicyVersionID == nil {
		return nil
	}
	named, err := req.Config.PolicyVersion(*e.PolicyVersionID)
	if err != nil {
		return err
	}
	now := p.Now()
	at := escalation.Running{Active: true, State: escalation.State{Phase: escalation.Phase(e.Phase), Step: e.Step, Run: e.Run, Reached: e.Reached, FiredAt: e.FiredAt}}
	at, _ = escalation.Apply(now, incident.EscalateNext, at, now)
	resolve := func(targets []incident.Target) []escalation.Reached { return req.Config.Roster.Resolve(targets, now) }
	if following := named.Policy.Following(at.State, e.FiredAt != nil); len(following) > 0 && r.OwnerID != nil {
		a.Join = ahead(req, following[0].Step, resolve(following[0].Targets))
	}
	firings, _ := named.Policy.Fire(at.State, now, r.Priority, req.Config.Roster.At(now))
	last, step := firings[len(firings)-1], 0
	if last.Phase == escalation.PhaseSteps {
		step = last.Step + 1
	}
	a.Reassign = ahead(req, step, last.People)
	a.Reassign.Again = last.Phase == escalation.PhaseSteps && last.Run > e.Run
	if last.Phase == escalation.PhaseAdministrators {
		a.Reassign.Place = "the administrators"
	}
	return nil
}

// ahead is a step, counted from 1, or 0 for the fallback.
func ahead(req *page.Request, step int, people []escalation.Reached) view.StepAhead {
	place := "the fallback"
	if step > 0 {
		place = "step " + strconv.Itoa(step)
	}
	return view.StepAhead{Names: element.Names(req.Config.Reached(people)), Place: place}
}

func latestPrimary(escalations []incident.EscalationRecord) (incident.EscalationRecord, bool) {
	for _, e := range slices.Backward(escalations) {
		if e.Purpose == string(escalation.Primary) {
			return e, true
		}
	}
	return incident.EscalationRecord{}, false
}
