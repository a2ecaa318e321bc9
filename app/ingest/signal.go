// Package ingest turns what senders post into events: one pure decoder for each
// wire format, the service that resolves what an event means here, and the
// batcher that makes it durable before the sender is answered.
package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Signal is an accepted event, ready to be written.
type Signal struct {
	ServiceID int64
	// ConfigVersion is the version of the configuration that the signal was
	// resolved by. A writer that finds another answers Stale.
	ConfigVersion int64
	// PolicyVersionID is the escalation policy's version in force at ReceivedAt;
	// nil where the service has none, which pages the administrators.
	PolicyVersionID *int64
	// ReceivedAt is in UTC and whole microseconds, as both databases keep it.
	ReceivedAt time.Time
	Event      incident.Event
	Rules      incident.Rules
	// KeyWithoutRule is, of a recovery whose key the integration's rule made, the
	// key that it has without it: that of what fires since before there was a rule.
	KeyWithoutRule string
}

// size is about what a signal holds of memory while it waits.
func (s *Signal) size() int64 { return int64(len(s.Event.Body)) + 1024 }

// Result is what became of a signal once it is durable.
type Result struct {
	Status incident.Result
	// Number is the incident's, 0 for none.
	Number int64
	// Warning is why a signal is ignored, in words for its sender.
	Warning string
	// Stale means that nothing was written, since the configuration has changed
	// since the signal was resolved.
	Stale bool
}

// Writer makes signals durable, in one step or in two.
type Writer interface {
	// WriteSignals writes all signals in one transaction, in their order, and
	// answers each at its index; or it writes none and fails. What it wrote is
	// seen by all that comes later. An error that wraps ErrRetry or
	// ErrUnavailable says what to do; any other is blamed on one of the signals,
	// which is then searched for.
	WriteSignals(ctx context.Context, signals []Signal) (Written, error)
	// WaitForFlush waits until all that was written with a mark is on the disk. Where it
	// fails, it may be or not.
	WaitForFlush(ctx context.Context, mark Mark) error
}

// Written is what WriteSignals has done.
type Written struct {
	Results []Result
	// Mark is what to wait for before anybody is told.
	Mark Mark
}

// Mark names the connection that a batch is settled through: one that was open
// before the batch was written.
type Mark uint64

// Durable needs no waiting.
const Durable Mark = 0

// What a Writer's error may wrap.
var (
	// ErrRetry is a transaction that lost a race (a serialization failure, a
	// deadlock, a row that somebody else inserted first) and may be repeated.
	ErrRetry = errors.New("the transaction lost a race")
	// ErrUnavailable is a database that cannot be reached now.
	ErrUnavailable = errors.New("the database is unavailable")
)
