package incidents

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/incidents"
)

// Bounds on what is offered of each kind.
const (
	maxPeople    = 10
	maxTeams     = 5
	maxSchedules = 5
)

// pageable are the people, teams and schedules whose name has a text in it, in any
// case; people also by email address. Those who cannot be paged are left out. href is
// the page with one of them chosen.
func pageable(req *page.Request, text string, href func(field, value string) string) []view.PagingCandidate {
	text = strings.ToLower(strings.TrimSpace(text))
	matches := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(strings.ToLower(name), text) })
	}
	byName := func(a, b view.PagingCandidate) int { return strings.Compare(a.Name, b.Name) }
	var people, teams, schedules []view.PagingCandidate
	for _, u := range req.Config.Users {
		if u.Active && !req.Config.Unreachable(u.ID) && matches(u.Name, u.Email) {
			people = append(people, view.PagingCandidate{Name: u.Name, Note: u.Email, Href: href("users", web.FormatInt(u.ID))})
		}
	}
	for _, t := range req.Config.Teams {
		if matches(t.Name, t.Slug) {
			teams = append(teams, view.PagingCandidate{Name: t.Name, Note: "team", Href: href("teams", t.Slug)})
		}
	}
	for _, s := range req.Config.Schedules {
		if matches(s.Name, s.Slug) {
			schedules = append(schedules, view.PagingCandidate{Name: s.Name, Note: "on call in this schedule", Href: href("schedules", s.Slug)})
		}
	}
	for _, list := range [][]view.PagingCandidate{people, teams, schedules} {
		slices.SortFunc(list, byName)
	}
	return slices.Concat(people[:min(len(people), maxPeople)], teams[:min(len(teams), maxTeams)], schedules[:min(len(schedules), maxSchedules)])
}

// pagingHref is the form with another target chosen, or without one, written
// "users=7"; either may be empty.
func pagingHref(p view.PagingPage, field, value, without string) string {
	query := url.Values{}
	for _, t := range p.Targets {
		if t.Field+"="+t.Value != without {
			query.Add(t.Field, t.Value)
		}
	}
	if field != "" && !slices.Contains(query[field], value) {
		query.Add(field, value)
	}
	if p.Number != 0 {
		query.Set("incident", web.FormatInt(p.Number))
	}
	return "/page?" + query.Encode()
}
