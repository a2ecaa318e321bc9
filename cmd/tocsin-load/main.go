// Command tocsin-load measures a server that it starts itself: how many
// breaches a second it accepts, the latency of the answers, and the time from an answer
// to the provider's HTTP request. Everything runs on this machine, for a bounded time,
// and connects to 127.0.0.1 only.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// plan is what to measure.
type plan struct {
	tocsin   string
	baseline string
	postgres bool
	sqlite   bool
	lasting  time.Duration
	rounds   int
	people   int
	pages    int
	pgbench  bool
	// lists measures the pages that list incidents, and nothing else.
	lists     bool
	incidents int
}

func main() {
	var p plan
	pflag.StringVar(&p.tocsin, "tocsin", "./tocsin", "the binary to measure")
	pflag.StringVar(&p.baseline, "baseline", "", "another build of the binary to compare with, which takes turns with it; empty for none")
	pflag.BoolVar(&p.postgres, "postgres", true, "measure on PostgreSQL, with fsync on")
	pflag.BoolVar(&p.sqlite, "sqlite", true, "measure on SQLite")
	pflag.DurationVar(&p.lasting, "lasting", 8*time.Second, "how long each run of requests takes, at most a minute")
	pflag.IntVar(&p.rounds, "rounds", 5, "how often pgbench and the runs at 32 connections alternate, or how often the builds take turns, at most 20")
	pflag.IntVar(&p.people, "people", 200, "how many people the pages of the latency run go to, at most 1000")
	pflag.IntVar(&p.pages, "pages", 400, "how many pages the latency run sends, at most 5000")
	pflag.BoolVar(&p.pgbench, "pgbench", true, "alternate with pgbench on the same server")
	pflag.BoolVar(&p.lists, "lists", false, "measure the pages that list incidents, and nothing else")
	pflag.IntVar(&p.incidents, "incidents", 100_000, "how many incidents the lists are measured on, at most 1,000,000")
	pflag.Parse()
	p.lasting = min(p.lasting, time.Minute)
	p.rounds, p.people, p.pages = min(p.rounds, 20), min(p.people, 1000), min(p.pages, 5000)
	p.incidents = min(p.incidents, 1_000_000)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	if err := p.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "tocsin-load:", err)
		os.Exit(1)
	}
}

func (p plan) run(ctx context.Context) error {
	if p.postgres {
		if err := p.onPostgres(ctx); err != nil {
			return fmt.Errorf("on PostgreSQL: %w", err)
		}
	}
	if p.sqlite {
		if err := p.onSQLite(ctx); err != nil {
			return fmt.Errorf("on SQLite: %w", err)
		}
	}
	return nil
}

func (p plan) onSQLite(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tocsin-load")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Println("## SQLite")
	if p.lists {
		return p.measureLists(ctx, "sqlite", "file:"+dir+"/tocsin.db?_pragma=busy_timeout(10000)", "sqlite:"+dir+"/tocsin.db")
	}
	if p.baseline != "" {
		return p.compare(ctx, "sqlite:"+dir+"/baseline.db", "sqlite:"+dir+"/tocsin.db", "")
	}
	s, err := p.start(ctx, p.tocsin, "sqlite:"+dir+"/tocsin.db")
	if err != nil {
		return err
	}
	defer s.stop()
	return s.measure(ctx, p)
}
