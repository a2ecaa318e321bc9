package webtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// The numbers of two people of the example. Ben is main on call, and in another
// zone than Ana, who is backup.
const (
	BensNumber = "+447700900002"
	AnasNumber = "+34600000001"
)

// Text sends an SMS to Tocsin and returns the answer. The provider's id of the SMS
// is id.
func (a *App) Text(id, from, body string) string {
	a.t.Helper()
	form := url.Values{"MessageSid": {id}, "From": {from}, "Body": {body}}
	w := a.Do("POST", "/twilio/sms", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/xml") {
		a.t.Fatalf("a text got %d %s", w.Code, w.Body)
	}
	answer := strings.TrimSuffix(strings.TrimPrefix(w.Body.String(), "<Response>"), "</Response>")
	if twilio.Segments(answer) > 2 {
		a.t.Errorf("the answer takes %d messages: %s", twilio.Segments(answer), answer)
	}
	return answer
}

// ExpectText sends an SMS and compares the answer.
func (a *App) ExpectText(from, body, want string) {
	a.t.Helper()
	if got := a.Text(fmt.Sprint("SM", from, body, a.Now(), want), from, body); got != want {
		a.t.Errorf("%q is answered\n%q, want\n%q", body, got, want)
	}
}
