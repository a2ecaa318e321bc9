package signin

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/views/element"
	view "github.com/tocsin-oncall/tocsin/views/signin"
)

// setUpForm shows the form that creates the first administrator, for a valid
// link.
func (p *handlers) setUpForm(c echo.Context) error {
	if err := p.usable(c, auth.ForSetup); err != nil {
		return p.invalidLink(c, auth.ForSetup, err)
	}
	known, err := p.Config(c.Request().Context())
	if err != nil {
		return err
	}
	o := known.Organization
	return p.showSetUp(c, http.StatusOK, view.SetupPage{
		Organization: element.Field{Value: o.Name}, Timezone: element.Field{Value: o.Timezone},
	})
}

func (p *handlers) showSetUp(c echo.Context, status int, data view.SetupPage) error {
	data.Now, data.Token, data.Zones, data.MinPassword = p.Now(), c.Param("token"), page.Zones, auth.MinPassword
	return page.Render(c, status, view.Setup(data))
}

func (p *handlers) setUp(c echo.Context) error {
	if err := p.usable(c, auth.ForSetup); err != nil {
		return p.invalidLink(c, auth.ForSetup, err)
	}
	organization, zone := strings.TrimSpace(c.FormValue("organization")), c.FormValue("timezone")
	faults := page.FieldErrors{}
	if !page.ValidName(organization) {
		faults["organization"] = "Enter the organisation’s name, in one line of at most 100 characters."
	}
	if zone == "" {
		faults["timezone"] = "Choose a time zone."
	}
	profile := auth.Profile{Email: c.FormValue("email"), Name: c.FormValue("name"), Role: auth.Administrator, Timezone: zone}
	_, err := profile.Check()
	if more, _ := page.FieldErrorsOf(auth.CheckPassword(c.FormValue("password"))); more != nil {
		faults["password"] = more["password"]
	}
	if len(faults) == 0 && err == nil {
		var u *auth.User
		if u, err = p.Auth.SetUp(c.Request().Context(), c.Param("token"), profile, c.FormValue("password"), organization); err == nil {
			p.RememberDevice(c, p.Auth.DeviceToken(u))
			return c.Redirect(http.StatusSeeOther, "/start")
		}
	}
	return p.setUpErrors(c, faults, err)
}

func (p *handlers) setUpErrors(c echo.Context, faults page.FieldErrors, err error) error {
	more, ok := page.FieldErrorsOf(err)
	if err != nil && !ok {
		return p.invalidLink(c, auth.ForSetup, err)
	}
	for name, message := range more {
		faults[name] = message
	}
	data := view.SetupPage{
		Organization: faults.Field(c, "organization"), Name: faults.Field(c, "name"), Email: faults.Field(c, "email"),
		Timezone: faults.Field(c, "timezone"), Password: element.Field{Error: faults["password"]},
	}
	return p.showSetUp(c, http.StatusUnprocessableEntity, data)
}

// usable is nil for a valid link of the purpose.
func (p *handlers) usable(c echo.Context, purpose auth.Purpose) error {
	has, _, err := p.Auth.OpenLink(c.Request().Context(), c.Param("token"))
	if err == nil && has != purpose {
		err = fault.NotFound("This link is not one of ours. Check that it was copied whole.")
	}
	return err
}

// invalidLink answers a one-time link that is used, expired or unknown; any other
// error is returned unchanged.
func (p *handlers) invalidLink(c echo.Context, purpose auth.Purpose, err error) error {
	switch {
	case fault.Is(err, fault.KindGone):
		return page.Render(c, http.StatusGone, view.Spent(view.SpentPage{Setup: purpose == auth.ForSetup, Now: p.Now()}))
	case fault.Is(err, fault.KindNotFound):
		return page.Render(c, http.StatusNotFound, view.Spent(view.SpentPage{Setup: purpose == auth.ForSetup, Now: p.Now()}))
	}
	return err
}

func (p *handlers) passwordForm(c echo.Context) error { return p.showPassword(c, http.StatusOK, "") }

func (p *handlers) showPassword(c echo.Context, status int, message string) error {
	if err := p.usable(c, auth.ForPassword); err != nil {
		return p.invalidLink(c, auth.ForPassword, err)
	}
	_, user, err := p.Auth.OpenLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return p.invalidLink(c, auth.ForPassword, err)
	}
	return page.Render(c, status, view.Password(view.PasswordPage{Now: p.Now(), Token: c.Param("token"), Name: user.Name, Email: user.Email,
		Invited: user.PasswordHash == "", MinPassword: auth.MinPassword, Password: element.Field{Error: message}}))
}

func (p *handlers) setPassword(c echo.Context) error {
	u, err := p.Auth.SetPassword(c.Request().Context(), c.Param("token"), c.FormValue("password"))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showPassword(c, http.StatusUnprocessableEntity, faults["password"])
	}
	if err != nil {
		return p.invalidLink(c, auth.ForPassword, err)
	}
	p.RememberDevice(c, p.Auth.DeviceToken(u))
	return p.Done(c, "/", "Your password is set, and you are signed in.")
}
