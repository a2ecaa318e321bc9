package oncall

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/oncall"
)

// onCallNow shows who is on call now, by team.
func (p *handlers) onCallNow(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Who is on call", layout.OnCall)
	if err != nil {
		return err
	}
	query := strings.TrimSpace(c.QueryParam("q"))
	data := view.NowPage{Frame: frame, Query: query}
	services := servicesFound(req, query)
	paged := pagedPositions(req, services)
	for _, t := range teamsNow(req) {
		if t.Schedules = matchingSchedules(t, query, paged); len(t.Schedules) > 0 {
			data.Teams = append(data.Teams, t)
		}
	}
	if query != "" {
		data.Services = pagedOtherwise(req, services)
		data.People = peopleFound(req, data.Teams, query)
		data.Known = explainNoMatch(req, query)
	}
	return page.Render(c, http.StatusOK, view.Now(data))
}

// maxExplanations bounds the people and the sentences beside what a search finds.
const maxExplanations = 10

// explainNoMatch describes teams that match a search and have nobody on call, a
// sentence each.
func explainNoMatch(req *page.Request, query string) []string {
	var known []string
	for _, t := range req.Config.Teams {
		if matchesAny(query, t.Name, t.Slug) {
			known = append(known, "The team "+t.Name+" has no schedule.")
		}
	}
	return known[:min(len(known), maxExplanations)]
}

// peopleFound are the people who match a search and are neither on call nor next in
// what is shown, with their shifts. Whoever has none is only for readers who may see
// people.
func peopleFound(req *page.Request, shown []view.Team, query string) []view.PersonFound {
	inCards := map[int64]bool{}
	for _, t := range shown {
		for _, s := range t.Schedules {
			for _, position := range s.Positions {
				for _, h := range append(position.Now, position.Next) {
					inCards[h.Person.ID] = true
				}
			}
		}
	}
	var found []view.PersonFound
	for _, u := range req.Config.Users {
		if !u.Active || inCards[u.ID] || !matchesAny(query, searchable(req, u)...) || len(found) == maxExplanations {
			continue
		}
		f := view.PersonFound{Person: req.Config.Person(u.ID), Contacts: req.Contacts(u.ID)}
		present, coming := req.Duties(u.ID)
		for _, d := range append(present, coming...) {
			f.Shifts = append(f.Shifts, view.PersonShift{Schedule: d.Schedule, Position: string(d.Position), From: d.Start, Until: d.End})
		}
		if len(f.Shifts) == 0 {
			if !req.May(auth.ViewPeople) {
				continue
			}
			f.Schedules = schedulesWith(req, oncall.Person(u.ID))
		}
		found = append(found, f)
	}
	return found
}

// searchable are the words that a reader may find a person by.
func searchable(req *page.Request, u auth.User) []string {
	if req.May(auth.ViewContacts) {
		return []string{u.Name, u.Email}
	}
	return []string{u.Name}
}

// schedulesWith are the schedules that name a person, by name.
func schedulesWith(req *page.Request, person oncall.Person) []element.Ref {
	var refs []element.Ref
	for _, s := range req.Schedules() {
		if page.Mentions(s.Schedule, person) {
			refs = append(refs, element.Ref{Slug: s.Slug, Name: s.Name})
		}
	}
	return refs
}

// teamsNow are the teams with schedules, by name; schedules without a team are last.
func teamsNow(req *page.Request) []view.Team {
	var teams []view.Team
	for _, ref := range append(req.Config.TeamRefs(), element.Ref{}) {
		t := view.Team{Team: ref}
		for _, s := range req.Schedules() {
			if req.Config.TeamRef(s.TeamID) == ref {
				t.Schedules = append(t.Schedules, req.ScheduleNow(s))
			}
		}
		if len(t.Schedules) > 0 {
			teams = append(teams, t)
		}
	}
	return teams
}

// matchingSchedules are all schedules of a team that matches a search, else those whose
// names or people match, and of the others the positions that a service found pages.
func matchingSchedules(t view.Team, query string, paged map[position]bool) []view.ScheduleNow {
	if matchesAny(query, t.Team.Name, t.Team.Slug) {
		return t.Schedules
	}
	var matching []view.ScheduleNow
	for _, s := range t.Schedules {
		if !matchesAny(query, wordsOf(s)...) {
			s.Positions = slices.DeleteFunc(s.Positions, func(p view.Position) bool { return !paged[position{s.Schedule.Slug, p.Name}] })
			if len(s.Positions) == 0 {
				continue
			}
		}
		matching = append(matching, s)
	}
	return matching
}

// wordsOf are what a search may find a schedule by.
func wordsOf(s view.ScheduleNow) []string {
	words := []string{s.Schedule.Name, s.Schedule.Slug}
	for _, position := range s.Positions {
		for _, h := range append(position.Now, position.Next) {
			words = append(words, h.Person.Name, h.Contacts.Email)
		}
	}
	return words
}

func matchesAny(query string, words ...string) bool {
	return page.MatchOf(query, words...) > page.NoMatch
}
