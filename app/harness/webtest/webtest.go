// Package webtest runs the HTTP interface in tests: on a real store with the
// example configuration, with a clock that stands still until it is advanced, and
// with engine, planner and outbox that run when a test says so. Unlike package
// harness it listens on no port and runs no loops.
package webtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/provider"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/server"
	"github.com/tocsin-oncall/tocsin/app/store"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/callback"
)

const (
	// Key is the key of the example's integration.
	Key = "slo0000000000000000000000000key1"
	// PublicURL is the address of the installation.
	PublicURL = "https://tocsin.example.com"
)

// Start is when every test begins: a Monday evening. Ben is main on call.
var Start = time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC)

// App is the HTTP interface and what is behind it.
type App struct {
	DB       *store.Store
	Keys     *auth.Keyring
	Auth     *auth.Service
	Signals  *ingest.Service
	Actions  *incident.Service
	Contacts *notify.Contacts
	Live     *web.Live
	Metrics  *web.Metrics
	// Slices may be changed before Remount.
	Slices server.Slices
	// Handler serves the requests of Do.
	Handler http.Handler

	t       *testing.T
	sent    *channel
	engine  *escalation.Engine
	planner *notify.Planner
	outbox  *notify.Outbox
	tokens  map[auth.Role]string

	mu  sync.Mutex
	now time.Time
}

// ForEach runs a test on each kind of database, in parallel.
func ForEach(t *testing.T, test func(t *testing.T, a *App)) {
	t.Helper()
	t.Parallel()
	for name, address := range map[string]func(t testing.TB) string{
		"sqlite":   harness.SQLite,
		"postgres": harness.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newApp(t, address(t)))
		})
	}
}

// channel is the channel of every medium: it stores messages.
type channel struct {
	mu   sync.Mutex
	sent []notify.Message
}

// Deliver implements notify.Channel.
func (c *channel) Deliver(_ context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, m)
	return notify.Receipt{ProviderID: "SM" + web.FormatInt(m.Attempt)}, nil
}

// configuration reads the configuration anew whenever it is asked for, since tests
// change it behind the store's back.
type configuration struct{ db *store.Store }

func works(m notify.Medium) bool { return m == notify.SMS || m == notify.Email }

func (c configuration) View(ctx context.Context) (*organization.View, error) {
	state, err := c.db.Organization.Load(ctx)
	if err != nil {
		return nil, err
	}
	return organization.NewView(state, works), nil
}

func (c configuration) Snapshot(ctx context.Context) (*catalog.Snapshot, error) { return c.Reload(ctx) }

func (c configuration) Reload(ctx context.Context) (*catalog.Snapshot, error) {
	view, err := c.View(ctx)
	if err != nil {
		return nil, err
	}
	return view.Catalog(), nil
}

func (c configuration) Roster(ctx context.Context, _ int64) (*escalation.Roster, error) {
	view, err := c.View(ctx)
	if err != nil {
		return nil, err
	}
	return view.Roster(), nil
}

func (c configuration) Policy(ctx context.Context, version int64) (escalation.NamedPolicy, error) {
	view, err := c.View(ctx)
	if err != nil {
		return escalation.NamedPolicy{}, err
	}
	return view.PolicyVersion(version)
}

func (c configuration) Opens(ctx context.Context, _, service int64, at time.Time) (time.Time, error) {
	view, err := c.View(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return view.Roster().Opens(service, at), nil
}

func (c configuration) Recipients(ctx context.Context, _ int64) (map[int64]notify.Recipient, error) {
	view, err := c.View(ctx)
	if err != nil {
		return nil, err
	}
	return view.Recipients(), nil
}

func (configuration) Compose(*notify.Claim) error { return nil }

func newApp(t *testing.T, address string) *App {
	t.Helper()
	a := &App{t: t, now: Start, sent: &channel{}, tokens: map[auth.Role]string{}}
	db, err := store.Open(t.Context(), address, store.Options{Now: a.Now})
	a.Must(err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Migrate(t.Context())
	a.Must(err)
	a.Keys, err = auth.NewKeyring(bytes.Repeat([]byte{7}, auth.KeySize))
	a.Must(err)
	a.DB = db
	a.applyExample()

	log := slog.New(slog.DiscardHandler)
	sessions := auth.NewSessions(db.Access.Sessions(), false, a.Now)
	a.Auth = auth.NewService(db.Access, db.Organization.PeopleEditor(), sessions, auth.Options{Now: a.Now, Cost: auth.Cost{Memory: 64, Time: 1, Threads: 1}, Devices: a.Keys})
	batcher := ingest.NewBatcher(db.Incidents, ingest.BatcherOptions{Log: log})
	t.Cleanup(func() { _ = batcher.Close(context.WithoutCancel(t.Context())) })
	config := configuration{db}
	formats, err := server.Formats()
	a.Must(err)
	a.Signals = ingest.NewService(ingest.ServiceOptions{
		Formats: formats, Config: config, Submitter: batcher, Changes: db.Incidents, Reports: db.Incidents, Rejections: db.Incidents, HMAC: a.Keys.IntegrationHMAC, Now: a.Now, Log: log,
		URL: func(n int64) string { return PublicURL + "/incidents/" + web.FormatInt(n) },
	})
	a.Actions = &incident.Service{Store: db.Incidents, Now: a.Now}
	a.Live, a.Metrics = web.NewLive(), web.NewMetrics()
	channels := notify.FixedChannels{notify.SMS: a.sent, notify.Email: a.sent}
	providers, err := provider.NewSet(provider.Options{Store: db.Access, Keys: a.Keys, Fixed: channels, Now: a.Now, Log: log})
	a.Must(err)
	a.Slices = server.NewSlices(server.Parts{
		PublicURL: PublicURL, Now: a.Now, Log: log, DB: db, Keys: a.Keys, Auth: a.Auth, Sessions: sessions, Formats: formats, Signals: a.Signals,
		Submitter: batcher, Incidents: a.Actions, Configuration: config, Works: works, Providers: providers, Texts: texts{}, Live: a.Live, Metrics: a.Metrics,
		Swept: func() (time.Duration, bool) { return 0, true },
	})
	a.Contacts = a.Slices.Account.Contacts
	a.Remount()
	a.engine = &escalation.Engine{Store: db.Paging, Directory: config, Now: a.Now, Batch: 100}
	a.outbox = &notify.Outbox{Store: db.Paging, Channels: channels,
		Composer: config, People: config, Now: a.Now, RealNow: time.Now, Workers: 4, Log: log}
	a.planner = &notify.Planner{Store: db.Paging, People: config, Opens: config.Opens, Works: works, Now: a.Now, Batch: 100}
	for _, scope := range append([]auth.Role{auth.Read}, auth.Roles...) {
		secret, _, err := a.Auth.CreateToken(t.Context(), auth.Tocsin, "test-"+string(scope), scope)
		a.Must(err)
		a.tokens[scope] = secret
	}
	return a
}

// Remount has the Handler use the Slices as they are now.
func (a *App) Remount() { a.Handler = a.Slices.Handler() }

// SetLog has all slices write their log to log.
func (a *App) SetLog(log *slog.Logger) {
	a.Slices.Web.Log, a.Slices.API.Log, a.Slices.Callback.Log = log, log, log
	replies := *a.Slices.Callback.Replies.(*reply.Service)
	replies.Log = log
	a.Slices.Callback.Replies = &replies
	a.Remount()
}

// Must fails the test for an error.
func (a *App) Must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// Now is what the clock shows.
func (a *App) Now() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now }

// Advance moves the clock.
func (a *App) Advance(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

func (a *App) applyExample() {
	a.t.Helper()
	_, file, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "../../../docs/examples/acme.yaml"))
	a.Must(err)
	a.apply(string(text), blueprint.Options{TrustVerified: true})
}

// Apply adds to the configuration. It returns the plan in words.
func (a *App) Apply(text string) string {
	a.t.Helper()
	return a.apply(text, blueprint.Options{TrustVerified: true})
}

// ApplyPrune brings in a configuration and deletes what it leaves out. It returns the
// plan in words.
func (a *App) ApplyPrune(text string) string {
	a.t.Helper()
	return a.apply(text, pruning)
}

// PlanPrune is the plan of ApplyPrune, which is not carried out.
func (a *App) PlanPrune(text string) *organization.Plan {
	a.t.Helper()
	return a.plan(text, pruning)
}

var pruning = blueprint.Options{Prune: true, TrustVerified: true}

// Clear deletes the example's configuration except its people.
func (a *App) Clear() {
	a.t.Helper()
	a.ApplyPrune(`{"version": 1, "teams": [], "deployments": [], "schedules": [], "escalation_policies": [], "services": [], "integrations": []}`)
}

func (a *App) apply(text string, o blueprint.Options) string {
	a.t.Helper()
	plan := a.plan(text, o)
	a.Must(a.Carry(plan))
	return plan.String()
}

// Carry carries out a plan.
func (a *App) Carry(plan *organization.Plan) error {
	_, err := a.DB.Organization.Editor(a.Keys).Store.Apply(a.t.Context(), auth.Tocsin, plan)
	return err
}

func (a *App) plan(text string, o blueprint.Options) *organization.Plan {
	a.t.Helper()
	file, err := blueprint.Parse("test", []byte(text), func(string) (string, bool) { return "", false })
	a.Must(err)
	state, err := a.DB.Organization.Editor(a.Keys).State(a.t.Context())
	a.Must(err)
	plan, err := file.Plan(state, o)
	a.Must(err)
	return plan
}

// UserID is the id of the person with an email address.
func (a *App) UserID(email string) int64 {
	a.t.Helper()
	u, err := a.Auth.UserByEmail(a.t.Context(), auth.Tocsin, email)
	a.Must(err)
	return u.ID
}

// RunDue carries out everything that is due and returns what was sent.
func (a *App) RunDue() []notify.Message {
	a.t.Helper()
	for {
		total := 0
		for _, sweep := range []func(context.Context) (int, error){a.engine.Sweep, a.planner.Sweep, a.outbox.Sweep} {
			n, err := sweep(a.t.Context())
			a.Must(err)
			total += n
			a.outbox.Wait()
		}
		if total == 0 {
			break
		}
	}
	a.sent.mu.Lock()
	defer a.sent.mu.Unlock()
	sent := a.sent.sent
	a.sent.sent = nil
	return sent
}

// PostBreach posts a breach that opens an incident of its own and returns the
// incident's number.
func (a *App) PostBreach(name string) int64 {
	a.t.Helper()
	body := `{"service":"checkout-api","deployment":"prod-eu","sli":"availability","slo":{"name":"` + name + `"},"incident_priority":2}`
	response := a.Do("POST", slo.Path+"/"+Key, body)
	var got ingest.Answer
	if response.Code != http.StatusAccepted || json.Unmarshal(response.Body.Bytes(), &got) != nil || got.Incident == nil {
		a.t.Fatalf("a breach got %d %s", response.Code, response.Body)
	}
	return got.Incident.Number
}

// Token is the API token of a scope.
func (a *App) Token(scope auth.Role) string { return a.tokens[scope] }

// Do sends a request; headers come as pairs. A body is JSON unless they say
// otherwise.
func (a *App) Do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	return Do(a.Handler, method, path, body, headers...)
}

// As is Do with the token of a scope.
func (a *App) As(scope auth.Role, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	return a.Do(method, path, body, append([]string{"Authorization", "Bearer " + a.tokens[scope]}, headers...)...)
}

// Do sends a request to a handler: see App.Do.
func Do(handler http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// Decode reads a JSON response of a status.
func Decode[T any](t *testing.T, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	var v T
	if w.Code != status {
		t.Fatalf("got %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// provider is an SMS provider whose signature is a header.
type texts struct{}

func (texts) Available() bool { return true }

func (texts) Signed(r *http.Request) bool {
	return r.ParseForm() == nil && r.Header.Get("X-Signed") == "yes"
}

func (texts) Inbound(form url.Values) (callback.Text, error) {
	if form["From"] == nil {
		return callback.Text{}, errors.New("no sender")
	}
	return callback.Text{ID: form["MessageSid"][0], From: form["From"][0], Body: form["Body"][0]}, nil
}

func (texts) Status(form url.Values) (callback.TextStatus, error) {
	if form["MessageStatus"] == nil {
		return callback.TextStatus{}, errors.New("no status")
	}
	return callback.TextStatus{ProviderID: form["MessageSid"][0], State: form["MessageStatus"][0], Failure: strings.Join(form["Failure"], "")}, nil
}

func (texts) Answer(text string) []byte { return []byte("<Response>" + text + "</Response>") }

// BenShadowsChiara puts Chiara on call for Payments alone, with Ben as her shadow.
func (a *App) BenShadowsChiara() {
	a.Apply(`
version: 1
schedules:
  - slug: payments
    layers: [{name: weekly, members: [chiara@acme.example]}]
    shadows: [{user: ben@acme.example}]
`)
	a.Advance(time.Minute)
}
