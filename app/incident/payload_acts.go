package incident

import "time"

// RequestedPayload is of people who are asked to join, or one to take over.
type RequestedPayload struct {
	Via     string      `json:"via,omitempty"`
	For     RequestKind `json:"to,omitempty"` // empty for AskToJoin
	Targets []string    `json:"targets,omitempty"`
	Message string      `json:"text,omitempty"`
}

// AskedPayload is of people whom a request paged.
type AskedPayload struct {
	Targets []string `json:"targets,omitempty"`
	People  []int64  `json:"people,omitempty"`
	// Run counts the times that the request went through its targets, from 1.
	Run int `json:"run,omitempty"`
}

// ResponderJoinedPayload is of a person who joined because they were asked to.
type ResponderJoinedPayload struct {
	Via string `json:"via,omitempty"`
}

// DeclinedPayload is of a person who declined what they were asked for.
type DeclinedPayload struct {
	Via    string `json:"via,omitempty"`
	Reason string `json:"text,omitempty"`
}

// RequestEndedPayload is of a request that nobody accepted. The asker is told.
type RequestEndedPayload struct {
	Outcome RequestOutcome `json:"to,omitempty"`
	Targets []string       `json:"targets,omitempty"`
	Asker   []int64        `json:"people,omitempty"` // where a person asked
}

// TakenOverPayload is of a person who became the owner of an acknowledged incident.
type TakenOverPayload struct {
	Via  string  `json:"via,omitempty"`
	From []int64 `json:"people,omitempty"` // the owner before, where it was a person
	// Accepted is set where they were asked to.
	Accepted bool `json:"accepted,omitempty"`
}

// SnoozedPayload is of a snooze.
type SnoozedPayload struct {
	Via   string    `json:"via,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// SnoozeOverPayload is of the end of a snooze: at its time, or Early because of a
// raise or another alert.
type SnoozeOverPayload struct {
	Early  bool    `json:"early,omitempty"`
	People []int64 `json:"people,omitempty"` // the owner until then
}

// AcknowledgeUndonePayload is of an acknowledgment that was undone.
type AcknowledgeUndonePayload struct {
	Via string `json:"via,omitempty"`
}

// Kind implements Payload.
func (RequestedPayload) Kind() EventKind { return EvRequested }

// Kind implements Payload.
func (AskedPayload) Kind() EventKind { return EvAsked }

// Kind implements Payload.
func (ResponderJoinedPayload) Kind() EventKind { return EvResponderJoined }

// Kind implements Payload.
func (DeclinedPayload) Kind() EventKind { return EvDeclined }

// Kind implements Payload.
func (RequestEndedPayload) Kind() EventKind { return EvRequestEnded }

// Kind implements Payload.
func (TakenOverPayload) Kind() EventKind { return EvTakenOver }

// Kind implements Payload.
func (SnoozedPayload) Kind() EventKind { return EvSnoozed }

// Kind implements Payload.
func (SnoozeOverPayload) Kind() EventKind { return EvSnoozeOver }

// Kind implements Payload.
func (AcknowledgeUndonePayload) Kind() EventKind { return EvAcknowledgeUndone }
