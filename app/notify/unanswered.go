package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// Unanswered is the Failure.Reason of a call without an answer. who is the provider's
// name at the beginning of a sentence, ctx the context of the call. Addresses and error
// texts of libraries are left out; they belong to Failure.Cause.
func Unanswered(ctx context.Context, who string, err error) string {
	var timeout net.Error
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return who + " took too long to answer"
	case ctx.Err() != nil:
		return "The call was cancelled before " + midSentence(who) + " answered"
	case errors.As(err, &timeout) && timeout.Timeout():
		return who + " took too long to answer"
	}
	if why := unreached(err); why != "" {
		return who + " could not be reached: " + why
	}
	if connectionLost(err) {
		return who + " broke off the connection"
	}
	return who + " could not be reached"
}

// WithoutURL is the error of a call without an answer, for Failure.Cause. The URL is
// left out, since it may contain the account.
func WithoutURL(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// midSentence is a name within a sentence.
func midSentence(who string) string {
	if rest, ok := strings.CutPrefix(who, "The "); ok {
		return "the " + rest
	}
	return who
}

// Unreached reports whether no connection to the provider was made, or none that it
// accepts: nothing can have been sent.
func Unreached(err error) bool { return unreached(err) != "" }

func unreached(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to its network"
	case errors.As(err, &name) && name.IsNotFound:
		return "its name is not known"
	case errors.As(err, &name):
		return "its name could not be looked up"
	case errors.As(err, &certificate):
		return "its certificate is not trusted"
	case errors.As(err, &record):
		return "it does not speak TLS"
	}
	return ""
}

func connectionLost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, syscall.EPIPE)
}
