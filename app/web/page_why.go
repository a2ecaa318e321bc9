package web

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
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// why explains one page to whoever got it, by what was kept with it.
func (p *pages) why(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	n, err := number(c)
	if err != nil {
		return err
	}
	id, err := idIn(c)
	if err != nil {
		return err
	}
	row, err := p.Pages.Incidents.Incident(ctx, n)
	if err != nil {
		return err
	}
	records, err := p.Pages.Incidents.IncidentPages(ctx, n)
	if err != nil {
		return err
	}
	records = slices.DeleteFunc(records, func(r incident.PageRecord) bool { return r.PageID != id })
	if len(records) == 0 {
		return fault.NotFound("Incident %d has no such page.", n)
	}
	page := v.whyPage(&row, records)
	if page.EscalatedBy, err = p.escalatedBy(c, v, n, records[0].CreatedAt); err != nil {
		return err
	}
	if page.Frame, err = p.frame(c, v, "Why this page", layout.Incidents); err != nil {
		return err
	}
	return render(c, http.StatusOK, incidents.Why(page))
}

func (v *visit) whyPage(r *incident.Row, records []incident.PageRecord) incidents.WhyPage {
	first, w := records[0], whyOf(records[0])
	page := incidents.WhyPage{
		Number: r.Number, Title: r.Title, Person: v.picture.person(first.UserID), You: first.UserID == v.user.ID, PagedAt: first.CreatedAt,
		Policy: element.Ref{Slug: w.Policy, Name: w.PolicyName}, Step: w.Step, Run: w.Run,
		Fallback: w.Kind == "fallback", Administrators: w.Kind == "administrators", Handover: w.Kind == "handover",
		Target: w.Target, Schedule: element.Ref{Slug: w.Schedule, Name: w.ScheduleName}, Position: w.Position, Layer: w.Layer, Shadow: w.Shadow,
		Override: v.overrideOf(w), Urgency: string(first.Urgency), Rules: v.rulesOf(first),
	}
	for _, record := range records {
		if record.MessageID != 0 || record.State == incident.AttemptFailed {
			page.Attempts = append(page.Attempts, attemptOf(record))
		}
	}
	return page
}

// overrideOf is the override behind a page, where it was not taken back since.
func (v *visit) overrideOf(w escalation.Why) incidents.WhyOverride {
	for _, s := range v.picture.Schedules {
		i := slices.IndexFunc(s.Schedule.Overrides, func(o oncall.Override) bool { return o.ID == w.Override })
		if w.Override == 0 || s.Slug != w.Schedule || i < 0 {
			continue
		}
		o := s.Schedule.Overrides[i]
		return incidents.WhyOverride{By: v.picture.actor(o.By), Replaced: v.picture.person(int64(o.Out)), From: o.From, To: o.To, Reason: o.Reason}
	}
	return incidents.WhyOverride{}
}

// rulesOf are the person's rules for the page's urgency, as they are now.
func (v *visit) rulesOf(page incident.PageRecord) []incidents.WhyRule {
	to := v.picture.people[page.UserID]
	rules := slices.DeleteFunc(slices.Clone(to.Rules), func(r notify.Rule) bool { return r.Urgency != string(page.Urgency) })
	slices.SortStableFunc(rules, func(a, b notify.Rule) int { return cmp.Compare(a.AfterSeconds, b.AfterSeconds) })
	var all []incidents.WhyRule
	for _, r := range rules {
		for _, m := range to.Methods {
			if m.ID == r.ContactMethodID {
				all = append(all, incidents.WhyRule{Medium: string(m.Medium), After: time.Duration(r.AfterSeconds) * time.Second})
			}
		}
	}
	return all
}

// escalatedBy is who moved the escalation on by hand, where a page came of that:
// both bear the same time, or nearly.
func (p *pages) escalatedBy(c echo.Context, v *visit, n int64, pagedAt time.Time) (string, error) {
	events, err := p.Pages.Incidents.Timeline(c.Request().Context(), n, 0, 0)
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
			who = v.picture.actor(e.Actor)
		case incident.EvStep:
			if e.At.Before(pagedAt) {
				who = ""
			}
		}
	}
	return who, nil
}
