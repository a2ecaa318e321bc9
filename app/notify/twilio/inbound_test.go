package twilio_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

const public = "https://tocsin.example.com"

func signed(server *far.Twilio, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", server.Sign(public+path, form))
	return r
}

// The example of Twilio's own documentation on webhook security.
func TestValidatorDocumentedSignature(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"},
		"From": {"+12349013030"}, "To": {"+18005551212"},
	}
	r := httptest.NewRequest(http.MethodPost, "/myapp.php?foo=1&bar=2", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")
	if !twilio.NewValidator("12345", "https://mycompany.com").Valid(r) {
		t.Error("the documented signature is refused")
	}
}

func TestValidator(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	validator := twilio.NewValidator(secret, public+"/")
	form := url.Values{"From": {ana}, "Body": {"ack 17"}, "MessageSid": {"SM1"}}
	path := "/twilio/sms?attempt=9"

	if !validator.Valid(signed(server, path, form)) {
		t.Error("a signed request is refused")
	}
	forged := map[string]func(*http.Request){
		"no signature":      func(r *http.Request) { r.Header.Del("X-Twilio-Signature") },
		"another signature": func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=") },
		"another query":     func(r *http.Request) { r.URL.RawQuery = "attempt=10" },
		"another path":      func(r *http.Request) { r.URL.Path = "/twilio/status" },
		"another form": func(r *http.Request) {
			*r = *signed(server, path, url.Values{"From": {ana}, "Body": {"ack 18"}, "MessageSid": {"SM1"}})
			r.Header.Set("X-Twilio-Signature", server.Sign(public+path, form))
		},
		"another token": func(r *http.Request) {
			r.Header.Set("X-Twilio-Signature", (&far.Twilio{TwilioConfig: far.TwilioConfig{AuthToken: "x"}}).Sign(public+path, form))
		},
	}
	for name, forge := range forged {
		r := signed(server, path, form)
		forge(r)
		if validator.Valid(r) {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseInbound(t *testing.T) {
	t.Parallel()
	got, err := twilio.ParseInbound(url.Values{"MessageSid": {"SM1"}, "From": {ana}, "To": {"+15005550006"}, "Body": {"ack 17"}})
	want := twilio.Inbound{MessageSID: "SM1", From: ana, To: "+15005550006", Body: "ack 17"}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, form := range []url.Values{{}, {"MessageSid": {"SM1"}}, {"From": {ana}}} {
		if _, err := twilio.ParseInbound(form); err == nil {
			t.Errorf("%v: accepted", form)
		}
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "<Response></Response>",
		"Acknowledged #17 – “<ok>”": `<Response><Message>Acknowledged #17 - &#34;&lt;ok&gt;&#34;</Message></Response>`,
	} {
		_, got, _ := strings.Cut(string(twilio.Answer(text)), "\n")
		if got != want {
			t.Errorf("Answer(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	form := func(status, code string) url.Values {
		return url.Values{"MessageSid": {"SM1"}, "MessageStatus": {status}, "ErrorCode": {code}, "To": {ana}, "ErrorMessage": {"Lost " + ana}}
	}
	failed := func(reason string) *notify.Failure { return &notify.Failure{Reason: reason, Permanent: true} }
	tests := []struct {
		form url.Values
		want twilio.Report
	}{
		{form("accepted", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Queued}},
		{form("queued", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Queued}},
		{form("sending", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Sending}},
		{form("sent", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Sent}},
		{form("delivered", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Delivered}},
		{form("undelivered", "30003"), twilio.Report{MessageSID: "SM1", Status: twilio.Undelivered, Failure: failed("Twilio: 30003, the phone cannot be reached, it may be switched off")}},
		{form("undelivered", "39999"), twilio.Report{MessageSID: "SM1", Status: twilio.Undelivered, Failure: failed("Twilio: 39999, Lost the recipient")}},
		{form("Delivered ", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Delivered}},
		{form("on its way", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Unknown}},
		{form("failed", ""), twilio.Report{MessageSID: "SM1", Status: twilio.Failed, Failure: failed("Twilio: the message was not delivered")}},
	}
	for _, test := range tests {
		got, err := twilio.ParseStatus(test.form)
		if err != nil {
			t.Errorf("%v: %v", test.form, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.form, diff)
		}
	}
	for _, bad := range []url.Values{{}, form(" ", ""), {"MessageStatus": {"sent"}}} {
		if _, err := twilio.ParseStatus(bad); err == nil {
			t.Errorf("%v: accepted", bad)
		}
	}
}
