package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

const (
	// manyOpen is how many incidents are open where many are: as after a storm.
	manyOpen = 10_000
	// listReads is how often each list is read.
	listReads = 100
	// reader signs in and reads.
	reader         = "reader@load.example"
	readerPassword = "Tr0ub4dor-and-3-staples" //nolint:gosec // of a database that is made for the measurement
)

// lists are the pages that are measured. Service load-200 and team rare have only the
// oldest incidents, and so has priority 5.
var lists = []struct{ name, path string }{
	{"open", "/incidents?tab=open"},
	{"mine", "/incidents?tab=mine"},
	{"resolved", "/incidents?tab=resolved"},
	{"resolved, a later page", "/incidents?tab=resolved&before=5000"},
	{"open, a service", "/incidents?tab=open&service=load-1"},
	{"open, a team", "/incidents?tab=open&team=common"},
	{"open, a priority", "/incidents?tab=open&priority=3"},
	{"resolved, a service", "/incidents?tab=resolved&service=load-7"},
	{"resolved, a service with the oldest alone", "/incidents?tab=resolved&service=load-200"},
	{"resolved, a team", "/incidents?tab=resolved&team=common"},
	{"resolved, a team with the oldest alone", "/incidents?tab=resolved&team=rare"},
	{"resolved, a team and a priority", "/incidents?tab=resolved&team=common&priority=5"},
	{"resolved, a priority", "/incidents?tab=resolved&priority=3"},
	{"resolved, a priority of the oldest alone", "/incidents?tab=resolved&priority=5"},
	{"resolved, no priority, which none has", "/incidents?tab=resolved&priority=0"},
	{"search for a title", "/incidents?tab=resolved&q=api+17"},
	{"search for nothing", "/incidents?tab=resolved&q=nowhere"},
	{"search for a service", "/incidents?tab=resolved&q=load-200"},
	{"search for a number", "/incidents?tab=open&q=%2317"},
}

// measureLists fills a database with incidents and measures the pages that list them:
// while many are open and while none is, with statistics that were gathered while many
// were and while none was.
func (p plan) measureLists(ctx context.Context, driver, database, address string) error {
	s, err := p.start(ctx, p.tocsin, address)
	if err != nil {
		return err
	}
	defer s.stop()
	db, err := sql.Open(driver, database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	began := time.Now()
	if err := fillLists(ctx, db, p.incidents); err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	fmt.Printf("%d incidents, filled in %s.\n", p.incidents, time.Since(began).Round(time.Second))
	client, err := s.signIn(ctx)
	if err != nil {
		return err
	}
	for _, state := range []struct {
		title string
		open  bool
		count bool // the statistics are gathered anew
	}{
		{"Many open", true, true}, {"None open, statistics of many", false, false},
		{"None open", false, true}, {"Many open, statistics of none", true, false},
	} {
		if err := p.setOpen(ctx, db, state.open); err != nil {
			return fmt.Errorf("open or resolve incidents: %w", err)
		}
		if state.count && driver == "pgx" { // SQLite plans without statistics
			if _, err := db.ExecContext(ctx, "ANALYZE"); err != nil {
				return err
			}
		}
		if err := s.readLists(ctx, client, state.title); err != nil {
			return err
		}
	}
	return nil
}

// readLists reads each list and prints how long the answers took.
func (s *subject) readLists(ctx context.Context, client *http.Client, title string) error {
	fmt.Printf("\n%s:\n\n| list | p50 | p99 |\n|---|---:|---:|\n", title)
	for _, list := range lists {
		var took []time.Duration
		for range listReads {
			began := time.Now()
			if err := s.page(ctx, client, http.MethodGet, list.path, nil); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		fmt.Printf("| %s | %s | %s |\n", list.name, ms(quantile(took, .5)), ms(quantile(took, .99)))
	}
	return nil
}

// signIn makes a person with a password, and returns a client with their session.
func (s *subject) signIn(ctx context.Context) (*http.Client, error) {
	command := exec.CommandContext(ctx, s.process.Path, "user", "add", reader, "--name", "Reader")
	command.Env = s.process.Env
	out, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("add a person: %w\n%s", err, out)
	}
	link := regexp.MustCompile(`/password/\S+`).FindString(string(out))
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	if err := s.page(ctx, client, http.MethodPost, link, url.Values{"password": {readerPassword}}); err != nil {
		return nil, err
	}
	err = s.page(ctx, client, http.MethodPost, "/sign-in", url.Values{"email": {reader}, "password": {readerPassword}})
	return client, err
}

// page reads a page, which must be there, after redirects.
func (s *subject) page(ctx context.Context, client *http.Client, method, path string, form url.Values) (err error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.host+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	_, err = io.Copy(io.Discard, answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || method == http.MethodGet && strings.HasPrefix(answer.Request.URL.Path, "/sign-in") {
		return fmt.Errorf("%s %s: %s at %s", method, path, answer.Status, answer.Request.URL.Path)
	}
	return nil
}
