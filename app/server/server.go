// Package server constructs the application and runs it, for the binary and the tests.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/store"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Options are for tests and the demo; the zero values are the defaults.
type Options struct {
	// Now is the clock of due times; nil takes the database's.
	Now func() time.Time
	// Cost of password hashes; zero takes the default.
	Cost auth.Cost
	// Channels replace the configured ones; nil for these.
	Channels notify.FixedChannels
	// Version is the version of the binary.
	Version string
}

// Server is the whole application.
type Server struct {
	Config       config.Config
	DB           *store.Store
	Keys         *auth.Keyring
	Auth         *auth.Service
	Sessions     *auth.Sessions
	Ingest       *ingest.Service
	Incidents    *incident.Service
	Organization *organization.Current
	Providers    *provider.Set

	batcher   *ingest.Batcher
	outbox    *notify.Outbox
	timers    *effect.Timers
	effects   []*switched
	loops     []*loop
	byWork    map[db.Work][]*loop
	http      *http.Server
	listener  net.Listener
	publicURL atomic.Pointer[string]
	formats   *ingest.Formats
	log       *slog.Logger
	live      *web.Live
	metrics   *web.Metrics
}

// New opens the database, migrates its schema and constructs the server. Run starts it.
func New(ctx context.Context, cfg config.Config, log *slog.Logger, o Options) (*Server, error) {
	if err := cfg.EnsureSecretKey(); err != nil {
		return nil, err
	}
	keys, err := auth.NewKeyring([]byte(cfg.SecretKey.Reveal()))
	if err != nil {
		return nil, err
	}
	formats, err := Formats()
	if err != nil {
		return nil, err
	}
	opened, err := store.Open(ctx, cfg.Database.URL.Reveal(), store.Options{Now: o.Now, Exclusive: true, Log: log})
	if err != nil {
		return nil, err
	}
	if _, err := opened.Migrate(ctx); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	if err := opened.ResumeClock(ctx); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	s := &Server{Config: cfg, DB: opened, Keys: keys, formats: formats, log: log, live: web.NewLive(), metrics: web.NewMetrics()}
	log.DebugContext(ctx, "starting", "version", o.Version, "config", cfg)
	s.publicURL.Store(&cfg.PublicURL)
	if s.Providers, err = newProviders(cfg, o, keys, opened, log); err == nil {
		err = s.Providers.Refresh(ctx)
	}
	if err == nil {
		err = s.registerEffects(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	s.construct(o)
	// The settings may be others than those that a provider refused.
	if err := opened.Paging.ProbeChannels(ctx, opened.Now()); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return s, nil
}

func (s *Server) construct(o Options) {
	s.outbox = &notify.Outbox{Store: s.DB.Paging, Channels: s.Providers, Now: s.DB.Now, RealNow: time.Now, Workers: 64, Log: s.log,
		Composer: composer{keys: s.Keys, publicURL: s.PublicURL, callsBack: s.twilioCallsBack, now: s.DB.Now}}
	s.Organization = organization.NewCurrent(configuration{s.DB.Organization, s.Providers}, s.outbox.Works, s.log)
	s.outbox.People = s.Organization
	engine := &escalation.Engine{Store: s.DB.Paging, Directory: s.Organization, Now: s.DB.Now, Batch: 500}
	planner := &notify.Planner{Store: s.DB.Paging, People: s.Organization, Opens: s.Organization.Opens, Works: s.outbox.Works, Now: s.DB.Now, Batch: 500}
	s.DB.Paging.PlanAtOnce(planner.Decide)
	s.Incidents = &incident.Service{Store: s.DB.Incidents, Now: s.DB.Now}
	s.batcher = ingest.NewBatcher(s.metrics.Writer(s.DB.Incidents), ingest.BatcherOptions{Log: s.log})
	s.Ingest = ingest.NewService(ingest.ServiceOptions{
		Formats: s.formats, Config: s.Organization, Submitter: s.batcher, Changes: s.DB.Incidents, Reports: s.DB.Incidents, Rejections: s.DB.Incidents, HMAC: s.Keys.IntegrationHMAC,
		URL: s.incidentURL, Now: s.DB.Now, Log: s.log,
	})
	s.Sessions = auth.NewSessions(s.DB.Access.Sessions(), strings.HasPrefix(s.Config.PublicURL, "https://"), time.Now)
	s.Auth = auth.NewService(s.DB.Access, s.DB.Organization.PeopleEditor(), s.Sessions, auth.Options{Now: s.DB.Now, Cost: o.Cost, Devices: s.Keys})

	s.outbox.Unsubscribed = newReplies(Parts{DB: s.DB, Auth: s.Auth, Configuration: s.Organization, Incidents: s.Incidents, Works: s.outbox.Works, Now: s.DB.Now, Log: s.log}).Unsubscribed

	s.timers = s.newTimers()
	s.byWork = map[db.Work][]*loop{
		db.ToEscalate: {newLoop("escalations", engine.Sweep, s.log)},
		db.ToPlan:     {newLoop("pages", planner.Sweep, s.log)},
		db.ToSend:     {newLoop("messages", s.sweepMessages, s.log)},
		db.ToTime:     {newLoop("timers", s.timers.Sweep, s.log)},
		db.ToEffects:  s.effectLoops(),
	}
	for _, work := range []db.Work{db.ToTime, db.ToEscalate, db.ToPlan, db.ToEffects, db.ToSend} {
		s.loops = append(s.loops, s.byWork[work]...)
	}
	upcoming := s.DB.Paging.Upcoming()
	for _, l := range s.loops {
		l.upcoming, l.now = upcoming[l.name], s.DB.Now
	}
	s.measure()
}

// PublicURL is the URL of this server for people and providers.
func (s *Server) PublicURL() string { return *s.publicURL.Load() }

// twilioCallsBack reports whether Twilio can report on messages.
func (s *Server) twilioCallsBack() bool {
	return config.TwilioCallsBack(s.PublicURL(), s.Providers.Value("twilio", "base-url"))
}

// Listen binds the address, so that its port is known before Run.
func (s *Server) Listen(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Config.Listen, err)
	}
	s.listener = l
	if s.Config.PublicURL == "" {
		url := config.DefaultPublicURL(l.Addr().String())
		s.publicURL.Store(&url)
	}
	if s.Providers.Value("twilio", provider.TwilioToken) != "" && !s.twilioCallsBack() {
		s.log.WarnContext(ctx, "public URL not public, SMS without delivery reports", "public_url", s.PublicURL())
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute, // the live stream has deadlines of its own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	s.http.RegisterOnShutdown(s.live.Close)
	return nil
}

// shutdownTimeout bounds the wait for requests and deliveries in progress.
const shutdownTimeout = 20 * time.Second

// Run serves until ctx ends, and then shuts down: requests are answered, accepted
// signals are written, claimed messages are sent.
func (s *Server) Run(ctx context.Context) error {
	working, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLoops()
	leasing, stopLeases := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLeases()
	var running, leases sync.WaitGroup
	leases.Go(func() { s.outbox.KeepLeases(leasing) })
	for _, l := range s.loops {
		running.Go(func() { l.run(working) })
	}
	running.Go(func() { s.outbox.Ask(working) })
	running.Go(func() { dispatch(working, s.DB.Bus(), s.byWork) })
	running.Go(func() { s.DB.Listen(working) })
	running.Go(func() { s.housekeeping(working) })
	running.Go(func() { s.refill(working) })
	running.Go(func() { s.feed(working) })

	if err := preload(ctx, s.Organization, s.DB); err != nil { // then readiness tries it again
		s.log.WarnContext(ctx, "load configuration failed", "error", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	var err error
	select {
	case <-ctx.Done():
		s.log.InfoContext(ctx, "shutting down")
	case err = <-failed:
	}
	answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if e := s.http.Shutdown(answering); e != nil {
		_ = s.http.Close()
	}
	// A new timeout, since a client that hangs must not use up the time to write
	// accepted signals.
	writing, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer done()
	err = errors.Join(err, s.batcher.Close(writing))
	stopLoops()
	running.Wait()
	s.outbox.Wait()
	stopLeases()
	leases.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, s.DB.Close())
}

// refill wakes the outbox whenever a call ends, since it may have had no free worker.
func (s *Server) refill(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.outbox.Ended():
			for _, l := range s.byWork[db.ToSend] {
				l.poke()
			}
		}
	}
}

// heartbeatSeconds is how often a heartbeat is written.
const heartbeatSeconds = 10

// housekeeping measures the offset of the database's clock, writes heartbeats and
// deletes expired rows.
func (s *Server) housekeeping(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var reported time.Time
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		}
		if err := s.DB.SyncClock(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "read database clock failed", "error", err)
		}
		if at, by := s.DB.LastClockStep(); !at.Equal(reported) {
			reported = at
			s.log.WarnContext(ctx, "clock jumped", "by", by, "at", at)
		}
		if n%heartbeatSeconds == 0 {
			if err := s.DB.Heartbeat(ctx, db.Serving); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "database cannot be written to", "error", err)
			}
		}
		if n%600 != 0 {
			continue
		}
		if err := s.DB.Access.SweepAccess(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "delete expired rows failed", "error", err)
		}
	}
}

// RunUntilIdle sweeps all loops until nothing is due and no call is in progress. Tests
// call it after they have moved the clock.
func (s *Server) RunUntilIdle(ctx context.Context) error {
	for {
		total := 0
		for _, l := range s.loops {
			n, err := l.once(ctx)
			if err != nil {
				return err
			}
			total += n
			s.outbox.Wait()
		}
		if total == 0 {
			return nil
		}
	}
}

// NextDue is the earliest instant at which something becomes due; ok is false where
// nothing is planned.
func (s *Server) NextDue(ctx context.Context) (at time.Time, ok bool, err error) {
	var consumers []string
	for _, e := range s.effects {
		if e.on() {
			consumers = append(consumers, e.runner.Consumer.Name())
		}
	}
	return s.DB.NextDue(ctx, s.timers.Kinds(), consumers)
}
