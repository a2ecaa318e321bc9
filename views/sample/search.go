package sample

import found "github.com/tocsin-oncall/tocsin/views/search"

func searchPages() []Page {
	pay := found.Page{Frame: frame("Search", ""), Query: "pay", Groups: []found.Group{
		{Name: "Incidents", Hits: []found.Hit{
			{Href: "/incidents/17", Icon: "siren", Text: "#17 " + title, More: "Triggered · P2 · Checkout API"},
			{Href: "/incidents?tab=resolved&q=pay", Icon: "search", Text: "Resolved incidents with “pay”"}}},
		{Name: "People", Hits: []found.Hit{{Href: "/people/13", Icon: "user", Text: farah.Name, More: "responder"}}},
		{Name: "Teams", Hits: []found.Hit{{Href: "/teams/payments", Icon: "users", Text: payments.Name}}},
		{Name: "Actions", Hits: []found.Hit{{Href: "/page", Icon: "bell-ring", Text: "Page somebody"}}},
	}}
	return []Page{
		{"search", found.Search(pay)},
		{"search-none", found.Search(found.Page{Frame: frame("Search", ""), Query: "billing"})},
	}
}
