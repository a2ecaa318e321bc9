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

// consumer is one of the timeline, and whether it is switched on.
type consumer struct {
	effect.Consumer
	on bool
}

// consumers of the timeline.
func (s *Server) consumers(channels map[notify.Medium]notify.Channel) []consumer {
	return []consumer{
		{&chat.Consumer{Store: s.DB.Chat(), Now: s.DB.Now}, channels[notify.Slack] != nil},
		{&notice.Consumer{Store: s.DB.Paging, People: lateRecipients{s}, Works: func(m notify.Medium) bool { return s.outbox.Works(m) },
			URL: s.incidentURL, Log: s.log}, true},
	}
}

// lateRecipients are the people of a server that is still being constructed.
type lateRecipients struct{ server *Server }

func (l lateRecipients) Recipients(ctx context.Context, version int64) (map[int64]notify.Recipient, error) {
	return l.server.Organization.Recipients(ctx, version)
}

func (s *Server) incidentURL(n int64) string { return fmt.Sprintf("%s/incidents/%d", s.PublicURL(), n) }

// registerEffects registers the consumers that are switched on, each with a loop of its
// own. The others have a loop that deletes their cursors once no process uses them.
func (s *Server) registerEffects(ctx context.Context, channels map[notify.Medium]notify.Channel) error {
	for _, c := range s.consumers(channels) {
		if !c.on {
			s.off = append(s.off, &effect.Off{Name: c.Name(), Store: s.DB.Effects, Now: s.DB.Now})
			continue
		}
		r := &effect.Runner{Consumer: c.Consumer, Store: s.DB.Effects, Now: s.DB.Now, Log: s.log}
		if err := r.Register(ctx); err != nil {
			return err
		}
		s.effects = append(s.effects, r)
	}
	return nil
}

// effectLoops are the loops of the consumers. The server is ready without them:
// they page nobody.
func (s *Server) effectLoops() []*loop {
	var loops []*loop
	for _, r := range s.effects {
		l := newLoop(fmt.Sprintf("effect_%s", r.Consumer.Name()), r.Sweep, s.log)
		l.delay, l.timeout, l.optional = consumerDelay, consumerTimeout, true
		loops = append(loops, l)
	}
	for _, o := range s.off {
		l := newLoop(fmt.Sprintf("effect_%s_off", o.Name), o.Sweep, s.log)
		l.optional = true
		loops = append(loops, l)
	}
	return loops
}

// effectFailures are the failures of each consumer in this process.
func (s *Server) effectFailures() map[string]int64 {
	failures := map[string]int64{}
	for _, r := range s.effects {
		failures[r.Consumer.Name()] = r.Failures()
	}
	return failures
}
