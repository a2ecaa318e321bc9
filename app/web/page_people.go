package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/people"
)

func (p *pages) peopleRoutes(r routes) {
	r.get("/people", p.to(auth.ViewPeople, p.listPeople))
	r.post("/people", p.to(auth.ManagePeople, p.addPerson))
	r.get("/people/:id", p.to(auth.ViewPeople, p.showPerson))
	r.post("/people/:id", p.to(auth.ManagePeople, p.changePerson))
	r.post("/people/:id/link", p.to(auth.ManagePeople, p.linkForPerson))
}

func (p *pages) listPeople(c echo.Context, v *visit) error {
	return p.showPeople(c, v, http.StatusOK, func(*people.ListPage) {})
}

// showPeople shows everybody, with what a form brought back.
func (p *pages) showPeople(c echo.Context, v *visit, status int, change func(*people.ListPage)) error {
	frame, err := p.frame(c, v, "People", layout.People)
	if err != nil {
		return err
	}
	users, err := p.Auth.Users(c.Request().Context(), v.actor)
	if err != nil {
		return err
	}
	page := people.ListPage{Frame: frame, MayManage: v.may(auth.ManagePeople), Adding: people.Form{Role: element.Field{Value: string(auth.Responder)}}}
	onCall := v.everybodyOnCall()
	for _, u := range users {
		page.People = append(page.People, people.ListRow{
			Person: element.Person{ID: u.ID, Name: u.Name}, Email: u.Email, Role: string(u.Role), Teams: v.picture.teamsOf(u.ID), Active: u.Active,
			Unreachable: u.Active && v.picture.unreachable(u.ID), OnCall: onCall[u.ID], Invited: u.Active && u.PasswordHash == "",
		})
	}
	change(&page)
	return render(c, status, people.List(page))
}

func (v *visit) everybodyOnCall() map[int64]bool {
	on := map[int64]bool{}
	for _, s := range v.picture.Schedules {
		for _, shift := range s.Schedule.OnCall(v.clock.Now, "") {
			if !shift.Shadow {
				on[int64(shift.Person)] = true
			}
		}
	}
	return on
}

// teamsOf are those that somebody is in or manages, by name.
func (k *picture) teamsOf(userID int64) []element.Ref {
	var refs []element.Ref
	for _, t := range k.Teams {
		if slices.Contains(k.roster.Teams[t.ID].Members, userID) || t.ManagerID != nil && *t.ManagerID == userID {
			refs = append(refs, element.Ref{Slug: t.Slug, Name: t.Name})
		}
	}
	return byName(refs)
}

// addPerson adds somebody, and shows once the link by which they come in.
func (p *pages) addPerson(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	profile := auth.Profile{Email: c.FormValue("email"), Name: c.FormValue("name"), Role: auth.Role(c.FormValue("role"))}
	u, err := p.Auth.CreateUser(ctx, v.actor, profile)
	if faults, ok := wrongFields(err); ok {
		return p.showPeople(c, v, http.StatusUnprocessableEntity, func(page *people.ListPage) {
			page.Adding = people.Form{Name: faults.field(c, "name"), Email: faults.field(c, "email"), Role: faults.field(c, "role")}
		})
	}
	if err != nil {
		return err
	}
	token, _, err := p.Auth.PasswordLink(ctx, v.actor, u.ID)
	if err != nil {
		return err
	}
	if v.picture, err = p.picture(c); err != nil {
		return err
	}
	return p.showPeople(c, v, http.StatusOK, func(page *people.ListPage) {
		page.NewLink, page.NewLinkFor = p.passwordAddress(token), u.Name
	})
}

func (p *pages) passwordAddress(token string) string { return p.PublicURL + "/password/" + token }

func (p *pages) showPerson(c echo.Context, v *visit) error {
	return p.personPage(c, v, http.StatusOK, func(*people.Page) {})
}

func (p *pages) personPage(c echo.Context, v *visit, status int, change func(*people.Page)) error {
	id, err := idIn(c)
	if err != nil {
		return err
	}
	u, err := p.Auth.User(c.Request().Context(), v.actor, id)
	if err != nil {
		return err
	}
	frame, err := p.frame(c, v, u.Name, layout.People)
	if err != nil {
		return err
	}
	page := people.Page{
		Frame: frame, Person: element.Person{ID: u.ID, Name: u.Name}, Email: u.Email, Role: string(u.Role),
		Zone: location(cmp.Or(u.Timezone, v.picture.Organization.Timezone)), Active: u.Active, Teams: v.picture.teamsOf(u.ID),
		MayManage: v.may(auth.ManagePeople), Invited: u.Active && u.PasswordHash == "",
		Form: people.Form{Name: element.Field{Value: u.Name}, Email: element.Field{Value: u.Email}, Role: element.Field{Value: string(u.Role)}},
	}
	present, coming := v.duties(u.ID)
	page.OnCall, page.Upcoming = v.dutyRows(present), v.dutyRows(coming)
	for _, m := range v.picture.people[u.ID].Methods {
		page.Contacts = append(page.Contacts, people.ContactKind{Medium: string(m.Medium), Verified: m.VerifiedAt != nil})
	}
	change(&page)
	return render(c, status, people.Person(page))
}

func (v *visit) dutyRows(duties []dutyShift) []people.Duty {
	var rows []people.Duty
	for _, d := range duties {
		rows = append(rows, people.Duty{Schedule: d.schedule, Position: string(d.Position), Shift: v.holder(d.Shift)})
	}
	return rows
}

// changePerson sets the role first, which may be refused.
func (p *pages) changePerson(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	id, err := idIn(c)
	if err != nil {
		return err
	}
	u, err := p.Auth.User(ctx, v.actor, id)
	if err != nil {
		return err
	}
	role, err := auth.ParseRole(c.FormValue("role"))
	if err == nil {
		_, err = auth.Profile{Email: u.Email, Name: c.FormValue("name"), Role: role}.Check()
	}
	if err == nil && role != u.Role {
		err = p.Auth.SetRole(ctx, v.actor, id, role)
	}
	if err == nil && c.FormValue("name") != u.Name {
		err = p.Auth.SetProfile(ctx, v.actor, id, c.FormValue("name"), u.Timezone)
	}
	if faults, ok := wrongFields(err); ok {
		return p.personPage(c, v, http.StatusUnprocessableEntity, func(page *people.Page) {
			page.Form.Name, page.Form.Role = faults.field(c, "name"), faults.field(c, "role")
		})
	}
	address := "/people/" + formatInt(id)
	if err != nil {
		return p.refused(c, address, err)
	}
	return p.done(c, address, "Saved.")
}

// linkForPerson shows once the link by which somebody sets a password.
func (p *pages) linkForPerson(c echo.Context, v *visit) error {
	id, err := idIn(c)
	if err != nil {
		return err
	}
	token, _, err := p.Auth.PasswordLink(c.Request().Context(), v.actor, id)
	if err != nil {
		return p.refused(c, "/people/"+formatInt(id), err)
	}
	return p.personPage(c, v, http.StatusOK, func(page *people.Page) { page.NewLink = p.passwordAddress(token) })
}
