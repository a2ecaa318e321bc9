package ingest

import (
	"errors"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// overloadPause is when a sender that was turned away may try again.
const overloadPause = 2 * time.Second

// waitError is the cause of a fault that passes with time.
type waitError struct {
	after time.Duration
	cause error // nil for none
}

func (e *waitError) Error() string {
	s := "may be retried after " + e.after.String()
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

func (e *waitError) Unwrap() error { return e.cause }

// RetryAfter tells when the sender of a signal that was refused as Unavailable
// or Limited may try again, for the Retry-After header. It is at least a
// second.
func RetryAfter(err error) (time.Duration, bool) {
	var w *waitError
	if !errors.As(err, &w) {
		return 0, false
	}
	return max(w.after, time.Second), true
}

func tryAgain(message string, cause error) error {
	return fault.Unavailable("%s", message).Because(&waitError{after: overloadPause, cause: cause})
}
