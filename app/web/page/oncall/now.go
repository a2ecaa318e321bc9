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
	data := view.NowPage{Frame: frame, Query: query, SeesSchedules: req.May(auth.ViewSchedules)}
	for _, t := range teamsNow(req) {
		if t.Schedules = matchingSchedules(req, t, query); len(t.Schedules) > 0 {
			data.Teams = append(data.Teams, t)
		}
	}
	if query != "" && len(data.Teams) == 0 {
		data.Known = explainNoMatch(req, query)
	}
	return page.Render(c, http.StatusOK, view.Now(data))
}

// maxExplanations bounds the sentences of explainNoMatch.
const maxExplanations = 10

// explainNoMatch describes what matches a search that finds nobody on call: people,
// for readers who may see them, teams and services, a sentence each.
func explainNoMatch(req *page.Request, query string) []string {
	var known []string
	for _, u := range req.Config.Users {
		if req.May(auth.ViewPeople) && u.Active && matchesAny(query, u.Name, u.Email) {
			known = append(known, u.Name+" is "+scheduleNames(req, oncall.Person(u.ID))+".")
		}
	}
	for _, t := range req.Config.Teams {
		if matchesAny(query, t.Name, t.Slug) {
			known = append(known, "The team "+t.Name+" has no schedule.")
		}
	}
	for _, s := range req.Config.Services {
		if matchesAny(query, s.Name, s.Slug) {
			known = append(known, "No schedule belongs to the team of "+s.Name+".")
		}
	}
	return known[:min(len(known), maxExplanations)]
}

// scheduleNames names the schedules of a person who is neither on call nor next.
func scheduleNames(req *page.Request, person oncall.Person) string {
	var names []string
	for _, s := range req.Schedules() {
		if page.Mentions(s.Schedule, person) {
			names = append(names, s.Name)
		}
	}
	if names == nil {
		return "in no schedule"
	}
	return "in " + element.And(names) + ", but neither on call nor next"
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

// matchingSchedules are all schedules of a team if the team or one of its services
// matches a search, else those whose names or people match.
func matchingSchedules(req *page.Request, t view.Team, query string) []view.ScheduleNow {
	if matchesAny(query, t.Team.Name, t.Team.Slug) {
		return t.Schedules
	}
	for _, s := range req.Config.Services {
		if t.Team.Slug != "" && req.Config.TeamRef(s.TeamID) == t.Team && matchesAny(query, s.Name, s.Slug) {
			return t.Schedules
		}
	}
	return slices.DeleteFunc(t.Schedules, func(s view.ScheduleNow) bool {
		words := []string{s.Schedule.Name, s.Schedule.Slug}
		for _, position := range s.Positions {
			for _, h := range append(position.Now, position.Next) {
				words = append(words, h.Person.Name, h.Email)
			}
		}
		return !matchesAny(query, words...)
	})
}

func matchesAny(query string, words ...string) bool {
	return page.MatchOf(query, words...) > page.NoMatch
}
