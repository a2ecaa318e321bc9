package incident

import (
	"encoding/json"
	"strings"
	"time"
)

// EventKind is what a line of the timeline tells. The strings are stored.
type EventKind string

// The kinds of timeline event. What became of a page is not among them: it is
// read from the attempts themselves.
const (
	EvReceived        EventKind = "received"       // a signal opened the incident
	EvRepeated        EventKind = "repeated"       // an alert fires again while the incident is open
	EvRaised          EventKind = "raised"         // a signal raised the priority
	EvJoined          EventKind = "joined"         // another alert of the group fires
	EvWorse           EventKind = "worse"          // the sender's severity got worse
	EvRecovered       EventKind = "recovered"      // an alert stopped firing
	EvReopened        EventKind = "reopened"       // by a signal or a person
	EvFlapping        EventKind = "flapping"       // stays open until it is quiet
	EvStillFiring     EventKind = "still_firing"   // a flapping incident pages, since it does not recover
	EvQuietPeriodOver EventKind = "settled"        // the quiet period of a flapping or muted incident ended
	EvStep            EventKind = "step"           // an escalation step fired
	EvPassedOver      EventKind = "passed_over"    // a step found nobody, or reached nobody
	EvHeld            EventKind = "held"           // a step waits for required cover
	EvHandover        EventKind = "handover"       // the schedule handed over inside a step
	EvExhausted       EventKind = "exhausted"      // nobody answered the whole policy
	EvWaiting         EventKind = "waiting"        // low urgency, waits for support hours
	EvAcknowledged    EventKind = "acknowledged"   //
	EvShadowAck       EventKind = "shadow_ack"     // a shadow's, which stops nothing
	EvUnacknowledged  EventKind = "unacknowledged" // by hand
	EvStillOnIt       EventKind = "still_on_it"    // the owner is asked
	EvAckExpired      EventKind = "ack_expired"    // and did not answer
	EvResolved        EventKind = "resolved"       //
	EvResolveUndone   EventKind = "resolve_undone" // a resolve by hand was taken back
	EvEscalated       EventKind = "escalated"      // by hand
	EvPriority        EventKind = "priority"       // set by hand
	EvNote            EventKind = "note"           //
	EvChannelFailed   EventKind = "channel_failed" // a post to the team's chat channel failed
	EvLeft            EventKind = "left"           // somebody who was paged was deactivated
	EvTrouble         EventKind = "trouble"        // an error of Tocsin itself

	EvRequested         EventKind = "requested"        // people are asked to join or to take over
	EvAsked             EventKind = "asked"            // a request paged people
	EvResponderJoined   EventKind = "responder_joined" // somebody who was asked
	EvDeclined          EventKind = "declined"         // by somebody who was asked
	EvRequestEnded      EventKind = "request_ended"    // nobody accepted
	EvTakenOver         EventKind = "taken_over"       // another owner
	EvSnoozed           EventKind = "snoozed"          //
	EvSnoozeOver        EventKind = "snooze_over"      //
	EvAcknowledgeUndone EventKind = "ack_undone"       // an acknowledgment was undone
)

// Tocsin is the actor of what happens by itself.
const Tocsin = "tocsin"

// TimelineEvent is one line of an incident's timeline.
type TimelineEvent struct {
	ID         int64
	IncidentNo int64
	At         time.Time
	// Actor is a person's email, "token:NAME", "integration:NAME" or "tocsin".
	Actor string
	// Payload is what happened; it is never nil.
	Payload Payload
}

// Kind is the kind of the event's payload.
func (e TimelineEvent) Kind() EventKind { return e.Payload.Kind() }

// Payload is what one kind of timeline event tells. The names of its JSON fields
// are stored: they may be added to and never change.
type Payload interface {
	Kind() EventKind
}

// Unknown is a payload that this version cannot read: its kind is of a newer
// version, or its data are damaged.
type Unknown struct {
	EventKind EventKind
	Data      []byte
}

// Kind implements Payload.
func (u Unknown) Kind() EventKind { return u.EventKind }

// MarshalJSON returns the data as they are, or an empty object where they are no
// JSON.
func (u Unknown) MarshalJSON() ([]byte, error) {
	if !json.Valid(u.Data) {
		return []byte("{}"), nil
	}
	return u.Data, nil
}

// EncodePayload is a payload as it is stored: JSON, without its kind.
func EncodePayload(p Payload) string {
	data, err := json.Marshal(p)
	if err != nil { // strings, numbers, times and lists of them always marshal
		panic(err)
	}
	return string(data)
}

// DecodePayload reads what EncodePayload wrote, in this version or another.
func DecodePayload(kind EventKind, data []byte) Payload {
	if decode, ok := decoders[kind]; ok {
		if p, err := decode(data); err == nil {
			return p
		}
	}
	return Unknown{EventKind: kind, Data: data}
}

// decoders has a decoder for each kind.
var decoders = byKind(
	decoderOf[ReceivedPayload](),
	decoderOf[RepeatedPayload](),
	decoderOf[RaisedPayload](),
	decoderOf[JoinedPayload](),
	decoderOf[WorsePayload](),
	decoderOf[RecoveredPayload](),
	decoderOf[ReopenedPayload](),
	decoderOf[FlappingPayload](),
	decoderOf[StillFiringPayload](),
	decoderOf[QuietPeriodOverPayload](),
	decoderOf[StepPayload](),
	decoderOf[PassedOverPayload](),
	decoderOf[HeldPayload](),
	decoderOf[HandoverPayload](),
	decoderOf[ExhaustedPayload](),
	decoderOf[WaitingPayload](),
	decoderOf[AcknowledgedPayload](),
	decoderOf[ShadowAckPayload](),
	decoderOf[UnacknowledgedPayload](),
	decoderOf[StillOnItPayload](),
	decoderOf[AckExpiredPayload](),
	decoderOf[ResolvedPayload](),
	decoderOf[ResolveUndonePayload](),
	decoderOf[EscalatedPayload](),
	decoderOf[PriorityPayload](),
	decoderOf[NotePayload](),
	decoderOf[ChannelFailedPayload](),
	decoderOf[LeftPayload](),
	decoderOf[TroublePayload](),
	decoderOf[RequestedPayload](),
	decoderOf[AskedPayload](),
	decoderOf[ResponderJoinedPayload](),
	decoderOf[DeclinedPayload](),
	decoderOf[RequestEndedPayload](),
	decoderOf[TakenOverPayload](),
	decoderOf[SnoozedPayload](),
	decoderOf[SnoozeOverPayload](),
	decoderOf[AcknowledgeUndonePayload](),
)

type decoder struct {
	kind   EventKind
	decode func([]byte) (Payload, error)
}

func decoderOf[P Payload]() decoder {
	var zero P
	return decoder{zero.Kind(), func(data []byte) (Payload, error) {
		var p P
		err := json.Unmarshal(data, &p)
		return p, err
	}}
}

func byKind(list ...decoder) map[EventKind]func([]byte) (Payload, error) {
	m := make(map[EventKind]func([]byte) (Payload, error), len(list))
	for _, d := range list {
		m[d.kind] = d.decode
	}
	return m
}

// ActorInWords is an actor as people are told of it in messages: an API token and an
// integration by what they are and by name. A person's email address stays as it is.
func ActorInWords(actor string) string {
	if actor == Tocsin {
		return "Tocsin"
	}
	if token, ok := strings.CutPrefix(actor, "token:"); ok {
		return "API token " + token
	}
	if integration, ok := strings.CutPrefix(actor, integrationActor); ok {
		return "integration " + integration
	}
	return actor
}
