package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/provider"
)

// providerTimeout bounds the check of one provider.
const providerTimeout = 10 * time.Second

// subjects are the names of findings by the kind of provider.
var subjects = map[string]string{"smtp": "email", "twilio": "SMS", "slack": "Slack"}

// channels checks the credentials with each provider, without sending a message.
func (d *diagnosis) channels(ctx context.Context, providers *provider.Set) {
	none := true
	for _, s := range providers.Known() {
		if s.Source == provider.None {
			continue
		}
		none = false
		subject := cmp.Or(subjects[s.Kind.Name], s.Kind.Name)
		if s.Problem != "" {
			d.problem(subject, "%s (set in the %s)", s.Problem, s.Source)
			continue
		}
		asked, cancel := context.WithTimeout(ctx, providerTimeout)
		err := s.Account().Check(asked)
		cancel()
		if err != nil {
			d.problem(subject, "%s (set in the %s)", err, s.Source)
			continue
		}
		d.ok(subject, "the provider answers and knows us (set in the %s)", s.Source)
	}
	if none {
		d.problem("channels", "None is set up: pages go only to the log of `tocsin serve`.\nSet one up at /settings/channels, or by TOCSIN_SMTP_URL, TOCSIN_TWILIO_… or TOCSIN_SLACK_BOT_TOKEN.")
	}
}

// publicAddress checks the URL that all links begin with.
func (d *diagnosis) publicAddress(ctx context.Context, cfg config.Config, sms bool) {
	const subject = "public address"
	address, err := url.Parse(cfg.PublicURL)
	if err != nil || cfg.PublicURL == "" {
		d.warning(subject, "The system chooses the port, so links change with every start.\nSet TOCSIN_LISTEN or TOCSIN_PUBLIC_URL.")
		return
	}
	here := !config.IsPublic(cfg.PublicURL)
	switch {
	case here && sms:
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
