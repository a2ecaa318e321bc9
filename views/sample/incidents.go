package sample

import (
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/link"
)

const title = "Customers in Europe cannot reliably load their data"

var facts = incidents.Facts{
	SLO: "Availability of get data API", SLI: "availability", Endpoint: "GET /api/data/{tenant}", Window: "28d",
	Observed: number(98.9), Objective: number(99.7), BrokenBy: number(366),
	BudgetRemaining: number(41.5), BudgetDepleted: number(12), DepletionWindow: "60m", BurnRate: number(4.2),
	StartedAt: at("02:53:05"), LastChange: changes()[0], ChangedBefore: 7 * time.Minute,
}

var runbook = incidents.Runbook{
	Link:    element.Link{Text: "Runbook: checkout-api", Href: "https://runbooks.acme.example/checkout-api"},
	Excerpt: "Check whether the latest deployment can be rolled back. If the ledger dependency is degraded, switch reads to the replica.",
}

func triggered() incidents.IncidentPage {
	return incidents.IncidentPage{
		Frame:  frame("#17 "+title, layout.Incidents),
		Number: 17, Version: 6, Title: title, Status: incidents.Triggered,
		Priority: p2, PrioritySource: "from the SLO", Severity: "critical",
		Service: checkout, Deployment: "Production Europe",
		CreatedAt: at("03:00:08"), LastSeenAt: at("03:08:08"), Occurrences: 3,
		Facts: facts, Runbook: runbook,
		Links: []element.Link{
			{Text: "Event logs", Href: "https://logs.acme.example/q/1"},
			{Text: "Checkout dashboard", Href: "https://dash.acme.example/checkout"},
		},
		Signal: incidents.Signal{
			Sender: sre.Name, Integration: sre.Slug, ServiceName: "checkout-api",
			DedupKey: "prod-eu|GET /api/data/{tenant}|availability|Availability of get data API", ReceivedAt: at("03:08:08"),
			Environment:  []element.Pair{{Name: "cpu", Value: "90%"}, {Name: "recycled", Value: "3 min before"}},
			Dependencies: []incidents.Dependency{{Service: "ledger", Availability: number(99.2), BudgetRemaining: number(-12)}},
			Unknown:      []element.Pair{{Name: "canary", Value: `{"weight":0.05}`}},
			Body:         "{\n  \"status\": \"breached\",\n  \"service\": \"checkout-api\",\n  \"deployment\": \"prod-eu\",\n  \"sli\": \"availability\"\n}",
		},
		Paged: []incidents.Recipient{
			{PageID: 41, Person: ana, Role: "main", State: incidents.Paging,
				Last:    &incidents.Attempt{Person: ana, Medium: "email", State: incidents.Sent, At: at("03:05:10")},
				NextTry: at("03:15:10"), NextMedium: "email"},
			{PageID: 42, Person: emre, Role: "main", Shadow: true, State: incidents.Paging,
				Last: &incidents.Attempt{Person: emre, Medium: "email", State: incidents.Delivered, At: at("03:00:12")}},
		},
		Next: []incidents.Upcoming{
			{Kind: incidents.NextStep, At: at("04:00:08"), Targets: []string{"backup on call in Payments"}, People: []element.Person{ben}, Step: 2, Run: 1},
			{Kind: incidents.NextStep, At: at("06:00:08"), Targets: []string{"everyone in Payments"}, People: []element.Person{ana, ben, chiara}, Step: 3, Run: 1},
		},
		Timeline:   nightTimeline(),
		Before:     []incidents.Earlier{{Number: 9, CreatedAt: now.Add(-12 * 24 * time.Hour), ResolvedAt: now.Add(-12*24*time.Hour + 22*time.Minute), Resolution: "Rolled back v2.38.1."}},
		Changes:    changes(),
		Priorities: priorities,
		MayAct:     true,
	}
}

func nightTimeline() []incidents.Event {
	sms := &incidents.Attempt{PageID: 41, Person: ana, Medium: "sms", Contact: "+34 ••• 001", State: incidents.Delivered, At: at("03:00:11"), Number: 1}
	failed := &incidents.Attempt{PageID: 41, Person: ana, Medium: "slack", Contact: "@ana", State: incidents.Failed, At: at("03:05:09"), Error: "Slack did not answer within 10 seconds", Number: 2}
	instead := &incidents.Attempt{PageID: 41, Person: ana, Medium: "email", Contact: "a•••@acme.example", State: incidents.Sent, At: at("03:05:10"), Number: 1, InsteadOf: "slack"}
	return []incidents.Event{
		{ID: 1, At: at("03:00:08"), Kind: "received", Sender: sre.Name, Warnings: []string{"Nobody knows a deployment “prod-eu-2”; it is shown as it came."}},
		{ID: 2, At: at("03:00:08"), Kind: "step", Policy: payments, Step: 1, Run: 1, Targets: []string{"main on call in Payments"}, People: []element.Person{ana}},
		{ID: 1, At: at("03:00:09"), Kind: incidents.KindAttempt, Attempt: sms},
		{ID: 2, At: at("03:05:09"), Kind: incidents.KindAttempt, Attempt: failed},
		{ID: 3, At: at("03:05:10"), Kind: incidents.KindAttempt, Attempt: instead},
		{ID: 3, At: at("03:08:08"), Kind: "repeated", Count: 3},
		{ID: 4, At: at("03:09:44"), Kind: "note", By: ben.Name, Text: "Ledger looks fine from here, I think it is us."},
	}
}

func acknowledged() incidents.IncidentPage {
	p := triggered()
	p.Status = incidents.Acknowledged
	p.AcknowledgedAt, p.AcknowledgedBy = at("03:12:02"), ana.Name
	p.Frame.Flash = &layout.Flash{Text: "Acknowledged 03:12:02. You own this incident; paging has stopped."}
	p.Paged[0].State, p.Paged[0].NextTry = incidents.Answered, time.Time{}
	p.Paged[1].State = incidents.Withdrawn
	p.Next = nil
	p.Timeline = append(p.Timeline, incidents.Event{ID: 5, At: at("03:12:02"), Kind: "acknowledged", By: ana.Name, Via: "sms"})
	return p
}

// everyKind is an incident with a long history: every kind of line there is.
func everyKind() incidents.IncidentPage {
	p := acknowledged()
	p.Frame.Flash = nil
	p.Priority, p.PrioritySource = p1, "set by Ben Adeyemi"
	p.Facts.BudgetRemaining, p.Facts.BrokenBy, p.Facts.BurnRate = number(-140), nil, number(6.1)
	p.Facts.SLA, p.Facts.PausedUntil = true, at("04:53:05")
	p.Description = "Requests to https://api.acme.example/data fail.\nSince the last deployment."
	p.Signal.Labels = []element.Pair{{Name: "alertname", Value: "DataUnavailable"}, {Name: "instance", Value: "data-1"}}
	p.Alerts = []incidents.Alert{
		{Title: "DataUnavailable on data-1", Sender: sre.Name, Firing: true, StartedAt: at("03:00:08"), Occurrences: 4},
		{Title: "DataUnavailable on data-2", Sender: sre.Name, StartedAt: at("03:00:08"), ResolvedAt: at("03:04:00"), Occurrences: 1},
	}
	p.FlappingSince = at("03:10:00")
	p.LowUrgency = true
	people := []element.Person{ana}
	p.Timeline = []incidents.Event{
		{At: at("01:00:08").AddDate(0, 0, -1), Kind: "received", Sender: sre.Name},
		{At: at("01:00:09").AddDate(0, 0, -1), Kind: "waiting", Until: at("09:00:00")},
		{At: at("02:00:08"), Kind: "raised", Sender: sre.Name, From: "P3", To: "P2"},
		{At: at("02:00:08"), Kind: "step", Policy: payments, Step: 1, Run: 2, Targets: []string{"main on call in Payments"}, People: people},
		{At: at("02:00:09"), Kind: "attempt", Attempt: &incidents.Attempt{PageID: 1, Person: ana, Medium: "sms", State: incidents.Sent, At: at("02:00:10"), Number: 2, Again: true, With: 3}},
		{At: at("02:00:10"), Kind: "attempt", Attempt: &incidents.Attempt{PageID: 1, Person: ana, Medium: "email", State: incidents.Failed, At: at("02:00:10"), Error: "mailbox full", RetryAt: at("03:13:10")}},
		{At: at("02:00:11"), Kind: "attempt", Attempt: &incidents.Attempt{PageID: 1, Person: ana, Medium: "email", State: incidents.AttemptWithdrawn, At: at("02:00:11")}},
		{At: at("02:00:12"), Kind: "attempt", Attempt: &incidents.Attempt{Medium: "slack", Contact: "#payments-slo-breaches", State: incidents.Sent, At: at("02:00:12")}},
		{At: at("02:01:00"), Kind: "passed_over", Step: 2, Targets: []string{"backup on call in Payments"}},
		{At: at("02:02:00"), Kind: "handover", Targets: []string{"main on call in Payments"}, People: []element.Person{ben}},
		{At: at("02:03:00"), Kind: "exhausted", Policy: payments, Run: 4, Count: 9, Targets: []string{"Dana Levi"}},
		{At: at("02:03:10"), Kind: "exhausted", Policy: payments},
		{At: at("02:03:20"), Kind: "exhausted"},
		{At: at("02:03:30"), Kind: "shadow_ack", By: emre.Name, Via: "sms"},
		{At: at("02:04:00"), Kind: "acknowledged", By: ben.Name, Via: "link"},
		{At: at("02:05:00"), Kind: "unacknowledged", By: ben.Name},
		{At: at("02:06:00"), Kind: "still_on_it", People: []element.Person{ben}},
		{At: at("02:11:00"), Kind: "ack_expired"},
		{At: at("02:12:00"), Kind: "escalated", By: chiara.Name, Via: "api"},
		{At: at("02:13:00"), Kind: "priority", By: ben.Name, From: "P2", To: "P1", Text: "All of Europe by now."},
		{At: at("02:14:00"), Kind: "channel_failed", To: "#payments-slo-breaches", Text: "the channel is archived"},
		{At: at("02:15:00"), Kind: "recovered", Sender: sre.Name},
		{At: at("02:15:00"), Kind: "resolved", Sender: "SRE infrastructure"},
		{At: at("02:16:00"), Kind: "reopened", Sender: sre.Name},
		{At: at("02:16:30"), Kind: "flapping", Count: 3, Until: at("03:46:00")},
		{At: at("02:50:00"), Kind: "settled"},
		{At: at("02:51:00"), Kind: "resolved", By: ana.Name, Text: "Rolled back v2.41.0."},
		{At: at("02:51:05"), Kind: "resolve_undone", By: ana.Name, To: "triggered"},
		{At: at("02:51:30"), Kind: "resolve_undone", By: ana.Name},
		{At: at("02:52:00"), Kind: "reopened", By: ana.Name},
	}
	return p
}

func resolved() incidents.IncidentPage {
	p := acknowledged()
	p.Status = incidents.Resolved
	p.ResolvedAt, p.ResolvedBy, p.Resolution = at("03:12:15"), ana.Name, "Rolled back v2.41.0."
	p.Frame.Flash = &layout.Flash{Text: "Resolved #17.", Undo: "/incidents/17/undo-resolve", Later: "/incidents/17/reopen", LaterLabel: "Reopen and page"}
	p.Paged, p.Before = nil, nil
	return p
}

// sparseIncident is an incident about which the sender said little.
func sparseIncident() incidents.IncidentPage {
	p := triggered()
	p.Title = "availability of checkout: latency-p99-really-long-identifier-without-any-space-in-it-at-all-eu-west-1"
	p.Facts, p.Runbook, p.Links, p.Before = incidents.Facts{SLO: "Latency"}, incidents.Runbook{}, nil, nil
	p.Priority, p.PrioritySource, p.Deployment, p.Occurrences = element.Priority{}, "", "", 1
	p.MutedUntil = at("05:00:00")
	p.Signal = incidents.Signal{Sender: sre.Name, DedupKey: "latency"}
	p.Timeline = p.Timeline[:1]
	p.Paged = []incidents.Recipient{{PageID: 7, Person: chiara, Role: "main", State: incidents.Unreached}}
	p.Next = []incidents.Upcoming{{Kind: incidents.NextTry, At: at("03:15:00")}}
	return p
}

// alarming is an incident that nobody hears of.
func alarming() incidents.IncidentPage {
	p := sparseIncident()
	p.Title, p.MutedUntil, p.NoPolicy = "It smells of smoke", time.Time{}, true
	p.Description = "Of smoke, in the lobby.\nSince noon."
	p.Paged[0].NotSetUp = []string{"voice"}
	p.Timeline = []incidents.Event{
		{ID: 1, At: at("03:00:08"), Kind: "received", By: "Ana Ortiz"},
		{ID: 2, At: at("03:00:08"), Kind: "exhausted"},
	}
	return p
}

// gathering is an incident whose page waits for others.
func gathering() incidents.IncidentPage {
	p := triggered()
	p.Paged[0].Last = nil
	p.Paged[0].Waits = &incidents.Waiting{Medium: "sms", Until: at("03:13:08")}
	p.Timeline = p.Timeline[:2]
	return p
}

func mistaken() incidents.IncidentPage {
	p := triggered()
	p.NoteField = element.Field{Error: "Write something, or leave it."}
	p.PriorityForm = incidents.PriorityForm{Level: element.Field{Value: "1"}, Reason: element.Field{Error: "Say why, for those who read it tomorrow."}}
	p.Frame.Flash = &layout.Flash{Text: "The priority was not changed.", Failed: true}
	return p
}

func incidentPages() []Page {
	watching := triggered()
	watching.MayAct = false
	return []Page{
		{"incident-triggered", incidents.Incident(triggered())},
		{"incident-acknowledged", incidents.Incident(acknowledged())},
		{"incident-resolved", incidents.Incident(resolved())},
		{"incident-every-kind", incidents.Incident(everyKind())},
		{"incident-sparse", incidents.Incident(sparseIncident())},
		{"incident-alarming", incidents.Incident(alarming())},
		{"incident-gathering", incidents.Incident(gathering())},
		{"incident-mistaken", incidents.Incident(mistaken())},
		{"incident-watching", incidents.Incident(watching)},
		{"incident-new", incidents.NewIncident(opening())},
		{"incident-new-wrong", incidents.NewIncident(openingWrong())},
		{"page-somebody", incidents.PageSomebody(paging())},
		{"page-search", incidents.PageSomebody(pagingSearch())},
		{"incident-owned", incidents.Incident(owned())},
		{"incident-asked", incidents.Incident(askedIncident())},
		{"ask-responders", incidents.Ask(ask(false))},
		{"ask-handover", incidents.Ask(ask(true))},
		{"bulk", incidents.Bulk(bulk())},
		{"link-asked", link.Incident(linkAsked())},
		{"link-joined", link.Incident(linkPage(link.DoneJoined))},
		{"why-me", incidents.Why(why())},
		{"why-administrators", incidents.Why(whyAdministrators())},
		{"link-open", link.Incident(linkPage(link.DoneNothing))},
		{"link-escalated", link.Incident(linkPage(link.DoneEscalated))},
		{"link-acknowledged", link.Incident(linkPage(link.DoneAcknowledged))},
		{"link-already", link.Incident(linkPage(link.DoneAlready))},
		{"link-resolved", link.Incident(linkPage(link.DoneResolved))},
		{"link-expired", link.Expired(link.ExpiredPage{Clock: element.Clock{Now: now, Zone: madrid}, Number: 17})},
	}
}

func why() incidents.WhyPage {
	return incidents.WhyPage{
		Frame: frame("Why me?", layout.Incidents), Number: 17, Title: title, Person: ana, You: true, PagedAt: at("03:00:08"),
		Policy: payments, Step: 1, Run: 1, Target: "main on call in Payments",
		Schedule: payments, Position: "main", Layer: "weekly", Urgency: "high", Handover: true,
		Override: incidents.WhyOverride{By: dana.Name, Replaced: chiara, From: at("00:00:00"), To: at("09:00:00"), Reason: "Chiara is ill."},
		Rules:    []incidents.WhyRule{{Medium: "sms", Contact: "+34 ••• 001"}, {Medium: "email", Contact: "a•••@acme.example", After: 5 * time.Minute}},
		Attempts: []incidents.Attempt{*nightTimeline()[2].Attempt, *nightTimeline()[3].Attempt, *nightTimeline()[4].Attempt},
	}
}

func whyAdministrators() incidents.WhyPage {
	return incidents.WhyPage{
		Frame: frame("Why Dana?", layout.Incidents), Number: 17, Title: title, Person: dana, PagedAt: at("03:00:08"),
		Administrators: true, Urgency: "high", EscalatedBy: ben.Name,
	}
}

func linkPage(done link.Done) link.Page {
	p := link.Page{
		Clock: element.Clock{Now: now, Zone: madrid}, Token: "3fJk", Person: ana, Done: done, At: at("03:12:18"),
		Number: 17, Title: title, Status: incidents.Triggered, Priority: p2, Service: checkout.Name, Deployment: "Production Europe",
		CreatedAt: at("03:00:08"), Occurrences: 3, Facts: facts, Runbook: runbook,
		Why: "you are main on call in Payments (policy Payments, step 1)", Others: []element.Person{emre}, Next: triggered().Next,
	}
	switch done {
	case link.DoneEscalated:
		p.Others = []element.Person{ben}
	case link.DoneAcknowledged:
		p.Status, p.AcknowledgedBy, p.AcknowledgedAt = incidents.Acknowledged, ana.Name, at("03:12:18")
	case link.DoneAlready, link.DoneJoined:
		p.Status, p.AcknowledgedBy, p.AcknowledgedAt = incidents.Acknowledged, ben.Name, at("03:11:40")
	case link.DoneResolved:
		p.Status, p.ResolvedBy, p.ResolvedAt = incidents.Resolved, ana.Name, at("03:12:18")
	}
	return p
}

func row(n int64, s incidents.Status, title string, p element.Priority, service element.Ref, where string, age time.Duration) incidents.Row {
	r := incidents.Row{Number: n, Version: 2, Title: title, Status: s, Priority: p, Service: service, Deployment: where,
		CreatedAt: now.Add(-age), LastSeenAt: now, Occurrences: n % 4}
	switch s {
	case incidents.Triggered:
		r.Paged = []element.Person{ana, ben}[:1+n%2]
	case incidents.Acknowledged:
		r.Owner = ben
	case incidents.Resolved:
		r.OwnerName, r.ResolvedAt = "API token deploy-bot", now.Add(-age/2)
	}
	return r
}

func listPages() []Page {
	list := func(t incidents.Tab) incidents.ListPage {
		return incidents.ListPage{
			Frame: frame("Incidents", layout.Incidents), Tab: t, Sort: t.Default(),
			Counts:   incidents.Counts{Mine: 2, Unanswered: 3, Open: 5},
			Services: []element.Ref{checkout, ledger, search}, Teams: []element.Ref{payments, platform}, Priorities: priorities,
			MayAct: true,
		}
	}
	some := list(incidents.Open)
	some.Rows = []incidents.Row{
		row(17, incidents.Triggered, title, p2, checkout, "Production Europe", 12*time.Minute),
		row(16, incidents.Triggered, "Ledger answers too slowly", p1, ledger, "Production Europe", 14*time.Minute),
		row(15, incidents.Triggered, "Nightly export is late", element.Priority{}, ledger, "Staging", 3*time.Hour),
		row(14, incidents.Acknowledged, "Search results are stale in the United States", p3, search, "Production US", 5*time.Hour),
		row(12, incidents.Acknowledged, "Freshness of the product catalog", p3, search, "Production Europe", 30*time.Hour),
	}
	some.Older = "tab=open&before=12"
	past := list(incidents.Past)
	past.Newest = "tab=resolved"
	for n := int64(11); n > 3; n-- {
		past.Rows = append(past.Rows, row(n, incidents.Resolved, "Availability of get data API", p2, checkout, "Production Europe", time.Duration(20-n)*26*time.Hour))
	}
	nothing := list(incidents.Open)
	nothing.Counts = incidents.Counts{}
	nothing.Frame.User.Unanswered = 0
	fresh := nothing
	fresh.Frame = administrator("Incidents", layout.Incidents)
	fresh.Fresh = true
	none := list(incidents.Unanswered)
	none.Filter = incidents.Filter{Service: "search", Priority: "1", Query: "latency"}
	mine := list(incidents.Mine)
	mine.Counts.Mine = 0
	return []Page{
		{"list-some", incidents.List(some)},
		{"list-resolved", incidents.List(past)},
		{"list-storm", incidents.List(storm(list(incidents.Unanswered)))},
		{"list-nothing", incidents.List(nothing)},
		{"list-fresh", incidents.List(fresh)},
		{"list-filtered", incidents.List(none)},
		{"list-mine", incidents.List(mine)},
	}
}

func storm(p incidents.ListPage) incidents.ListPage {
	p.Counts = incidents.Counts{Mine: 34, Unanswered: 61, Open: 70}
	p.Frame.User.Unanswered = 61
	p.Frame.Banners = []layout.Banner{outage, unavailable}
	n := int64(120)
	for i, service := range []element.Ref{ledger, checkout, search, {Slug: "mail", Name: "Mail gateway"}} {
		g := incidents.Group{Service: service, Count: 34 / (i + 1), Unanswered: 30 / (i + 1),
			OldestUnanswered: now.Add(-time.Duration(4-i) * time.Minute), Worst: element.Priority{Level: i + 1, Name: fmt.Sprintf("P%d", i+1)}}
		if i == 3 {
			g.Worst, g.Unanswered = element.Priority{}, 0
		}
		for range 4 {
			s := incidents.Triggered
			if i == 3 {
				s = incidents.Acknowledged
			}
			g.Rows = append(g.Rows, others(i == 0, row(n, s, fmt.Sprintf("Availability of %s, shard %d", service.Name, n%16), g.Worst, service, "Production Europe", time.Duration(121-n)*13*time.Second)))
			n--
		}
		p.Groups = append(p.Groups, g)
	}
	p.Groups = append(p.Groups, incidents.Group{Service: element.Ref{Slug: "archive", Name: "Archive"}, Count: 1, Unanswered: 1, OldestUnanswered: now.Add(-time.Minute)})
	p.Older = "tab=unanswered&before=104"
	return p
}

// others is a row that may be of another team than the reader's.
func others(are bool, r incidents.Row) incidents.Row {
	r.Others = are
	return r
}

// changes are a deployment with all that it can have, and one with a long summary
// alone.
func changes() []incidents.Change {
	return []incidents.Change{
		{At: now.Add(-20 * time.Minute), Summary: "Deployed checkout 2.40.0", Source: "ci", Links: []element.Link{{Text: "Pipeline", Href: "https://ci.acme.example/runs/1"}}},
		{At: now.Add(-3 * time.Hour), Summary: strings.Repeat("The flag for the new prices is on for another tenth of all customers. ", 6)},
	}
}
