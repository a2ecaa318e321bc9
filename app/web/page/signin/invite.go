package signin

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/signin"
)

// inviteForm shows the form that creates the account of an invitation.
func (p *handlers) inviteForm(c echo.Context) error {
	return p.showInvite(c, http.StatusOK, nil)
}

// showInvite renders the form; faults are nil for a new one.
func (p *handlers) showInvite(c echo.Context, status int, faults page.FieldErrors) error {
	i, err := p.Auth.OpenInvitation(c.Request().Context(), c.Param("token"))
	if err != nil {
		return p.invalidInvitation(c, err)
	}
	known, err := p.Config(c.Request().Context())
	if err != nil {
		return err
	}
	data := view.InvitePage{Now: p.Now(), Token: c.Param("token"), Organization: known.Organization.Name, Role: string(i.Role), Address: i.Email,
		Zones: page.Zones, MinPassword: auth.MinPassword, Timezone: element.Field{Value: known.Organization.Timezone}}
	if i.TeamID != nil {
		data.Team = known.Team(*i.TeamID).Name
	}
	if faults != nil {
		data.Name, data.Email, data.Timezone = faults.Field(c, "name"), faults.Field(c, "email"), faults.Field(c, "timezone")
		data.Password = element.Field{Error: faults["password"]}
	}
	return page.Render(c, status, view.Invite(data))
}

// acceptInvitation creates the account, and leads to its contact methods.
func (p *handlers) acceptInvitation(c echo.Context) error {
	profile := auth.Profile{Email: c.FormValue("email"), Name: c.FormValue("name"), Timezone: c.FormValue("timezone")}
	u, err := p.Auth.AcceptInvitation(c.Request().Context(), c.Param("token"), profile, c.FormValue("password"))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showInvite(c, http.StatusUnprocessableEntity, faults)
	}
	if err != nil {
		return p.invalidInvitation(c, err)
	}
	p.RememberDevice(c, p.Auth.DeviceToken(u))
	if auth.Allow(u.Actor(), auth.ViewIncidents, auth.Object{}) != nil {
		return p.Done(c, "/", "Your account is set up, and you are signed in.")
	}
	return c.Redirect(http.StatusSeeOther, "/welcome")
}

// invalidInvitation answers one that is used, revoked, expired or unknown.
func (p *handlers) invalidInvitation(c echo.Context, err error) error {
	switch {
	case fault.Is(err, fault.KindGone):
		return page.Render(c, http.StatusGone, view.InvalidInvitation(view.SpentPage{Now: p.Now()}, err.Error()))
	case fault.Is(err, fault.KindNotFound):
		return page.Render(c, http.StatusNotFound, view.InvalidInvitation(view.SpentPage{Now: p.Now()}, err.Error()))
	}
	return err
}
