package search

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/search"
)

// maxHits bounds what is found of one kind.
const maxHits = 6

// rankedHit is a hit with how well it matches.
type rankedHit struct {
	match page.Match
	view.Hit
}

type ranked []rankedHit

func (r *ranked) add(match page.Match, hit view.Hit) {
	if match > page.NoMatch {
		*r = append(*r, rankedHit{match, hit})
	}
}

// best are the first maxHits, by match and by name.
func (r ranked) best() []view.Hit {
	slices.SortStableFunc(r, func(a, b rankedHit) int {
		return cmp.Or(cmp.Compare(b.match, a.match), cmp.Compare(a.Text, b.Text))
	})
	return r[:min(len(r), maxHits)].all()
}

// all are the hits in the order in which they were added.
func (r ranked) all() []view.Hit {
	hits := make([]view.Hit, len(r))
	for i, h := range r {
		hits[i] = h.Hit
	}
	return hits
}

// named are people, teams, services, schedules, policies and integrations by their
// names, slugs and addresses.
func named(req *page.Request, query string) []view.Group {
	var people, teams, services, schedules, policies, integrations ranked
	if req.May(auth.ViewPeople) {
		for _, u := range req.Config.Users {
			if u.Active {
				people.add(page.MatchOf(query, u.Name, u.Email), view.Hit{Href: fmt.Sprintf("/people/%d", u.ID), Icon: "user", Text: u.Name, More: string(u.Role)})
			}
		}
		for _, t := range req.Config.Teams {
			teams.add(page.MatchOf(query, t.Name, t.Slug), view.Hit{Href: "/teams/" + t.Slug, Icon: "users", Text: t.Name})
		}
	}
	if req.May(auth.ViewCatalog) {
		for _, s := range req.Config.Services {
			services.add(page.MatchOf(query, s.Name, s.Slug), view.Hit{Href: "/services/" + s.Slug, Icon: "server", Text: s.Name, More: req.Config.TeamRef(s.TeamID).Name})
		}
	}
	if req.May(auth.ViewSchedules) {
		for _, s := range req.Config.Schedules {
			schedules.add(page.MatchOf(query, s.Name, s.Slug), view.Hit{Href: "/schedules/" + s.Slug, Icon: "calendar-clock", Text: s.Name, More: req.Config.TeamRef(s.TeamID).Name})
		}
	}
	if req.May(auth.ViewPolicies) {
		for _, k := range req.Config.Policies {
			policies.add(page.MatchOf(query, k.Name, k.Slug), view.Hit{Href: "/policies/" + k.Slug, Icon: "bell", Text: k.Name, More: req.Config.TeamRef(k.TeamID).Name})
		}
	}
	if req.May(auth.ViewIntegrations) {
		for _, i := range req.Config.Integrations {
			integrations.add(page.MatchOf(query, i.Name, i.Slug), view.Hit{Href: "/integrations/" + i.Slug, Icon: "webhook", Text: i.Name, More: req.Config.ServiceRef(i.ServiceID).Name})
		}
	}
	return []view.Group{
		{Name: "People", Hits: people.best()}, {Name: "Teams", Hits: teams.best()}, {Name: "Services", Hits: services.best()},
		{Name: "Schedules", Hits: schedules.best()}, {Name: "Escalation policies", Hits: policies.best()}, {Name: "Integrations", Hits: integrations.best()},
	}
}

// incidents are the one with the number that is asked for, written 17 or #17, and
// the open ones with the text in their title, service or key.
func (p *handlers) incidents(ctx context.Context, req *page.Request, query string) (view.Group, error) {
	found := view.Group{Name: "Incidents"}
	if query == "" || !req.May(auth.ViewIncidents) {
		return found, nil
	}
	var hits []view.Hit
	number, err := strconv.ParseInt(strings.TrimPrefix(query, "#"), 10, 64)
	if err != nil {
		number = 0
	}
	if number > 0 {
		row, err := p.Incidents.Incident(ctx, number)
		if err == nil {
			hits = append(hits, incidentHit(row))
		} else if !fault.Is(err, fault.KindNotFound) {
			return found, err
		}
	}
	open, err := p.Incidents.ListIncidents(ctx, incident.ListFilter{
		Statuses: []incident.Status{incident.Triggered, incident.Acknowledged}, Search: query, Limit: maxHits,
	})
	if err != nil {
		return found, err
	}
	for _, row := range open {
		if row.Number != number {
			hits = append(hits, incidentHit(row))
		}
	}
	found.Hits = hits[:min(len(hits), maxHits)]
	return found, nil
}

// maxMine bounds how many triggered incidents of the reader are counted.
const maxMine = 100

// mineTriggered counts the reader's incidents that an acknowledgment would change.
func (p *handlers) mineTriggered(ctx context.Context, req *page.Request) (int, error) {
	if req.Counts.Mine == 0 || req.Counts.Unanswered == 0 {
		return 0, nil
	}
	rows, err := p.Incidents.ListIncidents(ctx, incident.ListFilter{Statuses: []incident.Status{incident.Triggered}, MineOf: req.User.ID, Limit: maxMine})
	return len(rows), err
}

// resolved leads to the page that looks for resolved incidents, which takes longer than
// one may wait for while typing.
func resolved(req *page.Request, query string) view.Group {
	if query == "" || !req.May(auth.ViewIncidents) {
		return view.Group{}
	}
	address := "/incidents?" + url.Values{"tab": {"resolved"}, "q": {query}}.Encode()
	return view.Group{Name: "More", Hits: []view.Hit{{Href: address, Icon: "search", Text: "Resolved incidents with “" + query + "”"}}}
}

func incidentHit(row incident.Row) view.Hit {
	words := []string{page.Capitalize(string(row.Status))}
	if name := page.PriorityOf(&row).Name; name != "" {
		words = append(words, name)
	}
	if row.ServiceName != "" {
		words = append(words, row.ServiceName)
	}
	return view.Hit{Href: fmt.Sprintf("/incidents/%d", row.Number), Icon: "siren", Text: fmt.Sprintf("#%d %s", row.Number, row.Title), More: strings.Join(words, " · ")}
}

// actions are what the reader can begin from anywhere.
func actions(req *page.Request, sees layout.Sees, query string, triggered int) view.Group {
	var hits ranked
	add := func(allowed bool, hit view.Hit, synonyms ...string) {
		if allowed {
			hits.add(page.MatchOf(query, append(synonyms, hit.Text)...), hit)
		}
	}
	add(sees.Open, view.Hit{Href: "/incidents/new", Icon: "plus", Text: "New incident"}, "declare incident", "report incident", "create incident")
	add(sees.Page, view.Hit{Href: "/page", Icon: "bell-ring", Text: "Page somebody"}, "call", "alert", "notify")
	if sees.Open && triggered > 0 {
		add(true, view.Hit{Href: "/incidents?tab=mine", Icon: "check", Text: "Acknowledge mine…", More: element.Count(triggered, "incident")}, "ack")
	}
	add(req.May(auth.ManagePeople), view.Hit{Href: "/people#add", Icon: "user-plus", Text: "Add somebody"}, "new person")
	add(mayInvite(req), view.Hit{Href: "/people#invite", Icon: "user-plus", Text: "Invite a colleague"})
	return view.Group{Name: "Actions", Hits: hits.all()}
}

// mayInvite reports whether the reader may invite people to any team.
func mayInvite(req *page.Request) bool {
	return req.May(auth.Invite) || slices.ContainsFunc(req.Config.Teams, func(t catalog.Team) bool {
		return req.MayOn(auth.Invite, auth.Object{ManagerID: req.Config.ManagerOf(&t.ID)})
	})
}
