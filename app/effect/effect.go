// Package effect runs what follows from an incident without being part of it.
// A consumer reads the timeline of all incidents in the order of its events,
// after they were committed: it has a name, a cursor of its own, and a lease,
// so that of several processes one works on it at a time. Each event reaches it
// at least once. A consumer that fails is tried again later and holds up no
// other, and above all no page: paging alone is written with the incident.
//
// Timers, which happen later, are registered by kind in the same way.
package effect

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Lease is how long a claimed consumer or timer is this process's without a
// renewal. RenewEvery keeps it; a process that dies is taken over within about a
// Lease. Both go by the real clock.
const (
	Lease      = 3 * time.Second
	RenewEvery = time.Second
)

// SeenEvery is how often a process notes that it has a consumer switched on, even
// though there is nothing for it. One that no process has noted for UnusedAfter
// is switched off everywhere.
const (
	SeenEvery   = 5 * time.Minute
	UnusedAfter = time.Hour
)

// ConsumeTimeout bounds one call of Consume and of a timer's handler.
const ConsumeTimeout = 10 * time.Second

// Event is a committed event of an incident's timeline.
type Event = incident.TimelineEvent

// Consumer acts on events of the timeline.
type Consumer interface {
	// Name identifies the consumer in the database, in metrics and in the log.
	// It never changes.
	Name() string
	// Kinds are the events that it gets; nil for all.
	Kinds() []incident.EventKind
	// Consume acts on events in the order of their ids. After an error, or where
	// the process ends, it gets some or all of them again, alone or with others.
	Consume(ctx context.Context, events []Event) error
}

// Cursor is where a consumer stands.
type Cursor struct {
	// Position is the id of the last event that it is done with.
	Position int64
	// Tries counts its failures in a row.
	Tries int
	// RetryAt is when it is tried again after a failure, by the clock of due
	// times; nil for at once.
	RetryAt *time.Time
	// Held says that a process has leased it.
	Held bool
	// SeenAt is when it last moved, failed, or was seen by a process that has it
	// switched on: at most about SeenEvery ago while there is one. It goes by the
	// clock of due times.
	SeenAt time.Time
}

// Batch is a part of the timeline.
type Batch struct {
	Events []Event
	// Through is the id up to which the timeline was read, events of other kinds
	// included: nothing at or below it will be committed any more.
	Through int64
}

// Claim is the lease of a consumer at a cursor.
type Claim struct {
	Name     string
	Position int64
}

// Failure is why a consumer is tried again.
type Failure struct {
	Tries   int
	RetryAt time.Time
	Error   string
	EventID int64 // that fails by itself, 0 where it is not known
}

// SetAside is an event that a consumer does not get, since it fails with it.
type SetAside struct {
	EventID int64
	Tries   int
	Error   string
}

// Store keeps cursors and reads the timeline.
type Store interface {
	// Register makes a consumer known, and sees it. A new one starts at the present
	// end of the timeline; a known one keeps its cursor.
	Register(ctx context.Context, name string, kinds []incident.EventKind) error
	// See notes that a process has the consumer switched on.
	See(ctx context.Context, name string) error
	// Unregister forgets a consumer that nobody has leased and that was last seen
	// before an instant, so that it starts at the end of the timeline should it be
	// registered again.
	Unregister(ctx context.Context, name string, before time.Time) error
	// Cursor reads where a consumer stands; not found where it is not registered.
	Cursor(ctx context.Context, name string) (Cursor, error)
	// Read returns events of some kinds (nil for all) with ids above after, in
	// their order, at most limit. It waits a moment for transactions that may
	// still commit an event below one that it saw. Batch.Through is after where
	// there is nothing to read.
	Read(ctx context.Context, after int64, kinds []incident.EventKind, limit int) (Batch, error)
	// Skip moves the cursor of a consumer that nobody has leased, where it is
	// still at from.
	Skip(ctx context.Context, name string, from, to int64) error
	// Claim leases a consumer whose cursor is still at position; false where
	// another process was faster.
	Claim(ctx context.Context, name string, position int64) (Claim, bool, error)
	// Renew prolongs the lease; false where it was lost.
	Renew(ctx context.Context, c Claim) (bool, error)
	// Advance moves the cursor, records what was set aside, and ends the lease;
	// false where it was lost, and then nothing changes.
	Advance(ctx context.Context, c Claim, to int64, aside []SetAside) (bool, error)
	// Fail records a failure and ends the lease. It changes nothing where that
	// was lost.
	Fail(ctx context.Context, c Claim, f Failure) error
	// Release ends the lease. It changes nothing where that was lost.
	Release(ctx context.Context, c Claim) error
	// Unavailable reports whether an error means that the database cannot be
	// worked with for now, which says nothing about events.
	Unavailable(err error) bool
}

// Backoff is how long to wait after a number of failures in a row: a second,
// doubled with each, and at most a minute.
func Backoff(tries int) time.Duration {
	d := time.Second
	for ; tries > 1 && d < time.Minute; tries-- {
		d *= 2
	}
	return min(d, time.Minute)
}
