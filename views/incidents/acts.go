package incidents

import (
	"fmt"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// Acts is what the reader may do beyond acknowledging and resolving, and what it leads
// to.
type Acts struct {
	// Owner acknowledged it: a name, empty where nobody has. Yours says that it is the
	// reader.
	Owner string
	Yours bool
	// AskedBy is the request that asks the reader, nil for none.
	AskedBy *Responder
	// Join is whom "Page more people" asks: the next step of the policy. Reassign is
	// whom an escalation pages. Their Names are empty where there is nobody.
	Join, Reassign StepAhead
	// SnoozedUntil is zero where it is not snoozed; Tomorrow is tomorrow 09:00 of the
	// reader.
	SnoozedUntil, Tomorrow time.Time
	// Responders are the requests of the incident, oldest first.
	Responders []Responder
}

// StepAhead is a step of a policy and the people in it now.
type StepAhead struct {
	Names string // "Ben Adeyemi and Chiara Russo"
	Place string // "step 2", "the fallback"
	Again bool   // it was paged before: the policy begins its next run
}

// words are whom the step pages: "Ben Adeyemi (step 1 again)".
func (s StepAhead) words() string {
	place := s.Place
	if s.Again {
		place += " again"
	}
	return s.Names + " (" + place + ")"
}

// Responder is one request to join or to take over.
type Responder struct {
	Names   string
	By      string // who asks
	Message string // in their words
	State   ResponderState
	// Kind is the kind of request as a form names it. TakeOver says that they are asked
	// to own it.
	Kind     string
	TakeOver bool
	At       time.Time // when they were asked, or since when the state is
}

// ResponderState is where a request stands.
type ResponderState string

// The states of a request.
const (
	ResponderAsked      ResponderState = "asked"
	ResponderJoined     ResponderState = "joined"
	ResponderDeclined   ResponderState = "declined"
	ResponderUnanswered ResponderState = "unanswered"
	ResponderNobody     ResponderState = "nobody"
	ResponderEnded      ResponderState = "ended" // with the incident, or by another request
)

var responderWords = map[ResponderState]string{
	ResponderAsked: "Asked", ResponderJoined: "Joined", ResponderDeclined: "Declined",
	ResponderUnanswered: "No answer", ResponderNobody: "Cannot be paged", ResponderEnded: "No longer asked",
}

func (r Responder) words() string {
	if r.State == ResponderAsked && r.TakeOver {
		return "Asked to take over"
	}
	return responderWords[r.State]
}

// byWords is who asks, after words and when.
func (r Responder) byWords() string {
	switch {
	case r.By == "":
		return ""
	case r.State == ResponderAsked:
		return ", by " + r.By
	}
	return ", asked by " + r.By
}

// Asks is what the reader is asked for.
func (r Responder) Asks() string {
	if r.TakeOver {
		return r.By + " asks you to take this over."
	}
	return r.By + " asks you to join."
}

// AskPage offers whom to ask: GET /incidents/{number}/responders and …/handover.
type AskPage struct {
	Frame    layout.Frame
	Number   int64
	Title    string
	HandOver bool // one person, who takes over
	Owner    string
	Query    string
	// Groups are the candidates that the query finds, or those that are near.
	Groups []CandidateGroup
	// Selected are the values of the candidates that were chosen; Message what was
	// typed.
	Selected []string
	Message  element.Field
	// Error is what is wrong with the choice.
	Error string
}

// CandidateGroup is candidates of one kind, which is the name of their field.
type CandidateGroup struct {
	Field      string // "users", "teams", "schedules" or "user"
	Title      string
	Candidates []Candidate
	// More counts those that a search would have to find.
	More int
}

// Candidate is somebody who can be asked.
type Candidate struct {
	Value string // an id
	Name  string
	Note  string // "main on call in Payments", "Ana Ortiz now"
	// Unreachable cannot be paged.
	Unreachable bool
}

func (p AskPage) path() string {
	if p.HandOver {
		return IncidentPage{Number: p.Number}.path("handover")
	}
	return IncidentPage{Number: p.Number}.path("responders")
}

func (p AskPage) heading() string {
	if p.HandOver {
		return "Hand over"
	}
	return "Add people"
}

// BulkPage asks whether an act on several incidents is meant for those of other teams
// too: POST /incidents/acknowledge and /incidents/resolve.
type BulkPage struct {
	Frame layout.Frame
	// Action is the address, Verb what it does: "Acknowledge".
	Action, Verb string
	Tab          Tab
	Resolution   string
	Scope        Scope
	// Own and Others are the numbers, by whose they are.
	Own, Others []int64
	// Teams are the other teams, by name.
	Teams []string
}

// Scope counts the incidents that an act is for: All, and of these those of Others'
// teams.
type Scope struct {
	All, Others int
}

// Words are the scope in words: "All 61, 24 of them other teams'".
func (s Scope) Words() string {
	words := fmt.Sprintf("All %d", s.All)
	if s.Others > 0 {
		words += fmt.Sprintf(", %d of them other teams’", s.Others)
	}
	return words
}

func (p BulkPage) teams() string { return strings.Join(p.Teams, ", ") }
