// Package account has the page of the reader's own account: contact methods,
// notification rules, profile and password.
package account

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Deps is what the page needs. All are required.
type Deps struct {
	Auth     *auth.Service
	Contacts *notify.Contacts
	// ShowStart renders /start or /welcome, which have the forms of contact methods
	// too; change adds what a form returns.
	ShowStart func(c echo.Context, req *page.Request, status int, change func([]view.Contact, *view.AddContact)) error
}

type handlers struct {
	*page.Pages
	Deps
}

// Mount adds the page and its forms.
func Mount(pages *page.Pages, d Deps) {
	p := &handlers{pages, d}
	p.Routes.Get("/me", p.Require(auth.ViewOnCall, p.show))
	p.Routes.Post("/me/contacts", p.Require(auth.ViewOnCall, p.addContact))
	p.Routes.Post("/me/contacts/:id/code", p.Require(auth.ViewOnCall, p.sendCode))
	p.Routes.Post("/me/contacts/:id/verify", p.Require(auth.ViewOnCall, p.verifyContact))
	p.Routes.Post("/me/contacts/:id/remove", p.Require(auth.ViewOnCall, p.removeContact))
	p.Routes.Post("/me/rules", p.Require(auth.ViewOnCall, p.setRules))
	p.Routes.Post("/me/profile", p.Require(auth.ViewOnCall, p.setProfile))
	p.Routes.Post("/me/privacy", p.Require(auth.ViewOnCall, p.setPrivacy))
	p.Routes.Post("/me/password", p.Require(auth.ViewOnCall, p.changePassword))
}

func (p *handlers) show(c echo.Context, req *page.Request) error {
	return p.showAccount(c, req, http.StatusOK, func(*view.Page) {})
}

// showAccount renders the reader's account; change adds what a form returns.
func (p *handlers) showAccount(c echo.Context, req *page.Request, status int, change func(*view.Page)) error {
	ctx := c.Request().Context()
	frame, err := p.Frame(c, req, "Your account", layout.Account)
	if err != nil {
		return err
	}
	rules, err := p.Contacts.Store.Rules(ctx, req.User.ID)
	if err != nil {
		return err
	}
	methods, err := p.Contacts.Store.ContactMethods(ctx, req.User.ID)
	if err != nil {
		return err
	}
	data := view.Page{
		Frame: frame, Email: req.User.Email, Role: string(req.User.Role), Contacts: p.ContactRows(methods, rules), Adding: p.ContactForm(req, methods),
		High: rulesFor(req, "high", rules), Low: rulesFor(req, "low", rules), HasPassword: req.User.PasswordHash != "", Shifts: shiftRows(req), Zones: page.Zones, HidePhone: req.User.HidePhone,
		Profile: view.ProfileForm{Name: element.Field{Value: req.User.Name}, Timezone: element.Field{Value: req.User.Timezone}, Default: req.Config.Organization.Timezone},
	}
	if req.Config.Unreachable(req.User.ID) && req.User.Role != auth.Stakeholder {
		data.Unreachable = p.ContactRemedy(methods) + " of a kind that works here" + worksHere(data.Adding) + "."
	}
	change(&data)
	data.Password.Shortest = auth.MinPassword
	return page.Render(c, status, view.Account(data))
}

// worksHere names the kinds of contact methods that a channel carries: " (email)".
func worksHere(form view.AddContact) string {
	var words []string
	for _, m := range form.Media {
		if m.Configured {
			words = append(words, notify.Medium(m.Name).Inside())
		}
	}
	if words == nil {
		return ""
	}
	return " (" + element.And(words) + ")"
}

func rulesFor(req *page.Request, urgency string, rules []notify.Rule) view.Rules {
	var form view.Rules
	for _, r := range req.Config.LateRules(req.User.Email) {
		if r.Urgency == urgency {
			form.Late = append(form.Late, r.Words())
		}
	}
	for _, r := range rules {
		if r.Urgency == urgency {
			form.Rows = append(form.Rows, view.Rule{ContactID: r.ContactMethodID, After: element.Field{Value: minutes(r.AfterSeconds)}})
		}
	}
	return form
}

// minutes formats seconds as minutes, without trailing zeros.
func minutes(seconds int64) string { return strconv.FormatFloat(float64(seconds)/60, 'f', -1, 64) }

func shiftRows(req *page.Request) []view.Shift {
	present, coming := req.Duties(req.User.ID)
	var list []view.Shift
	for _, d := range append(present, coming...) {
		list = append(list, view.Shift{Schedule: d.Schedule, Position: string(d.Position), Start: d.Start, End: d.End, Override: d.Source == "override"})
	}
	return list
}

// afterMinutes reads the minutes of a rule, from 0 to 1440; an empty text is 0.
func afterMinutes(text string) (time.Duration, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n <= 24*60) {
		return 0, false
	}
	return time.Duration(n * float64(time.Minute)).Truncate(time.Second), true
}
