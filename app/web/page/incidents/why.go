package incidents

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// why explains one page by the reason that was stored with it.
func (p *handlers) why(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	n, err := web.IncidentNumber(c)
	if err != nil {
		return err
	}
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	row, err := p.Incidents.Incident(ctx, n)
	if err != nil {
		return err
	}
	records, err := p.Incidents.IncidentPages(ctx, n)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, func(r incident.PageRecord) bool { return r.PageID != id })
	if len(records) == 0 {
		return fault.NotFound("Incident %d has no such page.", n)
	}
	data := whyPage(req, &row, records)
	if data.EscalatedBy, err = p.escalatedBy(c, req, n, records[0].CreatedAt); err != nil {
		return err
	}
	if data.Frame, err = p.Frame(c, req, "Why this page", layout.Incidents); err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.Why(data))
}

func whyPage(req *page.Request, r *incident.Row, records []incident.PageRecord) view.WhyPage {
	first, w := records[0], page.WhyOf(records[0])
	data := view.WhyPage{
		Number: r.Number, Title: r.Title, Person: req.Config.Person(first.UserID), You: first.UserID == req.User.ID, PagedAt: first.CreatedAt,
		Policy: element.Ref{Slug: w.Policy, Name: w.PolicyName}, Step: w.Step, Run: w.Run,
		Fallback: w.Kind == "fallback", Administrators: w.Kind == "administrators", Handover: w.Kind == "handover",
		Target: w.Target, Schedule: element.Ref{Slug: w.Schedule, Name: w.ScheduleName}, Position: w.Position, Layer: w.Layer, Shadow: w.Shadow,
		Override: overrideOf(req, w), Urgency: string(first.Urgency), Rules: rulesOf(req, first),
		Asker: w.Asker, Asked: askedFor[incident.RequestKind(w.Request)], Reason: w.Message,
	}
	if data.Asked == view.AskedToAnswer { // the reason is what the incident was opened with
		data.Reason = cmp.Or(data.Reason, r.Title)
	}
	for _, record := range records {
		if record.MessageID != 0 || record.State == incident.AttemptFailed {
			data.Attempts = append(data.Attempts, page.AttemptOf(record))
		}
	}
	return data
}

var askedFor = map[incident.RequestKind]view.AskedFor{
	incident.AskToAnswer: view.AskedToAnswer, incident.AskToJoin: view.AskedToJoin, incident.AskToTakeOver: view.AskedToTakeOver,
}

// overrideOf is the override that a page was due to, unless it was removed since.
func overrideOf(req *page.Request, w escalation.Why) view.WhyOverride {
	for _, s := range req.Config.Schedules {
		i := slices.IndexFunc(s.Schedule.Overrides, func(o oncall.Override) bool { return o.ID == w.Override })
		if w.Override == 0 || s.Slug != w.Schedule || i < 0 {
			continue
		}
		o := s.Schedule.Overrides[i]
		return view.WhyOverride{By: req.Config.ActorName(o.By), Replaced: req.Config.Person(int64(o.Out)), From: o.From, To: o.To, Reason: o.Reason}
	}
	return view.WhyOverride{}
}

// rulesOf are the person's current rules for the page's urgency.
func rulesOf(req *page.Request, paged incident.PageRecord) []view.WhyRule {
	to := req.Config.Recipients[paged.UserID]
	rules := slices.DeleteFunc(slices.Clone(to.Rules), func(r notify.Rule) bool { return r.Urgency != string(paged.Urgency) })
	slices.SortStableFunc(rules, func(a, b notify.Rule) int { return cmp.Compare(a.AfterSeconds, b.AfterSeconds) })
	var all []view.WhyRule
	for _, r := range rules {
		for _, m := range to.Methods {
			if m.ID == r.ContactMethodID {
				all = append(all, view.WhyRule{Medium: string(m.Medium), After: time.Duration(r.AfterSeconds) * time.Second})
			}
		}
	}
	return all
}

// escalatedBy is who escalated by hand, if that caused the page: no step was fired
// between the two.
func (p *handlers) escalatedBy(c echo.Context, req *page.Request, n int64, pagedAt time.Time) (string, error) {
	events, err := p.Incidents.Timeline(c.Request().Context(), n, 0, 0)
	if err != nil {
		return "", err
	}
	who := ""
	for _, e := range events {
		if e.At.After(pagedAt) {
			break
		}
		switch e.Kind() {
		case incident.EvEscalated:
			who = req.Config.ActorName(e.Actor)
		case incident.EvStep:
			if e.At.Before(pagedAt) {
				who = ""
			}
		}
	}
	return who, nil
}
