package far_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

const ana = "+4915112345678"

func newTwilio(t *testing.T, config far.TwilioConfig) *far.Twilio {
	t.Helper()
	server, err := far.NewTwilio(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// create asks for a message as any client would, and returns status and body.
func create(t *testing.T, server *far.Twilio, form url.Values) (int, map[string]any) {
	t.Helper()
	address := server.URL() + "/2010-04-01/Accounts/" + server.AccountSID + "/Messages.json"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(server.AccountSID, server.AuthToken)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

func sms(to, body string) url.Values {
	return url.Values{"From": {"+15005550006"}, "To": {to}, "Body": {body}}
}

func TestTwilioAnswers(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{})
	status, body := create(t, server, sms(ana, "Hello"))
	if sid, _ := body["sid"].(string); status != http.StatusCreated || !strings.HasPrefix(sid, "SM") || len(sid) != 34 || body["status"] != "queued" {
		t.Errorf("%d %v", status, body)
	}
	server.FailFor("+15005550009", far.TwilioRefusal{Status: 400, Code: 21614, Message: "not a mobile number"})
	for name, test := range map[string]struct {
		form url.Values
		code float64
	}{
		"no number":      {sms("", "Hello"), 21604},
		"not E.164":      {sms("015112345678", "Hello"), 21211},
		"no text":        {sms(ana, ""), 21602},
		"too long":       {sms(ana, strings.Repeat("x", 1601)), 21617},
		"no sender":      {url.Values{"To": {ana}, "Body": {"Hello"}}, 21603},
		"a wrong sender": {url.Values{"From": {"0151"}, "To": {ana}, "Body": {"Hello"}}, 21212},
		"as was asked":   {sms("+15005550009", "Hello"), 21614},
	} {
		status, body := create(t, server, test.form)
		want := map[string]any{
			"code": test.code, "message": body["message"], "status": 400.0,
			"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%.0f", test.code),
		}
		if diff := cmp.Diff(want, body); status != 400 || diff != "" {
			t.Errorf("%s: %d (-want +got):\n%s", name, status, diff)
		}
	}
	server.SucceedFor("+15005550009")
	if status, body := create(t, server, sms("+15005550009", "Hello")); status != http.StatusCreated {
		t.Errorf("after SucceedFor: %d %v", status, body)
	}
	if n := len(server.Messages()); n != 2 {
		t.Errorf("%d messages were taken, want 2", n)
	}
}

func TestTwilioCredentials(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{})
	response, err := http.Get(server.URL() + "/2010-04-01/Accounts/" + server.AccountSID + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), `"code":20003`) {
		t.Errorf("%s: %s", response.Status, body)
	}
}

// application is what Twilio calls: it answers an inbound SMS with its text.
func application(t *testing.T, server *far.Twilio) (address string, callbacks <-chan string) {
	t.Helper()
	reports := make(chan string, 10)
	var self *httptest.Server
	self = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || r.Header.Get("X-Twilio-Signature") != server.Sign(self.URL+r.URL.RequestURI(), r.PostForm) {
			http.Error(w, "not signed", http.StatusForbidden)
			return
		}
		if r.URL.Path == "/twilio/sms" {
			fmt.Fprintf(w, "<Response><Message>%s from %s to %s</Message></Response>", r.PostForm.Get("Body"), r.PostForm.Get("From"), r.PostForm.Get("To"))
			return
		}
		reports <- r.URL.RawQuery + " " + r.PostForm.Get("MessageStatus") + " " + r.PostForm.Get("ErrorCode")
	}))
	t.Cleanup(self.Close)
	return self.URL, reports
}

func TestTwilioCallback(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{Deliver: true, LocalCallbacks: true})
	address, callbacks := application(t, server)
	form := sms(ana, "Hello")
	form.Set("StatusCallback", address+"/twilio/status?attempt=9")
	create(t, server, form)
	for _, want := range []string{"attempt=9 queued ", "attempt=9 sent ", "attempt=9 delivered "} {
		if got := <-callbacks; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if err := server.Report(t.Context(), server.Messages()[0], "undelivered", 30003); err != nil {
		t.Fatal(err)
	}
	if got, want := <-callbacks, "attempt=9 undelivered 30003"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTwilioReply(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{})
	if _, err := server.Reply(t.Context(), ana, "ack"); err == nil {
		t.Error("a reply reached nobody, without an error")
	}
	address, _ := application(t, server)
	server.SetPublicURL(address + "/")
	answer, err := server.Reply(t.Context(), ana, "4 17")
	if want := "4 17 from " + ana + " to " + server.Number; err != nil || answer != want {
		t.Errorf("%q, %v; want %q", answer, err, want)
	}

	for _, step := range []struct {
		say    string
		status int
	}{{"stop", 400}, {"START", 201}} {
		if _, err := server.Reply(t.Context(), ana, step.say); err != nil {
			t.Fatal(err)
		}
		if status, body := create(t, server, sms(ana, "Hello")); status != step.status {
			t.Errorf("after %s: %d %v", step.say, status, body)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{})
	create(t, server, sms(ana, "first"))
	third := func() func(far.SMS) bool {
		seen := 0
		return func(far.SMS) bool { seen++; return seen == 3 }
	}
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() {
			got, err := server.Wait(t.Context(), third())
			if err != nil || got.Body != "third" {
				t.Errorf("%q, %v", got.Body, err)
			}
		})
	}
	create(t, server, sms(ana, "second"))
	create(t, server, sms(ana, "third"))
	waiting.Wait()

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := server.Wait(ctx, func(m far.SMS) bool { return m.Body == "fourth" }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline", err)
	}
}

func TestCloseReleasesHeld(t *testing.T) {
	t.Parallel()
	server := newTwilio(t, far.TwilioConfig{})
	server.Hold()
	address, err := url.Parse(server.URL() + "/2010-04-01/Accounts/" + server.AccountSID + "/Messages.json")
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(server.AccountSID, server.AuthToken)
	done := make(chan error)
	go func() {
		_, err := http.PostForm(address.String(), sms(ana, "Hello"))
		done <- err
	}()
	if _, err := server.Wait(t.Context(), func(far.SMS) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("the held request was answered")
	}
}

func TestSlackMethods(t *testing.T) {
	t.Parallel()
	server, err := far.NewSlack(far.SlackConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.AddUser("ana@example.com", "U0ANA")
	call := func(method string, form url.Values) string {
		form.Set("token", server.BotToken)
		response, err := http.PostForm(server.URL()+method, form)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var answer struct {
			OK      bool
			Error   string
			User    struct{ ID string }
			Channel json.RawMessage
		}
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(fmt.Sprintf("%t %s %s %s", answer.OK, answer.Error, answer.User.ID, answer.Channel)), " ")
	}
	for _, test := range []struct {
		method string
		form   url.Values
		want   string
	}{
		{"users.lookupByEmail", url.Values{"email": {"ana@example.com"}}, "true U0ANA"},
		{"users.lookupByEmail", url.Values{"email": {"eve@example.com"}}, "false users_not_found"},
		{"conversations.open", url.Values{"users": {"U0ANA"}}, `true {"id":"D0ANA"}`},
		{"chat.update", url.Values{"channel": {"C1"}, "ts": {"1.2"}, "text": {"x"}}, "false message_not_found"},
		{"chat.postMessage", url.Values{"channel": {"C1"}}, "false no_text"},
		{"chat.postMessage", url.Values{"text": {"x"}}, "false channel_not_found"},
		{"chat.delete", url.Values{}, "false unknown_method"},
	} {
		if got := call(test.method, test.form); got != test.want {
			t.Errorf("%s %v: %q, want %q", test.method, test.form, got, test.want)
		}
	}
}

func TestSlackTakesJSON(t *testing.T) {
	t.Parallel()
	server, err := far.NewSlack(far.SlackConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	body := `{"channel":"C1","text":"fallback","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"one"}},{"type":"image","alt_text":"two","title":{"type":"plain_text","text":"text"}}]}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"chat.postMessage", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Authorization", "Bearer "+server.BotToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if posts := server.Posts(); len(posts) != 1 || posts[0].Words() != "one\ntwo\ntext" {
		t.Errorf("%+v", posts)
	}
}

func TestMailParts(t *testing.T) {
	t.Parallel()
	server, err := far.NewMail(far.MailConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	address, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	message := strings.ReplaceAll(`Subject: =?UTF-8?q?Caf=C3=A9?=
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Caf=C3=A9
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGI+Q2Fmw6k8
L2I+
--b--
`, "\n", "\r\n")
	send := func(message string) error {
		return smtp.SendMail(address.Host, nil, "a@example.com", []string{"b@example.com", "c@example.com"}, []byte(message))
	}
	if err := send(message); err != nil {
		t.Fatal(err)
	}
	got := server.Messages()[0]
	if got.Subject != "Café" || got.Text != "Café" || got.HTML != "<b>Café</b>" || strings.Join(got.To, " ") != "b@example.com c@example.com" {
		t.Errorf("%+v", got)
	}
	if err := send("no header"); err == nil {
		t.Error("what is no message is taken")
	}
	server.FailFor("c@example.com", far.MailRefusal{Code: 452, Message: "Mailbox full"})
	if err := send(message); err == nil || !strings.Contains(err.Error(), "Mailbox full") {
		t.Errorf("%v, want the refusal", err)
	}
	server.SucceedFor("c@example.com")
	if err := send(message); err != nil {
		t.Errorf("after SucceedFor: %v", err)
	}
}
