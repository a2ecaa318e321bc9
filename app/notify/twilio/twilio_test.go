package twilio_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// exceptCause ignores Failure.Cause, the error of a library, and scopes, which are those of
// TestFailureMatrix.
var exceptCause = cmpopts.IgnoreFields(notify.Failure{}, "Cause", "Scope")

const (
	secret = "f00dfeedf00dfeedf00dfeedf00dfeed"
	ana    = "+4915112345678"
)

// logged is everything that is logged during the tests.
var logged bytes.Buffer

func TestMain(m *testing.M) {
	log.SetOutput(&logged)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	code := m.Run()
	if strings.Contains(logged.String(), secret) {
		fmt.Fprintln(os.Stderr, "the auth token stands in the log")
		code = 1
	}
	os.Exit(code)
}

func setup(t *testing.T) (*far.Twilio, *twilio.SMS) {
	t.Helper()
	server, err := far.NewTwilio(far.TwilioConfig{AuthToken: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server, sender(t, server, server.URL())
}

func sender(t *testing.T, server *far.Twilio, baseURL string) *twilio.SMS {
	t.Helper()
	sms, err := twilio.New(twilio.Config{AccountSID: server.AccountSID, AuthToken: secret, From: server.Number, BaseURL: baseURL})
	if err != nil {
		t.Fatal(err)
	}
	return sms
}

func page() notify.Message {
	return notify.Message{
		ID: 5, Attempt: 9, Kind: notify.KindPage, Medium: notify.SMS, To: ana,
		Subjects:    []notify.Subject{{Number: 17, Title: "Checkout is down", Priority: "P2"}},
		CallbackURL: "https://tocsin.example.com/twilio/status?attempt=9",
	}
}

// withoutSecrets fails the test where a failure has a secret.
func withoutSecrets(t *testing.T, f *notify.Failure) {
	t.Helper()
	for _, word := range []string{secret, ana} {
		if f != nil && strings.Contains(f.Reason+f.Cause, word) {
			t.Errorf("the reason tells %q: %s", word, f.Reason)
		}
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	receipt, failure := sms.Deliver(t.Context(), page())
	if failure != nil {
		t.Fatal(failure)
	}
	messages := server.Messages()
	if len(messages) != 1 {
		t.Fatalf("%d messages, want 1", len(messages))
	}
	want := far.SMS{
		SID: receipt.ProviderID, At: messages[0].At, From: server.Number, To: ana,
		Body:           "#17 P2 Checkout is down. Reply 4 17 to ack, 6 17 resolve.",
		StatusCallback: "https://tocsin.example.com/twilio/status?attempt=9",
	}
	if diff := cmp.Diff(want, messages[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if receipt.Delivered || len(receipt.ProviderID) != 34 {
		t.Errorf("receipt %+v: want a SID, and delivery still to be reported", receipt)
	}
}

func TestDeliverFromAMessagingService(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	service := "MG" + strings.Repeat("0", 32)
	sms, err := twilio.New(twilio.Config{AccountSID: server.AccountSID, AuthToken: secret, From: service, BaseURL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := sms.Deliver(t.Context(), page()); failure != nil {
		t.Fatal(failure)
	}
	if got := server.Messages()[0].From; got != service {
		t.Errorf("sent from %q, want %q", got, service)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		refusal far.TwilioRefusal
		want    notify.Failure
	}{
		{"unsubscribed", far.TwilioRefusal{Status: 400, Code: 21610, Message: "Attempt to send to unsubscribed recipient"},
			notify.Failure{Reason: "Twilio: 21610, the recipient has unsubscribed", Permanent: true, Unsubscribed: true}},
		{"a number that is none", far.TwilioRefusal{Status: 400, Code: 21211, Message: "The 'To' number " + ana + " is not a valid phone number."},
			notify.Failure{Reason: "Twilio: 21211, the recipient's number is not valid", Permanent: true}},
		{"a code that we have no words for", far.TwilioRefusal{Status: 400, Code: 29999, Message: "Something about " + ana + "."},
			notify.Failure{Reason: "Twilio: 29999, Something about the recipient.", Permanent: true}},
		{"a full queue", far.TwilioRefusal{Status: 400, Code: 21611, Message: "Queue is full"},
			notify.Failure{Reason: "Twilio: 21611, the queue of the number to send from is full"}},
		{"too many requests", far.TwilioRefusal{Status: 429, Code: 20429, Message: "Too Many Requests", RetryAfter: 7 * time.Second},
			notify.Failure{Reason: "Twilio: 20429, too many requests", RetryAfter: 7 * time.Second}},
		{"429 without words", far.TwilioRefusal{Status: 429, RetryAfter: time.Second},
			notify.Failure{Reason: "Twilio answered 429", RetryAfter: time.Second}},
		{"500", far.TwilioRefusal{Status: 500, Code: 20500, Message: "Internal error"},
			notify.Failure{Reason: "Twilio: 20500, Internal error"}},
		{"503 with HTML", far.TwilioRefusal{Status: 503, RetryAfter: 30 * time.Second},
			notify.Failure{Reason: "Twilio answered 503", RetryAfter: 30 * time.Second}},
		{"a gateway that gave up", far.TwilioRefusal{Status: 504},
			notify.Failure{Reason: "Twilio answered 504", Uncertain: true}},
		{"403 with HTML", far.TwilioRefusal{Status: 403},
			notify.Failure{Reason: "Twilio answered 403", Permanent: true}},
		{"a redirect", far.TwilioRefusal{Status: 301},
			notify.Failure{Reason: "Twilio answered 301", Permanent: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, sms := setup(t)
			server.FailNext(test.refusal)
			_, failure := sms.Deliver(t.Context(), page())
			if diff := cmp.Diff(&test.want, failure, exceptCause); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			withoutSecrets(t, failure)
			if _, failure := sms.Deliver(t.Context(), page()); failure != nil {
				t.Errorf("the next message fails too: %s", failure.Reason)
			}
		})
	}
}

func TestWrongTokenIsPermanent(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	for token, want := range map[string]string{
		"00000000000000000000000000000000": "Twilio: 20003, the account SID or the auth token is wrong",
		"not-a-token":                      "Twilio: Invalid Password. Illegal chars",
	} {
		sms, err := twilio.New(twilio.Config{AccountSID: server.AccountSID, AuthToken: token, From: server.Number, BaseURL: server.URL()})
		if err != nil {
			t.Fatal(err)
		}
		_, failure := sms.Deliver(t.Context(), page())
		if diff := cmp.Diff(&notify.Failure{Reason: want, Permanent: true}, failure, exceptCause); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := sms.Check(t.Context()); err == nil || err.Error() != want {
			t.Errorf("Check: %v, want %s", err, want)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, failure := sms.Deliver(t.Context(), page())
	if failure == nil || failure.Permanent || failure.Uncertain || !strings.Contains(failure.Reason, "connection refused") {
		t.Errorf("%+v: want a temporary failure that tells of the refused connection", failure)
	}
	withoutSecrets(t, failure)
}

func TestLostConnectionIsUncertain(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	server.DropNext()
	_, failure := sms.Deliver(t.Context(), page())
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
	server, sms := setup(t)
	defer server.Hold()()
	ctx, pass := far.Deadline(t.Context())
	go func() {
		_, _ = server.Wait(t.Context(), func(far.SMS) bool { return true })
		pass()
	}()
	_, failure := sms.Deliver(ctx, page())
	want := &notify.Failure{Reason: "Twilio took too long to answer", Uncertain: true}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCancellationEndsCall(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	defer server.Hold()()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		// The message has arrived, but there is no answer yet.
		_, _ = server.Wait(ctx, func(far.SMS) bool { return true })
		cancel()
	}()
	_, failure := sms.Deliver(ctx, page())
	want := &notify.Failure{Reason: "The call was cancelled before Twilio answered", Uncertain: true}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConnectTimeoutIsCertain(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, failure := sms.Deliver(ctx, page())
	want := &notify.Failure{Reason: "The call was cancelled before Twilio answered"}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(server.Messages()); n != 0 {
		t.Errorf("%d messages were taken, want none", n)
	}
}

func TestUnreadableAnswerIsUncertain(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	for name, answer := range map[string]http.HandlerFunc{
		"no JSON":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) },
		"no message": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte(`{"sid":`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway := httptest.NewServer(answer)
			t.Cleanup(gateway.Close)
			_, failure := sender(t, server, gateway.URL).Deliver(t.Context(), page())
			if failure == nil || failure.Permanent || !failure.Uncertain {
				t.Errorf("%+v: want a temporary failure that is uncertain", failure)
			}
		})
	}
}

func TestStatusInAnswer(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	for answer, want := range map[string]struct {
		delivered bool
		failure   *notify.Failure
	}{
		`{"sid":"SM1"}`:                        {},
		`{"sid":"SM1","status":null}`:          {},
		`{"sid":"SM1","status":"queued"}`:      {},
		`{"sid":"SM1","status":"teleporting"}`: {}, // unknown; a report may follow
		`{"sid":"SM1","status":"DELIVERED"}`:   {delivered: true},
		`{"sid":"SM1","status":"failed"}`:      {failure: &notify.Failure{Reason: "Twilio: the message was not delivered", Permanent: true}},
		`{"sid":"SM1","status":"undelivered","error_code":30005,"error_message":"Unknown ` + ana + `"}`: {failure: &notify.Failure{Reason: "Twilio: 30005, the recipient's number is unknown or no longer in service", Permanent: true}},
		`{"sid":"SM1","status":"failed","error_code":30001}`:                                            {failure: &notify.Failure{Reason: "Twilio: 30001, the queue overflowed"}},
	} {
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte(answer))
		}))
		t.Cleanup(gateway.Close)
		receipt, failure := sender(t, server, gateway.URL).Deliver(t.Context(), page())
		if diff := cmp.Diff(want.failure, failure, exceptCause); diff != "" {
			t.Errorf("%s (-want +got):\n%s", answer, diff)
		}
		if failure == nil && (receipt.ProviderID != "SM1" || receipt.Delivered != want.delivered) {
			t.Errorf("%s: %+v", answer, receipt)
		}
		withoutSecrets(t, failure)
	}
}

func TestBaseURLWithPath(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	behind := httptest.NewServer(http.StripPrefix("/gateway", forward(server)))
	t.Cleanup(behind.Close)
	if _, failure := sender(t, server, behind.URL+"/gateway/").Deliver(t.Context(), page()); failure != nil {
		t.Fatal(failure.Reason)
	}
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages came through, want 1", n)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	if err := sms.Check(t.Context()); err != nil {
		t.Error(err)
	}
	other, err := twilio.New(twilio.Config{AccountSID: "AC0", AuthToken: secret, From: server.Number, BaseURL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Check(t.Context()); err == nil {
		t.Error("an account that does not exist passes")
	}
}

func TestNewRefusesInvalidConfig(t *testing.T) {
	t.Parallel()
	good := twilio.Config{AccountSID: "AC1", AuthToken: secret, From: "+15005550006"}
	if _, err := twilio.New(good); err != nil {
		t.Errorf("without a base URL: %v", err)
	}
	for name, change := range map[string]func(*twilio.Config){
		"no account":      func(c *twilio.Config) { c.AccountSID = "" },
		"no token":        func(c *twilio.Config) { c.AuthToken = "" },
		"no sender":       func(c *twilio.Config) { c.From = "" },
		"no URL":          func(c *twilio.Config) { c.BaseURL = "gateway.example.com" },
		"another scheme":  func(c *twilio.Config) { c.BaseURL = "ftp://gateway.example.com" },
		"not even a host": func(c *twilio.Config) { c.BaseURL = "https://" },
	} {
		bad := good
		change(&bad)
		if _, err := twilio.New(bad); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want an error without the token", name, err)
		}
	}
}

// forward passes requests on to the server as they are.
func forward(server *far.Twilio) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, _ := url.Parse(server.URL()) // its own address is a URL
		r.SetURL(to)
	}}
}

func TestRefusedCallbackIsLeftOut(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	m := page()
	m.CallbackURL = "http://localhost:8080/twilio/status/9"
	receipt, failure := sms.Deliver(t.Context(), m)
	if failure != nil || !receipt.Ask {
		t.Fatalf("%+v, %+v", receipt, failure)
	}
	if got := server.Messages(); len(got) != 1 || got[0].StatusCallback != "" {
		t.Fatalf("sent %+v", got)
	}
	m.CallbackURL = ""
	if receipt, failure := sms.Deliver(t.Context(), m); failure != nil || !receipt.Ask {
		t.Errorf("without a callback: %+v, %+v", receipt, failure)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	server, sms := setup(t)
	receipt, _ := sms.Deliver(t.Context(), page())
	for _, c := range []struct {
		told          far.TwilioState
		state, reason string
	}{
		{far.TwilioState{Status: "queued"}, "", ""},
		{far.TwilioState{Status: "sent"}, "sent", ""},
		{far.TwilioState{Status: "delivered"}, "delivered", ""},
		{far.TwilioState{Status: "undelivered", Code: 30003}, "failed", "Twilio: 30003, the phone cannot be reached, it may be switched off"},
	} {
		server.SetState(receipt.ProviderID, c.told)
		if state, reason, err := sms.State(t.Context(), receipt.ProviderID); err != nil || state != c.state || reason != c.reason {
			t.Errorf("%+v: %q, %q, %v", c.told, state, reason, err)
		}
	}
	if _, _, err := sms.State(t.Context(), "SM0"); err == nil {
		t.Error("an unknown message has a state")
	}
}
