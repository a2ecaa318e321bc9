package ingest

import (
	"errors"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// overloadRetryAfter is the Retry-After of an overload.
const overloadRetryAfter = 2 * time.Second

// waitError is the cause of a fault after which the sender may try again.
type waitError struct {
	after time.Duration
	cause error // nil for none
}

func (e *waitError) Error() string {
	s := "retry after " + e.after.String()
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *waitError) Unwrap() error { return e.cause }

// RetryAfter returns how long the sender of a signal that was refused as Unavailable or
// Limited is to wait, for the Retry-After header. It is at least a second.
func RetryAfter(err error) (time.Duration, bool) {
	var w *waitError
	if !errors.As(err, &w) {
		return 0, false
	}
	return max(w.after, time.Second), true
}

func tryAgain(message string, cause error) error {
	return fault.Unavailable("%s", message).Because(&waitError{after: overloadRetryAfter, cause: cause})
}
