// Package channels shows the providers that carry messages, and sets them up.
package channels

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is all providers: GET /settings/channels.
type Page struct {
	Frame layout.Frame
	// Verify are own addresses to make contact methods of, for a reader who cannot be
	// paged: POST /me/contacts with medium and address, or its code where ContactID
	// is not 0.
	Verify    []OwnAddress
	Providers []Provider
	// Version is sent back with every change: POST /settings/channels/{provider}.
	Version int64
}

// OwnAddress is an address of the reader's on a channel that works.
type OwnAddress struct {
	Medium    string
	Address   string
	ContactID int64
}

// Provider is one provider with its form: POST /settings/channels/{name} with the
// fields, version, and do: "save", "test" (with to) or "remove".
type Provider struct {
	Name   string // "smtp"
	Title  string
	Help   string
	Medium string
	// Locked settings are of the environment; Variables are its variables.
	Locked    bool
	Variables []string
	Saved     bool
	UpdatedBy string
	UpdatedAt time.Time
	// Problem is why the settings cannot be used.
	Problem string
	Fields  []Field
	// Kept are secrets that were typed and not saved yet, sealed.
	Kept string
	// To is where a test is sent.
	To element.Field
	// Result is the result of the test that was just sent; nil for none.
	Result *Result
	// Accepted and Failed are when a message was last accepted and last failed; zero
	// for not lately. Reason is why it failed.
	Accepted, Failed time.Time
	Reason           string
	// Open unfolds the form.
	Open bool
}

// Field is one setting.
type Field struct {
	Name    string
	Label   string
	Hint    string
	Secret  bool
	Needed  bool
	Rare    bool
	Options []element.Option
	// Known says that there is a secret already, which an empty field keeps.
	Known bool
	Field element.Field
}

// Result is what a provider answered to a test.
type Result struct {
	OK   bool
	Text string
}
