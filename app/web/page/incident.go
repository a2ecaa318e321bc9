package page

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// IncidentRows are incidents as lists show them.
func (req *Request) IncidentRows(found []incident.Row) []incidents.Row {
	rows := make([]incidents.Row, len(found))
	for i := range found {
		rows[i] = incidentRow(&found[i])
		rows[i].WaitsUntil = req.waitsUntil(&found[i])
		rows[i].Others = !req.OwnTeam(found[i].ServiceID)
	}
	return rows
}

// OwnTeam reports whether a service belongs to a team of the reader, or to none.
func (req *Request) OwnTeam(service int64) bool {
	id := req.Config.Service(service).TeamID
	if id == nil {
		return true
	}
	team := req.Config.Roster.Teams[*id]
	return team.Manager == req.User.ID || slices.Contains(team.Members, req.User.ID)
}

// waitsUntil is when paging starts for an incident that waits for support hours;
// zero for others.
func (req *Request) waitsUntil(r *incident.Row) time.Time {
	if r.Status != incident.Triggered || r.Urgency != incident.Low || len(r.Paged) > 0 {
		return time.Time{}
	}
	return req.PagingOpens(r.ServiceID)
}

// PagingOpens is when the support hours of a service begin, which low urgency waits
// for; zero within them, and where there are none.
func (req *Request) PagingOpens(serviceID int64) time.Time {
	hours := req.Config.Organization.SupportHours
	if team := req.Config.Service(serviceID).TeamID; team != nil && req.Config.Team(*team).SupportHours != nil {
		hours = req.Config.Team(*team).SupportHours
	}
	if hours == nil {
		return time.Time{}
	}
	if opens := hours.NextOpen(req.Clock.Now, req.Config.Organization.Timezone); opens.After(req.Clock.Now) {
		return opens
	}
	return time.Time{}
}

func incidentRow(r *incident.Row) incidents.Row {
	row := incidents.Row{
		Number: r.Number, Version: r.Version, Title: r.Title, Status: incidents.Status(r.Status), Priority: PriorityOf(r),
		Service: element.Ref{Slug: r.ServiceSlug, Name: r.ServiceName}, Deployment: r.DeploymentName,
		CreatedAt: r.CreatedAt, LastSeenAt: r.LastSeenAt, ResolvedAt: Instant(r.ResolvedAt), SnoozedUntil: Instant(r.SnoozedUntil), Occurrences: r.Occurrences,
		OwnerName: strings.TrimPrefix(r.AcknowledgedBy, "token:"), Muted: Instant(r.MutedUntil), Flapping: r.FlappingSince != nil,
	}
	if r.OwnerID != nil {
		row.Owner = element.Person{ID: *r.OwnerID, Name: r.OwnerName}
	}
	for _, p := range r.Paged {
		row.Paged = append(row.Paged, element.Person{ID: p.UserID, Name: p.Name})
	}
	return row
}

// PriorityOf is the priority of an incident; the zero value where it is unset.
func PriorityOf(r *incident.Row) element.Priority {
	switch {
	case r.Priority == nil:
		return element.Priority{}
	case *r.Priority == catalog.NoPriority:
		return element.NoPriority
	}
	name := r.PriorityName
	if name == "" {
		name = "P" + strconv.Itoa(*r.Priority)
	}
	return element.Priority{Level: *r.Priority, Name: name}
}

// Instant is the zero time for nil.
func Instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// Resolver is the person who resolved an incident, or the sender of the recovery;
// both are empty where Tocsin resolved it since nothing was firing.
func (k *Config) Resolver(r *incident.Row) (person, sender string) {
	switch {
	case r.ResolvedBy == incident.Tocsin || r.ResolvedBy == "":
		return "", ""
	case IsIntegration(r.ResolvedBy):
		return "", k.ActorName(r.ResolvedBy)
	}
	return k.ActorName(r.ResolvedBy), ""
}

// IsIntegration reports whether an actor is an integration.
func IsIntegration(actor string) bool { return strings.HasPrefix(actor, integrationActor) }

const integrationActor = "integration:"

// FactsOf are the facts of an incident.
func FactsOf(f incident.Facts) incidents.Facts {
	return incidents.Facts{
		SLO: f.SLOName, SLA: f.SLA, SLI: f.SLI, Endpoint: f.Endpoint, Window: f.Window,
		Observed: f.Observed, Objective: f.Objective, BrokenBy: f.BrokenBy,
		BudgetRemaining: f.BudgetRemaining, BudgetDepleted: f.BudgetDepleted, DepletionWindow: f.DepletionWindow, BurnRate: f.BurnRate,
		StartedAt: Instant(f.StartedAt), PausedUntil: Instant(f.PausedUntil),
	}
}

// RunbookOf is a link, or only a text where the runbook is no URL.
func RunbookOf(runbook string) incidents.Runbook {
	switch {
	case runbook == "":
		return incidents.Runbook{}
	case strings.Contains(runbook, "://"):
		return incidents.Runbook{Link: element.Link{Text: "Runbook", Href: runbook}}
	}
	return incidents.Runbook{Link: element.Link{Text: runbook}}
}

// Links are links of the catalog.
func Links(list []catalog.Link) []element.Link {
	var links []element.Link
	for _, l := range list {
		links = append(links, element.Link{Text: l.Text, Href: l.Href})
	}
	return links
}

// maxBodyText bounds how much of a body a page shows, in bytes.
const maxBodyText = 64 << 10

// BodyText is a signal's body as a page shows it: as UTF-8, cut to maxBodyText.
func BodyText(body []byte) (text string, truncated bool) {
	truncated = len(body) > maxBodyText
	return strings.ToValidUTF8(string(body[:min(len(body), maxBodyText)]), "\uFFFD"), truncated
}
