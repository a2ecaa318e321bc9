package incident

import (
	"encoding/json"
	"time"
)

// ListFilter narrows a list of incidents; its zero value asks for all of them.
type ListFilter struct {
	Statuses []Status // any of them
	Service  string   // a slug
	Team     string   // a slug
	// Priority is a level or catalog.NoPriority; Unset asks for those whose priority
	// is unset.
	Priority *int
	Unset    bool
	// MineOf asks for those that a person owns, or has a page of that nobody has
	// answered.
	MineOf int64
	// Search is a number, a part of the title or of the service's name or slug,
	// or the beginning of the dedup key, in any case. Titles and keys are searched
	// among the open incidents and the latest SearchedBack.
	Search string
	// Sort is the order; the zero value is the newest first.
	Sort Sort
	// Before is the number that the list goes on after in its order, 0 for its
	// beginning.
	Before int64
	// Limit bounds the list; it must be positive.
	Limit int
}

// Sort is the order of a list of incidents.
type Sort string

// The orders.
const (
	NewestFirst Sort = ""
	OldestFirst Sort = "oldest"
	// MostUrgentFirst is by whether nobody has acknowledged it, then by priority,
	// then by age, the oldest first. An unset priority comes before P1, and the
	// decision that there is none after all others.
	MostUrgentFirst Sort = "urgent"
)

// Row is an incident with the names of what it refers to; a name is empty where
// there is no such thing.
type Row struct {
	Incident
	ServiceSlug string
	ServiceName string
	// Runbook is the service's.
	Runbook  string
	TeamSlug string
	TeamName string
	// DeploymentName is what the sender wrote where nobody knows the deployment.
	DeploymentName string
	PriorityName   string
	OwnerName      string
	OwnerEmail     string
	// Paged are those whose page is unanswered. Only lists have it.
	Paged []PagedPerson `gorm:"-"`
}

// PagedPerson is somebody whose page is unanswered.
type PagedPerson struct {
	UserID      int64
	Name, Email string
}

// Counts are of the incidents that are open, each up to MaxCounted.
type Counts struct {
	Open, Unanswered, Mine int
}

// SearchedBack is how many incidents back titles and dedup keys are searched, so that a
// search takes no longer as incidents accumulate.
const SearchedBack = 10_000

// MaxCounted is up to where Counts count. Pages say "999+".
const MaxCounted = 1000

// MaxMatches is up to where Matches counts resolved incidents.
const MaxMatches = 100

// Matches counts what a filter finds whatever its status, and of the open ones
// those of a person.
type Matches struct {
	Open, Unanswered, Mine, Resolved int
}

// AttemptState is the state of a page by one contact method.
type AttemptState string

// The states of an attempt, and of a message without any yet.
const (
	AttemptQueued    AttemptState = "queued"
	AttemptBundled   AttemptState = "bundled" // gathers with others into one message
	AttemptSending   AttemptState = "sending"
	AttemptSent      AttemptState = "sent"
	AttemptDelivered AttemptState = "delivered"
	AttemptFailed    AttemptState = "failed"
	AttemptWithdrawn AttemptState = "withdrawn" // it was answered first
)

// PageRecord is one attempt at reaching a person about an incident. A message
// that was not attempted has one record with Number 0; a page that has no
// message has one with MessageID 0.
type PageRecord struct {
	PageID       int64
	EscalationID int64 // 0 where the owner is asked
	UserID       int64
	UserName     string
	UserEmail    string
	Step         int // counted from 1; 0 for none
	Run          int // counted from 1
	Urgency      Urgency
	Shadow       bool
	Digest       bool            // waited for support hours
	Why          json.RawMessage // an escalation.Why
	// PageState is "active", "withdrawn" (answered by somebody, or resolved),
	// "superseded" or "failed".
	PageState string
	CreatedAt time.Time
	EndedAt   *time.Time
	// NotifyAt is when the next personal rule is due.
	NotifyAt *time.Time

	MessageID int64
	Medium    string // "sms", "email", "slack", "voice"
	Contact   string // the address, masked
	// With counts the other incidents that the same message tells of.
	With int
	// InsteadOf is the medium that failed before this message took over.
	InsteadOf string
	// Waits says that the message waits for its channel, which is tried again all the
	// time until the step is over.
	Waits bool
	// RetryAt is when the message is due, again or for the first time.
	RetryAt *time.Time

	AttemptID  int64
	Number     int // counted from 1 within the message
	State      AttemptState
	Again      bool // may have been sent before
	ProviderID string
	Error      string // in words
	StartedAt  *time.Time
	FinishedAt *time.Time
}

// EscalationRecord is one run of a policy for an incident.
type EscalationRecord struct {
	ID      int64
	Purpose string // "primary", "role", "responder"
	Subject string
	// PolicyVersionID is nil where there is no policy: the administrators are
	// paged.
	PolicyVersionID *int64
	PolicySlug      string
	PolicyName      string
	// RequestText is the Request that it goes by, as JSON; empty where a policy says
	// whom to page. Outcome is how it ended.
	RequestText  string `gorm:"column:request"`
	Outcome      RequestOutcome
	State        string // "active", "acknowledged", "stopped"
	Phase        string // "waiting", "steps", "fallback", "administrators"
	Step         int    // counted from 0
	Run          int    // counted from 0
	Reached      bool
	FiredAt      *time.Time
	DeadlineAt   *time.Time
	NextActionAt *time.Time
	StartedAt    time.Time
	EndedAt      *time.Time
}

// Request is the request to join or to take over that it goes by; false for one that
// goes by a policy, and for the primary one of an incident opened by paging somebody.
func (e EscalationRecord) Request() (Request, bool) {
	var r Request
	if e.RequestText == "" || json.Unmarshal([]byte(e.RequestText), &r) != nil || r.Kind == AskToAnswer {
		return Request{}, false
	}
	return r, true
}

// RequestState is "asked" while a request waits for an answer, then its outcome, and
// "ended" where it ended with its incident.
func (e EscalationRecord) RequestState() string {
	switch {
	case e.State == "active":
		return "asked"
	case e.Outcome == "":
		return "ended"
	}
	return string(e.Outcome)
}

// AlertRecord is an alert of an incident, with who sent it.
type AlertRecord struct {
	Alert
	IntegrationSlug string
	IntegrationName string
}
