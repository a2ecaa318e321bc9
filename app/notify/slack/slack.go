// Package slack posts messages by a Slack bot: to people and to channels, where
// a message about an incident is kept up to date.
package slack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// callTimeout bounds a call whose context has no earlier deadline.
const callTimeout = 15 * time.Second

// Config is a bot.
type Config struct {
	// BotToken begins with "xoxb-". The bot needs the scope chat:write.
	BotToken string
	// BaseURL is that of the API, or empty for Slack itself.
	BaseURL string
}

// Bot is the notify.Channel for Slack.
type Bot struct {
	api *slackapi.Client
}

// New checks the configuration without connecting.
func New(config Config) (*Bot, error) {
	if config.BotToken == "" {
		return nil, errors.New("posting to Slack needs a bot token")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64 // keeps the connections of a burst of pages for the next
	options := []slackapi.Option{slackapi.OptionHTTPClient(&http.Client{Transport: transport})}
	if config.BaseURL != "" {
		base, err := url.Parse(config.BaseURL)
		if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
			return nil, errors.New("the base URL for Slack is no http or https URL")
		}
		// The library puts a method's name right behind it.
		options = append(options, slackapi.OptionAPIURL(strings.TrimSuffix(config.BaseURL, "/")+"/"))
	}
	return &Bot{api: slackapi.New(config.BotToken, options...)}, nil
}

// Method implements notify.Limited: Slack counts the calls of each method.
func (b *Bot) Method(m notify.Message) string {
	if m.Update != "" {
		return "chat.update"
	}
	return "chat.postMessage"
}

// Deliver posts the message, or updates the one that m.Update names. Where that one was
// deleted meanwhile, the message is posted again; where Slack refuses its form, it is
// sent once more as plain text.
func (b *Bot) Deliver(ctx context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	var channel, stamp string
	form := content
	post := func(ctx context.Context) (err error) {
		channel, stamp, err = b.api.PostMessageContext(ctx, m.To, form(m)...)
		return err
	}
	send := post
	if oldChannel, oldStamp, known := strings.Cut(m.Update, ":"); known {
		send = func(ctx context.Context) (err error) {
			channel, stamp, _, err = b.api.UpdateMessageContext(ctx, oldChannel, oldStamp, form(m)...)
			return err
		}
	}
	failure := call(ctx, func(ctx context.Context) error {
		err := send(ctx)
		if isMalformed(err) {
			form = asText
			err = send(ctx)
		}
		if m.Update != "" && isGone(err) {
			err = post(ctx)
		}
		if err == nil && stamp == "" {
			err = errors.New("the answer names no message")
		}
		return err
	})
	if failure != nil {
		return notify.Receipt{}, failure
	}
	return notify.Receipt{ProviderID: channel + ":" + stamp, Delivered: true}, nil
}

// Check authenticates the token (auth.test).
func (b *Bot) Check(ctx context.Context) error {
	failure := call(ctx, func(ctx context.Context) error {
		_, err := b.api.AuthTestContext(ctx)
		return err
	})
	if failure != nil {
		return errors.New(failure.Reason)
	}
	return nil
}

// call runs a request and returns its failure.
func call(ctx context.Context, request func(context.Context) error) *notify.Failure {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var connected atomic.Bool // then the request may have been sent
	err := request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	if err == nil {
		return nil
	}
	return failure(ctx, err, connected.Load())
}
