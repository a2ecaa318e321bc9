package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/email"
	"github.com/tocsin-oncall/tocsin/app/notify/slack"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// pageTo is a page to a medium's address.
func pageTo(medium notify.Medium, to string) notify.Message {
	return notify.Message{ID: 1, Attempt: 1, Kind: notify.KindPage, Medium: medium, To: to, Subjects: []notify.Subject{{Number: 17, Title: "Checkout is down"}}}
}

// consequence says what follows a first failed attempt: whether the channel is broken,
// when the message is tried again, when its page goes by another method, and what the
// incident's page says.
func consequence(f *notify.Failure) string {
	if f == nil {
		return "accepted"
	}
	var words []string
	if f.Scope != notify.ScopeMessage {
		if s := (notify.ChannelState{}).After(*f, harness.Start); s.Holds {
			words = append(words, "broken")
		}
	}
	wait, again := notify.Retry(1, notify.KindPage, *f)
	switch {
	case again && f.Scope == notify.ScopeMessage:
		words = append(words, fmt.Sprintf("again in %s at most three times", wait))
	case again:
		words = append(words, fmt.Sprintf("again in %s", wait))
	default:
		words = append(words, "not again")
	}
	if !again || notify.FallsOver(1, *f) {
		words = append(words, "other method at once")
	} else {
		words = append(words, "other method after the second failure")
	}
	if f.Uncertain {
		words = append(words, "may have arrived")
	}
	return strings.Join(words, ", ") + ": " + f.Reason
}

// What follows from most failures.
const (
	broken  = "broken, again in 2s, other method at once: "
	busy    = "again in 2s, other method after the second failure: "
	unknown = "again in 2s, other method after the second failure, may have arrived: "
	refused = "not again, other method at once: "
)

// answering is a server that answers each request as handle does. The deadline of the
// context that it returns passes when pass is called.
func answering(t *testing.T, handle func(w http.ResponseWriter, pass func())) (address string, ctx context.Context) {
	t.Helper()
	ctx, pass := far.Deadline(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the connection is not seen
		handle(w, func() {
			pass()
			<-r.Context().Done() // the client has noticed
		})
	}))
	t.Cleanup(s.Close)
	return s.URL, ctx
}

// status answers with a status, a body and headers as pairs.
func status(code int, body string, header ...string) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, _ func()) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

// late does not answer before the deadline.
func late(_ http.ResponseWriter, pass func()) {
	pass()
	panic(http.ErrAbortHandler) // to return would be an answer
}

// slowBody answers, and does not end its answer before the deadline.
func slowBody(w http.ResponseWriter, pass func()) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusOK) // of any other, Slack's body is not read
	_, _ = w.Write([]byte(`{"sid":`))
	_ = http.NewResponseController(w).Flush()
	pass()
	panic(http.ErrAbortHandler)
}

// nobody is an address at which nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func twilioError(code int) string {
	return fmt.Sprintf(`{"code": %d, "message": "Oh no", "status": 400}`, code)
}

func TestFailureMatrixOfHTTP(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)
	for name, deliver := range map[string]func(context.Context, string) *notify.Failure{
		"Twilio": func(ctx context.Context, address string) *notify.Failure {
			c, err := twilio.New(twilio.Config{AccountSID: "AC1", AuthToken: "x", From: "+15005550006", BaseURL: address})
			if err != nil {
				t.Fatal(err)
			}
			_, f := c.Deliver(ctx, pageTo(notify.SMS, "+34600000001"))
			return f
		},
		"Slack": func(ctx context.Context, address string) *notify.Failure {
			c, err := slack.New(slack.Config{BotToken: "xoxb-1", BaseURL: address})
			if err != nil {
				t.Fatal(err)
			}
			_, f := c.Deliver(ctx, pageTo(notify.Slack, "U0123456"))
			return f
		},
	} {
		for _, c := range []struct {
			what   string
			handle func(http.ResponseWriter, func())
			want   map[string]string // by provider, "" for both; NAME is the provider's
		}{
			{"timeout", late, map[string]string{"": unknown + "NAME took too long to answer"}},
			{"slow body", slowBody, map[string]string{"": unknown + "NAME took too long to answer"}},
			{"400", status(400, "{}"), map[string]string{"Twilio": refused + "Twilio answered 400", "Slack": broken + "Slack answered 400"}},
			{"401", status(401, "{}"), map[string]string{"": broken + "NAME answered 401"}},
			{"403", status(403, "{}"), map[string]string{"": broken + "NAME answered 403"}},
			{"404", status(404, "{}"), map[string]string{"": broken + "NAME answered 404"}},
			{"429", status(429, "{}"), map[string]string{"": busy + "NAME answered 429"}},
			{"429 with Retry-After", status(429, "{}", "Retry-After", "30"), map[string]string{
				"Twilio": "again in 30s, other method at once: Twilio answered 429", "Slack": "again in 30s, other method at once: Slack: too many messages"}},
			{"500", status(500, "{}"), map[string]string{"": busy + "NAME answered 500"}},
			{"503", status(503, "<html>"), map[string]string{"": busy + "NAME answered 503"}},
			{"HTML", status(200, "<html>"), map[string]string{
				"Twilio": unknown + "Twilio: the answer could not be read", "Slack": unknown + "The answer is not Slack's: it is not JSON; look at what stands between, such as a proxy"}},
			{"wrong token", status(401, twilioError(20003)), map[string]string{"Twilio": broken + "Twilio: 20003, the account SID or the auth token is wrong"}},
			{"wrong sender", status(400, twilioError(21606)), map[string]string{"Twilio": broken + "Twilio: 21606, the number to send from is not the account's, or cannot send SMS"}},
			{"wrong recipient", status(400, twilioError(21211)), map[string]string{"Twilio": refused + "Twilio: 21211, the recipient's number is not valid"}},
			{"full queue", status(400, twilioError(21611)), map[string]string{"Twilio": busy + "Twilio: 21611, the queue of the number to send from is full"}},
			{"revoked token", status(200, `{"ok": false, "error": "token_revoked"}`), map[string]string{"Slack": broken + "Slack: token_revoked, the bot token was revoked; install the app again"}},
			{"no such member", status(200, `{"ok": false, "error": "user_not_found"}`), map[string]string{"Slack": refused + "Slack: user_not_found, no such member; correct the member ID in the contact method"}},
			{"form refused, as text too", status(200, `{"ok": false, "error": "invalid_blocks"}`), map[string]string{"Slack": refused + "Slack: invalid_blocks, Slack refuses the form of the message"}},
			{"Slack's own error", status(200, `{"ok": false, "error": "internal_error"}`), map[string]string{"Slack": busy + "Slack: internal_error, an error on Slack's side"}},
		} {
			want, both := c.want[""]
			if of, ok := c.want[name]; ok {
				want = of
			} else if !both {
				continue
			}
			t.Run(name+" "+c.what, func(t *testing.T) {
				t.Parallel()
				address, ctx := answering(t, c.handle)
				if got, want := consequence(deliver(ctx, address)), strings.ReplaceAll(want, "NAME", name); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		}
		t.Run(name+" without a way", func(t *testing.T) {
			t.Parallel()
			if got, want := consequence(deliver(t.Context(), "http://"+nobody(t))), broken+name+" could not be reached: connection refused"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if got, want := consequence(deliver(t.Context(), untrusted.URL)), broken+name+" could not be reached: its certificate is not trusted"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// script is a mail server that answers by the first word of a command; "greeting" and
// "end" are what it answers to the connection and to the end of the message. An answer
// of "" passes the deadline instead.
type script map[string]string

func (s script) serve(t *testing.T) (address string, ctx context.Context) {
	t.Helper()
	ctx, pass := far.Deadline(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return // the test has ended
		}
		defer conn.Close()
		s.talk(conn, pass)
	}()
	return l.Addr().String(), ctx
}

func (s script) talk(conn net.Conn, pass func()) {
	say := func(word, otherwise string) bool {
		answer, ok := s[word]
		if !ok {
			answer = otherwise
		}
		if answer == "" {
			pass()
			return true
		}
		_, err := fmt.Fprint(conn, answer, "\r\n")
		return err == nil
	}
	lines := bufio.NewScanner(conn)
	data := false
	for ok := say("greeting", "220 mail.example.com"); ok && lines.Scan(); {
		line := lines.Text()
		word, _, _ := strings.Cut(line, " ")
		switch {
		case data && line == ".":
			data, ok = false, say("end", "250 taken")
		case data:
		case word == "EHLO":
			ok = say(word, "250-mail.example.com\r\n250 AUTH PLAIN")
		case word == "DATA":
			ok = say(word, "354 go on")
			data = s[word] == ""
		case word == "AUTH":
			ok = say(word, "235 welcome")
		default:
			ok = say(word, "250 ok")
		}
	}
}

func TestFailureMatrixOfSMTP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script  script
		options string
		want    string
	}{
		"taken":                 {script{}, "off", "accepted"},
		"no greeting":           {script{"greeting": ""}, "off", busy + "The mail server took too long to answer"},
		"no answer":             {script{"RCPT": ""}, "off", busy + "The mail server took too long to answer"},
		"no answer to the end":  {script{"end": ""}, "off", unknown + "The mail server took too long to answer"},
		"421 at once":           {script{"greeting": "421 too many connections"}, "off", busy + "Email: 421 too many connections"},
		"554 at once":           {script{"greeting": "554 no service for you"}, "off", broken + "Email: 554 no service for you"},
		"535 for the password":  {script{"AUTH": "535 5.7.8 not known here"}, "off", broken + "Email: 535 5.7.8 not known here"},
		"450 for the recipient": {script{"RCPT": "450 4.2.1 busy mailbox"}, "off", "again in 2s at most three times, other method after the second failure: Email: 450 4.2.1 busy mailbox"},
		"550 for the recipient": {script{"RCPT": "550 5.1.1 no such user"}, "off", refused + "Email: 550 5.1.1 no such user"},
		"552 for the recipient": {script{"RCPT": "552 5.2.2 mailbox full"}, "off", refused + "Email: 552 5.2.2 mailbox full"},
		"554 for the message":   {script{"end": "554 5.7.1 spam"}, "off", refused + "Email: 554 5.7.1 spam"},
		"550 for the sender":    {script{"MAIL": "550 5.7.1 not your domain"}, "off", broken + "Email: 550 5.7.1 not your domain"},
		"451 for the sender":    {script{"MAIL": "451 4.3.0 try later"}, "off", busy + "Email: 451 4.3.0 try later"},
		"STARTTLS not offered":  {script{}, "required", broken + "Email: the server offers no STARTTLS: it needs ?starttls=optional or off in the URL, or a better server"},
		"STARTTLS refused":      {script{"EHLO": "250-mail.example.com\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 no TLS today"}, "required", busy + "Email: 454 4.7.0 no TLS today"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, ctx := c.script.serve(t)
			if got := consequence(mailTo(ctx, t, "smtp://ana:secret@"+address+"?starttls="+c.options)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		if got, want := consequence(mailTo(t.Context(), t, "smtp://"+nobody(t)+"?starttls=off")), broken+"The mail server could not be reached: connection refused"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
	t.Run("certificate", func(t *testing.T) {
		t.Parallel()
		server, err := far.NewMail(far.MailConfig{TLS: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		got := consequence(mailTo(t.Context(), t, server.URL()))
		if !strings.HasPrefix(got, broken+"Email: the server's certificate is not trusted") {
			t.Errorf("got %s", got)
		}
	})
}

// mailTo sends a page by a mail server.
func mailTo(ctx context.Context, t *testing.T, address string) *notify.Failure {
	t.Helper()
	server, err := email.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := email.New(email.Config{Server: server, From: "tocsin@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	_, f := sender.Deliver(ctx, pageTo(notify.Email, "ana@acme.example"))
	return f
}

// TestReportsOfDelivery has the provider never report, report twice, and in the wrong
// order.
func TestReportsOfDelivery(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		h.Twilio.Deliver = false
		h.AdvanceTo(harness.Start.Add(14*24*time.Hour + 30*time.Minute)) // Ana's week
		h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "never"))
		first := h.Phone("ana").ExpectSMS()
		h.Advance(4 * time.Minute)
		if n := h.Mailbox("ana@acme.example").Ignore(); n > 0 {
			t.Errorf("without a report %d mails went out", n)
		}
		report := func(sms far.SMS, state string, code int) {
			t.Helper()
			if err := h.Twilio.Report(t.Context(), sms, state, code); err != nil {
				t.Fatal(err)
			}
			h.WaitIdle()
		}
		report(first.SMS, "delivered", 0)
		report(first.SMS, "sent", 0)
		report(first.SMS, "undelivered", 30003) // after all that, it is of no account
		if n := h.Mailbox("ana@acme.example").Ignore(); n > 0 {
			t.Errorf("after a late report %d mails went out", n)
		}
		number := h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "twice"))
		second := h.Phone("ana").ExpectSMS()
		report(second.SMS, "undelivered", 30003)
		report(second.SMS, "undelivered", 30003)
		if n := h.Mailbox("ana@acme.example").Ignore(); n != 1 {
			t.Errorf("after two reports of a failure %d mails went out", n)
		}
		pages := h.API(http.MethodGet, fmt.Sprintf("/incidents/%d/pages", number), nil)["items"].([]any)
		if said := fmt.Sprint(pages[0].(map[string]any)["error"]); said != "Twilio: 30003, the phone cannot be reached, it may be switched off" {
			t.Errorf("the page says %q", said)
		}
	})
}
