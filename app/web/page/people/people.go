// Package people has the pages about people.
package people

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	view "github.com/tocsin-oncall/tocsin/views/people"
)

// Deps is what the pages need. All are required.
type Deps struct {
	Auth *auth.Service
	// Channels send invitations.
	Channels notify.Channels
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the pages.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/people", p.Require(auth.ViewPeople, p.listPeople))
	p.Routes.Post("/people", p.Require(auth.ManagePeople, p.addPerson))
	p.mountInvitations()
	p.Routes.Get("/people/:id", p.Require(auth.ViewPeople, p.showPerson))
	p.Routes.Post("/people/:id", p.Require(auth.ManagePeople, p.changePerson))
	p.Routes.Post("/people/:id/deactivate", p.Require(auth.ManagePeople, p.deactivatePerson))
	p.Routes.Post("/people/:id/activate", p.Require(auth.ManagePeople, p.activatePerson))
	p.Routes.Post("/people/:id/link", p.Require(auth.ManagePeople, p.linkForPerson))
}

func (p *handlers) listPeople(c echo.Context, req *page.Request) error {
	return p.showPeople(c, req, http.StatusOK, func(*view.ListPage) {})
}

// showPeople lists all people; change adds what a form returns.
func (p *handlers) showPeople(c echo.Context, req *page.Request, status int, change func(*view.ListPage)) error {
	frame, err := p.Frame(c, req, "People", layout.People)
	if err != nil {
		return err
	}
	users, err := p.Auth.Users(c.Request().Context(), req.Actor)
	if err != nil {
		return err
	}
	data := view.ListPage{Frame: frame, MayManage: req.May(auth.ManagePeople), Adding: view.Form{Role: element.Field{Value: string(auth.Responder)}}}
	onCall := everybodyOnCall(req)
	for _, u := range users {
		data.People = append(data.People, view.ListRow{
			Person: element.Person{ID: u.ID, Name: u.Name}, Email: u.Email, Role: string(u.Role), Teams: teamsOf(req.Config, u.ID), Active: u.Active,
			Unreachable: u.Active && req.Config.Pageable(u.ID) && req.Config.Unreachable(u.ID), OnCall: onCall[u.ID], Invited: u.Active && u.PasswordHash == "",
		})
	}
	if data.Invitations, err = p.invitations(c.Request().Context(), req); err != nil {
		return err
	}
	change(&data)
	return page.Render(c, status, view.List(data))
}

func everybodyOnCall(req *page.Request) map[int64]bool {
	on := map[int64]bool{}
	for _, s := range req.Config.Schedules {
		for _, shift := range s.Schedule.OnCall(req.Clock.Now, "") {
			if !shift.Shadow {
				on[int64(shift.Person)] = true
			}
		}
	}
	return on
}

// teamsOf are the teams of a member or manager, by name.
func teamsOf(config *page.Config, userID int64) []element.Ref {
	var refs []element.Ref
	for _, t := range config.Teams {
		if slices.Contains(config.Roster.Teams[t.ID].Members, userID) || t.ManagerID != nil && *t.ManagerID == userID {
			refs = append(refs, element.Ref{Slug: t.Slug, Name: t.Name})
		}
	}
	return page.SortByName(refs)
}

// addPerson adds a person and shows the link for the first password, once.
func (p *handlers) addPerson(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	profile := auth.Profile{Email: c.FormValue("email"), Name: c.FormValue("name"), Role: auth.Role(c.FormValue("role"))}
	u, err := p.Auth.CreateUser(ctx, req.Actor, profile)
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showPeople(c, req, http.StatusUnprocessableEntity, func(data *view.ListPage) {
			data.Adding = view.Form{Name: faults.Field(c, "name"), Email: faults.Field(c, "email"), Role: faults.Field(c, "role")}
		})
	}
	if err != nil {
		return err
	}
	token, _, err := p.Auth.PasswordLink(ctx, req.Actor, u.ID)
	if err != nil {
		return err
	}
	if req.Config, err = p.Config(c.Request().Context()); err != nil {
		return err
	}
	return p.showPeople(c, req, http.StatusOK, func(data *view.ListPage) {
		data.NewLink, data.NewLinkFor = p.passwordAddress(token), u.Name
	})
}

func (p *handlers) passwordAddress(token string) string { return p.PublicURL() + "/password/" + token }

func (p *handlers) showPerson(c echo.Context, req *page.Request) error {
	return p.personPage(c, req, http.StatusOK, func(*view.Page) {})
}

func (p *handlers) personPage(c echo.Context, req *page.Request, status int, change func(*view.Page)) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	u, err := p.Auth.User(c.Request().Context(), req.Actor, id)
	if err != nil {
		return err
	}
	frame, err := p.Frame(c, req, u.Name, layout.People)
	if err != nil {
		return err
	}
	data := view.Page{
		Frame: frame, Person: element.Person{ID: u.ID, Name: u.Name}, Reach: req.Contacts(u.ID), Role: string(u.Role), Pageable: req.Config.Pageable(u.ID),
		Zone: page.Location(cmp.Or(u.Timezone, req.Config.Organization.Timezone)), Active: u.Active, Teams: teamsOf(req.Config, u.ID),
		MayManage: req.May(auth.ManagePeople), Invited: u.Active && u.PasswordHash == "",
		Form: view.Form{Name: element.Field{Value: u.Name}, Email: element.Field{Value: u.Email}, Role: element.Field{Value: string(u.Role)}},
	}
	present, coming := req.Duties(u.ID)
	data.OnCall, data.Upcoming = shiftRows(req, present), shiftRows(req, coming)
	for _, m := range req.Config.Recipients[u.ID].Methods {
		data.Contacts = append(data.Contacts, view.ContactKind{Medium: string(m.Medium), Verified: m.VerifiedAt != nil})
	}
	change(&data)
	return page.Render(c, status, view.Person(data))
}

func shiftRows(req *page.Request, duties []page.Duty) []view.Duty {
	var rows []view.Duty
	for _, d := range duties {
		rows = append(rows, view.Duty{Schedule: d.Schedule, Position: string(d.Position), Shift: req.Holder(d.Shift)})
	}
	return rows
}

// changePerson changes name and role, both or neither.
func (p *handlers) changePerson(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	err = p.Auth.SetNameAndRole(c.Request().Context(), req.Actor, id, c.FormValue("name"), auth.Role(c.FormValue("role")))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.personPage(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			data.Form.Name, data.Form.Role = faults.Field(c, "name"), faults.Field(c, "role")
		})
	}
	address := "/people/" + web.FormatInt(id)
	if err != nil {
		return p.Refused(c, address, err)
	}
	return p.Done(c, address, "Saved.")
}

// linkForPerson shows a new link for setting a password, once.
func (p *handlers) linkForPerson(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	token, _, err := p.Auth.PasswordLink(c.Request().Context(), req.Actor, id)
	if err != nil {
		return p.Refused(c, "/people/"+web.FormatInt(id), err)
	}
	return p.personPage(c, req, http.StatusOK, func(data *view.Page) { data.NewLink = p.passwordAddress(token) })
}
