package web

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/signin"
)

// askToSetUp shows the form that creates the administrator, to whoever has the
// link. The page is the same for a link that was never made as for one that was
// used.
func (p *pages) askToSetUp(c echo.Context) error {
	if err := p.usable(c, auth.ForSetup); err != nil {
		return p.spent(c, auth.ForSetup, err)
	}
	known, err := p.picture(c)
	if err != nil {
		return err
	}
	o := known.Organization
	return p.showSetUp(c, http.StatusOK, signin.SetupPage{
		Organization: element.Field{Value: o.Name}, Timezone: element.Field{Value: o.Timezone},
	})
}

func (p *pages) showSetUp(c echo.Context, status int, page signin.SetupPage) error {
	page.Now, page.Token, page.Zones, page.ShortestPassword = p.Now(), c.Param("token"), zones, auth.ShortestPassword
	return render(c, status, signin.Setup(page))
}

func (p *pages) setUp(c echo.Context) error {
	if err := p.usable(c, auth.ForSetup); err != nil {
		return p.spent(c, auth.ForSetup, err)
	}
	organization, zone := strings.TrimSpace(c.FormValue("organization")), c.FormValue("timezone")
	faults := wrong{}
	if !nameable(organization) {
		faults["organization"] = "Write the organisation’s name, in one line of at most 100 characters."
	}
	if zone == "" {
		faults["timezone"] = "Choose a time zone."
	}
	profile := auth.Profile{Email: c.FormValue("email"), Name: c.FormValue("name"), Role: auth.Administrator, Timezone: zone}
	_, err := profile.Check()
	if more, _ := wrongFields(auth.CheckPassword(c.FormValue("password"))); more != nil {
		faults["password"] = more["password"]
	}
	if len(faults) == 0 && err == nil {
		if _, err = p.Auth.SetUp(c.Request().Context(), c.Param("token"), profile, c.FormValue("password"), organization); err == nil {
			return c.Redirect(http.StatusSeeOther, "/start")
		}
	}
	return p.setUpAgain(c, faults, err)
}

func (p *pages) setUpAgain(c echo.Context, faults wrong, err error) error {
	more, ok := wrongFields(err)
	if err != nil && !ok {
		return p.spent(c, auth.ForSetup, err)
	}
	for name, message := range more {
		faults[name] = message
	}
	page := signin.SetupPage{
		Organization: faults.field(c, "organization"), Name: faults.field(c, "name"), Email: faults.field(c, "email"),
		Timezone: faults.field(c, "timezone"), Password: element.Field{Error: faults["password"]},
	}
	return p.showSetUp(c, http.StatusUnprocessableEntity, page)
}

// longestName bounds the names of things, in characters.
const longestName = 100

// nameable reports whether something can have a name.
func nameable(name string) bool {
	return name != "" && utf8.RuneCountInString(name) <= longestName && !strings.ContainsFunc(name, unicode.IsControl)
}

// usable is nil for a link that can be used for a purpose.
func (p *pages) usable(c echo.Context, purpose auth.Purpose) error {
	has, _, err := p.Auth.OpenLink(c.Request().Context(), c.Param("token"))
	if err == nil && has != purpose {
		err = fault.NotFound("This link is not one of ours. Look whether it was copied whole.")
	}
	return err
}

// spent shows that a one-time link leads nowhere any more.
func (p *pages) spent(c echo.Context, purpose auth.Purpose, err error) error {
	switch {
	case fault.Is(err, fault.KindGone):
		return render(c, http.StatusGone, signin.Spent(signin.SpentPage{Setup: purpose == auth.ForSetup, Now: p.Now()}))
	case fault.Is(err, fault.KindNotFound):
		return render(c, http.StatusNotFound, signin.Spent(signin.SpentPage{Setup: purpose == auth.ForSetup, Now: p.Now()}))
	}
	return err
}

func (p *pages) askForPassword(c echo.Context) error { return p.showPassword(c, http.StatusOK, "") }

func (p *pages) showPassword(c echo.Context, status int, message string) error {
	if err := p.usable(c, auth.ForPassword); err != nil {
		return p.spent(c, auth.ForPassword, err)
	}
	_, user, err := p.Auth.OpenLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return p.spent(c, auth.ForPassword, err)
	}
	return render(c, status, signin.Password(signin.PasswordPage{Now: p.Now(), Token: c.Param("token"), Name: user.Name, Email: user.Email,
		Invited: user.PasswordHash == "", ShortestPassword: auth.ShortestPassword, Password: element.Field{Error: message}}))
}

func (p *pages) setPassword(c echo.Context) error {
	_, err := p.Auth.SetPassword(c.Request().Context(), c.Param("token"), c.FormValue("password"))
	if faults, ok := wrongFields(err); ok {
		return p.showPassword(c, http.StatusUnprocessableEntity, faults["password"])
	}
	if err != nil {
		return p.spent(c, auth.ForPassword, err)
	}
	return p.done(c, "/", "Your password is set, and you are signed in.")
}
