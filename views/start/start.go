// Package start is the first run: from nothing to an acknowledged test page.
package start

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/account"
	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Page is GET /start: a list of steps of which the first that is not done is
// open.
type Page struct {
	Frame layout.Frame
	// Contacts are the reader's; the first step is done once one is verified.
	Contacts []account.Contact
	Adding   account.AddContact
	// Service is the reader's first; Form creates it: POST /start/service.
	Service element.Ref
	Form    ServiceForm
	// MaySetUp is true for those who may set up channels and invite colleagues.
	MaySetUp bool
	// OnlyLog says that no channel is set up.
	OnlyLog bool
	// Step is the step that the reader asked for: GET /start?step=2; 0 for none.
	Step int
	// MayCreate is false for those who may not configure the organisation.
	MayCreate bool
	// Integration is the key that was made with it. Noun is what people call a
	// signal of its format: "breach", "alert".
	Integration element.Ref
	Noun        string
	// Curl is the command that sends a breach with it; of another format than the
	// native one, Snippets are what the sender's configuration needs. Both are empty
	// where there is no example of a sender. They may have element.KeyVariable in
	// place of the key.
	Curl     string
	Snippets []element.Snippet
	// MayReveal is true for those who may see the key.
	MayReveal bool
	// MayTest is false where the format has no test signal, and for those who may
	// not page.
	MayTest bool
	// Test is the incident that the test signal opened: POST /start/test.
	Test *Test
}

// ServiceForm names a first service; team, schedule, policy and integration
// are made with it, the reader on call in them.
type ServiceForm struct {
	Service element.Field
	Team    element.Field
}

// Test is the incident of the test signal.
type Test struct {
	Number    int64
	Version   int64
	Title     string
	Status    incidents.Status
	CreatedAt time.Time
	// Attempts are what was sent to whom.
	Attempts []incidents.Attempt
	// AnsweredIn is from the signal to the acknowledgment; 0 while unanswered.
	AnsweredIn time.Duration
}

// Steps is how many there are.
const Steps = 4

// WelcomePage is the first page of a colleague who was invited: GET /welcome.
type WelcomePage struct {
	Frame    layout.Frame
	Contacts []account.Contact
	Adding   account.AddContact
	// Responds is false for stakeholders, whom nothing pages.
	Responds bool
}
