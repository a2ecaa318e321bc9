package page

import (
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
)

// Contacts are a person's as the reader may see them: verified numbers unless the
// person hides them, also those that SMS was switched off for, since they can be
// called.
func (req *Request) Contacts(userID int64) element.Contacts {
	u := req.Config.User(userID)
	if u.ID == 0 || !u.Active {
		return element.Contacts{}
	}
	c := element.Contacts{MayPage: req.May(auth.Page) && u.ID != req.User.ID && !req.Config.Unreachable(u.ID)}
	if !req.May(auth.ViewContacts) {
		return c
	}
	c.Email = u.Email
	for _, m := range req.Config.Recipients[u.ID].Methods {
		switch {
		case m.VerifiedAt == nil:
		case (m.Medium == notify.SMS || m.Medium == notify.Voice) && !u.HidePhone && !slices.Contains(c.Phones, m.Address):
			c.Phones = append(c.Phones, m.Address)
		case m.Medium == notify.Slack && c.Slack == "":
			c.Slack = m.Address
		}
	}
	return c
}

// ContactRows are contact methods in the order given, with how many of the rules use
// each.
func (p *Pages) ContactRows(methods []notify.ContactMethod, rules []notify.Rule) []account.Contact {
	addresses := map[int64]string{}
	for _, m := range methods {
		addresses[m.ID] = m.Address
	}
	others := len(notify.Recipient{Methods: methods}.Working(p.Works)) > 0
	list := make([]account.Contact, len(methods))
	for i, m := range methods {
		list[i] = account.Contact{ID: m.ID, Medium: string(m.Medium), Address: m.Address, Verified: m.VerifiedAt != nil,
			Stopped: m.DisabledAt != nil, NotConfigured: !p.Works(m.Medium), OnlyLog: p.OnlyLog(), Others: others}
		if m.VerifiedAt == nil && m.CodeExpiresAt != nil && m.CodeExpiresAt.After(p.Now()) {
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
	return list
}

// ContactForm offers every medium with a channel, and those for which one can be set
// up: there is none for voice yet. The first that works is chosen, with the reader's own
// address where that is email and none of the methods has it.
func (p *Pages) ContactForm(req *Request, methods []notify.ContactMethod) account.AddContact {
	var form account.AddContact
	for _, m := range notify.Media {
		works := p.Works(m)
		if works && form.Medium.Value == "" {
			form.Medium.Value = string(m)
		}
		if works || m != notify.Voice {
			form.Media = append(form.Media, account.Medium{Name: string(m), Configured: works})
		}
	}
	known := slices.ContainsFunc(methods, func(m notify.ContactMethod) bool { return m.Address == req.User.Email })
	if form.Medium.Value == string(notify.Email) && !known {
		form.Address.Value = req.User.Email
	}
	return form
}
