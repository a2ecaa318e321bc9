// Package link is the page behind a signed link in a message: it asks for no
// sign-in, since a session that ran out must not cost a minute at night.
// Opening it does nothing; its buttons do.
package link

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/incidents"
)

// Page is one incident for one person: GET and POST /a/{token}. The form posts
// "action", which is "acknowledge", "decline", "escalate" or "resolve", and
// "resolution".
type Page struct {
	Clock  element.Clock
	Token  string
	Person element.Person // for whom the link was made
	// Done is what the post just did, with At its time as committed.
	Done Done
	At   time.Time

	Number      int64
	Title       string
	Status      incidents.Status
	Priority    element.Priority
	Service     string
	Deployment  string
	CreatedAt   time.Time
	Occurrences int64
	Facts       incidents.Facts
	Runbook     incidents.Runbook
	// Asked says that the person acknowledged it and is asked whether they still work on
	// it, until AnswerBy.
	Asked    bool
	AnswerBy time.Time
	// AskedBy is the request that asks the person to join or to take over; nil for none.
	AskedBy *incidents.Responder
	// MayResolve says that the person may do more than acknowledge.
	MayResolve     bool
	AcknowledgedBy string
	AcknowledgedAt time.Time
	ResolvedBy     string // the person, or the API token
	RecoveredBy    string // else the sender that told of the recovery
	ResolvedAt     time.Time
	Resolution     string
	// Why is why the person is paged, as a clause after "because"; empty where no page
	// was sent to them.
	Why string
	// Others are the other people whose pages are not acknowledged.
	Others []element.Person
	// Next is what happens if nobody acts.
	Next []incidents.Upcoming
}

// Done is what a post did.
type Done string

// What a post can have done. DoneAlready is for an acknowledgment by somebody
// who came second.
const (
	DoneNothing      Done = ""
	DoneAcknowledged Done = "acknowledged"
	DoneResolved     Done = "resolved"
	DoneEscalated    Done = "escalated"
	DoneJoined       Done = "joined" // an incident that somebody else owns
	DoneTakenOver    Done = "taken over"
	DoneDeclined     Done = "declined"
	DoneAlready      Done = "already"
)

// ExpiredPage is what an old or unknown link leads to. Number is 0 where the
// link does not even say of which incident.
type ExpiredPage struct {
	Clock  element.Clock
	Number int64
}
