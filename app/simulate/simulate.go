// Package simulate computes who would be paged when, by which channel and why, for a
// signal at an instant and given acknowledgments. It has no logic of its own: the
// decoder, the state machine, the escalation engine, the planner and the actions are
// those of the server, on a store in memory (world.go) and a clock that jumps from one
// due instant to the next. Nothing is sent; every delivery is assumed to succeed.
package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// The bounds of a simulation.
const (
	DefaultSpan = 72 * time.Hour
	MaxSpan     = 31 * 24 * time.Hour
	MaxEntries  = 1000
)

// Input is a configuration, a signal, and the actions of people.
type Input struct {
	Snapshot *catalog.Snapshot
	Roster   *escalation.Roster
	// Policy reads the policy by the id of a version. A fault of kind NotFound leads to
	// the administrators, as in the engine.
	Policy     func(versionID int64) (escalation.NamedPolicy, error)
	Recipients map[int64]notify.Recipient // by user id
	Works      func(notify.Medium) bool

	// Integration is the integration of the signal. ServiceID is sufficient.
	Integration catalog.Integration
	// Format is the wire format of Payload.
	Format *ingest.Format
	// Payload is the posted JSON. Where it has several alerts, the first one that fires
	// is simulated.
	Payload []byte
	// At is the time of receipt.
	At time.Time
	// Answers may be in any order, none after the span. An answer is applied before
	// what is due at the same instant.
	Answers []Answer
	// Span is the simulated time, at most MaxSpan; 0 stands for DefaultSpan.
	Span time.Duration
}

// Answer is an action of a person.
type Answer struct {
	After time.Duration // since the signal
	// Person is 0 for the person notified last before, other than as a shadow.
	Person int64
	Kind   AnswerKind

	path string // in Input, for words
}

// AnswerKind is what an answer does.
type AnswerKind string

// The kinds of answer.
const (
	Acknowledge AnswerKind = "acknowledge"
	Resolve     AnswerKind = "resolve"
)

// Timeline is the result of a simulation, in the order of time.
type Timeline struct {
	Entries []Entry
	// Until is the end of the simulation: the last entry, or, where Cut says that more
	// would follow, the end of the span.
	Until time.Time
	Cut   bool
}

// Kind is the kind of an entry.
type Kind string

// The kinds of entry. Those that incident events have too have the same names.
const (
	Received     = Kind(incident.EvReceived)
	Ignored      = Kind(incident.ResultIgnored) // the signal changes nothing
	Waiting      = Kind(incident.EvWaiting)     // for support hours
	Held         = Kind(incident.EvHeld)        // for required cover
	Fired        = Kind(incident.EvStep)
	PassedOver   = Kind(incident.EvPassedOver)
	HandedOver   = Kind(incident.EvHandover)
	Exhausted    = Kind(incident.EvExhausted)
	Told         = Kind("told") // a message to a person
	Acknowledged = Kind(incident.EvAcknowledged)
	ShadowAck    = Kind(incident.EvShadowAck)
	StillOnIt    = Kind(incident.EvStillOnIt)
	AckExpired   = Kind(incident.EvAckExpired)
	ResolvedBy   = Kind(incident.EvResolved)
	Unchanged    = Kind("unchanged") // an answer that changes nothing
	LeftOut      = Kind("left_out")  // the entries beyond MaxEntries
)

// Entry is one entry of a timeline. Its kind decides which fields are set.
type Entry struct {
	At   time.Time
	Kind Kind
	// Signal is what was received.
	Signal *Signal
	// Place is the step that fired, was held, passed over or handed over. For Exhausted
	// it has only the policy, empty for none.
	Place *Place
	// Message is a message to a person.
	Message *Message
	// Person is who was notified, answered, or is asked. 0 for none.
	Person int64
	// Until is when Waiting or Held ends.
	Until time.Time
	// Text explains Unchanged and LeftOut, and Ignored where it is no recovery.
	Text string
}

// Signal is the decoded signal.
type Signal struct {
	Title      string
	Service    catalog.Service
	Deployment string // the slug that was named
	DedupKey   string
	// Priority is as in incident.Incident. Source says where it came from.
	Priority     *int
	PriorityName string
	Source       string
	Urgency      incident.Urgency
	Warnings     []string
}

// Place is a place in a policy.
type Place struct {
	Policy       string // its name
	Phase        escalation.Phase
	Step, Steps  int // counted from 1
	Run, Runs    int // counted from 1
	Targets      []string
	People       []int64
	Unreached    []incident.Unreached // who would be paged and cannot be
	LateRules    []LateRule           // of People
	FailedToSend bool                 // passed over since no message could be sent
}

// LateRule is a personal rule that never fires in a step, since it is due no sooner than
// the step ends.
type LateRule struct {
	Person int64
	Medium notify.Medium
	After  time.Duration
	Ends   time.Duration // the timeout of the step
}

// Message is a message to one contact method.
type Message struct {
	Medium  notify.Medium
	Address string
	Why     escalation.Why
	// After is the delay of the personal rule, since the page was made. The message may
	// be later, to bundle pages.
	After time.Duration
	Rule  Rule
	// Gathered says that the message was delayed to bundle pages.
	Gathered bool
	// Times is how often it is sent, Last the last time. It is more than once only with
	// RuleRepeat, every notify.RepeatEvery.
	Times int
	Last  time.Time
}

// Rule is why a contact method was used.
type Rule string

// The rules.
const (
	RulePersonal Rule = "personal" // the person's own for the urgency
	RuleInstead  Rule = "instead"  // the person's own names a method that does not work
	RuleNone     Rule = "none"     // there is none that works: every method at once
	RuleRepeat   Rule = "repeat"   // the last one again, while the step lasts
)

// Run simulates until the end of the span or of the context. Faults: those of the
// decoder, and Invalid for impossible answers, with fields like answers[0].after, by
// their index in Input.
func Run(ctx context.Context, in Input) (Timeline, error) {
	if err := in.check(); err != nil {
		return Timeline{}, err
	}
	ev, err := in.event()
	if err != nil {
		return Timeline{}, err
	}
	in.At = in.At.UTC().Truncate(time.Microsecond)
	signal, err := ingest.Resolve(in.Snapshot, in.Integration, in.Format, ev, in.At)
	if err != nil {
		return Timeline{}, err
	}
	w := newWorld(in, signal)
	w.receive()
	if err := w.run(ctx); err != nil {
		return Timeline{}, fmt.Errorf("simulate: %w", err)
	}
	return w.timeline, nil
}

// event is the first of the payload that fires, or else its first.
func (in *Input) event() (*ingest.Event, error) {
	events, err := in.Format.Decode(ingest.Input{Endpoint: in.Format.Endpoints[0].Path, ContentType: "application/json", Body: in.Payload})
	if err != nil {
		return nil, err
	}
	events = slices.DeleteFunc(events, func(ev ingest.Event) bool { return ev.Change != nil })
	if len(events) == 0 {
		return nil, fault.Invalid("The signal tells of nothing that could page anybody.")
	}
	i := slices.IndexFunc(events, func(ev ingest.Event) bool { return ev.Action == incident.Trigger })
	return &events[max(i, 0)], nil
}

// check sets the defaults and validates the input.
func (in *Input) check() error {
	var wrong []fault.Field
	if in.Span == 0 {
		in.Span = DefaultSpan
	}
	if in.Span < 0 || in.Span > MaxSpan {
		wrong = append(wrong, fault.Field{Path: "for", Message: fmt.Sprintf("At most %d days.", MaxSpan/(24*time.Hour))})
	}
	for i, a := range in.Answers {
		path := fmt.Sprintf("answers[%d]", i)
		if _, ok := in.Roster.People[a.Person]; !ok && a.Person != 0 {
			wrong = append(wrong, fault.Field{Path: path + ".user", Message: "Nobody here is known by that."})
		}
		if a.Kind != Acknowledge && a.Kind != Resolve {
			wrong = append(wrong, fault.Field{Path: path + ".kind", Message: `must be "acknowledge" or "resolve"`})
		}
		if a.After < 0 {
			wrong = append(wrong, fault.Field{Path: path + ".after", Message: "must not be before the signal"})
		}
		if a.After > in.Span {
			wrong = append(wrong, fault.Field{Path: path + ".after", Message: "must be within the " + short(in.Span) + " that are looked at"})
		}
	}
	if wrong != nil {
		return fault.Invalid("This cannot be simulated as it is.").With(wrong...)
	}
	in.Answers = slices.Clone(in.Answers)
	for i := range in.Answers {
		in.Answers[i].path = fmt.Sprintf("answers[%d]", i)
	}
	slices.SortStableFunc(in.Answers, func(a, b Answer) int { return cmp.Compare(a.After, b.After) })
	return nil
}
