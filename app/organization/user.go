package organization

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// KindUser is the kind of people.
const KindUser Kind = "user"

// User is a person, known by email address.
type User struct {
	Email    string `yaml:"email"`
	Name     string `yaml:"name,omitempty"`
	Role     string `yaml:"role,omitempty"`
	Timezone string `yaml:"timezone,omitempty"`
	// Deactivated people neither sign in nor are paged; nobody is ever deleted.
	Deactivated bool      `yaml:"deactivated,omitempty"`
	Contacts    []Contact `yaml:"contacts,omitempty"`
	Rules       []Rule    `yaml:"rules,omitempty"`
}

// Contact is a contact method.
type Contact struct {
	ID       string `yaml:"id"`
	Type     string `yaml:"type"`
	Value    string `yaml:"value"`
	Verified bool   `yaml:"verified,omitempty"`
}

// Rule is a personal rule. Contact is the id of one of the person's contacts.
type Rule struct {
	Urgency string   `yaml:"urgency"`
	After   Duration `yaml:"after"`
	Contact string   `yaml:"contact"`
}

func (u User) key() string { return u.Email }

// PutUser creates or changes a person. Contacts and rules are the person's own:
// the edit adds those that are missing, and corrects a contact that is still as a
// file made it.
type PutUser = Put[User]

func userSection() section {
	return &list[User]{
		kind: KindUser,
		name: "users",
		in:   func(d *Document) *[]User { return &d.Users },
		key:  User.key,
		describeAll: func(s *State, _ names) []User {
			return convert(s.Users, func(u auth.User) User { return describeUser(s, u) })
		},
		names: func(s *State) named {
			return namesOf(s.Users, func(u auth.User) (int64, string) { return u.ID, u.Email })
		},
		check:    (*checker).user,
		complete: (*draft).completeUser,
		checkAll: (*draft).keepAdministrator,
		withdraw: (*draft).deactivate,
	}
}

func (c *checker) user(u *User, path string) {
	if c.require(path, "email") {
		email, err := auth.NormalizeEmail(u.Email)
		c.fault(path+".email", err)
		u.Email = email
	}
	c.givenName(path+".name", u.Name)
	if c.given(path+".role") && !c.takesDefault(u.Role) {
		c.role(path+".role", u.Role)
	}
	c.zone(path+".timezone", u.Timezone, true)
	checkEach(c, path+".contacts", u.Contacts, c.contact, func(c *Contact) string { return c.ID })
	for i := range u.Rules {
		c.rule(&u.Rules[i], fmt.Sprintf("%s.rules[%d]", path, i))
	}
}

func (c *checker) role(path, role string) {
	_, err := auth.ParseRole(role)
	c.fault(path, err)
}

func (c *checker) contact(m *Contact, path string) {
	if c.require(path, "id") && !isSlug(m.ID) {
		c.problem(path+".id", "An id is of lower-case letters, digits and hyphens.")
	}
	if c.require(path, "type") {
		_, err := notify.ParseMedium(m.Type)
		c.fault(path+".type", err)
	}
	if c.require(path, "value") && slices.Contains(notify.Media, notify.Medium(m.Type)) {
		value, err := notify.NormalizeAddress(notify.Medium(m.Type), m.Value)
		c.fault(path+".value", err)
		m.Value = value
	}
}

func (c *checker) rule(rule *Rule, path string) {
	if c.require(path, "urgency") && rule.Urgency != "high" && rule.Urgency != "low" {
		c.problem(path+".urgency", "An urgency is high or low.")
	}
	c.require(path, "contact")
}

func describeUser(s *State, u auth.User) User {
	user := User{Email: u.Email, Name: u.Name, Role: string(u.Role), Timezone: u.Timezone, Deactivated: !u.Active}
	ids := map[int64]string{}
	for _, c := range s.Contacts {
		if c.UserID == u.ID {
			ids[c.ID] = c.Slug
			user.Contacts = append(user.Contacts, Contact{c.Slug, string(c.Medium), c.Address, c.VerifiedAt != nil})
		}
	}
	for _, r := range s.Rules {
		if r.UserID == u.ID {
			user.Rules = append(user.Rules, Rule{r.Urgency, inSeconds(r.AfterSeconds), ids[r.ContactMethodID]})
		}
	}
	slices.SortStableFunc(user.Rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Urgency, b.Urgency), cmp.Compare(a.After, b.After))
	})
	return user
}

// keepAdministrator makes sure that somebody can still change the configuration.
func (d *draft) keepAdministrator() {
	administers := func(u User) bool { return !u.Deactivated && u.Role == string(auth.Administrator) }
	if !slices.ContainsFunc(d.current.Users, administers) || slices.ContainsFunc(d.desired.Users, administers) {
		return
	}
	for _, u := range d.current.Users {
		if administers(u) {
			d.problemOf(fault.KindConflict, d.thing(KindUser, u.Email), "role", "%s is the last administrator. Make somebody else one first.", u.Email)
		}
	}
}

// deactivate deactivates a person whom nothing refers to. Administrators are
// deactivated by hand, so that no file locks its own author out.
func (d *draft) deactivate(r *Remove, u *User) string {
	by := d.referrer(KindUser, u.Email)
	switch {
	case u.Deactivated:
	case r.IfUnused && u.Role == string(auth.Administrator):
		d.note("%s stays: administrators are deactivated by hand.", r.thing().words)
	case by != "":
		return by
	default:
		u.Deactivated = true
		d.touchPart(KindUser, u.Email)
	}
	return ""
}

// numbers are the ids of people by address.
func (s *State) numbers() map[string]int64 {
	numbers := make(map[string]int64, len(s.Users))
	for _, u := range s.Users {
		numbers[u.Email] = u.ID
	}
	return numbers
}

func (d *draft) number(email string) int64 {
	if id, ok := IDOf(email); ok {
		return id
	}
	id, ok := d.numbers[email]
	if !ok {
		id = -int64(len(d.numbers)) - 1
		d.numbers[email] = id
	}
	return id
}
