// Package twilio sends SMS by Twilio's Programmable Messaging, or by a gateway with the
// same API, and parses Twilio's requests.
package twilio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

const (
	defaultBaseURL = "https://api.twilio.com"
	// callTimeout bounds a call whose context has no earlier deadline.
	callTimeout = 15 * time.Second
	// maxAnswer bounds what is read of a response, in bytes.
	maxAnswer = 1 << 20
)

// Config is an account and the sender of messages.
type Config struct {
	AccountSID string
	AuthToken  string
	// From is one of the account's numbers in E.164, or a messaging service
	// ("MG…").
	From string
	// BaseURL is the gateway's, or empty for Twilio itself. A path in it is prepended
	// to
	// those of the API.
	BaseURL string
}

// SMS is the notify.Channel for text messages.
type SMS struct {
	config    Config
	base      *url.URL
	transport http.RoundTripper
}

// New checks the configuration without connecting.
func New(config Config) (*SMS, error) {
	if config.AccountSID == "" || config.AuthToken == "" || config.From == "" {
		return nil, errors.New("sending by Twilio needs an account SID, an auth token and a number or messaging service to send from")
	}
	if config.BaseURL == "" {
		config.BaseURL = defaultBaseURL
	}
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, errors.New("the base URL for Twilio is no http or https URL")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // keeps the connections of a burst of pages for the next
	return &SMS{config: config, base: base, transport: transport}, nil
}

// Deliver sends one SMS. Twilio reports its delivery to m.CallbackURL; where that is
// empty, or Twilio refuses it, its state has to be asked for.
func (s *SMS) Deliver(ctx context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	params := &api.CreateMessageParams{}
	params.SetTo(m.To)
	params.SetBody(Text(m))
	if strings.HasPrefix(s.config.From, "MG") {
		params.SetMessagingServiceSid(s.config.From)
	} else {
		params.SetFrom(s.config.From)
	}
	if m.CallbackURL != "" {
		params.SetStatusCallback(m.CallbackURL)
	}

	var message *api.ApiV2010Message
	var refused bool // the callback
	create := func(service *api.ApiService) (err error) {
		message, err = service.CreateMessage(params)
		refused = refusesCallback(err)
		if err == nil && (message.Sid == nil || *message.Sid == "") {
			err = errors.New("the answer names no message")
		}
		return err
	}
	failure := s.call(ctx, m.To, create)
	if failure != nil && refused && params.StatusCallback != nil {
		params.StatusCallback = nil
		failure = s.call(ctx, m.To, create)
	}
	if failure != nil {
		return notify.Receipt{}, failure
	}
	r, failure := receipt(message, m.To)
	r.Ask = failure == nil && !r.Delivered && params.StatusCallback == nil
	return r, failure
}

// State implements notify.Asked.
func (s *SMS) State(ctx context.Context, sid string) (state, reason string, err error) {
	var message *api.ApiV2010Message
	if failure := s.call(ctx, "", func(service *api.ApiService) (err error) {
		message, err = service.FetchMessage(sid, &api.FetchMessageParams{})
		return err
	}); failure != nil {
		return "", "", errors.New(failure.Reason)
	}
	status := Unknown
	if message.Status != nil {
		status = statusOf(*message.Status)
	}
	recipient := ""
	if message.To != nil {
		recipient = *message.To
	}
	switch status {
	case Sent, Delivered:
		return string(status), "", nil
	case Undelivered, Failed:
		_, failure := receipt(message, recipient)
		return string(Failed), failure.Reason, nil
	}
	return "", "", nil
}

// receipt parses the status in Twilio's answer. A missing or unknown status counts as
// accepted: sending the message again might deliver it twice, and a report may follow.
func receipt(message *api.ApiV2010Message, recipient string) (notify.Receipt, *notify.Failure) {
	status := Unknown
	if message.Status != nil {
		status = statusOf(*message.Status)
	}
	switch status {
	case Undelivered, Failed:
		f := &notify.Failure{Reason: "Twilio: the message was not delivered", Permanent: true}
		if message.ErrorCode != nil && *message.ErrorCode != 0 {
			told := ""
			if message.ErrorMessage != nil {
				told = *message.ErrorMessage
			}
			f.Reason = reason(*message.ErrorCode, told, recipient)
			f.Permanent = !temporaryCodes[*message.ErrorCode]
		}
		return notify.Receipt{}, f
	}
	return notify.Receipt{ProviderID: *message.Sid, Delivered: status == Delivered}, nil
}

// Check fetches the account, which checks the connection and the credentials.
func (s *SMS) Check(ctx context.Context) error {
	failure := s.call(ctx, "", func(service *api.ApiService) error {
		_, err := service.FetchAccount(s.config.AccountSID)
		return err
	})
	if failure != nil {
		return errors.New(failure.Reason)
	}
	return nil
}

// call runs one request of the SDK, whose methods take no context: the transport uses
// ctx instead. The recipient is masked in the failure.
func (s *SMS) call(ctx context.Context, recipient string, request func(*api.ApiService) error) *notify.Failure {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	exchange := &exchange{ctx: ctx, base: s.base, transport: s.transport}
	service := api.NewApiServiceWithClient(&accountClient{sid: s.config.AccountSID, Client: client.Client{
		Credentials: client.NewCredentials(s.config.AccountSID, s.config.AuthToken),
		HTTPClient: &http.Client{
			Transport:     exchange,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}})
	err := request(service)
	if err == nil && exchange.status/100 == 2 {
		return nil
	}
	return exchange.failure(err, recipient)
}

// accountClient is the SDK's client with its account named at construction.
type accountClient struct {
	client.Client
	sid string
}

func (c *accountClient) AccountSid() string { return c.sid }

// exchange is one request and its answer: a transport for a single call, which
// also keeps what the SDK does not pass on.
type exchange struct {
	ctx       context.Context
	base      *url.URL
	transport http.RoundTripper

	connected  bool // then the request may have been sent
	status     int  // 0 until the whole response has been read
	retryAfter time.Duration
}

// RoundTrip sends r to the base URL, under the call's context, and reads the
// whole answer, since the SDK leaves the body of a failure open.
func (e *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := httptrace.WithClientTrace(e.ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { e.connected = true },
	})
	r = r.Clone(ctx)
	r.URL.Scheme, r.URL.Host, r.Host = e.base.Scheme, e.base.Host, e.base.Host
	r.URL.Path = strings.TrimSuffix(e.base.Path, "/") + r.URL.Path
	response, err := e.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	e.status = response.StatusCode
	e.retryAfter = retryAfter(response.Header)
	return response, nil
}
