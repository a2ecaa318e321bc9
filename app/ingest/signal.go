// Package ingest turns posted requests into events: one pure decoder for each wire
// format, the service that resolves an event by the configuration, and the batcher that
// makes it durable before the sender is answered.
package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Signal is an event that is resolved and ready to be written.
type Signal struct {
	ServiceID int64
	// ConfigVersion is the version of the configuration that the signal was resolved
	// by. Where it is not the current one, the writer's result is Stale.
	ConfigVersion int64
	// PolicyVersionID is the escalation policy's version in force at ReceivedAt;
	// nil where the service has none, which pages the administrators.
	PolicyVersionID *int64
	// ReceivedAt is in UTC and whole microseconds, as both databases keep it.
	ReceivedAt time.Time
	Event      incident.Event
	// Request names whom to page instead of the policy, of an incident that is opened
	// by hand; nil for the policy.
	Request *incident.Request
	Rules   incident.Rules
	// KeyWithoutRule is set for a recovery whose dedup key was computed by the
	// integration's rule. It is the key without the rule, which an alert may have that
	// has been firing since before the rule was set.
	KeyWithoutRule string
}

// size estimates the memory that a queued signal takes, in bytes.
func (s *Signal) size() int64 { return int64(len(s.Event.Body)) + 1024 }

// Result is the result of a durable signal.
type Result struct {
	Status incident.Result
	// Number is the incident's, 0 for none.
	Number int64
	// Warning tells the sender why a signal is ignored.
	Warning string
	// Stale means that nothing was written, since the configuration has changed
	// since the signal was resolved.
	Stale bool
}

// Writer writes signals, and lets the caller wait until they are durable.
type Writer interface {
	// WriteSignals writes all signals in one transaction, in their order, and returns
	// the result of each at its index; or it writes none and fails. Later transactions
	// see what it wrote. An error wraps ErrRetry, ErrUnavailable, or neither: then the
	// data of one of the signals is bad.
	WriteSignals(ctx context.Context, signals []Signal) (Written, error)
	// WaitForFlush waits until all that was written with a mark is on disk. After an
	// error that is unknown.
	WaitForFlush(ctx context.Context, mark Mark) error
}

// Written is the result of WriteSignals.
type Written struct {
	Results []Result
	// Mark is to be passed to WaitForFlush before the senders are answered.
	Mark Mark
}

// Mark identifies the connection that flushes a batch. The connection was open before
// the batch was written.
type Mark uint64

// Durable is the Mark of a batch that is on disk already.
const Durable Mark = 0

// What a Writer's error may wrap.
var (
	// ErrRetry is a transaction that conflicted with another one (a serialization
	// failure, a deadlock, a unique violation) and may be retried.
	ErrRetry = errors.New("transaction conflict")
	// ErrUnavailable is a database that cannot be reached at present.
	ErrUnavailable = errors.New("database unavailable")
)
