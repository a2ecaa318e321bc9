// Package harness runs the whole application in a test, on either database, with a
// clock
// that only the test moves, and with fake providers that speak the real protocols.
package harness

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
	"github.com/tocsin-oncall/tocsin/app/harness/sqlitetest"
	"github.com/tocsin-oncall/tocsin/app/server"
	"github.com/tocsin-oncall/tocsin/app/store"
)

//go:embed testdata/*.yaml
var fixtures embed.FS

// Start is the initial time of every harness: a Monday, 10:00 in Madrid.
var Start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// Harness is a running application and the world around it.
type Harness struct {
	Server *server.Server
	URL    string
	Twilio *far.Twilio
	Slack  *far.Slack
	Mail   *far.MailServer

	t     testing.TB
	clock *clock
	seen  map[string]bool // messages that a test has looked at
	token string
	stop  func()
	cfg   config.Config
}

// clock is a clock that only changes when it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// ForEach runs a story on each kind of database, in parallel, with the
// configuration of a fixture.
func ForEach(t *testing.T, fixture string, story func(t *testing.T, h *Harness)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		story(t, New(t, fixture, SQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		story(t, New(t, fixture, Postgres(t)))
	})
}

// Postgres is the address of a new, migrated database.
func Postgres(t testing.TB) string { return pgtest.Migrated(t, migrate) }

// SQLite is the address of a new, migrated database.
func SQLite(t testing.TB) string { return sqlitetest.Migrated(t, migrate) }

func migrate(address string) error {
	db, err := store.Open(context.Background(), address, store.Options{})
	if err != nil {
		return err
	}
	_, err = db.Migrate(context.Background())
	return errors.Join(err, db.Close())
}

// New boots the application on a database. An empty fixture leaves it as a
// first start finds it.
func New(t testing.TB, fixture, database string) *Harness {
	t.Helper()
	h := NewAt(t, database, Start)
	if fixture != "" {
		h.Apply(fixture)
	}
	return h
}

// NewAt boots the application at an instant, on a database that may be filled
// already. Every harness has the same secret key, so that links and keys which
// another one wrote are valid.
func NewAt(t testing.TB, database string, now time.Time) *Harness {
	t.Helper()
	h := &Harness{t: t, clock: &clock{now: now}, seen: map[string]bool{}}
	h.startProviders()
	h.cfg = h.config(database)
	h.Boot()
	t.Cleanup(h.Shutdown)
	return h
}

// NewWithoutChannels boots the application on an empty database, with no provider set
// up, though the fake ones run.
func NewWithoutChannels(t testing.TB, database string) *Harness {
	t.Helper()
	h := &Harness{t: t, clock: &clock{now: Start}, seen: map[string]bool{}}
	h.startProviders()
	h.cfg = h.config(database)
	h.cfg.SMTP, h.cfg.Twilio, h.cfg.Slack = config.SMTP{}, config.Twilio{}, config.Slack{}
	h.Boot()
	t.Cleanup(h.Shutdown)
	return h
}

// startProviders starts the fake providers.
func (h *Harness) startProviders() {
	h.t.Helper()
	var err error
	if h.Twilio, err = far.NewTwilio(far.TwilioConfig{Deliver: true, LocalCallbacks: true}); err != nil {
		h.t.Fatal(err)
	}
	if h.Slack, err = far.NewSlack(far.SlackConfig{}); err != nil {
		h.t.Fatal(err)
	}
	if h.Mail, err = far.NewMail(far.MailConfig{}); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = h.Twilio.Close()
		_ = h.Slack.Close()
		_ = h.Mail.Close()
	})
}

func (h *Harness) config(database string) config.Config {
	file := strings.TrimPrefix(database, "sqlite:")
	if file == database {
		file = ""
	}
	return config.Config{
		Listen:    "127.0.0.1:0",
		Database:  config.Database{File: file, URL: config.NewSecret(database)},
		SecretKey: config.NewSecret(strings.Repeat("k", config.KeySize)),
		SMTP:      config.SMTP{URL: config.NewSecret(h.Mail.URL()), From: "Tocsin <tocsin@acme.example>"},
		Twilio: config.Twilio{AccountSID: h.Twilio.AccountSID, AuthToken: config.NewSecret(h.Twilio.AuthToken),
			From: h.Twilio.Number, BaseURL: h.Twilio.URL()},
		Slack: config.Slack{BotToken: config.NewSecret(h.Slack.BotToken), BaseURL: h.Slack.URL()},
	}
}

// Boot starts the application. A test that shut it down boots it again on the
// same database.
func (h *Harness) Boot() {
	h.t.Helper()
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() && os.Getenv("TOCSIN_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	s, err := server.New(h.t.Context(), h.cfg, log, server.Options{Now: h.clock.Now, Cost: auth.Cost{Memory: 8, Time: 1, Threads: 1}})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := s.Listen(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.Server, h.URL = s, s.PublicURL()
	h.Twilio.SetPublicURL(h.URL)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("the server ended badly: %v", err)
		}
	})
}

// Shutdown ends the application as a SIGTERM does.
func (h *Harness) Shutdown() { h.stop() }

// Apply brings in a configuration from the fixtures, as the command does on the
// server itself.
func (h *Harness) Apply(fixture string) {
	h.t.Helper()
	data, err := fixtures.ReadFile("testdata/" + fixture)
	if err != nil {
		h.t.Fatal(err)
	}
	h.ApplyText(fixture, string(data))
}

// ApplyText brings in a configuration.
func (h *Harness) ApplyText(name, text string) {
	h.t.Helper()
	ctx := h.t.Context()
	file, err := blueprint.Parse(name, []byte(text), os.LookupEnv)
	if err != nil {
		h.t.Fatal(err)
	}
	editor := h.Server.DB.Organization.Editor(h.Server.Keys)
	state, err := editor.State(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	plan, err := file.Plan(state, blueprint.Options{TrustVerified: true})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := editor.Store.Apply(ctx, auth.Tocsin, plan); err != nil {
		h.t.Fatal(err)
	}
	h.WaitIdle()
}

// Now is what the clock shows.
func (h *Harness) Now() time.Time { return h.clock.Now() }

// WaitIdle runs the loops until nothing is due and no call is in progress.
func (h *Harness) WaitIdle() {
	h.t.Helper()
	if err := h.Server.RunUntilIdle(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// Advance moves the clock, stops at each instant at which something is due, and waits
// there until it is done.
func (h *Harness) Advance(d time.Duration) {
	h.t.Helper()
	h.AdvanceTo(h.Now().Add(d))
}

// AdvanceTo is Advance to an instant.
func (h *Harness) AdvanceTo(target time.Time) {
	h.t.Helper()
	for {
		h.WaitIdle()
		due, ok, err := h.Server.NextDue(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		if !ok || due.After(target) {
			break
		}
		if due.After(h.Now()) {
			h.clock.set(due)
		}
	}
	h.clock.set(target)
	h.WaitIdle()
}

// Breach is a body that a story changes before it is posted.
type Breach map[string]any

// Change is a change to a breach.
type Change func(Breach)

// Priority sets the breach's.
func Priority(level int) Change { return func(b Breach) { b["incident_priority"] = level } }

// With sets any field.
func With(name string, value any) Change { return func(b Breach) { b[name] = value } }

// Recovered says that it is over.
func Recovered() Change { return With("status", "recovered") }

// Key is the integration key that fixtures give a service.
func Key(service string) string {
	key := strings.ReplaceAll(service, "-", "")
	return key + strings.Repeat("0", 32-len(key))
}

// PostBreach posts a breach of a service's SLO and returns the incident's
// number.
func (h *Harness) PostBreach(service string, changes ...Change) int64 {
	h.t.Helper()
	b := Breach{
		"service": service, "deployment": "prod-eu", "endpoint": "GET /api/data/{tenant}", "sli": "availability",
		"slo": map[string]any{"name": "Availability of get data API", "objective": 99.7, "window": "28d"}, "observed": 98.9,
	}
	for _, c := range changes {
		c(b)
	}
	body, err := json.Marshal(b)
	if err != nil {
		h.t.Fatal(err)
	}
	status, answer := h.Post("/webhooks/slo/"+Key(service), "application/json", body)
	if status != http.StatusAccepted {
		h.t.Fatalf("the breach was answered %d: %s", status, answer)
	}
	var a struct {
		Incident struct {
			Number json.Number `json:"number"`
		} `json:"incident"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		h.t.Fatalf("the answer is no JSON: %s", answer)
	}
	number, _ := a.Incident.Number.Int64()
	h.WaitIdle()
	return number
}

// Post sends a body to a path and returns the answer.
func (h *Harness) Post(path, contentType string, body []byte) (status int, answer []byte) {
	h.t.Helper()
	return h.do(http.MethodPost, path, map[string]string{"Content-Type": contentType}, body)
}

func (h *Harness) do(method, path string, header map[string]string, body []byte) (int, []byte) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// API calls the API as an administrator's token and returns the answer's JSON.
// A status other than 2xx fails the test.
func (h *Harness) API(method, path string, body any) map[string]any {
	h.t.Helper()
	if h.token == "" {
		secret, _, err := h.Server.Auth.CreateToken(h.t.Context(), auth.Tocsin, "story", auth.Administrator)
		if err != nil {
			h.t.Fatal(err)
		}
		h.token = secret
	}
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			h.t.Fatal(err)
		}
	}
	status, answer := h.do(method, "/api/v1"+path, map[string]string{"Authorization": "Bearer " + h.token, "Content-Type": "application/json"}, data)
	if status/100 != 2 {
		h.t.Fatalf("%s %s was answered %d: %s", method, path, status, answer)
	}
	var value map[string]any
	if err := json.Unmarshal(answer, &value); err != nil {
		h.t.Fatalf("%s %s: not JSON: %s", method, path, answer)
	}
	h.WaitIdle()
	return value
}

// Incident is an incident as the API tells it.
func (h *Harness) Incident(number int64) map[string]any {
	h.t.Helper()
	return h.API(http.MethodGet, fmt.Sprintf("/incidents/%d", number), nil)
}

// Get fetches a page without signing in and returns it; a status other than 200
// fails the test.
func (h *Harness) Get(path string) string {
	h.t.Helper()
	status, page := h.do(http.MethodGet, path, nil, nil)
	if status != http.StatusOK {
		h.t.Fatalf("GET %s was answered %d: %s", path, status, page)
	}
	return string(page)
}
