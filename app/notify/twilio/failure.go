package twilio

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// advice explains common errors: the meaning, from Twilio's error dictionary, and what
// to do.
var advice = map[int]string{
	20003:        "the account SID or the auth token is wrong",
	20404:        "the account does not exist",
	20429:        "too many requests",
	21211:        "the recipient's number is not valid",
	21212:        "the number to send from is not valid",
	21408:        "the account may not send to the recipient's country",
	21606:        "the number to send from is not the account's, or cannot send SMS",
	21608:        "a trial account sends only to verified numbers",
	unsubscribed: "the recipient has unsubscribed",
	21611:        "the queue of the number to send from is full",
	21603:        "the number to send from is missing",
	21609:        "the address for delivery reports is not valid",
	21659:        "the number to send from is not one of Twilio's",
	21660:        "the number to send from is another account's",
	21703:        "the messaging service has no number to send from",
	21704:        "the messaging service has no number to send from",
	63038:        "the account's daily limit of messages is reached",
	21612:        "the recipient cannot be reached from this number",
	21614:        "the recipient's number cannot receive SMS",
	30001:        "the queue overflowed",
	30002:        "the account is suspended",
	30003:        "the phone cannot be reached, it may be switched off",
	30004:        "the message was blocked, perhaps by the recipient",
	30005:        "the recipient's number is unknown or no longer in service",
	30006:        "the recipient's number is a landline or its carrier cannot be reached",
	30007:        "the carrier filtered the message",
	30008:        "the message was not delivered, for an unknown reason",
	30022:        "the carrier's rate limit was exceeded",
	30034:        "the number to send from is not registered with the carriers",
}

// unsubscribed is the error for a recipient who has answered STOP.
const unsubscribed = 21610

// ourCodes are errors that are about the account, its credentials or its number to send
// from: every recipient has them.
var ourCodes = map[int]bool{
	10001: true, 20003: true, 20005: true, 20404: true, 21212: true, 21603: true, 21606: true, 21659: true, 21660: true, 21703: true, 21704: true,
	30002: true, 30034: true, 63038: true,
}

// callbackCodes are errors that are about the address for delivery reports.
var callbackCodes = map[int]bool{21609: true, 21626: true, 21653: true, 21655: true, 11100: true}

// temporaryCodes are errors with a 4xx status after which a retry may succeed.
var temporaryCodes = map[int]bool{20429: true, 21611: true, 30001: true}

// failure is the notify.Failure of an exchange that did not succeed.
func (e *exchange) failure(err error, recipient string) *notify.Failure {
	var rest *client.TwilioRestError
	refused := errors.As(err, &rest)
	switch {
	case e.status == 0 && refused: // by the SDK, before any call
		return &notify.Failure{Reason: "Twilio: " + rest.Message, Permanent: true}
	case e.status == 0:
		f := &notify.Failure{Reason: notify.Unanswered(e.ctx, "Twilio", err), Cause: notify.WithoutURL(err), Scope: notify.ScopeProvider, Uncertain: e.connected}
		if notify.Unreached(err) {
			f.Scope = notify.ScopeChannel
		}
		return f
	case e.status/100 == 2:
		return &notify.Failure{Reason: "Twilio: the answer could not be read", Scope: notify.ScopeProvider, Uncertain: true}
	}
	f := &notify.Failure{
		Reason:     fmt.Sprintf("Twilio answered %d", e.status),
		Scope:      scope(e.status),
		Permanent:  !temporary(e.status),
		RetryAfter: e.retryAfter,
		// After a gateway's timeout the message may have been sent.
		Uncertain: e.status == http.StatusBadGateway || e.status == http.StatusGatewayTimeout,
	}
	if refused && rest.Code != 0 {
		f.Reason = reason(rest.Code, rest.Message, recipient)
		f.Permanent = f.Permanent && !temporaryCodes[rest.Code]
		switch {
		case ourCodes[rest.Code]:
			f.Scope = notify.ScopeChannel
		case temporaryCodes[rest.Code]:
			f.Scope = notify.ScopeProvider
		}
		f.Unsubscribed = rest.Code == unsubscribed
	}
	return f
}

// refusesCallback reports whether Twilio refuses the address for delivery reports.
func refusesCallback(err error) bool {
	var rest *client.TwilioRestError
	return errors.As(err, &rest) && callbackCodes[rest.Code]
}

// scope is what an answer's status is about. Twilio refuses a message with 400; what else
// there is below 500 is about the account, or comes from what stands between.
func scope(status int) notify.Scope {
	switch {
	case temporary(status):
		return notify.ScopeProvider
	case status == http.StatusBadRequest:
		return notify.ScopeMessage
	}
	return notify.ScopeChannel
}

func temporary(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// reason prefers the text of advice to Twilio's, which may contain the recipient's
// number.
func reason(code int, message, recipient string) string {
	if known, ok := advice[code]; ok {
		message = known
	} else if recipient != "" {
		message = strings.ReplaceAll(message, recipient, "the recipient")
	}
	if message == "" {
		return fmt.Sprintf("Twilio: %d", code)
	}
	return fmt.Sprintf("Twilio: %d, %s", code, message)
}

// retryAfter parses the Retry-After header, in seconds or as a date relative to the
// Date header of the response; 0 where it is absent or invalid.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	sent, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, until.Sub(sent))
}
