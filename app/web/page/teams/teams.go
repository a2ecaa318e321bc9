// Package teams has the pages about teams.
package teams

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
	view "github.com/tocsin-oncall/tocsin/views/teams"
)

// Incidents counts the open incidents of each service.
type Incidents interface {
	OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error)
}

// Deps is what the pages need. All are required.
type Deps struct {
	Incidents Incidents
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/teams", p.Require(auth.ViewPeople, p.listTeams))
	p.Routes.Get("/teams/:slug", p.Require(auth.ViewPeople, p.showTeam))
}

func (p *handlers) listTeams(c echo.Context, req *page.Request) error {
	frame, err := p.Frame(c, req, "Teams", layout.Teams)
	if err != nil {
		return err
	}
	open, err := p.openCounts(c.Request().Context(), req)
	if err != nil {
		return err
	}
	data := view.ListPage{Frame: frame}
	for _, t := range slices.SortedFunc(slices.Values(req.Config.Teams), func(a, b catalog.Team) int { return cmp.Compare(a.Name, b.Name) }) {
		row := view.ListRow{
			Team: element.Ref{Slug: t.Slug, Name: t.Name}, Manager: req.Config.PersonOf(t.ManagerID), Members: req.Config.Persons(req.Config.Roster.Teams[t.ID].Members),
			Services: len(servicesOf(req.Config, t.ID)), Open: openIn(req.Config, t.ID, open),
		}
		row.OnCall, row.Uncovered = onDuty(schedulesOf(req, t.ID))
		data.Teams = append(data.Teams, row)
	}
	return page.Render(c, http.StatusOK, view.List(data))
}

// onDuty are the people on call in any position, each once, and whether a position
// has a gap.
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

func servicesOf(config *page.Config, teamID int64) []element.Ref {
	return config.ServicesWhere(func(s catalog.Service) bool { return s.TeamID != nil && *s.TeamID == teamID })
}

func openIn(config *page.Config, teamID int64, open map[int64]incident.ServiceCounts) int {
	n := 0
	for _, s := range config.Services {
		if s.TeamID != nil && *s.TeamID == teamID {
			n += open[s.ID].Open
		}
	}
	return n
}

func schedulesOf(req *page.Request, teamID int64) []oncall.ScheduleNow {
	var all []oncall.ScheduleNow
	for _, s := range req.Schedules() {
		if s.TeamID != nil && *s.TeamID == teamID {
			all = append(all, req.ScheduleNow(s))
		}
	}
	return all
}

func (p *handlers) showTeam(c echo.Context, req *page.Request) error {
	t, err := req.Config.TeamNamed(c.Param("slug"))
	if err != nil {
		return page.NotFound(err)
	}
	frame, err := p.Frame(c, req, t.Name, layout.Teams)
	if err != nil {
		return err
	}
	open, err := p.openCounts(c.Request().Context(), req)
	if err != nil {
		return err
	}
	data := view.Page{
		Frame: frame, Team: element.Ref{Slug: t.Slug, Name: t.Name}, Manager: req.Config.PersonOf(t.ManagerID), Schedules: schedulesOf(req, t.ID),
		Services: servicesOf(req.Config, t.ID), Chat: t.SlackChannel, SupportHours: page.HoursText(t.SupportHours), Open: openIn(req.Config, t.ID, open),
	}
	for _, k := range req.Config.Policies {
		if k.TeamID != nil && *k.TeamID == t.ID {
			data.Policies = append(data.Policies, element.Ref{Slug: k.Slug, Name: k.Name})
		}
	}
	page.SortByName(data.Policies)
	for _, id := range req.Config.Roster.Teams[t.ID].Members {
		u, contacts := req.Config.User(id), req.Contacts(id)
		contacts.MayPage = false // the team is paged as one
		data.Members = append(data.Members, view.Member{Person: req.Config.Person(id), Contacts: contacts, Role: string(u.Role), Unreachable: req.Config.Unreachable(id)})
	}
	slices.SortFunc(data.Members, func(a, b view.Member) int { return cmp.Compare(a.Person.Name, b.Person.Name) })
	return page.Render(c, http.StatusOK, view.Team(data))
}

// openCounts are none for a reader who may not see incidents.
func (p *handlers) openCounts(ctx context.Context, req *page.Request) (map[int64]incident.ServiceCounts, error) {
	if !req.May(auth.ViewIncidents) {
		return nil, nil //nolint:nilnil // no service has open incidents that the reader may see
	}
	return p.Incidents.OpenIncidents(ctx)
}
