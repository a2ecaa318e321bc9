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

// Validator validates the signatures of Twilio's requests.
type Validator struct {
	public    string
	validator client.RequestValidator
}

// NewValidator takes the public URL that Twilio posts to, since behind a proxy the
// request does not have it.
func NewValidator(authToken, publicURL string) Validator {
	return Validator{
		public:    strings.TrimSuffix(publicURL, "/"),
		validator: client.NewRequestValidator(authToken),
	}
}

// Valid reports whether r, a POST of a form to a path below the public URL,
// has Twilio's signature. It parses the form.
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

// Inbound is a received SMS.
type Inbound struct {
	MessageSID string
	From, To   string // E.164
	Body       string
}

// ParseInbound parses the form of POST /twilio/sms. The text may be empty, as in a
// picture message.
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

// Answer is the TwiML that replies to an inbound SMS; without a text it sends no reply.
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

// Status is the delivery status of a message. Reports may arrive late, twice and out of
// order, so a status is never replaced by an earlier one in the order below.
type Status string

// The statuses, in their order. The last three are final. Unknown is any other word, of
// a later release of the API or of a gateway.
const (
	Unknown     Status = ""
	Queued      Status = "queued"
	Sending     Status = "sending"
	Sent        Status = "sent"
	Delivered   Status = "delivered"
	Undelivered Status = "undelivered"
	Failed      Status = "failed"
)

// statuses are the words of Twilio, for SMS and for other channels.
var statuses = map[string]Status{
	"accepted": Queued, "scheduled": Queued, "queued": Queued,
	"sending": Sending, "sent": Sent,
	"delivered": Delivered, "read": Delivered,
	"undelivered": Undelivered, "failed": Failed, "canceled": Failed,
}

// statusOf reads a word in any case.
func statusOf(word string) Status { return statuses[strings.ToLower(strings.TrimSpace(word))] }

// Report is a status callback. The attempt is in the callback's URL, not in its form.
type Report struct {
	MessageSID string
	Status     Status
	// Failure is set for Undelivered and Failed. It is permanent, so that the next
	// contact method is due.
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
