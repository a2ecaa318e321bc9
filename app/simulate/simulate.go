// Package simulate tells who would be paged when, by which channel and why, for
// a signal at a moment and the answers that people would give. It decides
// nothing itself: the decoder, the state machine, the escalation engine, the
// planner and the actions are the real ones, on a store in memory (world.go)
// and a clock that jumps from one due instant to the next. Nothing is sent, and
// every provider is taken to deliver.
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

// A simulation is bounded in time and in length.
const (
	DefaultSpan = 72 * time.Hour
	MaxSpan     = 31 * 24 * time.Hour
	MaxEntries  = 1000
)

// Input is a configuration and what happens under it.
type Input struct {
	Snapshot *catalog.Snapshot
	Roster   *escalation.Roster
	// Policy reads the policy of a version's id. A fault of kind NotFound leads
	// to the administrators, as it does in earnest.
	Policy     func(versionID int64) (escalation.NamedPolicy, error)
	Recipients map[int64]notify.Recipient // by user id
	Works      func(notify.Medium) bool

	// Integration is the key that the signal comes in by. One with nothing but
	// a ServiceID will do.
	Integration catalog.Integration
	// Format is what Payload is written in.
	Format *ingest.Format
	// Payload is what the sender posts, in JSON. Where it tells of several alerts,
	// the first that fires is looked at.
	Payload []byte
	// At is when it comes in.
	At time.Time
	// Answers may come in any order, none after the span. One at the instant at
	// which something is due comes first.
	Answers []Answer
	// Span is how long to look on, at most MaxSpan; 0 stands for DefaultSpan.
	Span time.Duration
}

// Answer is what a person would do.
type Answer struct {
	After time.Duration // since the signal
	// Person is 0 for whoever was told last before, other than as a shadow.
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

// Timeline is what would happen, in the order of time.
type Timeline struct {
	Entries []Entry
	// Until is how far it was followed: to the last that happens, or, where Cut
	// says that more would happen after, to the end of the span.
	Until time.Time
	Cut   bool
}

// Kind is what an entry tells.
type Kind string

// The kinds of entry. Those that incidents know too bear the same names.
const (
	Received     = Kind(incident.EvReceived)
	Ignored      = Kind(incident.ResultIgnored) // the signal changes nothing
	Waiting      = Kind(incident.EvWaiting)     // for support hours
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
	LeftOut      = Kind("left_out")  // what would be more than MaxEntries
)

// Entry is one line of a timeline. Each kind fills what it needs.
type Entry struct {
	At   time.Time
	Kind Kind
	// Signal is what was received.
	Signal *Signal
	// Place is what fired, was passed over or handed over. Of Exhausted it names
	// the policy alone, empty for none.
	Place *Place
	// Message is what somebody was told.
	Message *Message
	// Person is who was told, answered, or is asked. 0 for none.
	Person int64
	// Until is when Waiting ends.
	Until time.Time
	// Text says why an answer changes nothing, and what is left out.
	Text string
}

// Signal is how a signal was understood.
type Signal struct {
	Title      string
	Service    catalog.Service
	Deployment string // the slug that was named
	DedupKey   string
	// Priority is the level, nil for none. Source says where it came from.
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
	FailedToSend bool // passed over since none of the people could be told
}

// Message is what a person is told by one contact method.
type Message struct {
	Medium  notify.Medium
	Address string
	Why     escalation.Why
	// After is how long after the page began its personal rule tells them. The
	// message itself may have gathered for a while.
	After time.Duration
	Rule  Rule
	// Gathered says that the message waited for others to join it.
	Gathered bool
	// Times is how often it is sent, Last when for the last time. More than once
	// only by RuleRepeat, every notify.RepeatEvery.
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

// Run simulates, until the context ends. Faults: what the decoder refuses of the
// payload, and Invalid for answers that nobody could give, which it names as
// answers[0].after, counted as they are in Input.
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

// check fills in what was left out, and refuses what makes no sense.
func (in *Input) check() error {
	var wrong []fault.Field
	if in.Span == 0 {
		in.Span = DefaultSpan
	}
	if in.Span < 0 || in.Span > MaxSpan {
		wrong = append(wrong, fault.Field{Path: "span", Message: fmt.Sprintf("At most %d days.", MaxSpan/(24*time.Hour))})
	}
	for i, a := range in.Answers {
		path := fmt.Sprintf("answers[%d]", i)
		if _, ok := in.Roster.People[a.Person]; !ok && a.Person != 0 {
			wrong = append(wrong, fault.Field{Path: path + ".person", Message: "Nobody here is known by that."})
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
