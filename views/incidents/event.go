package incidents

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Event is one line of the timeline. Kind is one of the incident's timeline
// kinds, or "attempt" for what became of a message; each kind reads the fields
// that its sentence needs, and an unknown kind shows Text.
type Event struct {
	ID   int64
	At   time.Time
	Kind string
	// By is who did it, in words: "Ana Ortiz", "API token deploy-bot", "Tocsin".
	By     string
	Text   string // a note, a reason, a resolution
	From   string // an earlier value
	To     string // a later one
	Via    string // "web", "sms", "link", "api", "slack"
	Policy element.Ref
	Step   int // counted from 1
	Run    int // counted from 1
	People []element.Person
	// Unreached are such as "Gus Ek: no verified contact method".
	Unreached []string
	Targets   []string // in words: "main on call in Payments"
	Until     time.Time
	Count     int64
	Warnings  []string
	Sender    string
	// OfSeveral is set where the alert that recovered was one of several at the
	// time; those that join later change nothing.
	OfSeveral bool
	Attempt   *Attempt
}

// KindAttempt is the Event kind of a message to somebody.
const KindAttempt = "attempt"

// Attempt is one message to one contact method, and what became of it.
type Attempt struct {
	PageID int64 // for "why me?"; 0 where no page is behind it
	Person element.Person
	Medium string // "sms", "email", "slack", "voice", "log"
	// Contact is the address, masked: "+34 ••• 001".
	Contact string
	State   AttemptState
	// At is when it reached that state.
	At time.Time
	// Error is the provider's reason in words, of a failed attempt.
	Error string
	// Number counts from 1 within the message.
	Number int
	// Again marks a send that may have happened before, after a crash or a
	// provider's time-out.
	Again bool
	// InsteadOf is the medium that failed and that this one took over from.
	InsteadOf string
	// With is how many other incidents the same message tells of.
	With int
	// Waits says that it is tried again all the time, until its step is over.
	Waits bool
	// RetryAt is when it is tried again; zero where it is not.
	RetryAt time.Time
}

// AttemptState is how an attempt stands.
type AttemptState string

// The states of an attempt.
const (
	Queued           AttemptState = "queued"
	Sending          AttemptState = "sending"
	Sent             AttemptState = "sent"
	Delivered        AttemptState = "delivered"
	Failed           AttemptState = "failed"
	AttemptWithdrawn AttemptState = "withdrawn"
)

// WhyPage explains one page: GET /incidents/{number}/pages/{id}.
type WhyPage struct {
	Frame   layout.Frame
	Number  int64
	Title   string
	Person  element.Person
	You     bool // the reader is that person
	PagedAt time.Time
	// Asker asked for the page by hand; empty where a policy did. Asked is for what,
	// and Reason the asker's words.
	Asker    string
	Asked    AskedFor
	Reason   string
	Policy   element.Ref
	Step     int // counted from 1; 0 for none
	Run      int // counted from 1
	Fallback bool
	// Administrators is set where nobody else was left to page.
	Administrators bool
	// EscalatedBy moved the escalation on by hand; empty where it went by itself.
	EscalatedBy string
	// Target is in words: "main on call in Payments".
	Target   string
	Schedule element.Ref
	Position string
	Layer    string
	Shadow   bool
	// Handover tells that the shift changed while the step was unanswered.
	Handover bool
	// Override put the person on; its By is empty where there is none.
	Override WhyOverride
	// Rules are the personal rules as they are now, in order, which need not be
	// those that chose the methods of a page from long ago; none means
	// that every verified method is used at once.
	Rules    []WhyRule
	Urgency  string // "high", "low"
	Attempts []Attempt
}

// AskedFor is what somebody was asked for by hand.
type AskedFor string

// What people are asked for.
const (
	AskedToAnswer   AskedFor = "answer"
	AskedToJoin     AskedFor = "join"
	AskedToTakeOver AskedFor = "take_over"
)

// WhyOverride is the override that put somebody on call.
type WhyOverride struct {
	By       string
	Replaced element.Person // nobody where the person was added
	From     time.Time
	To       time.Time
	Reason   string
}

// WhyRule is one personal rule: a method, some time after the page.
type WhyRule struct {
	Medium  string
	Contact string
	After   time.Duration
}
