package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/start"
)

// addContact keeps a way to reach the reader, and sends a code to it.
func (p *pages) addContact(c echo.Context, v *visit) error {
	medium := notify.Medium(c.FormValue("medium"))
	m, err := p.Pages.Contacts.Add(c.Request().Context(), v.actor.String(), v.user.ID, notify.NewContact{Medium: medium, Address: c.FormValue("address")})
	back := p.back(c, "/me")
	faults, ok := wrongFields(err)
	switch {
	case ok:
		return p.contactsAgain(c, v, func(_ []account.Contact, adding *account.AddContact) {
			adding.Medium, adding.Address = faults.field(c, "medium"), faults.field(c, "address")
		})
	case fault.Is(err, fault.KindLimited) && m.ID != 0:
		return p.refused(c, back, err) // it is kept; its code has to wait
	case err != nil:
		return err
	}
	return p.done(c, back, "%s", p.codeWords(m))
}

// codeWords says where the code that proves a contact is.
func (p *pages) codeWords(m notify.ContactMethod) string {
	switch {
	case p.Pages.OnlyLog:
		return "Nothing is connected yet, so the code stands in the log of the server, in the line with kind=verify."
	case !p.Works(m.Medium):
		return "Added. " + capital(element.Channel(string(m.Medium))) + " is not set up here, so " + m.Address + " can not be verified until it is."
	}
	return "A code is on its way to " + m.Address + "."
}

// contactsAgain shows the page that a contact's form was on, with what it
// brought back.
func (p *pages) contactsAgain(c echo.Context, v *visit, change func([]account.Contact, *account.AddContact)) error {
	if p.back(c, "/me") == "/start" {
		return p.showStart(c, v, http.StatusUnprocessableEntity, func(page *start.Page) { change(page.Contacts, &page.Adding) })
	}
	return p.showAccount(c, v, http.StatusUnprocessableEntity, func(page *account.Page) { change(page.Contacts, &page.Adding) })
}

func (p *pages) sendCode(c echo.Context, v *visit) error {
	id, err := idIn(c)
	if err != nil {
		return err
	}
	back := p.back(c, "/me")
	if err := p.Pages.Contacts.SendCode(c.Request().Context(), v.actor.String(), v.user.ID, id); err != nil {
		return p.refused(c, back, err)
	}
	if p.Pages.OnlyLog {
		return p.done(c, back, "A new code stands in the log of the server, in the line with kind=verify. An earlier one is void.")
	}
	return p.done(c, back, "A new code is on its way. An earlier one is void.")
}

func (p *pages) verifyContact(c echo.Context, v *visit) error {
	id, err := idIn(c)
	if err != nil {
		return err
	}
	err = p.Pages.Contacts.Verify(c.Request().Context(), v.actor.String(), v.user.ID, id, c.FormValue("code"))
	back := p.back(c, "/me")
	if faults, ok := wrongFields(err); ok {
		return p.contactsAgain(c, v, func(contacts []account.Contact, _ *account.AddContact) {
			for i := range contacts {
				if contacts[i].ID == id {
					contacts[i].Code = faults.field(c, "code")
				}
			}
		})
	}
	if err != nil {
		return p.refused(c, back, err)
	}
	return p.done(c, back, "Verified. Pages can reach you there.")
}

func (p *pages) removeContact(c echo.Context, v *visit) error {
	id, err := idIn(c)
	if err != nil {
		return err
	}
	back := p.back(c, "/me")
	if err := p.Pages.Contacts.Remove(c.Request().Context(), v.actor.String(), v.user.ID, id); err != nil {
		return p.refused(c, back, err)
	}
	return p.done(c, back, "Removed. Nothing goes there any more.")
}

// setRules replaces the reader's rules for one urgency and leaves the other's.
func (p *pages) setRules(c echo.Context, v *visit) error {
	ctx := c.Request().Context()
	urgency := c.FormValue("urgency")
	if urgency != "high" && urgency != "low" {
		return fault.Malformed("An urgency is high or low.")
	}
	form, err := readRules(c)
	if err != nil {
		return err
	}
	kept, err := p.Pages.Contacts.Store.Rules(ctx, v.user.ID)
	if err != nil {
		return err
	}
	rules, ok := form.rules(urgency)
	for _, r := range kept {
		if r.Urgency != urgency {
			rules = append(rules, r)
		}
	}
	if ok {
		err = p.Pages.Contacts.SetRules(ctx, v.actor.String(), v.user.ID, rules)
		ok = form.mark(err)
	}
	if !ok {
		return p.showAccount(c, v, http.StatusUnprocessableEntity, func(page *account.Page) {
			if urgency == "high" {
				page.High = form.Rules
			} else {
				page.Low = form.Rules
			}
		})
	}
	if err != nil {
		return err
	}
	return p.done(c, "/me", "Your rules are saved.")
}

// rulesForm are the rows of a form that name a contact.
type rulesForm struct{ account.Rules }

func readRules(c echo.Context) (*rulesForm, error) {
	values, err := c.FormParams()
	if err != nil {
		return nil, fault.Malformed("The form cannot be read.").Because(err)
	}
	contacts, after := values["contact"], values["after"]
	if len(contacts) != len(after) {
		return nil, fault.Malformed("Each row of the form has a contact and a time.")
	}
	form := &rulesForm{}
	for i, text := range contacts {
		if text == "" {
			continue // the row is left out
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fault.Malformed("%q is no contact.", text)
		}
		form.Rows = append(form.Rows, account.Rule{ContactID: id, After: element.Field{Value: strings.TrimSpace(after[i])}})
	}
	return form, nil
}

// rules are what the rows say; false where one cannot be read, which is then
// marked.
func (f *rulesForm) rules(urgency string) ([]notify.Rule, bool) {
	var rules []notify.Rule
	ok := true
	for i := range f.Rows {
		after, readable := afterMinutes(f.Rows[i].After.Value)
		if !readable {
			f.Rows[i].After.Error, f.Error, ok = "Minutes, from 0 to 1440.", "Write the minutes as a number, from 0 to 1440.", false
			continue
		}
		rules = append(rules, notify.Rule{Urgency: urgency, AfterSeconds: int64(after / time.Second), ContactMethodID: f.Rows[i].ContactID})
	}
	return rules, ok
}

// mark puts what is wrong to its row, and reports whether nothing is.
func (f *rulesForm) mark(err error) bool {
	faults, ok := wrongFields(err)
	if !ok {
		return true
	}
	for i := range f.Rows {
		for _, key := range []string{"after", "contact"} {
			if message := faults[fmt.Sprintf("rules[%d].%s", i, key)]; message != "" {
				f.Rows[i].After.Error, f.Error = message, message
			}
		}
	}
	return false
}

func (p *pages) setProfile(c echo.Context, v *visit) error {
	name, zone := c.FormValue("name"), c.FormValue("timezone")
	err := p.Auth.SetProfile(c.Request().Context(), v.actor, v.user.ID, name, zone)
	if faults, ok := wrongFields(err); ok {
		return p.showAccount(c, v, http.StatusUnprocessableEntity, func(page *account.Page) {
			page.Profile.Name, page.Profile.Timezone = faults.field(c, "name"), faults.field(c, "timezone")
		})
	}
	if err != nil {
		return err
	}
	return p.done(c, "/me", "Saved.")
}

// changePassword never shows a password again that was typed.
func (p *pages) changePassword(c echo.Context, v *visit) error {
	err := p.Auth.ChangePassword(c.Request().Context(), v.actor, c.FormValue("current"), c.FormValue("password"), c.RealIP())
	if faults, ok := wrongFields(err); ok {
		return p.showAccount(c, v, http.StatusUnprocessableEntity, func(page *account.Page) {
			page.Password = account.PasswordForm{Current: element.Field{Error: faults["present"]}, New: element.Field{Error: faults["password"]}}
		})
	}
	if err != nil {
		return p.refused(c, "/me", err)
	}
	return p.done(c, "/me", "Your password is changed. Everywhere else you are signed out.")
}
