package web

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/blueprint"
	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// house is the edge on a real store with the example configuration, and the
// machinery behind it, on a clock that stands still until it is moved.
type house struct {
	t       *testing.T
	db      *store.Store
	edge    http.Handler
	deps    Deps
	sms     *phone
	engine  *escalation.Engine
	planner *notify.Planner
	outbox  *notify.Outbox
	tokens  map[auth.Role]string

	mu  sync.Mutex
	now time.Time
}

// The example's integration key, and Monday evening: Ben is main on call.
const exampleKey = "slo0000000000000000000000000key1"

var monday = time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC)

func forEachDatabase(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newHouse(t, address(t)))
		})
	}
}

// phone is every channel: it keeps what it is given.
type phone struct {
	mu   sync.Mutex
	sent []notify.Message
}

func (p *phone) Deliver(_ context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return notify.Receipt{ProviderID: "SM" + formatInt(m.Attempt)}, nil
}

// pictures reads the configuration anew whenever it is asked for.
type pictures struct{ db *store.Store }

func works(m notify.Medium) bool { return m == notify.SMS || m == notify.Email }

func (p pictures) Snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	return p.db.Organization.Snapshot(ctx)
}
func (p pictures) Reload(ctx context.Context) (*catalog.Snapshot, error) {
	return p.db.Organization.Snapshot(ctx)
}
func (p pictures) Compose(*notify.Claim) error { return nil }
func (p pictures) Roster(ctx context.Context, _ int64) (*escalation.Roster, error) {
	return p.db.Organization.Roster(ctx, works)
}
func (p pictures) Policy(ctx context.Context, version int64) (escalation.NamedPolicy, error) {
	return p.db.Organization.PolicyVersion(ctx, version)
}
func (p pictures) Recipients(ctx context.Context, _ int64) (map[int64]notify.Recipient, error) {
	return p.db.Organization.Recipients(ctx)
}

func newHouse(t *testing.T, address string) *house {
	t.Helper()
	h := &house{t: t, now: monday, sms: &phone{}, tokens: map[auth.Role]string{}}
	clock := func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now }
	db, err := store.Open(t.Context(), address, store.Options{Now: clock})
	h.must(err)
	t.Cleanup(func() { _ = db.Close() })
	_, err = db.Migrate(t.Context())
	h.must(err)
	keys, err := auth.NewKeyring(bytes.Repeat([]byte{7}, auth.KeySize))
	h.must(err)
	h.db = db
	h.configure(keys)

	log := slog.New(slog.DiscardHandler)
	sessions := auth.NewSessions(db.Access.Sessions(), false, clock)
	accounts := auth.NewService(db.Access, sessions, auth.Options{Now: clock, Cost: auth.Cost{Memory: 64, Time: 1, Threads: 1}})
	batcher := ingest.NewBatcher(db.Incidents, ingest.BatcherOptions{Log: log})
	t.Cleanup(func() { _ = batcher.Close(context.WithoutCancel(t.Context())) })
	formats := sloOnly()
	pictures := pictures{db}
	signals := ingest.NewService(ingest.ServiceOptions{
		Formats: formats, Config: pictures, Submitter: batcher, Changes: db.Incidents, Rejections: db.Incidents, HMAC: keys.IntegrationHMAC, Now: clock, Log: log,
		URL: func(n int64) string { return "https://tocsin.example.com/incidents/" + formatInt(n) },
	})
	h.deps = Deps{
		PublicURL: "https://tocsin.example.com", Now: clock, Log: log, Signals: signals, Formats: formats, Config: pictures, Submitter: batcher,
		Incidents: db.IncidentReads(), Actions: &incident.Service{Store: db.Incidents, Now: clock}, Listing: db.Listing(), Overrides: db.Organization, Auth: accounts, Sessions: sessions, Requests: db.Access,
		Texts: paperCarrier{}, Replies: db.Replies(), Receipts: db.Paging, People: pictures, Directory: pictures, Works: works, Live: NewLive(), Metrics: NewMetrics(),
		Health: Health{Ping: db.Ping, Migrated: db.Migrated, Swept: func() time.Duration { return 0 }},
	}
	h.edge = New(h.deps)
	h.engine = &escalation.Engine{Store: db.Paging, Directory: pictures, Now: clock, Batch: 100}
	h.outbox = &notify.Outbox{Store: db.Paging, Channels: map[notify.Medium]notify.Channel{notify.SMS: h.sms, notify.Email: h.sms},
		Composer: pictures, People: pictures, Now: clock, RealNow: time.Now, Workers: 4, Log: log}
	h.planner = &notify.Planner{Store: db.Paging, People: pictures, Works: works, Now: clock, Batch: 100}
	for _, scope := range append([]auth.Role{auth.Read}, auth.Roles...) {
		secret, _, err := accounts.CreateToken(t.Context(), auth.Tocsin, "test-"+string(scope), scope)
		h.must(err)
		h.tokens[scope] = secret
	}
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) configure(keys *auth.Keyring) {
	h.t.Helper()
	text, err := os.ReadFile("../../docs/examples/acme.yaml")
	h.must(err)
	file, err := blueprint.Parse("acme.yaml", text, func(string) (string, bool) { return "", false })
	h.must(err)
	state, err := h.db.Organization.Configuration(h.t.Context(), keys)
	h.must(err)
	plan, err := file.Plan(state, blueprint.Options{TrustVerified: true})
	h.must(err)
	h.must(h.db.Organization.Apply(h.t.Context(), auth.Tocsin, keys, plan))
}

// work carries out everything that is due and returns what was sent.
func (h *house) work() []notify.Message {
	h.t.Helper()
	for {
		total := 0
		for _, sweep := range []func(context.Context) (int, error){h.engine.Sweep, h.planner.Sweep, h.outbox.Sweep} {
			n, err := sweep(h.t.Context())
			h.must(err)
			total += n
			h.outbox.Wait()
		}
		if total == 0 {
			break
		}
	}
	h.sms.mu.Lock()
	defer h.sms.mu.Unlock()
	sent := h.sms.sent
	h.sms.sent = nil
	return sent
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// breach is a signal that opens an incident of its own.
func (h *house) breach(name string) int64 {
	h.t.Helper()
	body := `{"service":"checkout-api","deployment":"prod-eu","sli":"availability","slo":{"name":"` + name + `"},"incident_priority":2}`
	answer := h.ask("POST", "/webhooks/slo/"+exampleKey, body)
	var got ingest.Answer
	if answer.Code != http.StatusAccepted || json.Unmarshal(answer.Body.Bytes(), &got) != nil || got.Incident == nil {
		h.t.Fatalf("a breach was answered %d %s", answer.Code, answer.Body)
	}
	return got.Incident.Number
}

// ask sends a request; headers come as pairs. A body is JSON unless they say
// otherwise.
func (h *house) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return ask(h.edge, method, path, body, headers...)
}

// as is ask with the token of a scope.
func (h *house) as(scope auth.Role, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.ask(method, path, body, append([]string{"Authorization", "Bearer " + h.tokens[scope]}, headers...)...)
}

func ask(edge http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
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
	edge.ServeHTTP(w, r)
	return w
}

// decode reads an answer of JSON.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder, status int) T {
	t.Helper()
	var v T
	if w.Code != status {
		t.Fatalf("answered %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// paperCarrier is a carrier whose signature is a word.
type paperCarrier struct{}

func (paperCarrier) Signed(r *http.Request) bool {
	return r.ParseForm() == nil && r.Header.Get("X-Signed") == "yes"
}

func (paperCarrier) Inbound(form url.Values) (Text, error) {
	if form["From"] == nil {
		return Text{}, errors.New("nobody sent it")
	}
	return Text{ID: form["MessageSid"][0], From: form["From"][0], Body: form["Body"][0]}, nil
}

func (paperCarrier) Status(form url.Values) (TextStatus, error) {
	if form["MessageStatus"] == nil {
		return TextStatus{}, errors.New("it says nothing")
	}
	return TextStatus{ProviderID: form["MessageSid"][0], State: form["MessageStatus"][0], Failure: strings.Join(form["Failure"], "")}, nil
}

func (paperCarrier) Answer(words string) []byte { return []byte("<Response>" + words + "</Response>") }
