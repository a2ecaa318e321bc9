package far

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" // as Twilio signs
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SMS is a message that Twilio took.
type SMS struct {
	SID            string
	From, To, Body string
	StatusCallback string
	// At is when the request arrived.
	At time.Time
}

// TwilioRefusal is an answer that is no success. A Code of 0 stands for a
// failure before Twilio's own software: the body is then no JSON.
type TwilioRefusal struct {
	Status     int
	Code       int
	Message    string
	RetryAfter time.Duration
}

// TwilioConfig says whom a Twilio serves. What is empty gets a value of its
// own, which the Twilio's fields tell.
type TwilioConfig struct {
	AccountSID string
	AuthToken  string
	// Number is ours: what inbound messages are sent to.
	Number string
	// LocalCallbacks accepts addresses of this machine for status callbacks, as a
	// gateway on it does and Twilio itself does not.
	LocalCallbacks bool
	// Deliver makes every accepted message report sent and delivered to its
	// status callback, unasked.
	Deliver bool
}

// Twilio speaks Programmable Messaging of Twilio's API of 2010-04-01.
type Twilio struct {
	*site
	TwilioConfig

	faults   faults[TwilioRefusal]
	messages *journal[SMS]
	client   *http.Client

	mu      sync.Mutex
	public  string          // where the application is reached
	stopped map[string]bool // numbers that have answered STOP
	states  map[string]TwilioState
	broken  *TwilioRefusal // what every call is answered with, or nil
}

// TwilioState is what became of a message.
type TwilioState struct {
	Status string // "delivered", "undelivered"…
	Code   int    // the error, 0 for none
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// NewTwilio starts a Twilio. Close it in the end.
func NewTwilio(config TwilioConfig) (*Twilio, error) {
	t := &Twilio{
		TwilioConfig: TwilioConfig{
			AccountSID: cmp.Or(config.AccountSID, "AC"+randomHex(32)),
			AuthToken:  cmp.Or(config.AuthToken, randomHex(32)),
			Number:     cmp.Or(config.Number, "+15005550006"),
			Deliver:    config.Deliver,

			LocalCallbacks: config.LocalCallbacks,
		},
		messages: newJournal[SMS](),
		client:   &http.Client{Timeout: 10 * time.Second, Transport: http.DefaultTransport.(*http.Transport).Clone()},
		stopped:  make(map[string]bool),
		states:   make(map[string]TwilioState),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", t.authentic(t.create))
	mux.HandleFunc("GET /2010-04-01/Accounts/{sid}/Messages/{message}", t.authentic(t.fetch))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}", t.authentic(t.account))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, TwilioRefusal{Status: 404, Code: 20404, Message: "The requested resource " + r.URL.Path + " was not found"})
	})
	site, err := newSite(mux)
	if err != nil {
		return nil, err
	}
	t.site = site
	return t, nil
}

// URL is what stands for https://api.twilio.com.
func (t *Twilio) URL() string { return t.address }

// SetPublicURL says where the application is reached, for Reply.
func (t *Twilio) SetPublicURL(public string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.public = strings.TrimSuffix(public, "/")
}

// Messages are those that were taken so far, in the order of arrival.
func (t *Twilio) Messages() []SMS { return t.messages.all() }

// Wait returns the first message that matches, of those that came and those to
// come. It calls match once a message, in the order of arrival.
func (t *Twilio) Wait(ctx context.Context, match func(SMS) bool) (SMS, error) {
	return t.messages.wait(ctx, match)
}

// FailNext refuses the next messages, one for each refusal.
func (t *Twilio) FailNext(refusals ...TwilioRefusal) { t.faults.failNext(refusals) }

// FailFor refuses every message to a number until SucceedFor.
func (t *Twilio) FailFor(number string, refusal TwilioRefusal) { t.faults.failFor(number, refusal) }

// SucceedFor ends what FailFor began.
func (t *Twilio) SucceedFor(number string) { t.faults.succeedFor(number) }

// Refusals counts how often FailNext or FailFor refused a message.
func (t *Twilio) Refusals() int { return t.faults.refusals() }

// Hold takes messages and does not answer until release is called.
func (t *Twilio) Hold() (release func()) { return t.faults.hold() }

// DropNext takes the next message and breaks the connection instead of
// answering.
func (t *Twilio) DropNext() { t.faults.dropNext() }

// Break refuses every call, of whatever kind, until Mend.
func (t *Twilio) Break(refusal TwilioRefusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = &refusal
}

// Mend ends what Break began.
func (t *Twilio) Mend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = nil
}

// SetState says what became of a message, for whoever asks.
func (t *Twilio) SetState(sid string, state TwilioState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.states[sid] = state
}

func (t *Twilio) fetch(w http.ResponseWriter, r *http.Request) {
	for _, sms := range t.Messages() {
		if r.PathValue("message") != sms.SID+".json" {
			continue
		}
		body := t.resource(sms)
		t.mu.Lock()
		if state, told := t.states[sms.SID]; told {
			body["status"] = state.Status
			if state.Code != 0 {
				body["error_code"] = state.Code
			}
		}
		t.mu.Unlock()
		writeJSON(w, http.StatusOK, body)
		return
	}
	refuse(w, TwilioRefusal{Status: 404, Code: 20404, Message: "The requested resource " + r.URL.Path + " was not found"})
}

func (t *Twilio) authentic(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		broken := t.broken
		t.mu.Unlock()
		if broken != nil {
			refuse(w, *broken)
			return
		}
		user, password, _ := r.BasicAuth()
		if user != t.AccountSID || password != t.AuthToken {
			refuse(w, TwilioRefusal{Status: 401, Code: 20003, Message: "Authenticate"})
			return
		}
		next(w, r)
	}
}

func (t *Twilio) account(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("account") != t.AccountSID+".json" {
		refuse(w, TwilioRefusal{Status: 404, Code: 20404, Message: "The requested resource " + r.URL.Path + " was not found"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"sid": t.AccountSID, "friendly_name": "Acme", "status": "active", "type": "Full",
		"owner_account_sid": t.AccountSID, "uri": r.URL.Path,
	})
}

func (t *Twilio) create(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	if err := r.ParseForm(); err != nil || r.PathValue("sid") != t.AccountSID {
		refuse(w, TwilioRefusal{Status: 404, Code: 20404, Message: "The requested resource " + r.URL.Path + " was not found"})
		return
	}
	sms := SMS{
		SID:            "SM" + randomHex(32),
		From:           cmp.Or(r.PostForm.Get("From"), r.PostForm.Get("MessagingServiceSid")),
		To:             r.PostForm.Get("To"),
		Body:           r.PostForm.Get("Body"),
		StatusCallback: r.PostForm.Get("StatusCallback"),
		At:             arrived,
	}
	if refusal, refused := t.refusal(sms); refused {
		refuse(w, refusal)
		return
	}
	t.messages.add(sms)
	if t.faults.dropped() || !t.faults.pause(r.Context()) {
		breakOff()
	}
	writeJSON(w, http.StatusCreated, t.resource(sms))
	if t.Deliver && sms.StatusCallback != "" {
		t.begin(func() { t.deliver(sms) })
	}
}

func (t *Twilio) refusal(sms SMS) (TwilioRefusal, bool) {
	if refusal, refused := t.faults.refusal(sms.To); refused {
		return refusal, true
	}
	t.mu.Lock()
	stopped := t.stopped[sms.To]
	t.mu.Unlock()
	switch {
	case localCallback(sms.StatusCallback) && !t.LocalCallbacks:
		return TwilioRefusal{Status: 400, Code: 21609, Message: "The StatusCallback URL " + sms.StatusCallback + " is not a valid URL."}, true
	case sms.From == "":
		return TwilioRefusal{Status: 400, Code: 21603, Message: "A 'From' phone number is required."}, true
	case sms.To == "":
		return TwilioRefusal{Status: 400, Code: 21604, Message: "A 'To' phone number is required."}, true
	case sms.Body == "":
		return TwilioRefusal{Status: 400, Code: 21602, Message: "Message body is required."}, true
	case len([]rune(sms.Body)) > 1600:
		return TwilioRefusal{Status: 400, Code: 21617, Message: "The concatenated message body exceeds the 1600 character limit."}, true
	case !e164.MatchString(sms.From) && !strings.HasPrefix(sms.From, "MG"):
		return TwilioRefusal{Status: 400, Code: 21212, Message: "The 'From' number " + sms.From + " is not a valid phone number, shortcode, or alphanumeric sender ID."}, true
	case !e164.MatchString(sms.To):
		return TwilioRefusal{Status: 400, Code: 21211, Message: "The 'To' number " + sms.To + " is not a valid phone number."}, true
	case stopped:
		return TwilioRefusal{Status: 400, Code: 21610, Message: "Attempt to send to unsubscribed recipient"}, true
	}
	return TwilioRefusal{}, false
}

// localCallback reports whether an address names this machine, or every interface.
func localCallback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

func (t *Twilio) resource(sms SMS) map[string]any {
	uri := "/2010-04-01/Accounts/" + t.AccountSID + "/Messages/" + sms.SID
	stamp := sms.At.UTC().Format(time.RFC1123Z)
	body := map[string]any{
		"sid": sms.SID, "account_sid": t.AccountSID, "messaging_service_sid": nil,
		"from": sms.From, "to": sms.To, "body": sms.Body,
		"status": "queued", "direction": "outbound-api", "api_version": "2010-04-01",
		"num_segments": "0", "num_media": "0", "price": nil, "price_unit": "USD",
		"error_code": nil, "error_message": nil,
		"date_created": stamp, "date_updated": stamp, "date_sent": nil,
		"uri": uri + ".json", "subresource_uris": map[string]string{"media": uri + "/Media.json"},
	}
	if strings.HasPrefix(sms.From, "MG") {
		body["messaging_service_sid"], body["from"], body["status"] = sms.From, nil, "accepted"
	}
	return body
}

func refuse(w http.ResponseWriter, refusal TwilioRefusal) {
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.RetryAfter.Seconds())))
	}
	if refusal.Code == 0 {
		http.Error(w, cmp.Or(refusal.Message, "<html>upstream connect error</html>"), refusal.Status)
		return
	}
	writeJSON(w, refusal.Status, map[string]any{
		"code": refusal.Code, "message": refusal.Message, "status": refusal.Status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", refusal.Code),
	})
}

// deliver tells of a message what a network does on a good day. A callback that
// is not answered is not repeated, as with Twilio.
func (t *Twilio) deliver(sms SMS) {
	for _, status := range []string{"queued", "sent", "delivered"} {
		_ = t.Report(t.ctx, sms, status, 0)
	}
}

// Report posts a message's state to its status callback, signed: one of queued,
// sending, sent, delivered, undelivered and failed, the last two with Twilio's
// error code. An answer other than 2xx is an error.
func (t *Twilio) Report(ctx context.Context, sms SMS, status string, code int) error {
	form := url.Values{
		"MessageSid": {sms.SID}, "SmsSid": {sms.SID}, "AccountSid": {t.AccountSID}, "ApiVersion": {"2010-04-01"},
		"From": {sms.From}, "To": {sms.To}, "MessageStatus": {status}, "SmsStatus": {status},
	}
	if code != 0 {
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	_, err := t.post(ctx, sms.StatusCallback, form)
	return err
}

// Reply sends a text from a person's phone to Number, signed, and returns what
// the application answers in TwiML, or "" where it says nothing. As at Twilio,
// a number that says STOP gets nothing more (21610) until it says START.
func (t *Twilio) Reply(ctx context.Context, from, body string) (string, error) {
	t.heed(from, body)
	t.mu.Lock()
	public := t.public
	t.mu.Unlock()
	sid := "SM" + randomHex(32)
	answer, err := t.post(ctx, public+"/twilio/sms", url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {t.AccountSID},
		"ApiVersion": {"2010-04-01"}, "SmsStatus": {"received"}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"From": {from}, "To": {t.Number}, "Body": {body},
	})
	if err != nil {
		return "", err
	}
	var response struct {
		XMLName  xml.Name `xml:"Response"`
		Messages []string `xml:"Message"`
	}
	if err := xml.Unmarshal(answer, &response); err != nil {
		return "", fmt.Errorf("the answer is no TwiML: %w", err)
	}
	return strings.Join(response.Messages, "\n"), nil
}

func (t *Twilio) heed(from, body string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch strings.ToUpper(strings.TrimSpace(body)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT":
		t.stopped[from] = true
	case "START", "YES", "UNSTOP":
		delete(t.stopped, from)
	}
}

// post sends a signed form to the application and returns its answer.
func (t *Twilio) post(ctx context.Context, address string, form url.Values) ([]byte, error) {
	if address == "" || strings.HasPrefix(address, "/") {
		return nil, errors.New("far: no address of the application is known")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("User-Agent", "TwilioProxy/1.1")
	r.Header.Set("X-Twilio-Signature", t.Sign(address, form))
	response, err := t.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answered %s: %s", address, response.Status, answer)
	}
	return answer, err
}

// Sign returns the X-Twilio-Signature of a form posted to address: the base64
// of the HMAC-SHA1 of the address and of every name and value, by name.
func (t *Twilio) Sign(address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(t.AuthToken))
	_, _ = io.WriteString(mac, address)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
