package incident

import "slices"

// ManualKey begins the dedup key of an incident that was opened by hand.
const ManualKey = "manual:"

// Target stands for people. Exactly one of Schedule, User, Team and Role is set, except
// that Team may have Role "manager".
type Target struct {
	// Schedule is a schedule's id: the people in Position at the time. In a Request
	// an empty Position stands for all positions, one after the other.
	Schedule int64  `json:"schedule,omitempty"`
	Position string `json:"position,omitempty"`
	User     int64  `json:"user,omitempty"`
	// Team is a team's id: everyone in it, or with Role "manager" its manager.
	Team int64 `json:"team,omitempty"`
	// Role alone is everyone with that role in the organisation:
	// "administrator", "manager" or "responder".
	Role string `json:"role,omitempty"`
}

// NamedTarget is a target with its name for people, as it was at the time.
type NamedTarget struct {
	Target
	Name string
}

// RequestKind is what people are asked for.
type RequestKind string

// The kinds of request.
const (
	AskToJoin     RequestKind = "join"
	AskToTakeOver RequestKind = "handover" // whoever accepts becomes the owner
	AskToAnswer   RequestKind = "page"     // the primary escalation of an incident opened by paging somebody
)

// Request asks people for something by paging them. It is an escalation of its own,
// and leaves the primary one alone, unless it is the primary one.
type Request struct {
	Kind    RequestKind `json:"kind"`
	Targets []Target    `json:"targets"`
	// By is the actor who asks, and ByID their id where it is a person.
	By      string `json:"by"`
	ByID    *int64 `json:"by_id,omitempty"`
	Message string `json:"message,omitempty"` // the asker's words; may be empty
	// Declined are the people who declined. They are not paged again.
	Declined []int64 `json:"declined,omitempty"`
}

// RequestOutcome is how a request ended. The strings are stored.
type RequestOutcome string

// The outcomes. A request that ends with its incident, or since the same asker asks the
// same person to take over, has none.
const (
	RequestJoined     RequestOutcome = "joined"
	RequestDeclined   RequestOutcome = "declined"   // by everyone who was asked
	RequestUnanswered RequestOutcome = "unanswered" // after its last page
	RequestNobody     RequestOutcome = "nobody"     // nobody it names can be reached
)

// ActiveRequest is a request that waits for an answer.
type ActiveRequest struct {
	Request
	ID int64
	// Asked are the people it paged who have not declined; Waiting are those of
	// them whose page is of the current step.
	Asked, Waiting []int64
}

// RequestEnd ends a request.
type RequestEnd struct {
	ID      int64
	Outcome RequestOutcome
}

// RequestDecline takes a person out of a request.
type RequestDecline struct {
	ID     int64
	UserID int64
	// Next says that nobody else of the current step is asked, so that the next one
	// follows at once.
	Next bool
}

// ask starts requests.
func (c *Change) ask(kind RequestKind, by By, message string, targets []Target) {
	c.Changed = true
	c.Requests = append(c.Requests, Request{Kind: kind, Targets: targets, By: by.Actor, ByID: by.UserID, Message: message})
}

// join ends the requests that ask a person, since the person joins.
func (c *Change) join(requests []ActiveRequest) {
	for _, r := range requests {
		c.Changed = true
		c.EndRequests = append(c.EndRequests, RequestEnd{r.ID, RequestJoined})
	}
}

// asking are the requests that ask whoever acts.
func (k Known) asking(by By) []ActiveRequest {
	if by.UserID == nil {
		return nil
	}
	var found []ActiveRequest
	for _, r := range k.Requests {
		if slices.Contains(r.Asked, *by.UserID) {
			found = append(found, r)
		}
	}
	return found
}

// hasRequest reports whether somebody is asked for something already, as an exact
// list of targets.
func (k Known) hasRequest(kind RequestKind, targets []Target) bool {
	return slices.ContainsFunc(k.Requests, func(r ActiveRequest) bool {
		return r.Kind == kind && slices.Equal(r.Targets, targets)
	})
}
