package email_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/email"
)

// exceptCause ignores Failure.Cause, the error of a library, and scopes, which are those of
// TestFailureMatrix.
var exceptCause = cmpopts.IgnoreFields(notify.Failure{}, "Cause", "Scope")

const (
	password = "c0rrect-horse"
	ana      = "ana@example.com"
)

// logged is everything that is logged during the tests.
var logged bytes.Buffer

func TestMain(m *testing.M) {
	log.SetOutput(&logged)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	code := m.Run()
	if strings.Contains(logged.String(), password) {
		fmt.Fprintln(os.Stderr, "the password stands in the log")
		code = 1
	}
	os.Exit(code)
}

func setup(t *testing.T, config far.MailConfig) (*far.MailServer, *email.Sender) {
	t.Helper()
	server, err := far.NewMail(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server, sender(t, server, server.URL())
}

func sender(t *testing.T, server *far.MailServer, url string) *email.Sender {
	t.Helper()
	address, err := email.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := email.New(email.Config{Server: address, From: "tocsin@acme.example", Roots: server.Roots})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func page() notify.Message {
	return notify.Message{
		ID: 5, Attempt: 9, Kind: notify.KindPage, Medium: notify.Email, To: ana, Name: "Ana Lind",
		Subjects: []notify.Subject{{
			Number: 17, Title: "Availability of get data API", Service: "Checkout API", Deployment: "prod-eu",
			Priority: "P2", Status: "triggered", Measure: "98.9 % of 99.7 %",
			Why: "You are main on call in Payments", Link: "https://tocsin.example.com/a/k3y?x=1&y=2",
			Runbook: "https://wiki.example.com/checkout", StartedAt: time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC),
		}},
	}
}

func withoutSecrets(t *testing.T, f *notify.Failure) {
	t.Helper()
	for _, word := range []string{password, ana} {
		if f != nil && strings.Contains(f.Reason+f.Cause, word) {
			t.Errorf("the reason tells %q: %s", word, f.Reason)
		}
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]far.MailConfig{
		"in the clear":                 {},
		"with STARTTLS":                {TLS: true},
		"with TLS from the first byte": {Implicit: true},
		"signed in, with STARTTLS":     {TLS: true, User: "tocsin", Password: password},
		"signed in, with TLS":          {Implicit: true, User: "tocsin", Password: password},
		"signed in, in the clear":      {User: "tocsin", Password: password},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, sender := setup(t, config)
			receipt, failure := sender.Deliver(t.Context(), page())
			if failure != nil {
				t.Fatal(failure.Reason)
			}
			messages := server.Messages()
			if len(messages) != 1 {
				t.Fatalf("%d messages, want 1", len(messages))
			}
			got := messages[0]
			if want := (notify.Receipt{ProviderID: got.Header.Get("Message-Id"), Delivered: true}); receipt != want {
				t.Errorf("receipt %+v, want %+v", receipt, want)
			}
			if got.From != "tocsin@acme.example" || len(got.To) != 1 || got.To[0] != ana {
				t.Errorf("from %q to %q", got.From, got.To)
			}
			if got.User != config.User || got.Encrypted != (config.TLS || config.Implicit) {
				t.Errorf("signed in as %q, encrypted %t", got.User, got.Encrypted)
			}
			if err := sender.Check(t.Context()); err != nil {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		refusal far.MailRefusal
		want    notify.Failure
	}{
		{far.MailRefusal{Code: 550, Message: "<" + ana + ">: user unknown"},
			notify.Failure{Reason: "Email: 550 5.1.1 <the recipient>: user unknown", Permanent: true}},
		{far.MailRefusal{Code: 450, Message: "Greylisted, come back"},
			notify.Failure{Reason: "Email: 450 4.1.1 Greylisted, come back"}},
		{far.MailRefusal{Code: 554, Message: "We never liked " + password},
			notify.Failure{Reason: "Email: 554 5.1.1 We never liked xxxxx", Permanent: true}},
	}
	for _, test := range tests {
		t.Run(test.refusal.Message, func(t *testing.T) {
			t.Parallel()
			server, sender := setup(t, far.MailConfig{TLS: true, User: "tocsin", Password: password})
			server.FailNext(test.refusal)
			_, failure := sender.Deliver(t.Context(), page())
			if diff := cmp.Diff(&test.want, failure, exceptCause); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			withoutSecrets(t, failure)
			if _, failure := sender.Deliver(t.Context(), page()); failure != nil {
				t.Errorf("the next message fails too: %s", failure.Reason)
			}
		})
	}
}

func TestInvalidAddressIsPermanent(t *testing.T) {
	t.Parallel()
	_, sender := setup(t, far.MailConfig{})
	m := page()
	m.To = "ana at example"
	_, failure := sender.Deliver(t.Context(), m)
	want := &notify.Failure{Reason: "Email: the recipient's address is not valid", Permanent: true}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMisconfiguredServerIsPermanent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config far.MailConfig
		url    func(string) string
		want   string
	}{
		{"a wrong password", far.MailConfig{TLS: true, User: "tocsin", Password: "another"},
			func(url string) string { return strings.Replace(url, "another", password, 1) }, "535"},
		{"STARTTLS that nobody offers", far.MailConfig{},
			func(url string) string { return strings.Replace(url, "off", "required", 1) }, "offers no STARTTLS"},
		{"TLS at a port without", far.MailConfig{},
			func(url string) string {
				return "smtps://" + strings.TrimSuffix(strings.TrimPrefix(url, "smtp://"), "?starttls=off")
			}, "does not speak TLS"},
		{"a password that nobody asks for", far.MailConfig{},
			func(url string) string { return strings.Replace(url, "smtp://", "smtp://tocsin:"+password+"@", 1) }, "does not support SMTP AUTH"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, _ := setup(t, test.config)
			sender := sender(t, server, test.url(server.URL()))
			_, failure := sender.Deliver(t.Context(), page())
			if failure == nil || !failure.Permanent || failure.Uncertain || !strings.Contains(failure.Reason, test.want) {
				t.Fatalf("%+v: want a failure for good that says %q", failure, test.want)
			}
			withoutSecrets(t, failure)
			if err := sender.Check(t.Context()); err == nil || err.Error() != failure.Reason {
				t.Errorf("Check says %v, want %s", err, failure.Reason)
			}
			if n := len(server.Messages()); n != 0 {
				t.Errorf("%d messages were taken", n)
			}
		})
	}
}

// 0.0.0.0 leads to this machine as 127.0.0.1 does, but is not taken for it.
func TestPasswordIsNotSentInClear(t *testing.T) {
	t.Parallel()
	server, _ := setup(t, far.MailConfig{User: "tocsin", Password: password})
	url := strings.Replace(server.URL(), "127.0.0.1", "0.0.0.0", 1)
	_, failure := sender(t, server, strings.Replace(url, "off", "optional", 1)).Deliver(t.Context(), page())
	if failure == nil || !failure.Permanent || failure.Uncertain {
		t.Errorf("%+v: want a permanent failure", failure)
	}
	withoutSecrets(t, failure)
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages were taken", n)
	}
	if _, failure := sender(t, server, url).Deliver(t.Context(), page()); failure != nil {
		t.Errorf("with starttls=off: %s", failure.Reason)
	}
}

func TestUntrustedCertificateIsPermanent(t *testing.T) {
	t.Parallel()
	for _, config := range []far.MailConfig{{TLS: true}, {Implicit: true}} {
		server, _ := setup(t, config)
		server.Roots = nil
		_, failure := sender(t, server, server.URL()).Deliver(t.Context(), page())
		if failure == nil || !failure.Permanent || !strings.Contains(failure.Reason, "certificate is not trusted") {
			t.Errorf("%+v: want a failure for good that tells of the certificate", failure)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	server, sender := setup(t, far.MailConfig{User: "tocsin", Password: password})
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, failure := sender.Deliver(t.Context(), page())
	if failure == nil || failure.Permanent || failure.Uncertain || !strings.Contains(failure.Reason, "connection refused") {
		t.Errorf("%+v: want a temporary failure that tells of the refused connection", failure)
	}
	withoutSecrets(t, failure)
}

func TestConnectionLostAfterDataIsUncertain(t *testing.T) {
	t.Parallel()
	server, sender := setup(t, far.MailConfig{})
	server.DropNext()
	_, failure := sender.Deliver(t.Context(), page())
	if failure == nil || failure.Permanent || !failure.Uncertain {
		t.Errorf("%+v: want a temporary failure that is uncertain", failure)
	}
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages were taken, want 1", n)
	}
	withoutSecrets(t, failure)
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, config := range []far.MailConfig{{}, {TLS: true}, {Implicit: true}} {
		server, sender := setup(t, config)
		release := server.Hold()
		ctx, pass := far.Deadline(t.Context())
		go func() {
			_, _ = server.Wait(t.Context(), func(far.Mail) bool { return true })
			pass()
		}()
		_, failure := sender.Deliver(ctx, page())
		want := &notify.Failure{Reason: "The mail server took too long to answer", Uncertain: true}
		if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", config, diff)
		}
		release()
	}
}

func TestCancellationClosesConnection(t *testing.T) {
	t.Parallel()
	server, sender := setup(t, far.MailConfig{})
	defer server.Hold()()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		// The message has arrived, but there is no answer yet.
		_, _ = server.Wait(ctx, func(far.Mail) bool { return true })
		cancel()
	}()
	_, failure := sender.Deliver(ctx, page())
	want := &notify.Failure{Reason: "The call was cancelled before the mail server answered", Uncertain: true}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A server that accepts the connection and never answers has not got the message.
func TestTimeoutBeforeDataIsCertain(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	for _, scheme := range []string{"smtp://", "smtps://"} {
		ctx, pass := far.Deadline(t.Context())
		accepted := make(chan net.Conn, 1)
		go func() {
			defer pass()
			if conn, err := listener.Accept(); err == nil {
				accepted <- conn
			}
			close(accepted)
		}()
		_, failure := sender(t, &far.MailServer{}, scheme+listener.Addr().String()).Deliver(ctx, page())
		for conn := range accepted {
			_ = conn.Close()
		}
		want := &notify.Failure{Reason: "The mail server took too long to answer"}
		if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
			t.Errorf("%s (-want +got):\n%s", scheme, diff)
		}
	}
}

func TestNewRefusesInvalidSender(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"", "tocsin", "Tocsin <>", "a@b, c@d"} {
		if _, err := email.New(email.Config{From: from}); err == nil {
			t.Errorf("%q: accepted", from)
		}
	}
}
