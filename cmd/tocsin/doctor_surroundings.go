package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/notify/email"
	"github.com/tocsin-oncall/tocsin/app/notify/slack"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
)

// patience is how long a provider may take to answer the doctor.
const patience = 10 * time.Second

// channels asks each provider whether it knows us. Nothing is sent.
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
		asked, cancel := context.WithTimeout(ctx, patience)
		err := c.check(asked)
		cancel()
		if err != nil {
			d.wrong(c.subject, "%s", err)
			continue
		}
		d.ok(c.subject, "the provider answers and knows us")
	}
	if none {
		d.wrong("channels", "None is configured, so pages only reach the log of `tocsin serve`.\nSet TOCSIN_SMTP_URL, TOCSIN_TWILIO_… or TOCSIN_SLACK_BOT_TOKEN.")
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

// publicAddress looks at the address that stands in every link.
func (d *diagnosis) publicAddress(ctx context.Context, cfg config.Config) {
	const subject = "public address"
	address, err := url.Parse(cfg.PublicURL)
	if err != nil || cfg.PublicURL == "" {
		d.doubt(subject, "The system chooses the port, so links change with every start.\nSet TOCSIN_LISTEN or TOCSIN_PUBLIC_URL.")
		return
	}
	here := isLoopback(address.Hostname())
	switch {
	case here && !cfg.Twilio.AuthToken.IsZero():
		d.doubt(subject, "%s is this machine alone: Twilio cannot bring replies and receipts, and links in messages open nowhere else.\nSet TOCSIN_PUBLIC_URL.", cfg.PublicURL)
	case here:
		d.doubt(subject, "%s is this machine alone: links in messages open nowhere else.\nSet TOCSIN_PUBLIC_URL.", cfg.PublicURL)
	case address.Scheme != "https":
		d.doubt(subject, "%s is not encrypted: whoever listens on the way can read passwords and keys.\nPut a proxy with a certificate before it.", cfg.PublicURL)
	default:
		d.ok(subject, "%s", cfg.PublicURL)
	}
	d.alive(ctx, cfg.PublicURL)
}

// alive asks the server itself. That it is not running is no fault of what it
// is told.
func (d *diagnosis) alive(ctx context.Context, address string) {
	const subject = "server"
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(asked, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		d.doubt(subject, "%s is no address that can be asked.", address)
		return
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.doubt(subject, "Nothing answers at %s from here. Is `tocsin serve` running?", address)
		return
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		d.doubt(subject, "%s/readyz answers %s instead of 200 OK.", address, response.Status)
		return
	}
	d.ok(subject, "ready at %s", address)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
