package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

func (p *pages) accountRoutes(r routes) {
	r.get("/me", p.to(auth.ViewOnCall, p.account))
	r.post("/me/contacts", p.to(auth.ViewOnCall, p.addContact))
	r.post("/me/contacts/:id/code", p.to(auth.ViewOnCall, p.sendCode))
	r.post("/me/contacts/:id/verify", p.to(auth.ViewOnCall, p.verifyContact))
	r.post("/me/contacts/:id/remove", p.to(auth.ViewOnCall, p.removeContact))
	r.post("/me/rules", p.to(auth.ViewOnCall, p.setRules))
	r.post("/me/profile", p.to(auth.ViewOnCall, p.setProfile))
	r.post("/me/password", p.to(auth.ViewOnCall, p.changePassword))
}

func (p *pages) account(c echo.Context, v *visit) error {
	return p.showAccount(c, v, http.StatusOK, func(*account.Page) {})
}

// showAccount shows the reader's account, with what a form brought back.
func (p *pages) showAccount(c echo.Context, v *visit, status int, change func(*account.Page)) error {
	ctx := c.Request().Context()
	frame, err := p.frame(c, v, "Your account", layout.Account)
	if err != nil {
		return err
	}
	rules, err := p.Pages.Contacts.Store.Rules(ctx, v.user.ID)
	if err != nil {
		return err
	}
	contacts, err := p.contacts(ctx, v, rules)
	if err != nil {
		return err
	}
	page := account.Page{
		Frame: frame, Email: v.user.Email, Role: string(v.user.Role), Contacts: contacts, Adding: p.adding(),
		High: rulesFor("high", rules), Low: rulesFor("low", rules), HasPassword: v.user.PasswordHash != "", Shifts: v.shifts(), Zones: zones,
		Profile: account.ProfileForm{Name: element.Field{Value: v.user.Name}, Timezone: element.Field{Value: v.user.Timezone}, Default: v.picture.Organization.Timezone},
	}
	change(&page)
	page.Password.Shortest = auth.ShortestPassword
	return render(c, status, account.Account(page))
}

// contacts are the reader's, in the order in which they were made.
func (p *pages) contacts(ctx context.Context, v *visit, rules []notify.Rule) ([]account.Contact, error) {
	methods, err := p.Pages.Contacts.Store.ContactMethods(ctx, v.user.ID)
	if err != nil {
		return nil, err
	}
	addresses := map[int64]string{}
	for _, m := range methods {
		addresses[m.ID] = m.Address
	}
	list := make([]account.Contact, len(methods))
	for i, m := range methods {
		list[i] = account.Contact{ID: m.ID, Medium: string(m.Medium), Address: m.Address, Verified: m.VerifiedAt != nil,
			Stopped: m.DisabledAt != nil, NotConfigured: !p.Works(m.Medium), OnlyLog: p.Pages.OnlyLog}
		if m.VerifiedAt == nil && m.CodeExpiresAt != nil && m.CodeExpiresAt.After(v.clock.Now) {
			list[i].CodeSentAt = m.CodeExpiresAt.Add(-notify.CodeLasts)
		}
		if m.ReplacesID != nil {
			list[i].Replaces = addresses[*m.ReplacesID]
		}
		for _, r := range rules {
			if r.ContactMethodID == m.ID {
				list[i].UsedBy++
			}
		}
	}
	return list, nil
}

// adding offers every medium that something carries, or could once it is
// configured.
func (p *pages) adding() account.AddContact {
	var form account.AddContact
	for _, m := range notify.Media {
		if works := p.Works(m); works || m != notify.Voice {
			form.Media = append(form.Media, account.Medium{Name: string(m), Configured: works})
		}
	}
	return form
}

func rulesFor(urgency string, rules []notify.Rule) account.Rules {
	var form account.Rules
	for _, r := range rules {
		if r.Urgency == urgency {
			form.Rows = append(form.Rows, account.Rule{ContactID: r.ContactMethodID, After: element.Field{Value: minutes(r.AfterSeconds)}})
		}
	}
	return form
}

// minutes writes seconds as minutes, without needless zeros.
func minutes(seconds int64) string { return strconv.FormatFloat(float64(seconds)/60, 'f', -1, 64) }

const (
	// mostDuties bounds the shifts of a person that are shown, of which
	// dutiesEach are of one schedule.
	mostDuties = 8
	dutiesEach = 3
)

// duties are the shifts of a person: those that last, and the next ones.
func (v *visit) duties(userID int64) (present, coming []dutyShift) {
	person := oncall.Person(userID)
	for _, s := range v.picture.Schedules {
		if !mentions(s.Schedule, person) {
			continue
		}
		ref := element.Ref{Slug: s.Slug, Name: s.Name}
		for _, shift := range s.Schedule.OnCall(v.clock.Now, "") {
			if shift.Person == person && !shift.Shadow {
				present = append(present, dutyShift{ref, shift})
			}
		}
		after := v.clock.Now
		for range dutiesEach {
			shift, ok := s.Schedule.NextShift(person, after)
			if !ok {
				break
			}
			coming, after = append(coming, dutyShift{ref, shift}), shift.Start
		}
	}
	slices.SortStableFunc(coming, func(a, b dutyShift) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.schedule.Name, b.schedule.Name))
	})
	return present, coming[:min(len(coming), mostDuties)]
}

type dutyShift struct {
	schedule element.Ref
	oncall.Shift
}

func (v *visit) shifts() []account.Shift {
	present, coming := v.duties(v.user.ID)
	var list []account.Shift
	for _, d := range append(present, coming...) {
		list = append(list, account.Shift{Schedule: d.schedule, Position: string(d.Position), Start: d.Start, End: d.End, Override: d.Source == "override"})
	}
	return list
}

// back is the page that a form was on, of those that carry such forms.
func (p *pages) back(c echo.Context, otherwise string) string {
	for _, page := range []string{c.FormValue("next"), p.cameFrom(c)} {
		if page == "/start" {
			return page
		}
	}
	return otherwise
}

// afterMinutes reads the minutes of a rule; nothing is at once.
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
