package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// measure runs the measurements that both databases have in common.
func (s *subject) measure(ctx context.Context, p plan) error {
	if err := s.timeToPage(ctx, p); err != nil {
		return err
	}
	if err := s.storm(ctx); err != nil {
		return err
	}
	fmt.Println()
	fmt.Println("| dedup keys | connections | requests/s | p50 | p99 | refused |")
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	for _, kind := range []string{"distinct", "duplicate"} {
		for _, connections := range []int{1, 8, 32} {
			if err := s.waitIdle(ctx); err != nil {
				return err
			}
			r, err := hammer(ctx, s.host, "/webhooks/slo/"+key(0), connections, bound{lasting: p.lasting}, keys(kind))
			if err != nil {
				return err
			}
			if kind == "distinct" {
				s.opened += r.requests - r.errors
			}
			fmt.Printf("| %s | %d | %.0f | %s | %s | %d |\n", kind, connections, r.perSecond(), ms(r.p50), ms(r.p99), r.errors)
		}
	}
	late, err := s.lateness(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nA step fires after its time, at least %d escalations waiting, %d steps: p50 %s, p99 %s, longest %s.\n\n",
		waitingEscalations, len(late), ms(quantile(late, .5)), ms(quantile(late, .99)), ms(quantile(late, 1)))
	return nil
}

// run numbers the runs, so that each has other keys.
var run int

// keys returns a new key for each request, or one of a hundred in turn.
func keys(kind string) func(int64) string {
	run++
	prefix := kind + strconv.Itoa(run) + "-"
	if kind == "duplicate" {
		return func(n int64) string { return prefix + strconv.FormatInt(n%100, 10) }
	}
	return func(n int64) string { return prefix + strconv.FormatInt(n, 10) }
}

// timeToPage prints how long pages take on an idle system.
func (s *subject) timeToPage(ctx context.Context, p plan) error {
	waits, err := s.pageWaits(ctx, p.people, 0, p.pages)
	if err != nil {
		return err
	}
	fmt.Printf("\nTime from the answer 202 to the provider's HTTP request, %d pages to %d people in turn, idle system: p50 %s, p90 %s, p99 %s, longest %s.\n",
		len(waits), p.people, ms(quantile(waits, .5)), ms(quantile(waits, .9)), ms(quantile(waits, .99)), ms(quantile(waits, 1)))
	return nil
}

// pageWaits posts the breaches with numbers from first up to, but not with, end,
// one at a time, each for the next person, and measures from the 202 to the
// provider's request. The waits are sorted.
func (s *subject) pageWaits(ctx context.Context, people, first, end int) ([]time.Duration, error) {
	var waits []time.Duration
	for i := first; i < end; i++ {
		person := i%people + 1
		c, err := dial(ctx, s.host, "/webhooks/slo/"+key(person))
		if err != nil {
			return nil, err
		}
		seen := len(s.twilio.Messages())
		status, err := c.post(breach(nil, "page-"+strconv.Itoa(i)))
		answered := time.Now()
		_ = c.conn.Close()
		if err != nil || status != 202 {
			return nil, fmt.Errorf("breach %d: status %d, %w", i, status, err)
		}
		arrived, err := s.arrival(ctx, seen, number(person))
		if err != nil {
			return nil, fmt.Errorf("page %d did not arrive: %w", i, err)
		}
		// The request may arrive before we have read the answer.
		waits = append(waits, max(0, arrived.Sub(answered)))
	}
	slices.Sort(waits)
	return waits, nil
}

func (s *subject) arrival(ctx context.Context, seen int, to string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	n := 0
	sms, err := s.twilio.Wait(ctx, func(m far.SMS) bool {
		n++
		return n > seen && m.To == to
	})
	return sms.At, err
}

func ms(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}
