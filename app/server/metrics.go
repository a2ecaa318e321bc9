package server

import (
	"context"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// measure connects the metrics to their sources.
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
	for _, medium := range notify.Media {
		if s.outbox.Works(medium) {
			s.metrics.Broken(medium, func() float64 { return s.broken(medium) })
		}
	}
	s.metrics.Effects(s.DB.Effects.Status, s.effectFailures, s.DB.Now)
	s.metrics.Ingest(s.batcher.Stats, s.Ingest.Stats)
	s.metrics.Watch(s.live)
}

// broken is 1 while the channel of a medium is broken, and -1 where that cannot be read.
func (s *Server) broken(medium notify.Medium) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	states, err := s.DB.Paging.ChannelStates(ctx)
	switch {
	case err != nil:
		return -1
	case notify.Broken(states)[medium]:
		return 1
	}
	return 0
}

// feed sends changes of incidents to the live stream.
func (s *Server) feed(ctx context.Context) {
	notices, stop := s.DB.Bus().Listen()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-notices:
			for _, c := range n.Changes {
				s.live.Changed(c.Number, c.Version)
			}
		}
	}
}

// sweptAgo is the longest time since the last sweep, among the loops that are not
// optional; ok is false where one of them has had none.
func (s *Server) sweptAgo() (ago time.Duration, ok bool) {
	oldest := time.Now()
	for _, l := range s.loops {
		if l.optional {
			continue
		}
		nanoseconds := l.swept.Load()
		if nanoseconds == 0 {
			return 0, false
		}
		if at := time.Unix(0, nanoseconds); at.Before(oldest) {
			oldest = at
		}
	}
	return time.Since(oldest), true
}
