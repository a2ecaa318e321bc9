package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/manual"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/store"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/api"
	"github.com/tocsin-oncall/tocsin/app/web/callback"
	"github.com/tocsin-oncall/tocsin/app/web/hook"
	"github.com/tocsin-oncall/tocsin/app/web/page"
	"github.com/tocsin-oncall/tocsin/app/web/page/account"
	"github.com/tocsin-oncall/tocsin/app/web/page/incidents"
	"github.com/tocsin-oncall/tocsin/app/web/page/integrations"
	"github.com/tocsin-oncall/tocsin/app/web/page/link"
	"github.com/tocsin-oncall/tocsin/app/web/page/oncall"
	peoplepages "github.com/tocsin-oncall/tocsin/app/web/page/people"
	"github.com/tocsin-oncall/tocsin/app/web/page/policies"
	"github.com/tocsin-oncall/tocsin/app/web/page/search"
	"github.com/tocsin-oncall/tocsin/app/web/page/services"
	"github.com/tocsin-oncall/tocsin/app/web/page/signin"
	"github.com/tocsin-oncall/tocsin/app/web/page/start"
	"github.com/tocsin-oncall/tocsin/app/web/page/teams"
)

// Parts are what the HTTP interface is made from. All are required unless stated
// otherwise.
type Parts struct {
	PublicURL      string
	TrustedProxies []*net.IPNet
	Now            func() time.Time
	Log            *slog.Logger

	DB            *store.Store
	Keys          *auth.Keyring
	Auth          *auth.Service
	Sessions      *auth.Sessions
	Formats       *ingest.Formats
	Signals       *ingest.Service
	Submitter     ingest.Submitter
	Incidents     *incident.Service
	Configuration Configuration
	// Works reports whether a medium has a channel; OnlyLog says that none has.
	Works   func(notify.Medium) bool
	OnlyLog bool
	// Texts is nil where SMS is not configured.
	Texts callback.Texts

	Live    *web.Live
	Metrics *web.Metrics
	// Swept is the time since the last successful sweep of all loops; ok is false
	// where one of them has had none.
	Swept func() (ago time.Duration, ok bool)
}

// Configuration is the configuration as pages, replies and ingest read it.
type Configuration interface {
	web.ConfigReader
	notify.People
	ingest.Config
	manual.Rosters
}

// Slices are the dependencies of each part of the HTTP interface.
type Slices struct {
	Web          web.Deps
	Hook         hook.Deps
	Callback     callback.Deps
	API          api.Deps
	Page         page.Deps
	Incidents    incidents.Deps
	Services     services.Deps
	Integrations integrations.Deps
	Teams        teams.Deps
	People       peoplepages.Deps
	Account      account.Deps
	SignIn       signin.Deps
	Start        start.Deps
	Link         link.Deps
	Search       search.Deps
}

// newReplies carries out what people answer.
func newReplies(p Parts) *reply.Service {
	return &reply.Service{Store: p.DB.Replies(), Users: p.Auth, People: p.Configuration, Actions: p.Incidents, Works: p.Works, Now: p.Now, Log: p.Log}
}

// NewSlices gives each slice what it needs.
func NewSlices(p Parts) Slices {
	editor := p.DB.Organization.Editor(p.Keys)
	configs, reads, signals := web.NewConfigCache(p.Configuration), p.DB.IncidentReads(), p.DB.Signals()
	tests := page.TestSender{Formats: p.Formats, Signals: p.Signals, Key: func(ctx context.Context, slug string) (string, error) {
		return signals.IntegrationKey(ctx, p.Keys, slug)
	}}
	replies := newReplies(p)
	manually := &manual.Service{Catalog: p.Configuration, Rosters: p.Configuration, Submitter: p.Submitter, Actions: p.Incidents, Now: p.Now}
	return Slices{
		Web: web.Deps{
			PublicURL: p.PublicURL, TrustedProxies: p.TrustedProxies, Now: p.Now, Log: p.Log, Auth: p.Auth, Sessions: p.Sessions,
			Live: p.Live, Metrics: p.Metrics, Health: web.Health{Ping: p.DB.Ping, Migrated: p.DB.Migrated, Swept: p.Swept},
		},
		Hook: hook.Deps{Formats: p.Formats, Signals: p.Signals},
		Callback: callback.Deps{
			Texts: p.Texts, Replies: replies, Receipts: p.DB.Paging, Requests: p.DB.Access, People: p.Configuration, Works: p.Works, Now: p.Now, Log: p.Log,
		},
		API: api.Deps{
			PublicURL: p.PublicURL, Now: p.Now, Log: p.Log, Configs: configs, Editor: editor, Works: p.Works,
			Formats: p.Formats, Manual: manually, Incidents: reads, Actions: p.Incidents, Requests: p.DB.Access,
		},
		Page:      page.Deps{Configs: configs, Counter: reads, Works: p.Works, OnlyLog: p.OnlyLog},
		Incidents: incidents.Deps{Incidents: reads, Changes: reads, Actions: p.Incidents, Manual: manually},
		Services:  services.Deps{Incidents: reads, Changes: reads},
		Integrations: integrations.Deps{Incidents: reads, Signals: signals, Replays: p.Signals, Tests: tests, Keys: p.Keys,
			OpenForMe: func(ctx context.Context, by auth.Actor, title, service string) (int64, error) {
				return manually.Open(ctx, by, manual.Report{Title: title, Service: service, Users: []string{by.Email}}, "")
			}},
		Teams:   teams.Deps{Incidents: reads},
		People:  peoplepages.Deps{Auth: p.Auth},
		Account: account.Deps{Auth: p.Auth, Contacts: &notify.Contacts{Store: p.DB.Access, Now: p.Now}},
		SignIn:  signin.Deps{Auth: p.Auth},
		Start:   start.Deps{Editor: editor, Incidents: reads, Signals: signals, ContactMethods: p.DB.Access, Tests: tests, Keys: p.Keys},
		Link:    link.Deps{Auth: p.Auth, Keys: p.Keys, Incidents: reads, Actions: p.Incidents},
		Search:  search.Deps{Incidents: reads},
	}
}

// Handler mounts the slices on a router.
func (s Slices) Handler() *web.Router {
	r := web.New(s.Web)
	hook.Mount(r, s.Hook)
	callback.Mount(r, s.Callback)
	api.Mount(r, s.API)

	pages := page.New(r, s.Page)
	incidents.Mount(pages, s.Incidents)
	oncall.Mount(pages)
	policies.Mount(pages)
	services.Mount(pages, s.Services)
	integrations.Mount(pages, s.Integrations)
	teams.Mount(pages, s.Teams)
	peoplepages.Mount(pages, s.People)
	search.Mount(pages, s.Search)
	signin.Mount(pages, s.SignIn)
	link.Mount(pages, s.Link)
	s.Account.ShowStart = start.Mount(pages, s.Start)
	account.Mount(pages, s.Account)
	return r
}

// handler is the HTTP interface of this server. The public address must be known.
func (s *Server) handler() http.Handler {
	p := Parts{
		PublicURL: s.PublicURL(), TrustedProxies: s.Config.TrustedProxies, Now: s.DB.Now, Log: s.log,
		DB: s.DB, Keys: s.Keys, Auth: s.Auth, Sessions: s.Sessions, Formats: s.formats, Signals: s.Ingest, Submitter: s.batcher, Incidents: s.Incidents,
		Configuration: s.Organization, Works: s.outbox.Works, OnlyLog: s.OnlyLog, Live: s.live, Metrics: s.metrics, Swept: s.sweptAgo,
	}
	if token := s.Config.Twilio.AuthToken; !token.IsZero() {
		p.Texts = texts{twilio.NewValidator(token.Reveal(), s.PublicURL())}
	}
	return NewSlices(p).Handler()
}

// texts reads the callbacks of Twilio.
type texts struct{ validator twilio.Validator }

func (t texts) Signed(r *http.Request) bool { return t.validator.Valid(r) }

func (t texts) Inbound(form url.Values) (callback.Text, error) {
	in, err := twilio.ParseInbound(form)
	return callback.Text{ID: in.MessageSID, From: in.From, Body: in.Body}, err
}

func (t texts) Status(form url.Values) (callback.TextStatus, error) {
	report, err := twilio.ParseStatus(form)
	s := callback.TextStatus{ProviderID: report.MessageSID}
	switch report.Status {
	case twilio.Sent:
		s.State = "sent"
	case twilio.Delivered:
		s.State = "delivered"
	case twilio.Undelivered, twilio.Failed:
		s.State = "failed"
	}
	if report.Failure != nil {
		s.Failure = report.Failure.Reason
	}
	return s, err
}

func (t texts) Answer(text string) []byte { return twilio.Answer(text) }
