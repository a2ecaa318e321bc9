// Package account is where people see to themselves: how they are reached,
// when by what, their time zone and password, and when they are next on call.
package account

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is the reader's own account: GET /me.
type Page struct {
	Frame    layout.Frame
	Email    string
	Role     string
	Contacts []Contact
	// Unreachable says what to do for a person who cannot be paged and is to be; empty
	// for others.
	Unreachable string
	Adding      AddContact
	High        Rules
	Low         Rules
	Profile     ProfileForm
	Password    PasswordForm
	// HasPassword is false for those who were invited and have set none.
	HasPassword bool
	// HidePhone keeps the phone number from colleagues: POST /me/privacy with
	// hide_phone.
	HidePhone bool
	Shifts    []Shift
	Zones     []string // what the time zone's list offers
}

// Contact is one way to reach the person.
type Contact struct {
	ID      int64
	Medium  string // "sms", "email", "slack", "voice"
	Address string // in full: it is their own
	// Verified methods are used.
	Verified bool
	// CodeSentAt is when a code was last sent; zero where none is on its way.
	CodeSentAt time.Time
	Code       element.Field // the code as typed
	// Stopped tells that the person answered STOP.
	Stopped bool
	// NotConfigured tells that the channel does not work on this installation.
	NotConfigured bool
	// Others tells that the person has a verified contact on a working channel.
	Others bool
	// OnlyLog tells that nothing is connected yet, so that codes stand in the log.
	OnlyLog bool
	// Replaces is the address that stays in use until this one is verified.
	Replaces string
	// UsedBy is how many rules go by it, all of which end with it.
	UsedBy int
}

// AddContact is the form that adds a method: POST /me/contacts with medium and
// address.
type AddContact struct {
	Medium  element.Field
	Address element.Field
	// Media are those that can be added; those not configured say so.
	Media []Medium
}

// Medium is a kind of contact method.
type Medium struct {
	Name       string // "sms"
	Configured bool
}

// Rules are the personal rules for one urgency: POST /me/rules with urgency,
// and per row contact, an id or empty to drop the row, and after, in minutes.
type Rules struct {
	Rows  []Rule
	Error string
	// Late are sentences on rules that never fire in a step.
	Late []string
}

// Rule uses a method some minutes after the page.
type Rule struct {
	ContactID int64
	After     element.Field // minutes
}

// ProfileForm is POST /me/profile with name and timezone.
type ProfileForm struct {
	Name     element.Field
	Timezone element.Field // empty for the organisation's
	// Default is the organisation's zone.
	Default string
}

// PasswordForm is POST /me/password with current and password.
type PasswordForm struct {
	Current element.Field
	New     element.Field
	// Shortest is how many characters a new one has at least.
	Shortest int
}

// Shift is when the person is on call.
type Shift struct {
	Schedule element.Ref
	Position string
	Start    time.Time
	End      time.Time // zero where no end is in sight
	Override bool
}
