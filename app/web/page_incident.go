package web

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// mostEarlier bounds how many earlier incidents are shown.
const mostEarlier = 5

func (p *pages) showIncident(c echo.Context, v *visit) error {
	n, err := number(c)
	if err != nil {
		return err
	}
	page, err := p.incidentPage(c, v, n)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, incidents.Incident(page))
}

// incidentPage is all that is known of one incident.
func (p *pages) incidentPage(c echo.Context, v *visit, n int64) (incidents.IncidentPage, error) {
	ctx := c.Request().Context()
	row, err := p.Pages.Incidents.Incident(ctx, n)
	if err != nil {
		return incidents.IncidentPage{}, err
	}
	frame, err := p.frame(c, v, "#"+formatInt(n)+" "+row.Title, layout.Incidents)
	if err != nil {
		return incidents.IncidentPage{}, err
	}
	page := v.incidentFacts(&row)
	page.Frame = frame
	if page.Signal, err = p.signalOf(c, &row); err != nil {
		return page, err
	}
	events, err := p.Pages.Incidents.Timeline(ctx, n, 0, 0)
	if err != nil {
		return page, err
	}
	records, err := p.Pages.Incidents.IncidentPages(ctx, n)
	if err != nil {
		return page, err
	}
	page.Timeline = v.timeline(events, records)
	page.Paged = p.recipients(v, &row, records)
	if page.Next, err = p.upcoming(ctx, v, &row); err != nil {
		return page, err
	}
	earlier, err := p.Pages.Incidents.EarlierIncidents(ctx, row.Incident, mostEarlier)
	for _, e := range earlier {
		page.Before = append(page.Before, incidents.Earlier{Number: e.Number, CreatedAt: e.CreatedAt, ResolvedAt: instant(e.ResolvedAt), Resolution: e.Resolution})
	}
	return page, err
}

// incidentFacts is what the incident itself says.
func (v *visit) incidentFacts(r *incident.Row) incidents.IncidentPage {
	service := v.picture.Service(r.ServiceID)
	page := incidents.IncidentPage{
		Number: r.Number, Version: r.Version, Title: r.Title, Status: incidents.Status(r.Status), LowUrgency: r.Urgency == incident.Low,
		Priority: priorityOf(r), PrioritySource: v.prioritySource(r),
		Service: element.Ref{Slug: r.ServiceSlug, Name: r.ServiceName}, Deployment: r.DeploymentName,
		CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, Occurrences: r.Occurrences,
		AcknowledgedAt: instant(r.AcknowledgedAt), ResolvedAt: instant(r.ResolvedAt), Resolution: r.Resolution,
		FlappingSince: instant(r.FlappingSince), MutedUntil: instant(r.MutedUntil),
		Facts: factsOf(r.Facts), Runbook: runbookOf(r.Runbook), Links: linksOf(r.Facts.Links, service.Dashboards),
		Priorities: v.picture.priorities(), MayAct: v.may(auth.ActOnIncident),
	}
	if r.AcknowledgedAt != nil {
		page.AcknowledgedBy = v.picture.actor(r.AcknowledgedBy)
	}
	page.ResolvedBy, page.RecoveredBy = v.picture.resolver(r)
	page.NoPolicy = service.PolicyID == nil
	page.Description, _ = description(r)
	return page
}

// resolver is who ended it by hand, or the sender that told of the recovery;
// both are empty where Tocsin found nothing firing any more.
func (k *picture) resolver(r *incident.Row) (person, sender string) {
	switch {
	case r.ResolvedBy == incident.Tocsin || r.ResolvedBy == "":
		return "", ""
	case fromSender(r.ResolvedBy):
		return "", k.actor(r.ResolvedBy)
	}
	return k.actor(r.ResolvedBy), ""
}

// fromSender reports whether an actor is an integration.
func fromSender(actor string) bool { return strings.HasPrefix(actor, "integration:") }

func (v *visit) prioritySource(r *incident.Row) string {
	switch r.PrioritySource {
	case "":
		return ""
	case "signal":
		return "from the signal"
	case "slo":
		return "from the SLO"
	case "error budget":
		return "from the error budget"
	}
	return "set by " + v.picture.actor(r.PrioritySource)
}

func factsOf(f incident.Facts) incidents.Facts {
	return incidents.Facts{
		SLO: f.SLOName, SLI: f.SLI, Endpoint: f.Endpoint, Window: f.Window,
		Observed: f.Observed, Objective: f.Objective, BrokenBy: f.BrokenBy,
		BudgetRemaining: f.BudgetRemaining, BudgetDepleted: f.BudgetDepleted, DepletionWindow: f.DepletionWindow, BurnRate: f.BurnRate,
		StartedAt: instant(f.StartedAt),
	}
}

// runbookOf tells an address from a name.
func runbookOf(runbook string) incidents.Runbook {
	switch {
	case runbook == "":
		return incidents.Runbook{}
	case strings.Contains(runbook, "://"):
		return incidents.Runbook{Link: element.Link{Text: "Runbook", Href: runbook}}
	}
	return incidents.Runbook{Link: element.Link{Text: runbook}}
}

// linksOf are the sender's, then the service's dashboards.
func linksOf(sent []incident.Link, dashboards []catalog.Link) []element.Link {
	var links []element.Link
	for _, l := range sent {
		links = append(links, element.Link{Text: l.Text, Href: l.Href})
	}
	return append(links, elementLinks(dashboards)...)
}

func elementLinks(list []catalog.Link) []element.Link {
	var links []element.Link
	for _, l := range list {
		links = append(links, element.Link{Text: l.Text, Href: l.Href})
	}
	return links
}

// description is what a person wrote who opened an incident by hand, which stands
// among its surroundings: see manualSignal; and the rest of those.
func description(r *incident.Row) (text string, rest []incident.Pair) {
	rest = r.Facts.Environment
	if strings.HasPrefix(r.DedupKey, "manual:") && len(rest) > 0 && rest[0].Name == "Description" {
		return rest[0].Value, rest[1:]
	}
	return "", rest
}

// mostShown bounds how much of a body a page shows, in bytes.
const mostShown = 64 << 10

// signalOf is the last breach as it came in.
func (p *pages) signalOf(c echo.Context, r *incident.Row) (incidents.Signal, error) {
	s := incidents.Signal{Sender: r.Facts.Sender, ServiceName: r.Facts.Service, DedupKey: r.DedupKey, ReceivedAt: r.LastSeenAt}
	_, environment := description(r)
	for _, e := range environment {
		s.Environment = append(s.Environment, element.Pair(e))
	}
	for _, u := range r.Facts.Unknown {
		s.Unknown = append(s.Unknown, element.Pair(u))
	}
	for _, d := range r.Facts.Dependencies {
		s.Dependencies = append(s.Dependencies, incidents.Dependency(d))
	}
	alert, err := p.Pages.Incidents.LatestAlert(c.Request().Context(), r.Number)
	if fault.Is(err, fault.KindNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Sender, s.Integration = cmp.Or(alert.IntegrationName, s.Sender), alert.IntegrationSlug
	s.DedupKey, s.ReceivedAt = alert.DedupKey, alert.LastSeenAt
	s.Body, _ = shown(alert.Body)
	return s, nil
}

// shown is a body as far as it is text and short enough for a page.
func shown(body []byte) (text string, truncated bool) {
	truncated = len(body) > mostShown
	return strings.ToValidUTF8(string(body[:min(len(body), mostShown)]), "\uFFFD"), truncated
}
