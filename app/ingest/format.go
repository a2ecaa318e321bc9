package ingest

import (
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Format is one wire format. It holds no state; Decode is a pure function.
type Format struct {
	// Kind is how integrations name the format: "slo".
	Kind string
	// Name is for people: "PagerDuty Events API v2".
	Name string
	// Signal is what people call one signal that pages: "breach", "alert". Empty
	// stands for "signal".
	Signal string
	// Identity completes "Told apart by", for an integration without a rule of its
	// own; field names stand between backticks. Empty where there is nothing to say.
	Identity string
	// Endpoints are where senders post.
	Endpoints []Endpoint
	// Names are the names of fields that the messages of Resolve use.
	Names Names
	// Decode reads a request. Faults: Unsupported, Malformed, and Invalid with
	// fields in the sender's own terms. No events and no error is a request
	// that asks for nothing, such as a test.
	Decode func(in Input) ([]Event, error)
	// Answer fills the reply once all events of the request are durable; answers are in
	// the order of the events. reply.Body is empty and may have capacity to append to.
	Answer func(in Input, answers []Answer, reply *Reply)
	// Refuse returns the reply of the format to an error. Where it is nil or returns
	// false, the sender gets an RFC 9457 problem document. Retry-After is set in either
	// case.
	Refuse func(in Input, err error) (Reply, bool)
	// Fields is the variable `event` of a deduplication rule; nil stands for the
	// members of the JSON object in Event.Body.
	Fields func(ev *Event) map[string]any
	// Sample is a request to the first endpoint that fires one alert, for trials;
	// nil for none.
	Sample func(Sample) []byte
	// Snippets are the texts that a person copies into the sender's
	// configuration. url is the public address of this installation without a
	// slash at its end, key the integration's key.
	Snippets func(url, key string) []Snippet
}

// Names are the names that a format has for fields. An empty one is left out of faults.
type Names struct {
	Service   string // the field that names the service: "service", "labels.service"
	StartedAt string // the field with the start: "started_at", "startsAt"
	// IntervalTo is the field with the end of a report's interval.
	IntervalTo string
}

// Endpoint is one address that a format is posted to. A key may always come as
// a bearer token.
type Endpoint struct {
	Method string
	// Path is without a slash at its end: "/webhooks/slo".
	Path string
	// KeyInPath mounts Path/{key} besides.
	KeyInPath bool
	// KeyHeader is a header that may have the key; empty for none.
	KeyHeader string
	// Key finds the key in a request's body where the protocol has it there; it
	// returns "" for none. It is nil where the protocol does not. The body is not
	// validated yet.
	Key func(body []byte) string
	// Redact makes whatever may be a key illegible in a body that need not be valid,
	// in time linear in its length. It is nil where Key is.
	Redact func(body []byte) []byte
}

// Input is a request as a format sees it.
type Input struct {
	Endpoint    string // the Path that matched
	ContentType string
	Body        []byte // not to be changed
}

// Sample is the content of a trial request. Service is a slug.
type Sample struct{ Service, Title, DedupKey string }

// Snippet is a text to copy.
type Snippet struct {
	Title    string // "Alertmanager"
	Language string // "yaml", "go", "sh"
	Text     string
}

// Reply is an answer over HTTP.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// Event is one event of a request, decoded and not yet resolved by the configuration.
type Event struct {
	// Event has no Priority and no sender yet, which are set when it is resolved. Its
	// Warnings name fields that were not used. Its Body is the request's, or where a
	// request holds several events the JSON text of this one alone. A trigger without a
	// DedupKey gets a random one. The events of a request are applied in their order;
	// firing alerts come before recovered ones, so that a group with both stays open.
	incident.Event
	// Priority is the level that the sender named, whether or not it exists. It
	// hides Event.Priority, which Resolve sets.
	Priority *int
	// Budget is what the error-budget rules need.
	Budget incident.Budget
	// Change says that the event is a change, which pages nobody. Of the other
	// fields only ServiceName, Warnings and Body are used then.
	Change *Change
	// Report says that the event is a report, which pages nobody.
	Report *Report
}

// isSignal reports whether an event changes an alert: whether it is no change and no
// report.
func (e *Event) isSignal() bool { return e.Change == nil && e.Report == nil }

// Change is a deployment or another change of a service.
type Change struct {
	Summary string
	Source  string    // the tool or host that reports it; may be empty
	At      time.Time // in UTC and whole microseconds; zero for the time of receipt
	Links   []incident.Link
	Details []incident.Pair
}
