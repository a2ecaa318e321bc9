package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// Ben's number; he is main on call in the example, and reads his own clock.
const (
	bensNumber = "+447700900002"
	anasNumber = "+34600000001"
)

// text sends an SMS to Tocsin and returns what it answers.
func (h *house) text(id, from, body string) string {
	h.t.Helper()
	form := url.Values{"MessageSid": {id}, "From": {from}, "Body": {body}}
	w := h.ask("POST", "/twilio/sms", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/xml") {
		h.t.Fatalf("a text is answered %d %s", w.Code, w.Body)
	}
	answer := strings.TrimSuffix(strings.TrimPrefix(w.Body.String(), "<Response>"), "</Response>")
	if twilio.Segments(answer) > 2 {
		h.t.Errorf("the answer takes %d messages: %s", twilio.Segments(answer), answer)
	}
	return answer
}

func (h *house) expectText(from, body, want string) {
	h.t.Helper()
	if got := h.text(fmt.Sprint("SM", from, body, h.deps.Now(), want), from, body); got != want {
		h.t.Errorf("%q is answered\n%q, want\n%q", body, got, want)
	}
}

func TestRepliesToAPage(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.expectText(bensNumber, "4", "Nothing is waiting for you.")
		h.breach("Availability of get data API")
		h.work()
		h.expectText(bensNumber, "4 99", "There is no incident with number 99.")
		h.expectText(bensNumber, "what?", `Not understood. Reply "4 17" to acknowledge incident 17, "6 17" to resolve it, "5 17" to escalate it, or "ack all".`)
		h.expectText(bensNumber, "Ack", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		h.advance(time.Minute)
		h.expectText(bensNumber, "4 1", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		h.expectText(anasNumber, "ack 1", "1 was already acknowledged by Ben Adeyemi at 19:04 CET.") // on Ana's wall
		h.expectText(bensNumber, "6", "1 is resolved at 18:05 GMT.")
		h.expectText(anasNumber, "6 1", "1 was already resolved by Ben Adeyemi at 19:05 CET.")
		h.expectText(bensNumber, "5 1", "1 is resolved at 18:05 GMT.")
		h.advance(24 * time.Hour)
		h.expectText(anasNumber, "4 1", "1 was already resolved by Ben Adeyemi on Mon 23 Nov at 19:05 CET.")
		row, err := h.db.Incidents.Incident(t.Context(), 1)
		h.must(err)
		if row.ResolvedBy != "ben@acme.example" || row.Status != incident.Resolved {
			t.Errorf("it stands at %s by %s", row.Status, row.ResolvedBy)
		}
	})
}

func TestABareWordActsOnlyWhereItIsClear(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("First")
		h.breach("Second")
		h.work()
		h.expectText(bensNumber, "ok", "Which one? Reply \"4 2\" for\n2 Checkout API: Second\n1 Checkout API: First")
		h.expectText(bensNumber, "5 1", "1 goes to the next step now.")
		h.expectText(bensNumber, "4 2", `2 is yours, acknowledged at 18:04 GMT. "6 2" resolves it.`)
		h.expectText(bensNumber, "ack", `1 is yours, acknowledged at 18:04 GMT. "6 1" resolves it.`)
		h.expectText(bensNumber, "6", "Which one? Reply \"6 2\" for\n2 Checkout API: Second\n1 Checkout API: First")
	})
}

// However many newer ones somebody has in hand, what waits is found.
func TestABareWordFindsTheOneThatWaits(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		for i := range 60 {
			h.breach(fmt.Sprintf("Breach %02d", i))
		}
		h.work()
		h.advance(time.Minute)
		h.work() // what gathered
		h.expectText(bensNumber, "4", `Which one? Reply "4 60" for
60 Checkout API: Breach 59
59 Checkout API: Breach 58
58 Checkout API: Breach 57
57 Checkout API: Breach 56
56 Checkout API: Breach 55
and 55 more`)
		ben, err := h.db.Access.ContactByAddress(t.Context(), notify.SMS, bensNumber)
		h.must(err)
		for number := int64(2); number <= 60; number++ {
			_, err := h.deps.Actions.Acknowledge(t.Context(), number, incident.By{Actor: "ben@acme.example", UserID: &ben.UserID, Via: "web"})
			h.must(err)
		}
		h.expectText(bensNumber, "4", `1 is yours, acknowledged at 18:05 GMT. "6 1" resolves it.`)
		h.expectText(bensNumber, "4", "Nothing is waiting for you.")
		for number := int64(1); number <= 59; number++ {
			_, err := h.deps.Actions.Resolve(t.Context(), number, incident.By{Actor: "ana@acme.example", Via: "web"}, "")
			h.must(err)
		}
		h.expectText(bensNumber, "6", "60 is resolved at 18:05 GMT.")
	})
}

func TestAckAllCoversWhatTheLastMessageListed(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.expectText(bensNumber, "ack all", "Nothing is waiting for you.")
		for i := range 6 {
			h.breach(fmt.Sprint("breach ", i))
		}
		h.work() // three leave at once, three gather
		h.advance(time.Minute)
		if sent := h.work(); len(sent) != 1 || len(sent[0].Subjects) != 3 {
			t.Fatalf("gathered: %+v", sent)
		}
		h.expectText(anasNumber, "4 5", `5 is yours, acknowledged at 19:05 CET. "6 5" resolves it.`)
		h.expectText(bensNumber, "ack all", "Acknowledged: 4, 6. Answered already: 5.")
		for number, want := range map[int64]incident.Status{1: incident.Triggered, 3: incident.Triggered, 4: incident.Acknowledged, 6: incident.Acknowledged} {
			row, err := h.db.Incidents.Incident(t.Context(), number)
			h.must(err)
			if row.Status != want {
				t.Errorf("incident %d is %s, want %s", number, row.Status, want)
			}
		}
		h.advance(time.Second)
		h.expectText(bensNumber, "ack all", "Acknowledged: 4, 6. Answered already: 5.") // still his
	})
}

// A shadow's acknowledgment stops nothing, and says so wherever it is given.
func TestAShadowIsToldThatItGoesOn(t *testing.T) {
	forEachTown(t, func(t *testing.T, w *town) {
		w.shadow()
		w.advance(time.Minute)
		w.breach("First")
		w.work()
		const words = "You shadow 1; it goes on until somebody on call answers."
		for _, text := range []string{"4 1", "ack all", "4"} {
			w.expectText(bensNumber, text, words)
		}
		ben := w.person("ben@acme.example")
		ben.post("/incidents/1/acknowledge", http.StatusSeeOther)
		contains(t, ben.get("/incidents/1", http.StatusOK), words)
		ben.post("/incidents/acknowledge", http.StatusSeeOther, "number", "1")
		contains(t, ben.get("/incidents", http.StatusOK), words)
		events, err := w.db.Incidents.Timeline(t.Context(), 1, 0, 0)
		w.must(err)
		if n := strings.Count(fmt.Sprint(events), string(incident.EvShadowAck)); n != 1 {
			t.Errorf("the timeline tells of it %d times", n)
		}
	})
}

func TestStopIsToldByAnotherChannelAndStartUndoesIt(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.expectText(anasNumber, "STOP", "")
		sent := h.work()
		if len(sent) != 1 || sent[0].Medium != notify.Email || sent[0].To != "ana@acme.example" || sent[0].Kind != notify.KindNotice || sent[0].Text != stoppedText {
			t.Fatalf("sent %+v", sent)
		}
		method, err := h.db.Access.ContactByAddress(t.Context(), notify.SMS, anasNumber)
		h.must(err)
		if method.Usable() {
			t.Error("the number is still used")
		}
		h.advance(time.Second)
		h.expectText(anasNumber, "stop", "")
		if sent := h.work(); len(sent) != 0 {
			t.Errorf("a second STOP sent %+v", sent)
		}
		h.expectText(anasNumber, "start", "SMS from Tocsin is on again.")
		method, err = h.db.Access.ContactByAddress(t.Context(), notify.SMS, anasNumber)
		h.must(err)
		if !method.Usable() {
			t.Error("the number is not used again")
		}
		h.expectText(bensNumber, "stop", "") // who has no other channel is stopped all the same
		h.expectText(bensNumber, "help", helpText)
	})
}

func TestATextHappensOnceHoweverOftenItIsDelivered(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		h.work()
		first := h.text("SM1", bensNumber, "5 1")
		if again := h.text("SM1", bensNumber, "5 1"); again != first {
			t.Errorf("again: %q, first: %q", again, first)
		}
		events, err := h.db.Incidents.Timeline(t.Context(), 1, 0, 0)
		h.must(err)
		n := 0
		for _, e := range events {
			if e.Kind() == incident.EvEscalated {
				n++
			}
		}
		if n != 1 {
			t.Errorf("it was escalated %d times", n)
		}
	})
}

func TestStrangersAndForgersDoNothing(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		h.work()
		h.expectText("+15550001111", "4 1", "")
		h.expectText("12345", "4 1", "")
		form := url.Values{"MessageSid": {"SM9"}, "From": {bensNumber}, "Body": {"4 1"}}.Encode()
		for _, path := range []string{"/twilio/sms", "/twilio/status/1"} {
			if w := h.ask("POST", path, form, "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusForbidden {
				t.Errorf("%s without a signature is answered %d", path, w.Code)
			}
		}
		row, err := h.db.Incidents.Incident(t.Context(), 1)
		h.must(err)
		if row.Status != incident.Triggered {
			t.Errorf("it is %s", row.Status)
		}
		d := h.deps
		d.Texts = nil
		if w := ask(New(d), "POST", "/twilio/sms", form, "Content-Type", "application/x-www-form-urlencoded"); w.Code != http.StatusNotFound {
			t.Errorf("without SMS it is answered %d", w.Code)
		}
	})
}

func TestTheCarriersWordOnAnAttempt(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.breach("a")
		h.work()
		status := func(attempt, state, failure string, want int) {
			t.Helper()
			form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {state}, "Failure": {failure}}
			w := h.ask("POST", "/twilio/status/"+attempt, form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
			if w.Code != want {
				t.Errorf("attempt %s %s is answered %d, want %d: %s", attempt, state, w.Code, want, w.Body)
			}
		}
		state := func() string {
			t.Helper()
			pages := decode[list[pageJSON]](t, h.as(auth.Read, "GET", "/api/v1/incidents/1/pages", ""), 200)
			return string(pages.Items[0].Status)
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

// shadow puts Chiara on call for Ben, who shadows her.
func (w *town) shadow() {
	w.t.Helper()
	file, err := blueprint.Parse("test", []byte(`
version: 1
schedules:
  - slug: payments
    layers: [{name: weekly, members: [chiara@acme.example]}]
    shadows: [{user: ben@acme.example}]
`), func(string) (string, bool) { return "", false })
	w.must(err)
	state, err := w.db.Organization.Configuration(w.t.Context(), w.keys)
	w.must(err)
	plan, err := file.Plan(state, blueprint.Options{})
	w.must(err)
	w.must(w.db.Organization.Apply(w.t.Context(), auth.Tocsin, w.keys, plan))
}
