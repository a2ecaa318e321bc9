package server

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/effect/notice"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

const (
	// consumerDelay is how long a consumer waits after it was woken, so that it gets
	// the events of several transactions at once.
	consumerDelay = 50 * time.Millisecond
	// consumerTimeout bounds a consumer's sweep. It is far above
	// effect.ConsumeTimeout, since a batch that fails is split.
	consumerTimeout = 5 * time.Minute
)

// switched is a consumer of the timeline that is on while on reports it. Its loop
// follows the timeline then; otherwise it deletes the consumer's cursor once no process
// uses it.
type switched struct {
	runner *effect.Runner
	off    *effect.Off
	on     func() bool
	known  bool // registered since it was switched on
}

// Sweep is that of the runner or of Off. Sweeps never overlap.
func (e *switched) Sweep(ctx context.Context) (int, error) {
	if !e.on() {
		e.known = false
		return e.off.Sweep(ctx)
	}
	if err := e.register(ctx); err != nil {
		return 0, err
	}
	return e.runner.Sweep(ctx)
}

// lateRecipients are the people of a server that is still being constructed.
type lateRecipients struct{ server *Server }

func (l lateRecipients) Recipients(ctx context.Context, version int64) (map[int64]notify.Recipient, error) {
	return l.server.Organization.Recipients(ctx, version)
}

func (s *Server) incidentURL(n int64) string { return fmt.Sprintf("%s/incidents/%d", s.PublicURL(), n) }

func (e *switched) register(ctx context.Context) error {
	if e.known {
		return nil
	}
	err := e.runner.Register(ctx)
	e.known = err == nil
	return err
}

// registerEffects makes the consumers, each with a loop of its own, and registers those
// that are on. They are switched as channels come and go.
func (s *Server) registerEffects(ctx context.Context) error {
	for _, c := range []struct {
		effect.Consumer
		on func() bool
	}{
		{&chat.Consumer{Store: s.DB.Chat(), Now: s.DB.Now}, func() bool { return s.Providers.Works(notify.Slack) }},
		{&notice.Consumer{Store: s.DB.Paging, People: lateRecipients{s}, Works: func(m notify.Medium) bool { return s.outbox.Works(m) },
			URL: s.incidentURL, Log: s.log}, func() bool { return true }},
	} {
		e := &switched{
			runner: &effect.Runner{Consumer: c.Consumer, Store: s.DB.Effects, Now: s.DB.Now, Log: s.log},
			off:    &effect.Off{Name: c.Name(), Store: s.DB.Effects, Now: s.DB.Now},
			on:     c.on,
		}
		if e.on() {
			if err := e.register(ctx); err != nil {
				return err
			}
		}
		s.effects = append(s.effects, e)
	}
	return nil
}

// effectLoops are the loops of the consumers. The server is ready without them:
// they page nobody.
func (s *Server) effectLoops() []*loop {
	var loops []*loop
	for _, e := range s.effects {
		l := newLoop(fmt.Sprintf("effect_%s", e.runner.Consumer.Name()), e.Sweep, s.log)
		l.delay, l.timeout, l.optional = consumerDelay, consumerTimeout, true
		loops = append(loops, l)
	}
	return loops
}

// effectFailures are the failures of each consumer in this process.
func (s *Server) effectFailures() map[string]int64 {
	failures := map[string]int64{}
	for _, e := range s.effects {
		failures[e.runner.Consumer.Name()] = e.runner.Failures()
	}
	return failures
}
