package main

import (
	"context"
	"fmt"
	"time"
)

const (
	stormBreaches    = 10_000
	stormConnections = 16
)

// storm prints how long many distinct breaches on one service take to be stored, and
// when the first page of them leaves. The service's person has had no page before.
func (s *subject) storm(ctx context.Context) error {
	if err := s.waitIdle(ctx); err != nil {
		return err
	}
	seen, began := len(s.twilio.Messages()), time.Now()
	r, err := hammer(ctx, s.host, "/webhooks/slo/"+key(0), stormConnections, bound{requests: stormBreaches}, keys("distinct"))
	if err != nil {
		return err
	}
	s.opened += r.requests - r.errors
	arrived, err := s.arrival(ctx, seen, number(0))
	if err != nil {
		return fmt.Errorf("the first page of a storm did not arrive: %w", err)
	}
	fmt.Printf("\n%d distinct breaches on one service from %d connections: stored in %.1f s (%d refused), the first page after %s.\n",
		stormBreaches, stormConnections, r.took.Seconds(), r.errors, ms(arrived.Sub(began)))
	return nil
}
