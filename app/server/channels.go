package server

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// newProviders are the providers of the environment; Refresh adds those of the database.
// While none is set up, all media write to the log, so that a first trial works without
// a provider; afterwards messages of the other media fail permanently.
func newProviders(cfg config.Config, o Options, keys *auth.Keyring, db *store.Store, log *slog.Logger) (*provider.Set, error) {
	return provider.NewSet(provider.Options{Config: cfg, Store: db.Access, Keys: keys, Stand: logChannel{log}, Fixed: o.Channels, Now: db.Now, Log: log})
}

// configuration loads the configuration and, where that has changed, the providers: who
// can be reached depends on both.
type configuration struct {
	organization.Loader
	providers *provider.Set
}

// Load implements organization.Loader. The providers are read last, so that they are at
// least as new as the state.
func (c configuration) Load(ctx context.Context) (*organization.State, error) {
	state, err := c.Loader.Load(ctx)
	if err != nil {
		return nil, err
	}
	return state, c.providers.Refresh(ctx)
}

// sweepMessages sends with the providers as they are now.
func (s *Server) sweepMessages(ctx context.Context) (int, error) {
	if err := s.Providers.Refresh(ctx); err != nil {
		return 0, err
	}
	if s.Providers.Version() != s.probed.Load() {
		if err := s.probeChannels(ctx); err != nil {
			return 0, err
		}
	}
	return s.outbox.Sweep(ctx)
}

// probeChannels tries channels that have failed with the settings as they are now.
func (s *Server) probeChannels(ctx context.Context) error {
	version := s.Providers.Version()
	if err := s.DB.Paging.ProbeChannels(ctx, s.DB.Now(), s.Providers.Works); err != nil {
		return err
	}
	s.probed.Store(version)
	return nil
}

// logChannel writes messages to the log instead of sending them.
type logChannel struct{ log *slog.Logger }

// Deliver implements notify.Channel.
func (l logChannel) Deliver(ctx context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	args := []any{"medium", m.Medium, "to", m.To, "kind", m.Kind}
	if m.Text != "" {
		args = append(args, "text", m.Text)
	}
	args = append(args, about(m)...)
	l.log.InfoContext(ctx, "message to log only", args...)
	return notify.Receipt{ProviderID: fmt.Sprintf("log-%d", m.Attempt), Delivered: true}, nil
}

// about are the log attributes of the incidents of a message: those of a single one at
// the top level, those of several in a group with a numbered group for each. The same
// key twice in a record would be lost by readers of JSON.
func about(m notify.Message) []any {
	keys := func(s notify.Subject) []any {
		return []any{"incident", s.Number, "title", s.Title, "why", s.Why, "link", s.Link}
	}
	if m.Count() == 1 {
		return keys(m.Subjects[0])
	}
	var each []any
	for i, s := range m.Subjects {
		each = append(each, slog.Group(strconv.Itoa(i+1), keys(s)...))
	}
	args := []any{slog.Group("incidents", each...)} // left out where there are none
	if m.More > 0 {
		args = append(args, "more", m.More)
	}
	return args
}

// linkLife is how long a personal link in a message is valid.
const linkLife = 7 * 24 * time.Hour

// composer adds links to messages.
type composer struct {
	keys      *auth.Keyring
	publicURL func() string
	// callsBack reports whether the SMS provider can reach the public URL.
	callsBack func() bool
	now       func() time.Time
}

// Compose implements notify.Composer.
func (c composer) Compose(claim *notify.Claim) error {
	base := c.publicURL()
	for i := range claim.Subjects {
		s := &claim.Subjects[i]
		if claim.UserID == 0 {
			s.Link = fmt.Sprintf("%s/incidents/%d", base, s.Number)
		} else {
			s.Link = base + "/a/" + c.keys.SignLink(auth.PageLink{Incident: s.Number, UserID: claim.UserID, MessageID: claim.ID, Expires: c.now().Add(linkLife)})
		}
		if s.Runbook != "" && !strings.Contains(s.Runbook, "://") {
			s.Runbook = "" // no URL; the incident's page shows it
		}
	}
	if claim.Medium == notify.SMS && c.callsBack() {
		claim.CallbackURL = fmt.Sprintf("%s/twilio/status/%d", base, claim.Attempt)
	}
	return nil
}
