package reply_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/reply"
)

func TestRepliesToPage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.ExpectText(webtest.BensNumber, "4", "Nothing is waiting for you.")
		a.PostBreach("Availability of get data API")
		a.RunDue()
		a.ExpectText(webtest.BensNumber, "4 99", "There is no incident with number 99.")
		a.ExpectText(webtest.BensNumber, "what?", `Not understood. Reply "4 17" to acknowledge incident 17, "6 17" to resolve it, "5 17" to escalate it, or "ack all".`)
		a.ExpectText(webtest.BensNumber, "Ack", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		a.Advance(time.Minute)
		a.ExpectText(webtest.BensNumber, "4 1", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		a.ExpectText(webtest.AnasNumber, "ack 1", "1 was already acknowledged by Ben Adeyemi at 19:04 CET.") // on Ana's wall
		a.ExpectText(webtest.BensNumber, "6", "1 is resolved at 18:05 GMT.")
		a.ExpectText(webtest.AnasNumber, "6 1", "1 was already resolved by Ben Adeyemi at 19:05 CET.")
		a.ExpectText(webtest.BensNumber, "5 1", "1 is resolved at 18:05 GMT.")
		a.Advance(24 * time.Hour)
		a.ExpectText(webtest.AnasNumber, "4 1", "1 was already resolved by Ben Adeyemi on Mon 23 Nov at 19:05 CET.")
		row, err := a.DB.Incidents.Incident(t.Context(), 1)
		a.Must(err)
		if row.ResolvedBy != "ben@acme.example" || row.Status != incident.Resolved {
			t.Errorf("it stands at %s by %s", row.Status, row.ResolvedBy)
		}
	})
}

func TestReplyWithoutNumber(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("First")
		a.PostBreach("Second")
		a.RunDue()
		a.ExpectText(webtest.BensNumber, "ok", "Which one? Reply \"4 2\" for\n2 Checkout API: Second\n1 Checkout API: First")
		a.ExpectText(webtest.BensNumber, "5 1", "1 goes to the next step now.")
		a.ExpectText(webtest.BensNumber, "4 2", `2 is yours, acknowledged at 18:04 GMT. "6 2" resolves it.`)
		a.ExpectText(webtest.BensNumber, "ack", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		a.ExpectText(webtest.BensNumber, "6", "Which one? Reply \"6 2\" for\n2 Checkout API: Second\n1 Checkout API: First")
	})
}

// However many newer ones somebody has in hand, what waits is found.
func TestReplyWithoutNumberFindsUnanswered(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		for i := range 60 {
			a.PostBreach(fmt.Sprintf("Breach %02d", i))
		}
		a.RunDue()
		a.Advance(time.Minute)
		a.RunDue() // what gathered
		a.ExpectText(webtest.BensNumber, "4", `Which one? Reply "4 60" for
60 Checkout API: Breach 59
59 Checkout API: Breach 58
58 Checkout API: Breach 57
57 Checkout API: Breach 56
56 Checkout API: Breach 55
and 55 more`)
		ben, err := a.DB.Access.ContactByAddress(t.Context(), notify.SMS, webtest.BensNumber)
		a.Must(err)
		for number := int64(2); number <= 60; number++ {
			_, err := a.Actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ben@acme.example", UserID: &ben.UserID, Via: "web"}, Act: incident.ActAcknowledge{}})
			a.Must(err)
		}
		a.ExpectText(webtest.BensNumber, "4", `1 is yours, acknowledged at 18:05 GMT. "6 1" resolves it.`)
		a.ExpectText(webtest.BensNumber, "4", "Nothing is waiting for you.")
		for number := int64(1); number <= 59; number++ {
			_, err := a.Actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", Via: "web"}, Act: incident.ActResolve{}})
			a.Must(err)
		}
		a.ExpectText(webtest.BensNumber, "6", "60 is resolved at 18:05 GMT.")
	})
}

func TestAckAllCoversLastMessage(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.ExpectText(webtest.BensNumber, "ack all", "Nothing is waiting for you.")
		for i := range 6 {
			a.PostBreach(fmt.Sprint("breach ", i))
		}
		a.RunDue() // three leave at once, three gather
		a.Advance(time.Minute)
		if sent := a.RunDue(); len(sent) != 1 || len(sent[0].Subjects) != 3 {
			t.Fatalf("gathered: %+v", sent)
		}
		a.ExpectText(webtest.AnasNumber, "4 5", `5 is yours, acknowledged at 19:05 CET. "6 5" resolves it.`)
		a.ExpectText(webtest.BensNumber, "ack all", "Acknowledged: 4, 6. Answered already: 5.")
		for number, want := range map[int64]incident.Status{1: incident.Triggered, 3: incident.Triggered, 4: incident.Acknowledged, 6: incident.Acknowledged} {
			row, err := a.DB.Incidents.Incident(t.Context(), number)
			a.Must(err)
			if row.Status != want {
				t.Errorf("incident %d is %s, want %s", number, row.Status, want)
			}
		}
		a.Advance(time.Second)
		a.ExpectText(webtest.BensNumber, "ack all", "Acknowledged: 4, 6. Answered already: 5.") // still his
	})
}

// Each face answers a shadow's acknowledgment, which stops no escalation, the same.
func TestShadowAckIsExplained(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.BenShadowsChiara()
		a.PostBreach("First")
		a.RunDue()
		const words = "You shadow 1; it goes on until somebody on call answers."
		for _, text := range []string{"4 1", "ack all", "4"} {
			a.ExpectText(webtest.BensNumber, text, words)
		}
		ben := a.SignIn("ben@acme.example")
		ben.Post("/incidents/1/acknowledge", http.StatusSeeOther)
		webtest.Contains(t, ben.Get("/incidents/1", http.StatusOK), words)
		ben.Post("/incidents/acknowledge", http.StatusSeeOther, "number", "1")
		webtest.Contains(t, ben.Get("/incidents", http.StatusOK), words)
		events, err := a.DB.Incidents.Timeline(t.Context(), 1, 0, 0)
		a.Must(err)
		n := 0
		for _, e := range events {
			if e.Kind() == incident.EvShadowAck {
				n++
			}
		}
		if n != 1 {
			t.Errorf("the timeline has %d events of it, want 1", n)
		}
	})
}

// Whoever was paged may acknowledge what they were paged for, and nothing else, whatever
// their role is now.
func TestStakeholderAcknowledgesOnly(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("First")
		a.RunDue()
		a.Must(a.Auth.SetRole(t.Context(), auth.Tocsin, a.UserID("ben@acme.example"), auth.Stakeholder))
		for _, text := range []string{"4 9", "6 1", "5 1", "6", "5"} {
			a.ExpectText(webtest.BensNumber, text, "Only responders, managers and administrators may act on incidents; your role is stakeholder.")
		}
		row, err := a.DB.Incidents.Incident(t.Context(), 1)
		a.Must(err)
		if row.Status != incident.Triggered {
			t.Errorf("it is %s", row.Status)
		}
		ack := a.Text("SM-acknowledge", webtest.BensNumber, "4 1")
		if !strings.HasPrefix(ack, "1 is yours") {
			t.Errorf("acknowledging is answered %q", ack)
		}
		a.ExpectText(webtest.BensNumber, "help", reply.HelpText)
		a.ExpectText(webtest.BensNumber, "stop", "")
		a.ExpectText(webtest.BensNumber, "start", "SMS from Tocsin is on again.")
	})
}

func TestStopAndStart(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.ExpectText(webtest.AnasNumber, "STOP", "")
		sent := a.RunDue()
		if len(sent) != 1 || sent[0].Medium != notify.Email || sent[0].To != "ana@acme.example" || sent[0].Kind != notify.KindNotice || sent[0].Text != reply.StoppedText {
			t.Fatalf("sent %+v", sent)
		}
		method, err := a.DB.Access.ContactByAddress(t.Context(), notify.SMS, webtest.AnasNumber)
		a.Must(err)
		if method.Usable() {
			t.Error("the number is still used")
		}
		a.Advance(time.Second)
		a.ExpectText(webtest.AnasNumber, "stop", "")
		if sent := a.RunDue(); len(sent) != 0 {
			t.Errorf("a second STOP sent %+v", sent)
		}
		a.ExpectText(webtest.AnasNumber, "start", "SMS from Tocsin is on again.")
		method, err = a.DB.Access.ContactByAddress(t.Context(), notify.SMS, webtest.AnasNumber)
		a.Must(err)
		if !method.Usable() {
			t.Error("the number is not used again")
		}
		a.ExpectText(webtest.BensNumber, "stop", "") // who has no other channel is stopped all the same
		a.ExpectText(webtest.BensNumber, "help", reply.HelpText)
	})
}

func TestYesStartsOnlyWhoeverStopped(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.PostBreach("First")
		a.RunDue()
		a.ExpectText(webtest.BensNumber, "yes", notify.NotUnderstood().Error())
		a.ExpectText(webtest.BensNumber, "start", "SMS from Tocsin is on.")
		a.ExpectText(webtest.BensNumber, "ack -1", notify.NotUnderstood().Error())
		row, err := a.DB.Incidents.Incident(t.Context(), 1)
		a.Must(err)
		if row.Status != incident.Triggered {
			t.Errorf("the incident is %s", row.Status)
		}
		a.ExpectText(webtest.BensNumber, "stop", "")
		a.ExpectText(webtest.BensNumber, "Yes", "SMS from Tocsin is on again.")
		method, err := a.DB.Access.ContactByAddress(t.Context(), notify.SMS, webtest.BensNumber)
		a.Must(err)
		if !method.Usable() {
			t.Error("the number is not used again")
		}
	})
}
