package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// actor is a person of chain.yaml who acts on a page.
func actor(t *testing.T, h *harness.Harness, name string) incident.By {
	t.Helper()
	id := userID(t, h, name)
	return incident.By{Actor: name + "@acme.example", UserID: &id, Via: "web"}
}

func userID(t *testing.T, h *harness.Harness, name string) int64 {
	t.Helper()
	people, err := h.Server.Organization.Recipients(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for id, p := range people {
		if p.Email == name+"@acme.example" {
			return id
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

func target(t *testing.T, h *harness.Harness, name string) incident.NamedTarget {
	t.Helper()
	return incident.NamedTarget{Target: incident.Target{User: userID(t, h, name)}, Name: name}
}

// perform carries out an act of a person, and lets what follows happen.
func perform(t *testing.T, h *harness.Harness, number int64, name string, act incident.Act) incident.Outcome {
	t.Helper()
	out, err := h.Server.Incidents.Do(t.Context(), incident.Command{Number: number, By: actor(t, h, name), Act: act})
	if err != nil {
		t.Fatal(err)
	}
	h.WaitIdle()
	return out
}

func owned(t *testing.T, h *harness.Harness, number int64, status, by string) {
	t.Helper()
	if inc := h.Incident(number); inc["status"] != status || fmt.Sprint(inc["acknowledged_by"]) != by {
		t.Errorf("the incident is %v by %v, want %s by %s", inc["status"], inc["acknowledged_by"], status, by)
	}
}

func TestRequestPagesUntilAnswered(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS().Reply("ack")
		perform(t, h, number, "ben", incident.ActRequest{Message: "Look at the ledger",
			Targets: []incident.NamedTarget{target(t, h, "ana"), target(t, h, "chiara"), target(t, h, "dana")}})
		h.Phone("ana").ExpectSMS("Ben Adeyemi asks you to join", "Look at the ledger").Reply("ack")
		if answer := h.Phone("dana").ExpectSMS().Reply(fmt.Sprintf("decline %d", number)); !strings.Contains(answer, "declined") {
			t.Errorf("the reply was answered %q", answer)
		}
		h.Phone("ben").ExpectSMS("Dana Levi declined")
		pages := 0
		for range 3 {
			pages += h.Phone("chiara").Ignore()
			h.Advance(10 * time.Minute)
		}
		if pages += h.Phone("chiara").Ignore(); pages < 3 {
			t.Errorf("Chiara was paged %d times", pages)
		}
		h.Phone("ben").ExpectSMS("Chiara Conti did not answer")
		owned(t, h, number, "acknowledged", "ben@acme.example")
		h.Advance(24 * time.Hour)
		h.NobodyElseIsPaged()
	})
}

func TestHandOverIsAcceptedByAcknowledgment(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS().Reply("ack")
		perform(t, h, number, "ben", incident.ActHandOver{To: target(t, h, "chiara")})
		owned(t, h, number, "acknowledged", "ben@acme.example")
		h.Phone("chiara").ExpectSMS("asks you to take over").Reply("ack")
		owned(t, h, number, "acknowledged", "chiara@acme.example")
		h.Phone("ben").ExpectSMS("Chiara Conti took over")
		perform(t, h, number, "ana", incident.ActTakeOver{})
		owned(t, h, number, "acknowledged", "ana@acme.example")
		h.Phone("chiara").ExpectSMS("Ana Ortiz took over")
		h.Advance(24 * time.Hour)
		h.NobodyElseIsPaged()
	})
}

func TestEscalateAsksNextStepAndReassignTakesTheOwnerAway(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS().Reply("ack")
		perform(t, h, number, "dana", incident.ActEscalate{})
		owned(t, h, number, "acknowledged", "ben@acme.example")
		h.Phone("chiara").ExpectSMS("Dana Levi asks you to join").Reply("ack")
		owned(t, h, number, "acknowledged", "ben@acme.example")
		h.Advance(time.Minute)
		perform(t, h, number, "dana", incident.ActEscalate{Reassign: true})
		owned(t, h, number, "triggered", "<nil>")
		h.Phone("ben").ExpectSMS("Your acknowledgment has ended")
		h.Phone("chiara").ExpectSMS().Reply("ack")
		owned(t, h, number, "acknowledged", "chiara@acme.example")
	})
}

func TestUndoneAcknowledgmentPagesNobodyAnew(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS()
		h.Advance(5 * time.Minute)
		perform(t, h, number, "ana", incident.ActAcknowledge{})
		h.Advance(9 * time.Second)
		if out := perform(t, h, number, "ana", incident.ActUndoAcknowledge{}); out.Kind != incident.Done {
			t.Fatalf("got %+v", out)
		}
		owned(t, h, number, "triggered", "<nil>")
		h.NobodyElseIsPaged()
		h.Advance(5*time.Minute - 9*time.Second)
		h.Phone("ben").ExpectSMS() // the repeat of his last rule, at its time
		h.AdvanceTo(harness.Start.Add(time.Hour - time.Second))
		h.Phone("ben").Ignore()
		h.Phone("chiara").ExpectNothing()
		h.Advance(time.Second)
		h.Phone("chiara").ExpectSMS().Reply("ack")
		h.NobodyElseIsPaged()
	})
}

func TestSnoozePagesAgainAtItsEnd(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Phone("ben").ExpectSMS()
		perform(t, h, number, "ben", incident.ActSnooze{For: 4 * time.Hour})
		if inc := h.Incident(number); inc["snoozed_until"] != harness.Start.Add(4*time.Hour).Format(time.RFC3339) {
			t.Errorf("snoozed until %v", inc["snoozed_until"])
		}
		h.Advance(4*time.Hour - time.Second)
		h.NobodyElseIsPaged()
		h.Advance(time.Second)
		owned(t, h, number, "triggered", "<nil>")
		h.Phone("ben").ExpectSMS("Checkout API").Reply("ack")
		h.NobodyElseIsPaged()
	})
}

func TestPageSomebodyOpensAnIncident(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		opened := h.API("POST", "/incidents", map[string]any{"title": "Please call the customer", "users": []string{"dana@acme.example"}})
		number := int64(opened["number"].(float64))
		h.Phone("dana").ExpectSMS("Please call the customer")
		h.Advance(30*time.Minute - time.Second)
		h.Phone("dana").Ignore()
		h.NobodyElseIsPaged()
		h.Advance(time.Second)
		h.Phone("eve").ExpectSMS("Please call the customer").Reply(fmt.Sprintf("4 %d", number)) // the administrators
		owned(t, h, number, "acknowledged", "eve@acme.example")
	})
}

// quietStaging has a deployment that is no production, and support hours that begin at
// 15:00 in Madrid, five hours after the start.
const quietStaging = `version: 1
organization: {support_hours: {days: [mon, tue, wed, thu, fri], from: "15:00", to: "17:00"}}
deployments:
  - {slug: staging, name: Staging, kind: test}
`

func TestPageSomebodyWaitsForNoSupportHours(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("staging.yaml", quietStaging)
		h.API("POST", "/incidents", map[string]any{"title": "Please look", "service": "checkout-api", "deployment": "staging", "users": []string{"dana@acme.example"}})
		h.Phone("dana").ExpectSMS("Please look")
	})
}
