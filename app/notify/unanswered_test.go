package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// The reason of a failed page has no address and no error text of a library.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	dial := func(cause error) error {
		return &url.Error{Op: "Post", URL: "http://127.0.0.1:9101/x", Err: &net.OpError{Op: "dial", Net: "tcp",
			Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9101}, Err: os.NewSyscallError("connect", cause)}}
	}
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{t.Context(), dial(syscall.ECONNREFUSED), "Twilio could not be reached: connection refused"},
		{t.Context(), dial(syscall.ENETUNREACH), "Twilio could not be reached: there is no way to its network"},
		{t.Context(), dial(syscall.ETIMEDOUT), "Twilio took too long to answer"},
		{t.Context(), dial(syscall.ECONNRESET), "Twilio broke off the connection"},
		{t.Context(), fmt.Errorf("reading the answer: %w", io.ErrUnexpectedEOF), "Twilio broke off the connection"},
		{t.Context(), &net.DNSError{Err: "no such host", Name: "x", Server: "10.0.0.1:53", IsNotFound: true}, "Twilio could not be reached: its name is not known"},
		{t.Context(), &net.DNSError{Err: "server misbehaving", Name: "x"}, "Twilio could not be reached: its name could not be looked up"},
		{t.Context(), errors.New("http: server gave HTTP response to HTTPS client"), "Twilio could not be reached"},
		{late, context.DeadlineExceeded, "Twilio took too long to answer"},
		{gone, context.Canceled, "The call was cancelled before Twilio answered"},
	} {
		if got := notify.Unanswered(test.ctx, "Twilio", test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
	if got, want := notify.Unanswered(gone, "The mail server", nil), "The call was cancelled before the mail server answered"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCauseWithoutURL(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("send: %w", &url.Error{Op: "Post", URL: "https://example.com/Accounts/AC1", Err: errors.New("refused")})
	if got := notify.WithoutURL(err); got != "refused" {
		t.Errorf("the cause is %q", got)
	}
	if got := notify.WithoutURL(errors.New("refused")); got != "refused" {
		t.Errorf("what names no URL is %q", got)
	}
}
