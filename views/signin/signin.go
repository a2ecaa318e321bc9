// Package signin holds the pages of those who are not signed in: sign-in, the
// first administrator's set-up, and the choice of a password.
package signin

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is GET and POST /sign-in with email, password and next.
type Page struct {
	Now          time.Time
	Organization string
	Email        string
	// Wrong tells that address and password do not belong together.
	Wrong bool
	// RetryIn is how long to wait after too many attempts; 0 for not at all.
	RetryIn time.Duration
	// Next is where to go after; a path of this installation.
	Next  string
	Flash *layout.Flash
	// NoAdministrator tells that there is none so far, Nobody that nobody else
	// can sign in either.
	NoAdministrator, Nobody bool
	// Pending is a form that waits for the sign-in; nil for none.
	Pending *Pending
}

// Pending is a form that was sent without a session.
type Pending struct {
	// Sealed is sent along with the sign-in; empty where the form was not kept.
	Sealed  string
	NotDone string // "#182 is NOT acknowledged yet."
}

// ResumePage asks whoever has signed in whether to send the form that waited.
type ResumePage struct {
	Now     time.Time
	Name    string
	NotDone string
	Button  string
	// Discard is the link that drops it: "Do not acknowledge", of a text "Discard".
	Discard string
	// Main is for an acknowledgment, whose button looks as it does elsewhere.
	Main   bool
	Action string
	Fields []ResumeField
	// Next is the page to go to without sending it.
	Next string
	// AtOnce sends it without a question where scripts run.
	AtOnce bool
}

// ResumeField is a field of that form. Text is shown.
type ResumeField struct {
	Name, Value string
	Text        bool
}

// SetupPage creates the administrator: GET and POST /setup/{token} with
// organization, name, email, timezone and password.
type SetupPage struct {
	Now          time.Time
	Token        string
	Organization element.Field
	Name         element.Field
	Email        element.Field
	Timezone     element.Field
	Password     element.Field
	Zones        []string
	// MinPassword is how many characters one has at least.
	MinPassword int
}

// PasswordPage chooses a password by a one-time link: GET and POST
// /password/{token} with password.
type PasswordPage struct {
	Now      time.Time
	Token    string
	Name     string
	Email    string
	Invited  bool // the first password rather than a new one
	Password element.Field
	// MinPassword is how many characters one has at least.
	MinPassword int
}

// SpentPage is for a one-time link that was used or ran out.
type SpentPage struct {
	Now   time.Time
	Setup bool // the administrator's link
}

// invitation is to what, and as what.
func (p InvitePage) invitation() string {
	words := "You are invited to " + p.Organization + " as a " + p.Role
	if p.Team != "" {
		words += " of the team " + p.Team
	}
	return words + "."
}
