// Package integrations shows what sends signals, and its keys.
package integrations

import (
	"time"

	"github.com/tocsin-oncall/tocsin/views/element"
	"github.com/tocsin-oncall/tocsin/views/layout"
)

// ListPage is all integrations: GET /integrations.
type ListPage struct {
	Frame        layout.Frame
	Integrations []ListRow
}

// ListRow is one integration of the list.
type ListRow struct {
	Integration element.Ref
	Kind        string      // the wire format's name: "SLO breach"
	Service     element.Ref // none where the body names it
	LastAt      time.Time   // zero where nothing came yet
	Rejected    int         // that were not replayed
}

// Page is one integration: GET /integrations/{slug}.
type Page struct {
	Frame       layout.Frame
	Integration element.Ref
	Kind        string      // the wire format's name: "SLO breach"
	Service     element.Ref // none where the body names it
	// Endpoint is the absolute address to post to, without the key; empty for a kind
	// that is not registered any more.
	Endpoint string
	// Key is empty unless it was just revealed; KeyEnd are its last characters.
	Key       string
	KeyEnd    string
	MayReveal bool
	MayReplay bool
	MayTest   bool
	// MayTestAlone offers a test that pages the reader alone.
	MayTestAlone bool
	// Tests are the services that a test can be for; one where the key has a service.
	Tests []TestTarget
	// Noun is what people call a signal of the format: "breach", "alert".
	Noun string
	// Identity says what tells signals apart unless Dedup does, with field names
	// between backticks; empty where there is nothing to say.
	Identity  string
	RateLimit int // signals a minute; 0 for no limit
	// Dedup is the integration's own rule for dedup keys, or empty.
	Dedup string
	// Snippets are what a person copies into the sender's configuration; for the
	// Native format, a command that sends a breach stands in their place.
	Snippets []element.Snippet
	Native   bool
	// ExampleService is filled into the snippet.
	ExampleService string
	// WouldPage completes "A signal now would page ": "Ana Ortiz by SMS"; empty
	// where nobody would be.
	WouldPage string
	// CatchAll is the service that takes signals for one that nobody knows, where
	// the key has none of its own; none where they are refused.
	CatchAll element.Ref
	Signals  []Signal
	Rejected []Rejected
	// OlderRejected is the query for more of them, or empty.
	OlderRejected string
}

// TestTarget is a service that a test can be for, with whom it pages.
type TestTarget struct {
	Service element.Ref
	// Pages is whom and how, "Ana Ortiz by SMS"; empty for the administrators alone.
	Pages  string
	People []element.Person
}

// Signal is something that was accepted lately.
type Signal struct {
	At       time.Time
	Status   string // "breached", "recovered"; "firing", "resolved"
	Title    string
	DedupKey string
	Incident int64 // its number; 0 for none
	Count    int64 // how often it was seen
}

// Rejected is a signal that could not be understood.
type Rejected struct {
	ID     int64
	At     time.Time
	Status int // as it was answered
	Reason string
	Fields []FieldFault
	// ContentType and Remote are what the sender came with.
	ContentType string
	Remote      string
	// Body is shown as text; Truncated tells that it is longer.
	Body      string
	Truncated bool
	// Replayed is set once it was run again, with what came of it.
	ReplayedAt   time.Time
	ReplayedBy   string
	ReplayResult string
}

// FieldFault is what is wrong with one field.
type FieldFault struct {
	Path    string
	Message string
}
