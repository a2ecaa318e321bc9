package server

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/twilio"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// handler joins the edge to everything behind it. The public address must be
// known.
func (s *Server) handler() http.Handler {
	reads := s.DB.IncidentReads()
	d := web.Deps{
		PublicURL: s.PublicURL(), TrustedProxies: s.Config.TrustedProxies, Now: s.DB.Now, Log: s.log,
		Signals: s.Ingest, Formats: s.formats, Config: s.Directory, Submitter: s.batcher,
		Incidents: reads, Actions: s.Incidents, Listing: s.DB.Listing(), Overrides: s.DB.Organization,
		Auth: s.Auth, Sessions: s.Sessions, Requests: s.DB.Access,
		Replies: s.DB.Replies(), Receipts: s.DB.Paging, People: s.Directory, Directory: s.Directory, Works: s.outbox.Works,
		Live: s.live, Metrics: s.metrics,
		Health: web.Health{Ping: s.DB.Ping, Migrated: s.DB.Migrated, Swept: s.sweptAgo},
		Pages: web.Pages{
			Catalog: s.DB.Organization, Incidents: reads, Signals: s.DB.Signals(), Replays: s.Ingest, Contacts: &notify.Contacts{Store: s.DB.Access, Now: s.DB.Now},
			Keys: s.Keys, OnlyLog: s.OnlyLog,
		},
	}
	if token := s.Config.Twilio.AuthToken; !token.IsZero() {
		d.Texts = texts{twilio.NewValidator(token.Reveal(), s.PublicURL())}
	}
	return web.New(d)
}

// texts reads what Twilio sends.
type texts struct{ validator twilio.Validator }

func (t texts) Signed(r *http.Request) bool { return t.validator.Valid(r) }

func (t texts) Inbound(form url.Values) (web.Text, error) {
	in, err := twilio.ParseInbound(form)
	return web.Text{ID: in.MessageSID, From: in.From, Body: in.Body}, err
}

func (t texts) Status(form url.Values) (web.TextStatus, error) {
	report, err := twilio.ParseStatus(form)
	s := web.TextStatus{ProviderID: report.MessageSID}
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

func (t texts) Answer(words string) []byte { return twilio.Answer(words) }

// measure has the metrics told of what happens.
func (s *Server) measure() {
	s.outbox.Observed = func(c notify.Claim, state string) {
		if state != "sending" {
			s.metrics.Message(c.Medium, state)
		} else if c.Kind == notify.KindPage && c.Number == 1 && !c.MadeAt.IsZero() {
			s.metrics.Paged(s.DB.Now().Sub(c.MadeAt))
		}
	}
	for _, l := range s.loops {
		l.observed = func(name string, took time.Duration, _ int, _ error) { s.metrics.Swept(name, took) }
	}
	for name, query := range s.DB.Paging.Backlogs() {
		s.metrics.Backlog(name, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			n, err := query(ctx)
			if err != nil {
				return -1
			}
			return float64(n)
		})
	}
	s.metrics.Ingest(s.batcher.Stats, s.Ingest.Stats)
	s.metrics.Watch(s.live)
}

// feed passes changes on to the browsers that look.
func (s *Server) feed(ctx context.Context) {
	news, stop := s.DB.Bus().Listen()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-news:
			for _, c := range n.Changes {
				s.live.Changed(c.Number, c.Version)
			}
		}
	}
}

// sweptAgo is how long ago the loop that swept longest ago did.
func (s *Server) sweptAgo() time.Duration {
	oldest := time.Now()
	for _, l := range s.loops {
		if at := time.Unix(0, l.swept.Load()); at.Before(oldest) {
			oldest = at
		}
	}
	return time.Since(oldest)
}
