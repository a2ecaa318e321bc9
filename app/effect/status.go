package effect

import "time"

// MaxBehind bounds how many events are counted that a consumer has not got yet.
const MaxBehind = 10_000

// Status tells how a consumer does, for people.
type Status struct {
	Name string
	// Behind counts the events of its kinds that it has not got yet, up to
	// MaxBehind.
	Behind int64
	// Oldest is when the first of them happened, nil for none.
	Oldest *time.Time
	// Tries counts its failures in a row. RetryAt and Error are of the last;
	// EventID fails by itself, 0 where it is not known.
	Tries   int
	RetryAt *time.Time
	Error   string
	EventID int64
	// SetAside counts the events that it did not get since it fails with them.
	SetAside int64
}

// TimerStatus tells how timers do, for people.
type TimerStatus struct {
	// Waiting counts timers that are due later, Late those that have been due
	// for more than a minute, and Failing those that failed when they were last
	// tried.
	Waiting, Late, Failing int64
}

// LateAfter is how long after its due time a timer counts as late, and after how
// long a consumer that has not got an event counts as behind.
const LateAfter = time.Minute
