package server_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// wrongToken is Twilio's answer to credentials that are not its own.
var wrongToken = far.TwilioRefusal{Status: 401, Code: 20003, Message: "Authenticate"}

// outage pages Ben, and after 10 minutes Chiara, both by SMS alone; Eve, the
// administrator, has email as well.
const outage = `version: 1
users:
  - {email: eve@acme.example, contacts: [{id: sms, type: sms, value: "+4915100000005", verified: true}, {id: mail, type: email, value: eve@acme.example, verified: true}]}
escalation_policies:
  - slug: payments
    repeat: 1
    fallback: [{user: dana@acme.example}]
    steps:
      - {timeout: 10m, targets: [{user: ben@acme.example}]}
      - {timeout: 15m, targets: [{user: chiara@acme.example}]}
`

func TestWrongCredentialsForTwentyMinutes(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("outage.yaml", outage)
		h.Twilio.Break(wrongToken)
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Advance(time.Minute)
		h.Mailbox("eve@acme.example").ExpectMail("SMS has not worked since", "the account SID or the auth token is wrong")
		if again := h.PostBreach("checkout-api", harness.Priority(2)); again != number {
			t.Errorf("the same breach opened incident %d", again)
		}
		h.Shutdown()
		h.Boot()
		h.Advance(4 * time.Minute)
		page := incidentPage(t, h, number)
		for _, words := range []string{"the account SID or the auth token is wrong", "tried again every few seconds", "SMS has not worked since"} {
			if !strings.Contains(page, words) {
				t.Errorf("the page does not say %q", words)
			}
		}
		if said := h.Get("/metrics"); !strings.Contains(said, `tocsin_channel_broken{medium="sms"} 1`) || !strings.Contains(said, `tocsin_channel_broken{medium="email"} 0`) {
			t.Error("the metrics do not tell of it")
		}
		h.Advance(15 * time.Minute) // Chiara's step began 10 minutes ago
		h.Twilio.Mend()
		h.Advance(10 * time.Second)
		h.Phone("eve").ExpectSMS("SMS works again", "It had not worked from")
		h.Phone("chiara").ExpectSMS("Checkout API")
		h.Phone("chiara").ExpectNothing()
		h.Phone("ben").ExpectNothing() // his step is over
		h.NobodyElseIsPaged()
		h.Advance(time.Hour)
		h.Phone("chiara").Ignore()
		h.Phone("ben").Ignore()
		h.Phone("dana").Ignore()
		h.Phone("eve").Ignore()
		want := []string{"0s step 1 run 1", "10m0s step 2 run 1", "25m0s step 1 run 2", "35m0s step 2 run 2", "50m0s exhausted", "50m0s fallback", "1h5m0s administrators"}
		if diff := cmp.Diff(want, fired(t, h, number)); diff != "" {
			t.Errorf("what fired (-want +got):\n%s", diff)
		}
		if states, err := h.Server.DB.Paging.ChannelStates(t.Context()); err != nil || len(states) > 0 {
			t.Errorf("after the mending the channels are %+v, %v", states, err)
		}
	})
}

// incidentPage is the incident's page as the administrator sees it, whom the first call
// signs in.
func incidentPage(t *testing.T, h *harness.Harness, number int64) string {
	t.Helper()
	user, err := h.Server.Auth.UserByEmail(t.Context(), auth.Tocsin, "eve@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := h.Server.Auth.PasswordLink(t.Context(), auth.Tocsin, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil) // without options it cannot fail
	client := &http.Client{Jar: jar}
	answer, err := client.PostForm(h.URL+"/password/"+token, url.Values{"password": {"a long and secret word"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer, err = client.Get(fmt.Sprintf("%s/incidents/%d", h.URL, number)); err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the page was answered %s: %v", answer.Status, err)
	}
	return html.UnescapeString(string(body))
}

func TestOutageUsesOtherMethodAtOnce(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		h.AdvanceTo(harness.Start.Add(14*24*time.Hour + 30*time.Minute)) // Ana's week
		h.Twilio.Break(wrongToken)
		began := h.Now()
		h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "one"))
		h.Mailbox("ana@acme.example").ExpectMail("Availability of get data API")
		// While it is known to be broken, a page makes no call, and goes by mail as well.
		h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "two"))
		h.Mailbox("ana@acme.example").ExpectMail("Availability of get data API")
		if !h.Now().Equal(began) {
			t.Errorf("it took until %s", h.Now())
		}
		h.Advance(time.Minute)
		if n := h.Mailbox("ana@acme.example").Ignore(); n > 0 {
			t.Errorf("%d mails more", n)
		}
		h.Twilio.Mend()
		h.Advance(6 * time.Second)
		h.Phone("ana").ExpectSMS()
		h.Phone("ana").ExpectSMS()
		h.Phone("ana").ExpectNothing()
	})
}

// TestCallbackThatTwilioRefuses has Twilio refuse an address of this machine.
func TestCallbackThatTwilioRefuses(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.Twilio.LocalCallbacks = false
		h.PostBreach("checkout-api", harness.Priority(2))
		if sms := h.Phone("ben").ExpectSMS("Checkout API"); sms.StatusCallback != "" {
			t.Errorf("it asks for a call to %s", sms.StatusCallback)
		}
		h.NobodyElseIsPaged()
	})
}
