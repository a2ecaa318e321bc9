package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

// onPostgres measures on a server of its own with PostgreSQL's default
// settings, so with fsync on, and beside pgbench on the same server.
func (p plan) onPostgres(ctx context.Context) error {
	cluster, err := pgtest.Start(pgtest.Options{Durable: true})
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Stop() }()
	for _, name := range []string{"tocsin", "baseline", "bench"} {
		if err := createDatabase(ctx, cluster.URL, name); err != nil {
			return err
		}
	}
	fmt.Println("## PostgreSQL")
	if p.lists {
		return p.measureLists(ctx, "pgx", at(cluster.URL, "tocsin"), at(cluster.URL, "tocsin"))
	}
	if p.baseline != "" {
		return p.compare(ctx, at(cluster.URL, "baseline"), at(cluster.URL, "tocsin"), at(cluster.URL, "bench"))
	}
	s, err := p.start(ctx, p.tocsin, at(cluster.URL, "tocsin"))
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.measure(ctx, p); err != nil {
		return err
	}
	if !p.pgbench {
		return nil
	}
	return s.beside(ctx, p, at(cluster.URL, "bench"))
}

// beside alternates runs of pgbench with runs of distinct breaches on one key.
func (s *subject) beside(ctx context.Context, p plan, bench string) error {
	if err := fillBench(ctx, bench); err != nil {
		return err
	}
	var theirs, ours []float64
	fmt.Println("Distinct breaches on one key at 32 connections, the engine running, in turn with `pgbench -N -s 50 -M prepared -c 32 -j 2` on the same server:")
	fmt.Println()
	fmt.Println("| round | pgbench transactions/s | breaches/s | p50 | p99 | processor time a breach: server | PostgreSQL |")
	fmt.Println("|---:|---:|---:|---:|---:|---:|---:|")
	server := meter{s.process.Process.Pid}
	database, err := postmaster(ctx, bench)
	if err != nil {
		return err
	}
	for round := range p.rounds {
		if err := s.waitIdle(ctx); err != nil {
			return err
		}
		tps, err := p.bench(ctx, bench)
		if err != nil {
			return err
		}
		serverBefore, databaseBefore := server.taken(), database.taken()
		r, err := hammer(ctx, s.host, "/webhooks/slo/"+key(0), 32, bound{lasting: p.lasting}, keys("distinct"))
		if err != nil {
			return err
		}
		theirs, ours = append(theirs, tps), append(ours, r.perSecond())
		fmt.Printf("| %d | %.0f | %.0f | %s | %s | %s | %s |\n", round+1, tps, r.perSecond(), ms(r.p50), ms(r.p99),
			cost(server.taken()-serverBefore, r.requests), cost(database.taken()-databaseBefore, r.requests))
	}
	fmt.Printf("\nMedians: pgbench %.0f/s, Tocsin %.0f/s, ratio %.2f.\n\n", median(theirs), median(ours), median(ours)/median(theirs))
	return nil
}

// fillBench makes the tables of pgbench.
func fillBench(ctx context.Context, bench string) error {
	_, err := pgbench(ctx, "-i", "-s", "50", "-q", bench)
	return err
}

// bench is how many transactions a second one run of pgbench makes.
func (p plan) bench(ctx context.Context, bench string) (float64, error) {
	out, err := pgbench(ctx, "-N", "-M", "prepared", "-c", "32", "-j", "2", "-T", strconv.Itoa(int(p.lasting.Seconds())), bench)
	if err != nil {
		return 0, err
	}
	return transactions(out)
}

// waitIdle waits until the engine has finished the previous run, so that pgbench has
// the
// database to itself.
func (s *subject) waitIdle(ctx context.Context) error {
	for range 240 {
		due, err := s.backlog(ctx)
		if err != nil {
			return err
		}
		if due == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

var dueLine = regexp.MustCompile(`tocsin_due_backlog\{loop="(?:escalations|pages)"\} ([0-9.e+]+)`)

// backlog is how many escalations and pages are due.
func (s *subject) backlog(ctx context.Context) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	due := 0.0
	for _, found := range dueLine.FindAllSubmatch(text, -1) {
		n, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return 0, err
		}
		due += n
	}
	return due, nil
}

func pgbench(ctx context.Context, args ...string) (string, error) {
	program, err := exec.LookPath("pgbench")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
		if len(found) == 0 {
			return "", fmt.Errorf("pgbench is not installed; on Debian it is in the package postgresql")
		}
		program = found[len(found)-1]
	}
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return string(out), nil
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

func transactions(out string) (float64, error) {
	found := tps.FindStringSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("pgbench printed no tps:\n%s", out)
	}
	return strconv.ParseFloat(found[1], 64)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func at(cluster, database string) string {
	u, err := url.Parse(cluster)
	if err != nil {
		return cluster
	}
	u.Path = "/" + database
	return u.String()
}

func createDatabase(ctx context.Context, cluster, name string) error {
	conn, err := pgx.Connect(ctx, cluster)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return err
}

// postmaster finds the parent of PostgreSQL's processes.
func postmaster(ctx context.Context, url string) (meter, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return meter{}, err
	}
	defer func() { _ = conn.Close(ctx) }()
	var pid int
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		return meter{}, err
	}
	s, ok := readStat(fmt.Sprintf("/proc/%d/stat", pid))
	if !ok {
		return meter{}, nil
	}
	return meter{parent: s.parent}, nil
}
