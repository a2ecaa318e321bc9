package account

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	view "github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// addContact adds a contact method and sends a code to it.
func (p *handlers) addContact(c echo.Context, req *page.Request) error {
	medium := notify.Medium(c.FormValue("medium"))
	m, err := p.Contacts.Add(c.Request().Context(), req.Actor.String(), req.User.ID, notify.NewContact{Medium: medium, Address: c.FormValue("address")})
	back := page.Back(c, "/me")
	faults, ok := page.FieldErrorsOf(err)
	switch {
	case ok:
		return p.showContacts(c, req, func(_ []view.Contact, adding *view.AddContact) {
			adding.Medium, adding.Address = faults.Field(c, "medium"), faults.Field(c, "address")
		})
	case fault.Is(err, fault.KindLimited) && m.ID != 0:
		return p.Refused(c, back, err) // it is kept; its code has to wait
	case err != nil:
		return err
	}
	return p.Done(c, back, "%s", p.codeText(m))
}

// codeText says where the verification code of a contact method is.
func (p *handlers) codeText(m notify.ContactMethod) string {
	switch {
	case p.OnlyLog():
		return "Added. No channel is set up, so nothing was sent: the code is in the server log, in the line with kind=verify."
	case !p.Works(m.Medium):
		return "Added. " + page.Capitalize(element.Channel(string(m.Medium))) + " is not set up yet. " + m.Address + " can be verified once it is."
	}
	return "A verification code was sent to " + m.Address + "."
}

// showContacts renders the page that a contact method's form was on; change adds
// what the form returns.
func (p *handlers) showContacts(c echo.Context, req *page.Request, change func([]view.Contact, *view.AddContact)) error {
	if page.Back(c, "/me") != "/me" {
		return p.ShowStart(c, req, http.StatusUnprocessableEntity, change)
	}
	return p.showAccount(c, req, http.StatusUnprocessableEntity, func(data *view.Page) { change(data.Contacts, &data.Adding) })
}

func (p *handlers) sendCode(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	back := page.Back(c, "/me")
	if err := p.Contacts.SendCode(c.Request().Context(), req.Actor.String(), req.User.ID, id); err != nil {
		return p.Refused(c, back, err)
	}
	if p.OnlyLog() {
		return p.Done(c, back, "A new code is in the server log, in the line with kind=verify. Earlier codes no longer work.")
	}
	return p.Done(c, back, "A new code was sent. Earlier codes no longer work.")
}

func (p *handlers) verifyContact(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	err = p.Contacts.Verify(c.Request().Context(), req.Actor.String(), req.User.ID, id, c.FormValue("code"))
	back := page.Back(c, "/me")
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showContacts(c, req, func(contacts []view.Contact, _ *view.AddContact) {
			for i := range contacts {
				if contacts[i].ID == id {
					contacts[i].Code = faults.Field(c, "code")
				}
			}
		})
	}
	if err != nil {
		return p.Refused(c, back, err)
	}
	return p.Done(c, back, "Verified. You can be paged there.")
}

func (p *handlers) removeContact(c echo.Context, req *page.Request) error {
	id, err := page.ID(c)
	if err != nil {
		return err
	}
	back := page.Back(c, "/me")
	if err := p.Contacts.Remove(c.Request().Context(), req.Actor.String(), req.User.ID, id); err != nil {
		return p.Refused(c, back, err)
	}
	return p.Done(c, back, "Removed. Nothing is sent there any more.")
}

// setRules replaces the reader's rules for one urgency.
func (p *handlers) setRules(c echo.Context, req *page.Request) error {
	ctx := c.Request().Context()
	urgency := c.FormValue("urgency")
	if urgency != "high" && urgency != "low" {
		return fault.Malformed("An urgency is high or low.")
	}
	form, err := readRules(c)
	if err != nil {
		return err
	}
	kept, err := p.Contacts.Store.Rules(ctx, req.User.ID)
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
		err = p.Contacts.SetRules(ctx, req.Actor.String(), req.User.ID, rules)
		ok = form.addErrors(err)
	}
	if !ok {
		return p.showAccount(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			if urgency == "high" {
				data.High = form.Rules
			} else {
				data.Low = form.Rules
			}
		})
	}
	if err != nil {
		return err
	}
	return p.Done(c, "/me", "Notification rules saved.")
}

// rulesForm has the rows of the form that have a contact.
type rulesForm struct{ view.Rules }

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
		form.Rows = append(form.Rows, view.Rule{ContactID: id, After: element.Field{Value: strings.TrimSpace(after[i])}})
	}
	return form, nil
}

// rules reads the rows; false if a row cannot be read, which gets an error.
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

// addErrors adds field errors to their rows, and reports whether there are none.
func (f *rulesForm) addErrors(err error) bool {
	faults, ok := page.FieldErrorsOf(err)
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

func (p *handlers) setProfile(c echo.Context, req *page.Request) error {
	name, zone := c.FormValue("name"), c.FormValue("timezone")
	err := p.Auth.SetProfile(c.Request().Context(), req.Actor, req.User.ID, name, zone)
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showAccount(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			data.Profile.Name, data.Profile.Timezone = faults.Field(c, "name"), faults.Field(c, "timezone")
		})
	}
	if err != nil {
		return err
	}
	return p.Done(c, "/me", "Saved.")
}

// setPrivacy hides the reader's phone number from colleagues, or shows it.
func (p *handlers) setPrivacy(c echo.Context, req *page.Request) error {
	hide := c.FormValue("hide_phone") != ""
	if err := p.Auth.SetHidePhone(c.Request().Context(), req.Actor, req.User.ID, hide); err != nil {
		return err
	}
	if hide {
		return p.Done(c, "/me", "Saved. Colleagues do not see your phone number.")
	}
	return p.Done(c, "/me", "Saved. Responders see your phone number.")
}

// changePassword never sends back a password.
func (p *handlers) changePassword(c echo.Context, req *page.Request) error {
	err := p.Auth.ChangePassword(c.Request().Context(), req.Actor, c.FormValue("current"), c.FormValue("password"), page.Visitor(c))
	if faults, ok := page.FieldErrorsOf(err); ok {
		return p.showAccount(c, req, http.StatusUnprocessableEntity, func(data *view.Page) {
			data.Password = view.PasswordForm{Current: element.Field{Error: faults["present"]}, New: element.Field{Error: faults["password"]}}
		})
	}
	if err != nil {
		return p.Refused(c, "/me", err)
	}
	return p.Done(c, "/me", "Password changed. You were signed out everywhere else.")
}
