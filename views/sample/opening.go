package sample

import (
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

func opening() incidents.OpeningPage {
	return incidents.OpeningPage{
		Frame: frame("New incident", layout.Incidents), Key: "k1",
		Title: element.Field{Value: "Nobody can pay by card"}, Service: element.Field{Value: checkout.Slug}, Priority: element.Field{Value: "1"},
		Services: []element.Ref{checkout, ledger, search}, Deployments: []element.Ref{{Slug: "prod-eu", Name: "Production Europe"}}, Priorities: priorities,
		Preview: &incidents.Preview{People: []incidents.Reach{{Person: ana, How: "by SMS, after 5 min by email"}, {Person: ben}}},
	}
}

func openingWrong() incidents.OpeningPage {
	p := opening()
	p.Title = element.Field{Error: "Enter a title."}
	p.Preview = &incidents.Preview{NoPolicy: true, WaitsUntil: at("09:00:00")}
	return p
}

func paging() incidents.PagingPage {
	return incidents.PagingPage{
		Frame: frame("Page somebody", layout.Incidents), Key: "k1", Number: 17, Title: title,
		Targets: []incidents.PagingTarget{
			{Field: "users", Value: "2", Name: ben.Name, People: []incidents.Reach{{Person: ben, How: "by SMS"}}},
			{Field: "teams", Value: payments.Slug, Name: "everyone in Payments", People: []incidents.Reach{{Person: ana, How: "by SMS"}, {Person: chiara}}},
		},
		Reason:   element.Field{Error: "Say why: it is in the page."},
		Services: []element.Ref{checkout},
	}
}

func pagingSearch() incidents.PagingPage {
	return incidents.PagingPage{
		Frame: frame("Page somebody", layout.Incidents), Query: "pay", Wrong: "Choose whom to page.",
		Candidates: []incidents.CandidateGroup{
			{Field: "users", Title: "People", Candidates: []incidents.Candidate{{Value: "1", Name: ana.Name}, {Value: "3", Name: chiara.Name, Unreachable: true}}},
			{Field: "teams", Title: "Teams", Candidates: []incidents.Candidate{{Value: "1", Name: "Everyone in Payments", Note: "5 people"}}},
		},
	}
}
