package incidents

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

const (
	// maxEarlier bounds how many earlier incidents are shown.
	maxEarlier = 5
	// maxChanges and changeAge bound which changes of the service are shown.
	maxChanges = 5
	changeAge  = 24 * time.Hour
	// maxAlerts bounds how many alerts of a group are shown.
	maxAlerts = 50
)

func (p *handlers) showIncident(c echo.Context, req *page.Request) error {
	n, err := web.IncidentNumber(c)
	if err != nil {
		return err
	}
	data, err := p.incidentPage(c, req, n)
	if err != nil {
		return err
	}
	return page.Render(c, http.StatusOK, view.Incident(data))
}

// incidentPage reads all that the page of one incident shows.
func (p *handlers) incidentPage(c echo.Context, req *page.Request, n int64) (view.IncidentPage, error) {
	ctx := c.Request().Context()
	row, err := p.Incidents.Incident(ctx, n)
	if err != nil {
		return view.IncidentPage{}, err
	}
	frame, err := p.Frame(c, req, "#"+web.FormatInt(n)+" "+row.Title, layout.Incidents)
	if err != nil {
		return view.IncidentPage{}, err
	}
	data := incidentFacts(req, &row)
	data.Frame = frame
	if data.Signal, err = p.signalOf(c, &row); err != nil {
		return data, err
	}
	events, err := p.Incidents.Timeline(ctx, n, 0, 0)
	if err != nil {
		return data, err
	}
	records, err := p.Incidents.IncidentPages(ctx, n)
	if err != nil {
		return data, err
	}
	data.Timeline = timelineOf(req, events, records)
	if data.Acts, err = p.acts(ctx, req, &row, records); err != nil {
		return data, err
	}
	data.PagedByHand = slices.ContainsFunc(records, func(r incident.PageRecord) bool {
		return page.WhyOf(r).Request == string(incident.AskToAnswer)
	})
	data.Paged = p.RecipientsOf(req, &row, records)
	if data.Next, err = req.Upcoming(ctx, p.Incidents, &row); err != nil {
		return data, err
	}
	if data.Changes, err = p.changesBefore(ctx, &row); err != nil {
		return data, err
	}
	if len(data.Changes) > 0 {
		data.Facts.LastChange, data.Facts.ChangedBefore = data.Changes[0], row.CreatedAt.Sub(data.Changes[0].At)
	}
	if err := p.fillAlerts(ctx, &row, &data); err != nil {
		return data, err
	}
	earlier, err := p.Incidents.EarlierIncidents(ctx, row.Incident, maxEarlier)
	for _, e := range earlier {
		data.Before = append(data.Before, view.Earlier{Number: e.Number, CreatedAt: e.CreatedAt, ResolvedAt: page.Instant(e.ResolvedAt), Resolution: e.Resolution})
	}
	return data, err
}

// changesBefore are the service's last changes before an incident was opened. The
// start that a sender names is not used: deployments are reported at their end, and
// some senders name a constant.
func (p *handlers) changesBefore(ctx context.Context, r *incident.Row) ([]view.Change, error) {
	recorded, err := p.Changes.ChangesBefore(ctx, r.ServiceID, r.CreatedAt, maxChanges)
	if err != nil {
		return nil, err
	}
	oldest := r.CreatedAt.Add(-changeAge)
	recent := slices.DeleteFunc(recorded, func(c ingest.RecordedChange) bool { return c.At.Before(oldest) })
	return page.Changes(recent), nil
}

// fillAlerts fills in the alerts of a group; those of earlier versions have no title.
func (p *handlers) fillAlerts(ctx context.Context, r *incident.Row, data *view.IncidentPage) error {
	if r.Group == "" {
		return nil
	}
	alerts, err := p.Incidents.Alerts(ctx, r.Number, maxAlerts+1)
	if err != nil {
		return err
	}
	if len(alerts) > maxAlerts {
		alerts, data.MoreAlerts = alerts[:maxAlerts], true
	}
	for _, a := range alerts {
		data.Alerts = append(data.Alerts, view.Alert{Title: cmp.Or(a.Title, a.DedupKey), Sender: a.IntegrationName, Firing: a.Firing,
			StartedAt: a.StartedAt, ResolvedAt: page.Instant(a.ResolvedAt), Occurrences: a.Occurrences})
	}
	return nil
}

// serviceRef links to an incident's service, unless that is archived and has no page.
func serviceRef(r *incident.Row, service catalog.Service) element.Ref {
	if service.ArchivedAt != nil {
		return element.Ref{Name: r.ServiceName}
	}
	return element.Ref{Slug: r.ServiceSlug, Name: r.ServiceName}
}

// incidentFacts is what the page shows of the incident's own record.
func incidentFacts(req *page.Request, r *incident.Row) view.IncidentPage {
	service := req.Config.Service(r.ServiceID)
	data := view.IncidentPage{
		Number: r.Number, Version: r.Version, Title: r.Title, Status: view.Status(r.Status), LowUrgency: r.Urgency == incident.Low,
		Priority: page.PriorityOf(r), Severity: r.Facts.Severity, PrioritySource: prioritySource(req, r),
		Service: serviceRef(r, service), Deployment: r.DeploymentName,
		CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, Occurrences: r.Occurrences,
		AcknowledgedAt: page.Instant(r.AcknowledgedAt), ResolvedAt: page.Instant(r.ResolvedAt), Resolution: r.Resolution,
		FlappingSince: page.Instant(r.FlappingSince), MutedUntil: page.Instant(r.MutedUntil),
		Facts: page.FactsOf(r.Facts), Runbook: page.RunbookOf(cmp.Or(r.Facts.Runbook, r.Runbook)), Links: linksOf(r.Facts, service.Dashboards),
		Priorities: req.Config.PriorityOptions(), MayAct: req.May(auth.ActOnIncident),
	}
	if r.AcknowledgedAt != nil {
		data.AcknowledgedBy = req.Config.ActorName(r.AcknowledgedBy)
	}
	data.ResolvedBy, data.RecoveredBy = req.Config.Resolver(r)
	data.NoPolicy = service.PolicyID == nil
	data.Description, _ = description(r)
	data.Description = cmp.Or(data.Description, r.Facts.Description)
	return data
}

func prioritySource(req *page.Request, r *incident.Row) string {
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
	return "set by " + req.Config.ActorName(r.PrioritySource)
}

// linksOf are the sender's, then the service's dashboards.
func linksOf(f incident.Facts, dashboards []catalog.Link) []element.Link {
	var links []element.Link
	for _, l := range slices.Concat(f.Links, f.Images) {
		links = append(links, element.Link{Text: l.Text, Href: l.Href})
	}
	if f.Client != nil && f.Client.Href != "" {
		links = append(links, element.Link{Text: f.Client.Text, Href: f.Client.Href})
	}
	return append(links, page.Links(dashboards)...)
}

// description is the text of a person who opened an incident by hand, which the API
// stores as the first pair of the environment; and the rest of the environment.
func description(r *incident.Row) (text string, rest []incident.Pair) {
	rest = r.Facts.Environment
	if strings.HasPrefix(r.DedupKey, incident.ManualKey) && len(rest) > 0 && rest[0].Name == "Description" {
		return rest[0].Value, rest[1:]
	}
	return "", rest
}

// signalOf is the last signal as it was received.
func (p *handlers) signalOf(c echo.Context, r *incident.Row) (view.Signal, error) {
	s := view.Signal{Sender: r.Facts.Sender, ServiceName: r.Facts.Service, DedupKey: r.DedupKey, ReceivedAt: r.LastSeenAt}
	_, environment := description(r)
	s.Environment = pairsOf(environment)
	s.Unknown, s.Labels, s.Annotations = pairsOf(r.Facts.Unknown), pairsOf(r.Facts.Labels), pairsOf(r.Facts.Annotations)
	s.Details = pairsOf(slices.Concat(named("Source", r.Facts.Source), named("Component", r.Facts.Component), named("Class", r.Facts.Class), r.Facts.Details))
	for _, d := range r.Facts.Dependencies {
		s.Dependencies = append(s.Dependencies, view.Dependency(d))
	}
	alert, err := p.Incidents.LatestAlert(c.Request().Context(), r.Number)
	if fault.Is(err, fault.KindNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Sender, s.Integration = cmp.Or(alert.IntegrationName, s.Sender), alert.IntegrationSlug
	s.DedupKey, s.ReceivedAt = alert.DedupKey, alert.LastSeenAt
	s.Body = indented(alert.Body)
	return s, nil
}

func pairsOf(list []incident.Pair) []element.Pair {
	var pairs []element.Pair
	for _, pair := range list {
		pairs = append(pairs, element.Pair(pair))
	}
	return pairs
}

// named is a pair, and none for an empty value.
func named(name, value string) []incident.Pair {
	if value == "" {
		return nil
	}
	return []incident.Pair{{Name: name, Value: value}}
}

// indented is a body as text, of JSON with one member on a line.
func indented(body []byte) string {
	var lines bytes.Buffer
	if json.Indent(&lines, body, "", "  ") == nil {
		body = lines.Bytes()
	}
	text, _ := page.BodyText(body)
	return text
}
