package organization

import (
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// completeUser completes a person: contact methods and rules are theirs, so that an edit
// only adds what they do not have, and corrects a contact that is still as a file
// made it.
func (d *draft) completeUser(u, was *User, t thing) {
	var has User
	if was == nil {
		if u.Name == "" {
			d.problem(t, "", "%s is new here and needs a name.", u.Email)
		}
		orDefault(&u.Role, string(auth.Responder))
	} else {
		has = *was
	}
	u.Contacts = d.mergeContacts(u.Email, has.Contacts, u.Contacts)
	u.Rules = d.mergeRules(u.Email, has.Rules, u.Rules)
	for _, r := range u.Rules {
		if !slices.ContainsFunc(u.Contacts, func(c Contact) bool { return c.ID == r.Contact }) {
			d.problem(t, "rules", "%s has no contact %s.", u.Email, r.Contact)
		}
	}
}

func (d *draft) mergeContacts(email string, has, given []Contact) []Contact {
	all := slices.Clone(has)
	for _, c := range given {
		trusted := c.Verified && d.options.TrustVerified
		now, correction := d.findContact(email, c.ID)
		if correction != nil && string(correction.Medium) == c.Type && correction.Address == c.Value && !trusted {
			d.note("user %s: the contact %s is corrected once its owner has verified that.", email, c.ID)
			continue
		}
		if correction != nil && !slices.ContainsFunc(given, func(g Contact) bool { return g.ID == correction.Slug }) {
			all = slices.DeleteFunc(all, func(h Contact) bool { return h.ID == correction.Slug })
		}
		i := slices.IndexFunc(all, func(h Contact) bool { return h.ID == c.ID })
		switch {
		case i < 0:
			if c.Verified && !trusted {
				d.note("user %s: the contact %s has to be verified by its owner.", email, c.ID)
			}
			c.Verified = trusted
			all = append(all, c)
		case all[i].Type == c.Type && all[i].Value == c.Value:
			all[i].Verified = all[i].Verified || trusted
		case now == nil || !now.FromFile || d.replacedByOwner(now.ID):
			d.note("user %s: the contact %s stays what its owner made of it.", email, c.ID)
		default:
			switch {
			case trusted:
			case now.Usable():
				d.note("user %s: the contact %s is another now and has to be verified by its owner; until then the present one stays in use.", email, c.ID)
			default:
				d.note("user %s: the contact %s is another now and has to be verified by its owner.", email, c.ID)
			}
			c.Verified = trusted
			all[i] = c
		}
	}
	return all
}

// findContact finds a person's contact method, and the correction by a file that
// waits to take its place; nil where there is none.
func (d *draft) findContact(email, slug string) (now, correction *notify.ContactMethod) {
	user := slices.IndexFunc(d.state.Users, func(u auth.User) bool { return u.Email == email })
	if user < 0 {
		return nil, nil
	}
	methods := d.state.Contacts
	i := slices.IndexFunc(methods, func(m notify.ContactMethod) bool { return m.UserID == d.state.Users[user].ID && m.Slug == slug })
	if i < 0 {
		return nil, nil
	}
	for k := range methods {
		if methods[k].ReplacesID != nil && *methods[k].ReplacesID == methods[i].ID && methods[k].FromFile {
			correction = &methods[k]
		}
	}
	return &methods[i], correction
}

// replacedByOwner reports whether the owner is about to replace a contact.
func (d *draft) replacedByOwner(id int64) bool {
	return slices.ContainsFunc(d.state.Contacts, func(m notify.ContactMethod) bool {
		return m.ReplacesID != nil && *m.ReplacesID == id && !m.FromFile
	})
}

func (d *draft) mergeRules(email string, has, given []Rule) []Rule {
	all := slices.Clone(has)
	for _, urgency := range []string{"high", "low"} {
		mine, theirs := rulesOfUrgency(has, urgency), rulesOfUrgency(given, urgency)
		switch {
		case len(mine) == 0:
			all = append(all, theirs...)
		case len(theirs) > 0 && !slices.Equal(mine, theirs):
			d.note("user %s: the rules for %s urgency stay as their owner made them.", email, urgency)
		}
	}
	return all
}

func rulesOfUrgency(rules []Rule, urgency string) []Rule {
	var some []Rule
	for _, r := range rules {
		if r.Urgency == urgency {
			some = append(some, r)
		}
	}
	slices.SortStableFunc(some, func(a, b Rule) int { return int(a.After.seconds() - b.After.seconds()) })
	return some
}
