package twilio

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/twilio/twilio-go/client"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Validator tells requests that Twilio signed from others.
type Validator struct {
	public    string
	validator client.RequestValidator
}

// NewValidator takes the public URL under which Twilio knows us: behind a proxy
// a request itself does not tell it.
func NewValidator(authToken, publicURL string) Validator {
	return Validator{
		public:    strings.TrimSuffix(publicURL, "/"),
		validator: client.NewRequestValidator(authToken),
	}
}

// Valid reports whether r, a POST of a form to a path below the public URL,
// bears Twilio's signature. It parses the form.
func (v Validator) Valid(r *http.Request) bool {
	signature := r.Header.Get("X-Twilio-Signature")
	if signature == "" || r.ParseForm() != nil {
		return false
	}
	params := make(map[string]string, len(r.PostForm))
	for name := range r.PostForm {
		params[name] = r.PostForm.Get(name)
	}
	return v.validator.Validate(v.public+r.URL.RequestURI(), params, signature)
}

// Inbound is an SMS that somebody sent us.
type Inbound struct {
	MessageSID string
	From, To   string // E.164
	Body       string
}

// ParseInbound reads the form of POST /twilio/sms. A text may be empty, as that
// of a picture is.
func ParseInbound(form url.Values) (Inbound, error) {
	in := Inbound{
		MessageSID: form.Get("MessageSid"),
		From:       form.Get("From"),
		To:         form.Get("To"),
		Body:       form.Get("Body"),
	}
	if in.MessageSID == "" || in.From == "" {
		return Inbound{}, errors.New("no inbound message of Twilio's: MessageSid or From is missing")
	}
	return in, nil
}

// Answer is the TwiML that replies to an inbound SMS, or, without a text, that
// says nothing.
func Answer(text string) []byte {
	type response struct {
		XMLName xml.Name `xml:"Response"`
		Message string   `xml:"Message,omitempty"`
	}
	body, err := xml.Marshal(response{Message: cut(plain(text), maxLength)})
	if err != nil {
		panic(err) // strings can always be marshalled
	}
	return append([]byte(xml.Header), body...)
}

// Status is how far a message has come. Reports may arrive late, twice and out
// of order; a later one in the order below never gives way to an earlier.
type Status string

// The states, in their order. The last three are final. Unknown is a word that
// nobody here knows, of a later release of the API or of a gateway; it says
// nothing of how far the message has come.
const (
	Unknown     Status = ""
	Queued      Status = "queued"
	Sending     Status = "sending"
	Sent        Status = "sent"
	Delivered   Status = "delivered"
	Undelivered Status = "undelivered"
	Failed      Status = "failed"
)

// statuses are the words that Twilio uses, for SMS and for what its gateways
// make of them.
var statuses = map[string]Status{
	"accepted": Queued, "scheduled": Queued, "queued": Queued,
	"sending": Sending, "sent": Sent,
	"delivered": Delivered, "read": Delivered,
	"undelivered": Undelivered, "failed": Failed, "canceled": Failed,
}

// statusOf reads a word in any case.
func statusOf(word string) Status { return statuses[strings.ToLower(strings.TrimSpace(word))] }

// Report is what a status callback says. The attempt that it speaks of stands
// in the callback's URL, not in its form.
type Report struct {
	MessageSID string
	Status     Status
	// Failure is set for Undelivered and Failed: a network's refusal is for
	// good, so that the next contact method is due.
	Failure *notify.Failure
}

// ParseStatus reads the form of POST /twilio/status.
func ParseStatus(form url.Values) (Report, error) {
	status := statusOf(form.Get("MessageStatus"))
	report := Report{MessageSID: form.Get("MessageSid"), Status: status}
	if report.MessageSID == "" || strings.TrimSpace(form.Get("MessageStatus")) == "" {
		return Report{}, errors.New("no status of Twilio's: MessageSid or MessageStatus is missing")
	}
	if status == Undelivered || status == Failed {
		report.Failure = &notify.Failure{Reason: "Twilio: the message was not delivered", Permanent: true}
		if code, err := strconv.Atoi(form.Get("ErrorCode")); err == nil && code != 0 {
			report.Failure.Reason = reason(code, form.Get("ErrorMessage"), form.Get("To"))
		}
	}
	return report, nil
}
