package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The builds that are compared. Each has a database, a port and a provider of its
// own on the same machine, and only one is given work at a time.
const (
	baseline = iota
	present
)

// besidePgbench is the measurement that is compared with pgbench's.
const besidePgbench = "distinct keys, connections: 32"

// comparison is two builds that are measured alternately, and the results of each
// round.
type comparison struct {
	plan
	builds [2]*subject
	bench  string // the database of pgbench; empty for none
	series []*series
}

// series is one measurement, a value a round for each build.
type series struct {
	name   string
	format func(float64) string
	values [2][]float64
}

// compare measures two builds in alternating rounds, so that other load on the machine
// affects both. On PostgreSQL each round begins with pgbench, in the database that
// bench names.
func (p plan) compare(ctx context.Context, oldDatabase, newDatabase, bench string) error {
	c := comparison{plan: p}
	for i, start := range []struct{ binary, database string }{{p.baseline, oldDatabase}, {p.tocsin, newDatabase}} {
		s, err := p.start(ctx, start.binary, start.database)
		if err != nil {
			return err
		}
		defer s.stop()
		c.builds[i] = s
	}
	var transactions []float64
	if p.pgbench && bench != "" {
		if err := fillBench(ctx, bench); err != nil {
			return err
		}
		c.bench = bench
	}
	for round := range p.rounds {
		if c.bench != "" {
			if err := c.waitIdle(ctx); err != nil {
				return err
			}
			tps, err := p.bench(ctx, bench)
			if err != nil {
				return err
			}
			transactions = append(transactions, tps)
		}
		if err := c.round(ctx, round); err != nil {
			return err
		}
	}
	for build, s := range c.builds {
		late, err := s.lateness(ctx)
		if err != nil {
			return err
		}
		c.add("a step fires after its time, p50", build, milliseconds, quantile(late, .5).Seconds()*1000)
		c.add("a step fires after its time, p99", build, milliseconds, quantile(late, .99).Seconds()*1000)
	}
	fmt.Printf("\nMedians of %d rounds of %s, the builds in turn: %s and %s.\n\n%s\n", c.rounds, c.lasting, c.baseline, c.tocsin, c.table(transactions))
	return nil
}

// round measures everything once on each build.
func (c *comparison) round(ctx context.Context, round int) error {
	order := []int{baseline, present}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	share := max(1, c.pages/c.rounds)
	for _, build := range order {
		if err := c.waitIdle(ctx); err != nil {
			return err
		}
		waits, err := c.builds[build].pageWaits(ctx, c.people, round*share, (round+1)*share)
		if err != nil {
			return err
		}
		c.add("time to page, p50", build, milliseconds, quantile(waits, .5).Seconds()*1000)
		c.add("time to page, p99", build, milliseconds, quantile(waits, .99).Seconds()*1000)
	}
	for _, kind := range []string{"distinct", "duplicate"} {
		for _, connections := range []int{1, 8, 32} {
			for _, build := range order {
				if err := c.breaches(ctx, build, kind, connections); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// breaches is one run of requests on one build.
func (c *comparison) breaches(ctx context.Context, build int, kind string, connections int) error {
	if err := c.waitIdle(ctx); err != nil {
		return err
	}
	s := c.builds[build]
	server := meter{s.process.Process.Pid}
	before := server.taken()
	r, err := hammer(ctx, s.host, "/webhooks/slo/"+key(0), connections, bound{lasting: c.lasting}, keys(kind))
	if err != nil {
		return err
	}
	if r.errors > 0 || r.requests == 0 {
		return fmt.Errorf("%d of %d breaches were refused", r.errors, r.requests)
	}
	if kind == "distinct" {
		s.opened += r.requests
	}
	name := fmt.Sprintf("%s keys, connections: %d", kind, connections)
	c.add(name, build, perSecond, r.perSecond())
	if connections == 32 {
		c.add(name+", p99", build, milliseconds, r.p99.Seconds()*1000)
		if cost := (server.taken() - before) / time.Duration(r.requests); cost > 0 { // only Linux tells
			c.add(name+", the server's processor time a breach", build, microseconds, float64(cost.Nanoseconds())/1000)
		}
	}
	return nil
}

// waitIdle waits until neither build has work left.
func (c *comparison) waitIdle(ctx context.Context) error {
	for _, s := range c.builds {
		if err := s.waitIdle(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) add(name string, build int, format func(float64) string, value float64) {
	i := slices.IndexFunc(c.series, func(s *series) bool { return s.name == name })
	if i < 0 {
		i = len(c.series)
		c.series = append(c.series, &series{name: name, format: format})
	}
	c.series[i].values[build] = append(c.series[i].values[build], value)
}

// table writes the medians side by side, and the ratio of the present build to the
// baseline: of the medians, and its range over the single rounds.
func (c *comparison) table(transactions []float64) string {
	var b strings.Builder
	b.WriteString("| measured | baseline | present | present / baseline | single rounds |\n|---|---:|---:|---:|---:|\n")
	for _, s := range c.series {
		var ratios []float64
		for i, old := range s.values[baseline] {
			ratios = append(ratios, s.values[present][i]/old)
		}
		was, is := median(s.values[baseline]), median(s.values[present])
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %.2f to %.2f |\n", s.name, s.format(was), s.format(is), is/was, slices.Min(ratios), slices.Max(ratios))
		if s.name == besidePgbench && len(transactions) > 0 {
			tps := median(transactions)
			fmt.Fprintf(&b, "| the same to pgbench's %s | %.2f | %.2f | | |\n", perSecond(tps), was/tps, is/tps)
		}
	}
	return b.String()
}

func perSecond(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) + "/s" }

func milliseconds(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) + " ms" }

func microseconds(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) + " µs" }
