package incidents

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// IncidentPage is one incident: GET /incidents/{number}. Times that did not
// come to pass are zero.
type IncidentPage struct {
	Frame   layout.Frame
	Number  int64
	Version int64 // what the live page goes by
	Title   string
	Status  Status
	// LowUrgency waits for the morning.
	LowUrgency bool
	Priority   element.Priority
	// Severity is the sender's word for it, empty where it sent none.
	Severity string
	// PrioritySource completes "P2 ": "from the SLO", "from the signal",
	// "set by Ana Ortiz". Empty where it is unset.
	PrioritySource string
	Service        element.Ref
	Deployment     string // in words; the sender's name where nobody knows it
	CreatedAt      time.Time
	LastSeenAt     time.Time
	Occurrences    int64
	AcknowledgedAt time.Time
	AcknowledgedBy string
	ResolvedAt     time.Time
	ResolvedBy     string // the person, or the API token
	RecoveredBy    string // else the sender that told of the recovery
	Resolution     string
	// FlappingSince is set while quiet minutes have to pass before it may end.
	FlappingSince time.Time
	// MutedUntil is set while the sender asked for quiet.
	MutedUntil time.Time

	Facts   Facts
	Runbook Runbook
	Links   []element.Link // the sender's, then the service's dashboards
	Signal  Signal
	Paged   []Recipient
	Next    []Upcoming
	// Timeline is oldest first.
	Timeline []Event
	// Before are earlier incidents of the same alert, newest first.
	Before []Earlier
	// Alerts are those that share the incident, firing ones first. MoreAlerts is set
	// where there are more than those.
	Alerts     []Alert
	MoreAlerts bool
	// Changes are the service's last ones before the incident, newest first.
	Changes []Change

	// Priorities are what the priority can be set to.
	Priorities []element.Priority
	// ResolutionField, NoteField and PriorityForm are what was typed into the forms,
	// where something of it is invalid.
	ResolutionField element.Field // the resolution
	NoteField       element.Field // the note
	PriorityForm    PriorityForm
	MayAct          bool
	Acts            Acts
	// Description is what whoever opened it by hand wrote, or the sender.
	Description string
	// NoPolicy tells that the service has no escalation policy.
	NoPolicy bool
	// PagedByHand tells that somebody opened it by paging people, who were asked
	// instead of the policy.
	PagedByHand bool
}

// PriorityForm is the form that sets the priority.
type PriorityForm struct {
	Level  element.Field
	Reason element.Field
}

// Runbook is what to do first. Excerpt is plain text; Link is empty where the
// service has none.
type Runbook struct {
	Link    element.Link
	Excerpt string
}

// Signal is the last signal as it came in.
type Signal struct {
	Sender       string // the integration's name
	Integration  string // its slug; empty where it has no page
	ServiceName  string // as the sender wrote it
	DedupKey     string
	ReceivedAt   time.Time
	Environment  []element.Pair
	Dependencies []Dependency
	Labels       []element.Pair
	Annotations  []element.Pair
	Details      []element.Pair
	// Unknown are fields that nobody here knows, kept as they came.
	Unknown []element.Pair
	// Body is the raw body, as far as it is text; JSON is indented.
	Body string
}

// Dependency is what a signal said of a service that its own depends on.
type Dependency struct {
	Service         string
	Availability    *float64
	BudgetRemaining *float64
}

// Recipient is one person who is paged, or will be.
type Recipient struct {
	PageID int64
	Person element.Person
	// Role is why in a word or two: "main", "backup", "everyone in Payments",
	// "fallback".
	Role   string
	State  RecipientState
	Shadow bool
	// Last is what was tried last. Reached says that a provider accepted a message.
	Last    *Attempt
	Reached bool
	// NextTry is when the next method is used; zero where none is left.
	NextTry    time.Time
	NextMedium string
	// Waits is a message that gathers further pages; nil where none does.
	Waits *Waiting
	// NotSetUp are the media of their contacts that nothing carries here.
	NotSetUp []string
}

// Waiting is a message that leaves later, since pages gather in it.
type Waiting struct {
	Medium string
	Until  time.Time
	// Digest tells that the page waited for the support hours, and not that
	// its person was sent much lately.
	Digest bool
}

// RecipientState is how a page stands.
type RecipientState string

// The states of a page.
const (
	Paging     RecipientState = "paging"
	Answered   RecipientState = "answered"   // they acknowledged
	Withdrawn  RecipientState = "withdrawn"  // somebody else did, or it is resolved
	Superseded RecipientState = "superseded" // a later step took over
	Unreached  RecipientState = "failed"     // nothing got through
)

// Upcoming is what happens next if nobody acts.
type Upcoming struct {
	Kind UpcomingKind
	At   time.Time
	// Targets are in words: "backup on call in Payments". People are those
	// that they stand for as things are.
	Targets []string
	People  []element.Person
	Step    int // counted from 1
	Run     int // counted from 1
}

// UpcomingKind says which kind of thing happens next.
type UpcomingKind string

// The kinds of what comes next.
const (
	NextStep           UpcomingKind = "step"
	NextFallback       UpcomingKind = "fallback"
	NextAdministrators UpcomingKind = "administrators"
	NextMorning        UpcomingKind = "morning"     // low urgency: paging begins
	NextTry            UpcomingKind = "try"         // nobody can be reached as things are
	NextStillOnIt      UpcomingKind = "still_on_it" // the acknowledgment expires
)

// Alert is one of the alerts that share an incident.
type Alert struct {
	Title       string
	Sender      string
	Firing      bool
	StartedAt   time.Time
	ResolvedAt  time.Time // zero while it fires
	Occurrences int64
}

// Earlier is another incident of the same alert.
type Earlier struct {
	Number     int64
	CreatedAt  time.Time
	ResolvedAt time.Time
	Resolution string
}
