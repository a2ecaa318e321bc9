package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/notify/email"
	"github.com/tocsin-oncall/tocsin/app/notify/slack"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// providerTimeout bounds the check of one provider.
const providerTimeout = 10 * time.Second

// channels checks the credentials with each provider, without sending a message.
func (d *diagnosis) channels(ctx context.Context, cfg config.Config) {
	none := true
	for _, c := range []struct {
		subject    string
		configured bool
		check      func(context.Context) error
	}{
		{"email", !cfg.SMTP.URL.IsZero(), func(ctx context.Context) error { return checkEmail(ctx, cfg.SMTP) }},
		{"SMS", !cfg.Twilio.AuthToken.IsZero(), func(ctx context.Context) error { return checkTwilio(ctx, cfg.Twilio) }},
		{"Slack", !cfg.Slack.BotToken.IsZero(), func(ctx context.Context) error { return checkSlack(ctx, cfg.Slack) }},
	} {
		if !c.configured {
			continue
		}
		none = false
		asked, cancel := context.WithTimeout(ctx, providerTimeout)
		err := c.check(asked)
		cancel()
		if err != nil {
			d.problem(c.subject, "%s", err)
			continue
		}
		d.ok(c.subject, "the provider answers and knows us")
	}
	if none {
		d.problem("channels", "None is configured, so pages only reach the log of `tocsin serve`.\nSet TOCSIN_SMTP_URL, TOCSIN_TWILIO_… or TOCSIN_SLACK_BOT_TOKEN.")
	}
}

func checkEmail(ctx context.Context, c config.SMTP) error {
	at, err := email.ParseURL(c.URL.Reveal())
	if err != nil {
		return err
	}
	sender, err := email.New(email.Config{Server: at, From: c.From})
	if err != nil {
		return err
	}
	return sender.Check(ctx)
}

func checkTwilio(ctx context.Context, c config.Twilio) error {
	sms, err := twilio.New(twilio.Config{AccountSID: c.AccountSID, AuthToken: c.AuthToken.Reveal(), From: c.From, BaseURL: c.BaseURL})
	if err != nil {
		return err
	}
	return sms.Check(ctx)
}

func checkSlack(ctx context.Context, c config.Slack) error {
	bot, err := slack.New(slack.Config{BotToken: c.BotToken.Reveal(), BaseURL: c.BaseURL})
	if err != nil {
		return err
	}
	return bot.Check(ctx)
}

// publicAddress checks the URL that all links begin with.
func (d *diagnosis) publicAddress(ctx context.Context, cfg config.Config) {
	const subject = "public address"
	address, err := url.Parse(cfg.PublicURL)
	if err != nil || cfg.PublicURL == "" {
		d.warning(subject, "The system chooses the port, so links change with every start.\nSet TOCSIN_LISTEN or TOCSIN_PUBLIC_URL.")
		return
	}
	here := !config.IsPublic(cfg.PublicURL)
	switch {
	case here && !cfg.Twilio.AuthToken.IsZero():
		d.warning(subject, "%s is this machine alone: Twilio cannot bring replies, and links in messages open nowhere else.\nSMS go without delivery reports; Twilio is asked what became of them.\nSet TOCSIN_PUBLIC_URL.", cfg.PublicURL)
	case here:
		d.warning(subject, "%s is this machine alone: links in messages open nowhere else.\nSet TOCSIN_PUBLIC_URL.", cfg.PublicURL)
	case address.Scheme != "https":
		d.warning(subject, "%s is not encrypted: whoever listens on the way can read passwords and keys.\nPut a proxy with a certificate before it.", cfg.PublicURL)
	default:
		d.ok(subject, "%s", cfg.PublicURL)
	}
	d.alive(ctx, cfg.PublicURL)
}

// alive checks the server's health endpoint. A server that is not running is no problem
// of the configuration.
func (d *diagnosis) alive(ctx context.Context, address string) {
	const subject = "server"
	asked, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(asked, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		d.warning(subject, "%s is no address that can be asked.", address)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.warning(subject, "Nothing answers at %s from here. Is `tocsin serve` running?", address)
		return
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		d.warning(subject, "%s/readyz answers %s instead of 200 OK.", address, response.Status)
		return
	}
	d.ok(subject, "ready at %s", address)
}

// outages lists the channels that the running server has found broken.
func (d *diagnosis) outages(ctx context.Context, in *installation) error {
	states, err := in.db.Paging.ChannelStates(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.BrokenSince != nil {
			d.problem(s.Medium.Name(), "%s\nMessages by it wait; the server tries it again every few seconds.", s.Sentence(""))
		}
	}
	return nil
}
