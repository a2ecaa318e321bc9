// Package sample fills every page, in every state that is designed, with the
// life of an invented organisation. Tests look at them with axe and weigh them;
// the gallery below shows them to whoever works on the looks. No binary that is
// shipped contains it.
package sample

import (
	"time"

	"github.com/a-h/templ"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is one page in one state.
type Page struct {
	Name string // "incident-triggered": a file name without its ending
	Show templ.Component
}

// Pages are all of them.
func Pages() []Page {
	var pages []Page
	for _, some := range [][]Page{
		incidentPages(), listPages(), onCallPages(), catalogPages(),
		integrationPages(), accountPages(), entryPages(), failPages(), searchPages(),
	} {
		pages = append(pages, some...)
	}
	return pages
}

// now is the night of the invented breach, twelve minutes after it.
var now = time.Date(2026, 11, 23, 2, 12, 20, 0, time.UTC)

var madrid = zone("Europe/Madrid")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil { // the names are constants
		panic(err)
	}
	return z
}

// at is a wall-clock time of that night in Madrid: "03:00:08".
func at(clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-23 "+clock, madrid)
	if err != nil { // the clocks are constants
		panic(err)
	}
	return t
}

var (
	ana    = element.Person{ID: 8, Name: "Ana Ortiz"}
	ben    = element.Person{ID: 9, Name: "Ben Adeyemi"}
	chiara = element.Person{ID: 10, Name: "Chiara Conti"}
	dana   = element.Person{ID: 11, Name: "Dana Levi"}
	emre   = element.Person{ID: 12, Name: "Emre Yılmaz"}
	farah  = element.Person{ID: 13, Name: "Farah Siddiqui"}
	goran  = element.Person{ID: 14, Name: "Goran Ilić"}

	p1 = element.Priority{Level: 1, Name: "P1"}
	p2 = element.Priority{Level: 2, Name: "P2"}
	p3 = element.Priority{Level: 3, Name: "P3"}

	checkout = element.Ref{Slug: "checkout-api", Name: "Checkout API"}
	ledger   = element.Ref{Slug: "ledger", Name: "Ledger"}
	search   = element.Ref{Slug: "search", Name: "Search"}
	shop     = element.Ref{Slug: "online-shop", Name: "Online shop"}
	payments = element.Ref{Slug: "payments", Name: "Payments"}
	platform = element.Ref{Slug: "platform", Name: "Platform"}
	sre      = element.Ref{Slug: "sre", Name: "SRE infrastructure"}
)

var priorities = []element.Priority{p1, p2, p3}

func number(f float64) *float64 { return &f }

// frame is Ana's, on call until Monday.
func frame(title string, s layout.Section) layout.Frame {
	return layout.Frame{
		Mark:    "gallery-1",
		Title:   title,
		Section: s,
		User: layout.User{
			Person: ana, Role: "responder",
			OnCall: true, OnCallUntil: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC),
			Unanswered: 3,
			Sees:       everything,
		},
		Clock: element.Clock{Now: now, Zone: madrid},
	}
}

// everything is what a responder sees.
var everything = layout.Sees{Incidents: true, Catalog: true, Schedules: true, Policies: true, Teams: true, People: true,
	Integrations: true, Contacts: true, Open: true, Page: true}

// administrator's frame, on a first day.
func administrator(title string, s layout.Section) layout.Frame {
	f := frame(title, s)
	f.User = layout.User{
		Person: dana, Role: "administrator",
		Sees: everything,
	}
	f.User.Sees.Start = true
	f.Banners = []layout.Banner{logOnly}
	return f
}

// outage and unavailable are banners about channels.
var (
	outage      = layout.Banner{Kind: layout.Failing, Text: "Email has not worked since Mon 03:22.", Link: element.Link{Text: "Channels", Href: "/settings/channels"}}
	unavailable = layout.Banner{Kind: layout.Warning, Text: "Nobody is paged by SMS or in Slack: not set up.", Link: element.Link{Text: "Set up", Href: "/settings/channels"}}
)

var logOnly = layout.Banner{
	Kind: layout.Warning,
	Text: "No channel is set up: pages go to the server log only.",
	Link: element.Link{Text: "Set one up", Href: "/settings/channels"},
}
