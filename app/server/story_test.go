package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// On the Monday on which stories begin, week 46 since the rotation's start: the
// main is Ben, the backup Chiara.

func TestBackupIsPagedWhenMainIsSilent(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS(fmt.Sprintf("#%d", number), "Checkout API")
		h.Advance(59 * time.Minute)
		h.Phone("ben").Ignore() // the repeats of the last rule
		h.Phone("chiara").ExpectNothing()
		h.Advance(time.Minute)
		answer := h.Phone("chiara").ExpectSMS("Checkout API").Reply("ack")
		if !strings.Contains(answer, fmt.Sprint(number)) {
			t.Errorf("the reply was answered %q", answer)
		}
		h.Advance(24 * time.Hour)
		h.NobodyElseIsPaged()
		if inc := h.Incident(number); inc["status"] != "acknowledged" || inc["acknowledged_by"] != "chiara@acme.example" {
			t.Errorf("the incident is %v by %v", inc["status"], inc["acknowledged_by"])
		}
	})
}

func TestPersonalLinkAcknowledges(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api")
		link := h.Phone("ben").ExpectSMS().Link()
		path := strings.TrimPrefix(link, h.URL)
		if page := h.Get(path); !strings.Contains(page, "Acknowledge") {
			t.Fatalf("the link's page has no Acknowledge: %s", page)
		}
		if inc := h.Incident(number); inc["status"] != "triggered" {
			t.Fatal("looking at the link acted")
		}
		if status, body := h.Post(path, "application/x-www-form-urlencoded", []byte("action=acknowledge")); status/100 != 2 && status/100 != 3 {
			t.Fatalf("the link's button was answered %d: %s", status, body)
		}
		if inc := h.Incident(number); inc["status"] != "acknowledged" || inc["acknowledged_by"] != "ben@acme.example" {
			t.Errorf("the incident is %v by %v", inc["status"], inc["acknowledged_by"])
		}
		h.Advance(24 * time.Hour)
		h.NobodyElseIsPaged()
	})
}

func TestPolicyRunsFourTimesThenFallback(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Advance(36 * time.Hour)
		var want []string
		chain := 480 * time.Minute
		for run := range 4 {
			for step, at := range []time.Duration{0, 60 * time.Minute, 180 * time.Minute, 420 * time.Minute} {
				want = append(want, fmt.Sprintf("%s step %d run %d", time.Duration(run)*chain+at, step+1, run+1))
			}
		}
		want = append(want,
			fmt.Sprintf("%s exhausted", 4*chain), fmt.Sprintf("%s fallback", 4*chain),
			fmt.Sprintf("%s administrators", 4*chain+15*time.Minute), fmt.Sprintf("%s fallback", 4*chain+75*time.Minute),
			fmt.Sprintf("%s fallback", 4*chain+135*time.Minute), fmt.Sprintf("%s fallback", 4*chain+195*time.Minute))
		if diff := cmp.Diff(want, fired(t, h, number)); diff != "" {
			t.Errorf("what fired (-want +got):\n%s", diff)
		}
	})
}

// fired lists the steps of an incident's timeline, by the time since the start.
func fired(t *testing.T, h *harness.Harness, number int64) []string {
	t.Helper()
	events, err := h.Server.DB.Incidents.Timeline(t.Context(), number, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		d, _ := incident.PlaceOf(e.Payload)
		since := e.At.Sub(harness.Start)
		switch {
		case e.Kind() == incident.EvStep && d.Step > 0:
			all = append(all, fmt.Sprintf("%s step %d run %d", since, d.Step, d.Run))
		case e.Kind() == incident.EvStep:
			all = append(all, fmt.Sprintf("%s %s", since, d.Phase))
		case e.Kind() == incident.EvExhausted:
			all = append(all, fmt.Sprintf("%s exhausted", since))
		}
	}
	return all
}

func TestHandoverPagesIncomingPerson(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.AdvanceTo(time.Date(2026, 11, 30, 7, 30, 0, 0, time.UTC)) // half an hour before the handover
		number := h.PostBreach("checkout-api")
		h.Phone("ben").ExpectSMS("Checkout API")
		h.Advance(30 * time.Minute)
		h.Phone("ben").Ignore()
		h.Phone("chiara").ExpectSMS("Checkout API")
		h.Phone("ana").ExpectNothing()
		h.Advance(30 * time.Minute) // the timer went on: an hour after the breach it is the backup's turn
		h.Phone("ben").Ignore()
		h.Phone("chiara").Ignore()
		h.Phone("ana").ExpectSMS("Checkout API").Reply(fmt.Sprintf("4 %d", number))
		h.NobodyElseIsPaged()
	})
}

func TestRaiseNotifiesOwner(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS().Reply("ack")
		h.Advance(time.Hour)
		h.PostBreach("checkout-api", harness.Priority(2)) // a repeat pages nobody
		h.NobodyElseIsPaged()
		h.PostBreach("checkout-api", harness.Priority(1))
		h.Phone("ben").ExpectSMS("P1")
		h.Advance(5 * time.Minute) // no answer: the policy starts again
		h.Phone("ben").ExpectSMS()
		h.Advance(5 * time.Minute) // P1 waits five minutes, not sixty
		h.Phone("ben").Ignore()
		h.Phone("chiara").ExpectSMS("P1").Reply("ack")
		h.Advance(24 * time.Hour)
		h.NobodyElseIsPaged()
	})
}

func TestFailedSMSFallsOver(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		h.AdvanceTo(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC))
		h.AdvanceTo(h.Now().Add(14 * 24 * time.Hour)) // Ana's week
		h.Twilio.FailFor("+34600000001", unsubscribed)
		number := h.PostBreach("checkout-api", harness.Priority(2))
		// The page and the notice that SMS is off leave at the same time, in either order.
		mails := []string{h.Mailbox("ana@acme.example").ExpectMail().Subject, h.Mailbox("ana@acme.example").ExpectMail().Subject}
		slices.Sort(mails)
		if mails[0] != "Tocsin: SMS is off" || !strings.Contains(mails[1], "Availability of get data API") {
			t.Errorf("the mails are %q", mails)
		}
		h.NobodyElseIsPaged()
		var seen []string
		for _, p := range h.API(http.MethodGet, fmt.Sprintf("/incidents/%d/pages", number), nil)["items"].([]any) {
			page := p.(map[string]any)
			seen = append(seen, fmt.Sprintf("%v %v", page["channel"], page["status"]))
		}
		if diff := cmp.Diff([]string{"sms failed", "email delivered"}, seen); diff != "" {
			t.Errorf("pages (-want +got):\n%s", diff)
		}
	})
}

func TestRestartLosesNothing(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.PostBreach("checkout-api")
		h.Phone("ben").ExpectSMS()
		h.Shutdown()
		h.Boot()
		h.Advance(60 * time.Minute)
		h.Phone("ben").Ignore()
		h.Phone("chiara").ExpectSMS()
	})
}

func TestRecoveryResolves(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Advance(time.Minute)
		h.PostBreach("checkout-api", harness.Recovered())
		if inc := h.Incident(number); inc["status"] != "resolved" {
			t.Errorf("the incident is %v", inc["status"])
		}
		posts := h.Slack.Posts()
		if len(posts) != 2 || posts[0].Method != "chat.postMessage" || posts[1].Method != "chat.update" || posts[0].Channel != "#payments-slo-breaches" {
			t.Fatalf("the team's channel got %+v", posts)
		}
		if !strings.Contains(strings.ToLower(posts[1].Words()), "resolved") {
			t.Errorf("the update does not say that it is over: %s", posts[1].Words())
		}
	})
}

func TestRecoveryWithDedupRule(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("rule.yaml", `{"version": 1, "integrations": [{"slug": "sre", "dedup": "event.service + '/' + event.slo.name"}]}`)
		number := h.PostBreach("checkout-api", harness.With("endpoint", "GET /a"), harness.With("dedup_key", "one"))
		if again := h.PostBreach("checkout-api", harness.With("endpoint", "GET /b"), harness.With("dedup_key", "two")); again != number {
			t.Errorf("what the rule takes for the same opened incident %d beside %d", again, number)
		}
		h.PostBreach("checkout-api", harness.Recovered())
		if inc := h.Incident(number); inc["status"] != "resolved" || inc["dedup_key"] != "checkout-api/Availability of get data API" {
			t.Errorf("the incident is %v with the key %v", inc["status"], inc["dedup_key"])
		}
	})
}

// TestUnsubscribedNumberIsSwitchedOff until its owner texts START: it is told by another
// channel, and not tried again.
func TestUnsubscribedNumberIsSwitchedOff(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		h.AdvanceTo(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC))
		h.AdvanceTo(h.Now().Add(14 * 24 * time.Hour)) // Ana's week
		h.Twilio.FailFor("+34600000001", unsubscribed)
		h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "one"))
		h.Mailbox("ana@acme.example").ExpectMail("Availability of get data API")
		h.Mailbox("ana@acme.example").ExpectMail("SMS is off")
		h.Twilio.SucceedFor("+34600000001")
		number := h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "two"))
		h.Mailbox("ana@acme.example").ExpectMail("Availability of get data API")
		for _, p := range h.API(http.MethodGet, fmt.Sprintf("/incidents/%d/pages", number), nil)["items"].([]any) {
			if page := p.(map[string]any); page["channel"] == "sms" {
				t.Errorf("the number was tried again: %v", page)
			}
		}
		if _, err := h.Twilio.Reply(t.Context(), "+34600000001", "START"); err != nil {
			t.Fatal(err)
		}
		h.PostBreach("checkout-api", harness.Priority(2), harness.With("dedup_key", "three"))
		h.Phone("ana").ExpectSMS("Availability of get data API")
	})
}

// unsubscribed is Twilio's answer for a number that has said STOP.
var unsubscribed = far.TwilioRefusal{Status: 400, Code: 21610, Message: "Attempt to send to unsubscribed recipient"}
