package sample

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/integrations"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
	"github.com/tocsin-oncall/tocsin/views/services"
	"github.com/tocsin-oncall/tocsin/views/teams"
)

func catalogPages() []Page {
	tree := []services.Node{
		{Service: shop, Description: "What customers see", Children: []services.Node{
			{Service: checkout, Team: payments, Description: "Prices, carts and orders", Open: 2, Unanswered: 1, Worst: p2, Children: []services.Node{
				{Service: ledger, Team: payments, Open: 1, Worst: p3}}},
			{Service: search, Team: platform},
		}},
		{Service: element.Ref{Slug: "mail", Name: "Mail gateway"}, Team: platform},
	}
	service := services.Page{
		Frame: frame("Checkout API", layout.Services), Service: checkout, Description: "Prices, carts and orders, for the shop and for partners.",
		Ancestors: []element.Ref{shop}, Children: tree[0].Children[0].Children, Team: payments, Policy: payments,
		Deployments: []services.Deployment{{Slug: "prod-eu", Name: "Production Europe", Region: "EU", Production: true}, {Slug: "staging", Name: "Staging", Region: "EU"}},
		Runbook:     element.Link{Text: "checkout-api"}, Dashboards: []element.Link{{Text: "Checkout", Href: "https://dash.acme.example/checkout"}},
		ReopenWindow: "5 minutes", Changes: changes(), Integrations: []element.Ref{sre}, Reach: services.Reach{People: []element.Person{ana}, By: services.ByStep, Step: 1},
		SLOs: []services.SLO{
			{Name: "Availability of get data API", Endpoint: "GET /api/data/{tenant}", SLI: "availability", Objective: 99.7, Window: "28d", Priority: p2, PriorityReason: "Customers cannot see their data, but nothing is lost."},
			{Name: "Latency of checkout", SLI: "latency", Objective: 95, Window: "7d"}},
		Open: []incidents.Row{row(17, incidents.Triggered, title, p2, checkout, "Production Europe", 12*time.Minute)},
	}
	limited := service
	limited.Frame.User = layout.User{Person: goran, Role: "stakeholder", Sees: layout.Sees{Catalog: true}}
	lonely := services.Page{Frame: frame("Mail gateway", layout.Services), Service: element.Ref{Slug: "mail", Name: "Mail gateway"}}
	members := []teams.Member{
		{Person: ana, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Email: "ana@acme.example"}, Role: "responder"}, {Person: ben, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Email: "ben@acme.example"}, Role: "responder"},
		{Person: chiara, Contacts: element.Contacts{Phones: []string{"+34600000001"}, Email: "chiara@acme.example"}, Role: "responder", Unreachable: true}}
	return []Page{
		{"services", services.List(services.ListPage{Frame: frame("Services", layout.Services), Services: tree})},
		{"services-none", services.List(services.ListPage{Frame: administrator("Services", layout.Services)})},
		{"service", services.Service(service)},
		{"service-stakeholder", services.Service(limited)},
		{"service-lonely", services.Service(lonely)},
		{"teams", teams.List(teams.ListPage{Frame: frame("Teams", layout.Teams), Teams: []teams.ListRow{
			{Team: payments, Manager: dana, Members: []element.Person{ana, ben, chiara}, Services: 3, OnCall: []element.Person{ana, ben}, Open: 3},
			{Team: platform, Members: []element.Person{farah, goran}, Services: 2, OnCall: []element.Person{farah}, Uncovered: true}}})},
		{"teams-none", teams.List(teams.ListPage{Frame: administrator("Teams", layout.Teams)})},
		{"team", teams.Team(teams.Page{Frame: frame("Payments", layout.Teams), Team: payments, Manager: dana, Members: members,
			Schedules: []oncall.ScheduleNow{paymentsNow(), coordinatorsNow()}, Policies: []element.Ref{payments}, Services: []element.Ref{checkout, ledger},
			Chat: "#payments-slo-breaches", SupportHours: "Mon–Fri 09:00–17:00, Europe/Berlin", Open: 3})},
		{"team-empty", teams.Team(teams.Page{Frame: frame("Platform", layout.Teams), Team: platform})},
	}
}

func integrationPages() []Page {
	page := integrations.Page{
		Frame: frame("SRE infrastructure", layout.Integrations), Integration: sre, Kind: "SLO breach", Service: checkout,
		Endpoint: "https://tocsin.acme.example/webhooks/slo", KeyEnd: "key1", Native: true, Noun: "breach", Identity: "a signal’s own `dedup_key`, or else its deployment, endpoint, SLI and SLO name", MayReveal: true, MayReplay: true, MayTest: true,
		ExampleService: "checkout-api", WouldPage: "Ana Ortiz by SMS", RateLimit: 600, MayTestAlone: true,
		Tests: []integrations.TestTarget{{Service: checkout, Pages: "Ana Ortiz by SMS", People: []element.Person{ana}}},
		Dedup: `event.service + "/" + event.slo.name`,
		Signals: []integrations.Signal{
			{At: now.Add(-4 * time.Minute), Status: "breached", Title: title, DedupKey: "prod-eu|GET /api/data/{tenant}|availability|Availability of get data API", Incident: 17, Count: 3},
			{At: now.Add(-26 * time.Hour), Status: "recovered", Title: "Ledger answers too slowly", DedupKey: "ledger-latency", Incident: 16, Count: 1}},
		Rejected: []integrations.Rejected{
			{ID: 5, At: now.Add(-7 * time.Minute), Status: 422, Reason: "2 fields are wrong.", ContentType: "application/json", Remote: "10.4.2.17",
				Fields: []integrations.FieldFault{{Path: "slo.objective", Message: "An objective is a percentage between 0 and 100."}, {Path: "sli", Message: "Required."}},
				Body:   "{\n  \"service\": \"checkout-api\",\n  \"slo\": {\"name\": \"Availability\", \"objective\": 997}\n}"},
			{ID: 4, At: now.Add(-50 * time.Hour), Status: 400, Reason: "The body is not JSON.", ContentType: "text/plain", Remote: "10.4.2.17", Body: "breached <script>", Truncated: true,
				ReplayedAt: now.Add(-49 * time.Hour), ReplayedBy: dana.Name, ReplayResult: "refused again, for the same reason"}},
		OlderRejected: "rejected_before=4",
	}
	revealed := page
	revealed.Key = "slo0000000000000000000000000key1"
	waiting := integrations.Page{Frame: administrator("SRE infrastructure", layout.Integrations), Integration: sre, Kind: "SLO breach",
		Endpoint: page.Endpoint, KeyEnd: "key1", Native: true, Noun: page.Noun, Identity: page.Identity, ExampleService: "checkout-api"}
	other := integrations.Page{Frame: frame("Prometheus", layout.Integrations), Integration: element.Ref{Slug: "prometheus", Name: "Prometheus"}, Kind: "Prometheus Alertmanager",
		Service: checkout, Endpoint: "https://tocsin.acme.example/webhooks/alertmanager", KeyEnd: "key2", Noun: "alert", Identity: "an alert’s `fingerprint` within its `groupKey`",
		MayTest: true, Snippets: snippets(), WouldPage: "Ana Ortiz by SMS", MayTestAlone: true,
		Tests: []integrations.TestTarget{{Service: checkout, Pages: "Ana Ortiz by SMS"}, {Service: ledger}}}
	return []Page{
		{"integrations", integrations.List(integrations.ListPage{Frame: frame("Integrations", layout.Integrations), Integrations: []integrations.ListRow{
			{Integration: sre, Kind: "SLO breach", Service: checkout, LastAt: now.Add(-4 * time.Minute), Rejected: 2},
			{Integration: element.Ref{Slug: "catch-all", Name: "Everything else"}, Kind: "SLO breach"}}})},
		{"integrations-none", integrations.List(integrations.ListPage{Frame: administrator("Integrations", layout.Integrations)})},
		{"integration", integrations.Integration(page)},
		{"integration-revealed", integrations.Integration(revealed)},
		{"integration-waiting", integrations.Integration(waiting)},
		{"integration-alertmanager", integrations.Integration(other)},
	}
}
