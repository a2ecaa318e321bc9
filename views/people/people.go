// Package people shows who has an account and lets administrators add them.
package people

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
	"github.com/tocsin-oncall/tocsin/views/oncall"
)

// Roles are those that a person can have, the least first.
var Roles = []string{"stakeholder", "responder", "manager", "administrator"}

// ListPage is everybody: GET /people. POST /people with email, name, role adds
// somebody.
type ListPage struct {
	Frame     layout.Frame
	People    []ListRow
	MayManage bool
	Adding    Form
	// NewLink is the one-time link for whoever was just added, to hand over.
	NewLink    string
	NewLinkFor string
	// Invitations are nil for those who may invite nobody.
	Invitations *Invitations
}

// ListRow is one person of the list.
type ListRow struct {
	Person element.Person
	Email  string
	Role   string
	Teams  []element.Ref
	Active bool
	// Unreachable tells that escalations can come to the person, and that no verified
	// contact is on a working channel.
	Unreachable bool
	OnCall      bool
	// Invited have not set a password yet.
	Invited bool
}

// Form is a person as an administrator writes them.
type Form struct {
	Name  element.Field
	Email element.Field
	Role  element.Field
}

// Page is one person: GET /people/{id}. POST /people/{id} with name and role
// changes them; POST /people/{id}/link makes a one-time link for a password; POST
// /people/{id}/deactivate asks for a confirmation, and deactivates with confirmed set;
// POST /people/{id}/activate takes them back.
type Page struct {
	Frame    layout.Frame
	Person   element.Person
	Reach    element.Contacts
	Role     string
	Zone     *time.Location
	Active   bool
	Teams    []element.Ref
	OnCall   []Duty
	Upcoming []Duty
	Contacts []ContactKind
	// Pageable tells that escalations can come to the person.
	Pageable  bool
	MayManage bool
	Form      Form
	// NewLink is the one-time link that was just made.
	NewLink string
	Invited bool
	// Deactivation asks for a confirmation; nil where it was not asked for.
	Deactivation *Deactivation
}

// Deactivation is what deactivating a person leads to, a sentence each.
type Deactivation struct{ Notes []string }

// Duty is a shift of the person.
type Duty struct {
	Schedule element.Ref
	Position string
	Shift    oncall.Holder
}

// ContactKind says that a way to reach the person exists, without the address.
type ContactKind struct {
	Medium   string
	Verified bool
}
