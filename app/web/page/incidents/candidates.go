package incidents

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// maxCandidates bounds how many candidates of a kind are offered.
const maxCandidates = 20

// candidates are the people, teams and schedules that a search finds, by name, email
// address or slug. An empty search finds what is near a service: its team's people, and
// all teams and schedules.
func candidates(req *page.Request, query string, service catalog.Service) []view.CandidateGroup {
	var groups []view.CandidateGroup
	for _, g := range []view.CandidateGroup{
		{Field: "users", Title: "People", Candidates: people(req, query, service)},
		{Field: "schedules", Title: "On call", Candidates: schedules(req, query)},
		{Field: "teams", Title: "Teams", Candidates: teams(req, query)},
	} {
		if g.More = len(g.Candidates) - maxCandidates; g.More > 0 {
			g.Candidates = g.Candidates[:maxCandidates]
		}
		if len(g.Candidates) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// found reports whether one of some texts has a search in it.
func found(query string, texts ...string) bool {
	query = strings.ToLower(strings.TrimSpace(query))
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), query) })
}

func people(req *page.Request, query string, service catalog.Service) []view.Candidate {
	roster := req.Config.Roster
	isNear := func(int64) bool { return true }
	if query == "" && service.TeamID != nil {
		members := roster.Teams[*service.TeamID].Members
		isNear = func(id int64) bool { return slices.Contains(members, id) }
	}
	var all []view.Candidate
	for id, p := range roster.People {
		if id == req.User.ID || !isNear(id) || !found(query, p.Name, p.Email) {
			continue
		}
		all = append(all, view.Candidate{Value: web.FormatInt(id), Name: p.Name, Unreachable: !p.Reachable})
	}
	return sorted(all)
}

func teams(req *page.Request, query string) []view.Candidate {
	var all []view.Candidate
	for id, t := range req.Config.Roster.Teams {
		if found(query, t.Name, t.Slug) && len(t.Members) > 0 {
			all = append(all, view.Candidate{Value: web.FormatInt(id), Name: "Everyone in " + t.Name, Note: element.Count(len(t.Members), "person")})
		}
	}
	return sorted(all)
}

func schedules(req *page.Request, query string) []view.Candidate {
	var all []view.Candidate
	for id, s := range req.Config.Roster.Schedules {
		if !found(query, s.Name, s.Slug) {
			continue
		}
		named := req.Config.Roster.AskedFirst(id, req.Clock.Now)
		c := view.Candidate{Value: web.FormatInt(id), Name: "On call in " + s.Name, Unreachable: len(named) == 0}
		if len(named) > 0 {
			c.Note = element.Names(req.Config.Reached(named))
		}
		all = append(all, c)
	}
	return sorted(all)
}

func sorted(all []view.Candidate) []view.Candidate {
	slices.SortFunc(all, func(a, b view.Candidate) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return all
}
