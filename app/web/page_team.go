package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
	"github.com/tocsin-oncall/tocsin/views/teams"
)

func (p *pages) listTeams(c echo.Context, v *visit) error {
	frame, err := p.frame(c, v, "Teams", layout.Teams)
	if err != nil {
		return err
	}
	open, err := p.Pages.Incidents.OpenIncidents(c.Request().Context())
	if err != nil {
		return err
	}
	page := teams.ListPage{Frame: frame}
	for _, t := range slices.SortedFunc(slices.Values(v.picture.Teams), func(a, b catalog.Team) int { return cmp.Compare(a.Name, b.Name) }) {
		row := teams.ListRow{
			Team: element.Ref{Slug: t.Slug, Name: t.Name}, Manager: v.picture.personOf(t.ManagerID), Members: v.picture.persons(v.picture.roster.Teams[t.ID].Members),
			Services: len(v.picture.servicesOf(t.ID)), Open: v.picture.openIn(t.ID, open),
		}
		row.OnCall, row.Uncovered = onDuty(v.schedulesOf(t.ID))
		page.Teams = append(page.Teams, row)
	}
	return render(c, http.StatusOK, teams.List(page))
}

// onDuty are those who hold any position of schedules, each once, and whether a
// position has nobody.
func onDuty(schedules []oncall.ScheduleNow) (people []element.Person, uncovered bool) {
	for _, s := range schedules {
		for _, position := range s.Positions {
			covered := false
			for _, h := range position.Now {
				if h.Shadow {
					continue
				}
				covered = true
				if !slices.Contains(people, h.Person) {
					people = append(people, h.Person)
				}
			}
			uncovered = uncovered || !covered
		}
	}
	return people, uncovered
}

func (k *picture) servicesOf(teamID int64) []element.Ref {
	return k.servicesWhere(func(s catalog.Service) bool { return s.TeamID != nil && *s.TeamID == teamID })
}

func (k *picture) openIn(teamID int64, open map[int64]incident.ServiceCounts) int {
	n := 0
	for _, s := range k.Services {
		if s.TeamID != nil && *s.TeamID == teamID {
			n += open[s.ID].Open
		}
	}
	return n
}

func (v *visit) schedulesOf(teamID int64) []oncall.ScheduleNow {
	var all []oncall.ScheduleNow
	for _, s := range v.schedules() {
		if s.TeamID != nil && *s.TeamID == teamID {
			all = append(all, v.scheduleNow(s))
		}
	}
	return all
}

func (p *pages) showTeam(c echo.Context, v *visit) error {
	t, err := v.picture.team(c.Param("slug"))
	if err != nil {
		return p.nothingThere(err)
	}
	frame, err := p.frame(c, v, t.Name, layout.Teams)
	if err != nil {
		return err
	}
	open, err := p.Pages.Incidents.OpenIncidents(c.Request().Context())
	if err != nil {
		return err
	}
	page := teams.Page{
		Frame: frame, Team: element.Ref{Slug: t.Slug, Name: t.Name}, Manager: v.picture.personOf(t.ManagerID), Schedules: v.schedulesOf(t.ID),
		Services: v.picture.servicesOf(t.ID), Chat: t.SlackChannel, SupportHours: hours(t.SupportHours), Open: v.picture.openIn(t.ID, open),
	}
	for _, k := range v.picture.Policies {
		if k.TeamID != nil && *k.TeamID == t.ID {
			page.Policies = append(page.Policies, element.Ref{Slug: k.Slug, Name: k.Name})
		}
	}
	byName(page.Policies)
	for _, id := range v.picture.roster.Teams[t.ID].Members {
		u := v.picture.User(id)
		page.Members = append(page.Members, teams.Member{Person: v.picture.person(id), Email: u.Email, Role: string(u.Role), Unreachable: v.picture.unreachable(id)})
	}
	slices.SortFunc(page.Members, func(a, b teams.Member) int { return cmp.Compare(a.Person.Name, b.Person.Name) })
	return render(c, http.StatusOK, teams.Team(page))
}

// nothingThere is a page that does not exist, where a parameter of that name
// would be wrong.
func (p *pages) nothingThere(err error) error {
	if fault.Is(err, fault.KindInvalid) {
		return fault.NotFound("There is nothing at this address.").Because(err)
	}
	return err
}
