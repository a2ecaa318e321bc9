package pagerduty

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

const jsonType = "application/json"

// response is what PagerDuty answers. Warnings are ours: PagerDuty refuses what
// is accepted here with one.
type response struct {
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	DedupKey string   `json:"dedup_key,omitempty"`
	Errors   []string `json:"errors,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

func (r response) reply(status int) ingest.Reply {
	// No error: text alone can always be written.
	body, _ := json.Marshal(r)
	return ingest.Reply{Status: status, ContentType: jsonType, Body: append(body, '\n')}
}

// answer is PagerDuty's for an event that was accepted, whatever it did: an
// acknowledge or resolve without an open incident is accepted too.
func answer(in ingest.Input, answers []ingest.Answer, reply *ingest.Reply) {
	r := response{Status: "success", Message: "Event processed"}
	if in.Endpoint == ChangePath {
		r.Message = "Change event processed"
	}
	for _, a := range answers {
		r.DedupKey, r.Warnings = a.DedupKey, a.Warnings
	}
	if in.Endpoint == ChangePath {
		r.DedupKey = ""
	}
	*reply = r.reply(http.StatusAccepted)
}

// KeyLength is how long a routing key must be: clients check it, and PagerDuty
// does.
const KeyLength = 32

// refuse says a failure as PagerDuty does. Clients take 400 for an event that
// will never be accepted, 429 and 5xx for one to send again, and do not know
// what to do with 401, 415 and 422.
func refuse(in ingest.Input, err error) (ingest.Reply, bool) {
	invalid := response{Status: "invalid event", Message: "Event object is invalid"}
	var f *fault.Error
	if !errors.As(err, &f) {
		return ingest.Reply{}, false
	}
	switch f.Kind {
	case fault.KindUnauthorized, fault.KindForbidden:
		if len(in.Body) > ingest.MaxBody { // it was not searched for a key
			invalid.Errors = []string{fmt.Sprintf("The body is larger than %d KiB.", ingest.MaxBody>>10)}
			return invalid.reply(http.StatusRequestEntityTooLarge), true
		}
		invalid.Errors = []string{keyError(in.Body)}
	case fault.KindMalformed:
		return response{
			Status: "unrecognized object", Message: "Event object format is unrecognized",
			Errors: []string{"JSON parse error", f.Message},
		}.reply(http.StatusBadRequest), true
	case fault.KindInvalid:
		for _, field := range f.Fields {
			invalid.Errors = append(invalid.Errors, "'"+field.Path+"' "+field.Message)
		}
		if len(invalid.Errors) == 0 {
			invalid.Errors = []string{f.Message}
		}
	case fault.KindUnsupported:
		invalid.Errors = []string{f.Message}
	case fault.KindTooLarge:
		invalid.Errors = []string{f.Message}
		return invalid.reply(http.StatusRequestEntityTooLarge), true
	case fault.KindLimited:
		return response{
			Status: "throttle exceeded", Message: "Requests for this service are arriving too quickly. Please retry later.",
			Errors: []string{f.Message},
		}.reply(http.StatusTooManyRequests), true
	default:
		return ingest.Reply{}, false
	}
	return invalid.reply(http.StatusBadRequest), true
}

// keyError says what is wrong with the key that nobody knows.
func keyError(body []byte) string {
	key := routingKey(body)
	switch length := utf8.RuneCountInString(key); length {
	case 0:
		return "'routing_key' " + missing
	case KeyLength:
		return "Invalid routing key"
	}
	return fmt.Sprintf("Length of 'routing_key' is incorrect (should be %d characters)", KeyLength)
}

// routingKey finds the key in a body that was not validated; what is no JSON
// object has none.
func routingKey(body []byte) string {
	doc, err := document.Parse(body, "")
	if err != nil {
		return ""
	}
	return scalar(member(doc, keyField))
}

// withoutKey is the body with the routing key made illegible, since bodies are
// shown and the key is a secret.
func withoutKey(body []byte, doc document.Value) []byte {
	for name, value := range doc.Members() {
		if name.Text() == keyField && scalar(value) != "" && value.IsString() {
			body = bytes.ReplaceAll(body, []byte(value), []byte(`"***"`))
		}
	}
	return body
}
