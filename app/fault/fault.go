// Package fault says what kind of thing went wrong, in words that may be
// shown to the person who caused it. Domain code returns faults; one function
// in the web package turns them into a status, a page or a problem document.
// The cause, if there is one, is for the log and never reaches a browser.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what went wrong, in terms that both a person and a protocol know.
type Kind string

// The kinds, each with the HTTP status that the web package answers.
const (
	KindInvalid      Kind = "invalid"      // 422: understood, but a value is wrong
	KindMalformed    Kind = "malformed"    // 400: not even readable
	KindUnauthorized Kind = "unauthorized" // 401: who are you?
	KindForbidden    Kind = "forbidden"    // 403: you may not
	KindNotFound     Kind = "not_found"    // 404
	KindConflict     Kind = "conflict"     // 409: somebody was faster, or the state forbids it
	KindGone         Kind = "gone"         // 410: existed, has expired
	KindTooLarge     Kind = "too_large"    // 413
	KindUnsupported  Kind = "unsupported"  // 415: a content type that is not read here
	KindLimited      Kind = "limited"      // 429: too many attempts
	KindUnavailable  Kind = "unavailable"  // 503: try again soon
	KindInternal     Kind = "internal"     // 500: our fault
)

// Field names one wrong value of an input.
type Field struct {
	// Path is where the value stands, as a reader of the input would write
	// it: "slo.name", "layers[0].members[2]", or the name of a form's field.
	Path string `json:"field"`
	// Message says what is wrong and what would be right.
	Message string `json:"message"`
}

// Error is a fault with a message for people.
type Error struct {
	Kind    Kind
	Message string
	Fields  []Field
	// Cause is logged, never shown.
	Cause error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// With returns a copy that names wrong fields.
func (e *Error) With(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// Because returns a copy that carries a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

func newf(kind Kind, format string, args []any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Invalid is input that was understood and cannot be accepted.
func Invalid(format string, args ...any) *Error { return newf(KindInvalid, format, args) }

// Rejected is Invalid, for the sake of fields, of which there is at least one. Its
// message names the first.
func Rejected(fields []Field) *Error {
	words := "Rejected: " + fields[0].Path + " " + fields[0].Message
	switch more := len(fields) - 1; {
	case more == 1:
		words += ", and 1 more field is wrong"
	case more > 1:
		words += fmt.Sprintf(", and %d more fields are wrong", more)
	}
	return Invalid("%s.", words).With(fields...)
}

// Malformed is input that could not be read at all.
func Malformed(format string, args ...any) *Error { return newf(KindMalformed, format, args) }

// Unauthorized is a request by nobody that we know.
func Unauthorized(format string, args ...any) *Error { return newf(KindUnauthorized, format, args) }

// Forbidden is an action that the actor's role does not allow.
func Forbidden(format string, args ...any) *Error { return newf(KindForbidden, format, args) }

// NotFound is a thing that does not exist.
func NotFound(format string, args ...any) *Error { return newf(KindNotFound, format, args) }

// Conflict is an action that the present state of a thing does not allow.
func Conflict(format string, args ...any) *Error { return newf(KindConflict, format, args) }

// Gone is a thing that existed and has expired.
func Gone(format string, args ...any) *Error { return newf(KindGone, format, args) }

// TooLarge is a body over the limit.
func TooLarge(format string, args ...any) *Error { return newf(KindTooLarge, format, args) }

// Unsupported is a content type that is not read here.
func Unsupported(format string, args ...any) *Error { return newf(KindUnsupported, format, args) }

// Limited is an actor that tries too often.
func Limited(format string, args ...any) *Error { return newf(KindLimited, format, args) }

// Unavailable is work that cannot be taken on now and can be retried soon.
func Unavailable(format string, args ...any) *Error { return newf(KindUnavailable, format, args) }

// Internal is a fault of ours; its cause is what the log needs.
func Internal(cause error) *Error {
	return &Error{Kind: KindInternal, Message: "Something went wrong on our side. It has been logged.", Cause: cause}
}

// KindOf tells the kind of any error: the fault's own, or internal.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return KindInternal
}

// Is reports whether err is a fault of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
