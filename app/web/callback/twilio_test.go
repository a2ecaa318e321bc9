package callback_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/web/callback"
)

func TestRepeatedTextActsOnce(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		a.RunDue()
		first := a.Text("SM1", webtest.BensNumber, "5 1")
		if again := a.Text("SM1", webtest.BensNumber, "5 1"); again != first {
			t.Errorf("again: %q, first: %q", again, first)
		}
		if n := escalated(t, a); n != 1 {
			t.Errorf("it was escalated %d times", n)
		}
	})
}

// notSetUp has no SMS provider.
type notSetUp struct{ callback.Texts }

func (notSetUp) Available() bool { return false }

// A signature has no date: a copy of a signed request is refused for good.
func TestTextReplayedAfterMonthsDoesNothing(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		a.RunDue()
		a.Text("SM1", webtest.BensNumber, "5 1")
		a.Text("SM2", "+15550001111", "5 1")
		for range 3 {
			a.Advance(40 * 24 * time.Hour)
			a.Must(a.DB.Access.SweepAccess(t.Context()))
			before := escalated(t, a)
			a.Text("SM1", webtest.BensNumber, "5 1")
			if n := escalated(t, a); n != before {
				t.Errorf("the replayed text escalated: %d times, %d before", n, before)
			}
		}
		var rows int
		a.Must(a.DB.Read.QueryRowContext(t.Context(), "SELECT count(*) FROM idempotency_keys WHERE key IN ('SM1', 'SM2')").Scan(&rows))
		if rows != 1 {
			t.Errorf("%d texts are recorded; want the one of a known number", rows)
		}
	})
}

// escalated counts the escalations by hand of incident 1.
func escalated(t *testing.T, a *webtest.App) (n int) {
	t.Helper()
	events, err := a.DB.Incidents.Timeline(t.Context(), 1, 0, 0)
	a.Must(err)
	for _, e := range events {
		if e.Kind() == incident.EvEscalated {
			n++
		}
	}
	return n
}

func TestUnknownNumberAndBadSignature(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		a.RunDue()
		a.ExpectText("+15550001111", "4 1", "")
		a.ExpectText("12345", "4 1", "")
		form := url.Values{"MessageSid": {"SM9"}, "From": {webtest.BensNumber}, "Body": {"4 1"}}.Encode()
		for _, path := range []string{"/twilio/sms", "/twilio/status/1"} {
			if w := a.Do("POST", path, form, "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusForbidden {
				t.Errorf("%s without a signature is answered %d", path, w.Code)
			}
		}
		row, err := a.DB.Incidents.Incident(t.Context(), 1)
		a.Must(err)
		if row.Status != incident.Triggered {
			t.Errorf("it is %s", row.Status)
		}
		a.Slices.Callback.Texts = notSetUp{a.Slices.Callback.Texts}
		a.Remount()
		if w := a.Do("POST", "/twilio/sms", form, "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusNotFound {
			t.Errorf("without SMS it is answered %d", w.Code)
		}
	})
}

func TestDeliveryReport(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("a")
		a.RunDue()
		status := func(attempt, state, failure string, want int) {
			t.Helper()
			form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {state}, "Failure": {failure}}
			w := a.Do("POST", "/twilio/status/"+attempt, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
			if w.Code != want {
				t.Errorf("attempt %s %s is answered %d, want %d: %s", attempt, state, w.Code, want, w.Body)
			}
		}
		state := func() string {
			t.Helper()
			pages := webtest.Decode[struct {
				Items []struct{ Status string }
			}](t, a.As(auth.Read, "GET", "/api/v1/incidents/1/pages", ""), 200)
			return pages.Items[0].Status
		}
		status("1", "", "", 204)
		status("1", "delivered", "", 204)
		if got := state(); got != "delivered" {
			t.Errorf("it is %s", got)
		}
		status("1", "sent", "", 204) // late
		if got := state(); got != "delivered" {
			t.Errorf("after late news it is %s", got)
		}
		status("99", "delivered", "", 404)
		status("x", "delivered", "", 404)
	})
}
