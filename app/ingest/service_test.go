package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

// fixture is an organisation in memory, with a Service. It implements Config, Submitter,
// Changes, Reports and Rejections.
type fixture struct {
	t        testing.TB
	now      time.Time
	contents catalog.Contents
	cached   *catalog.Snapshot
	reloads  int
	// stale is how many of the next submissions are Stale.
	stale int
	// written, where it is set, is called after each submission; of that, only the
	// signals are written that have the version of the configuration.
	written    func()
	submitErr  error
	rejectErr  error
	submitted  []ingest.Signal
	firing     string // the key under which something fires that a recovery may end
	rejections []ingest.Rejection
	changes    []ingest.RecordedChange
	reports    []ingest.RecordedReport
	recordErr  error
	units      []int // how many signals each submission had
	service    *ingest.Service
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	h := &fixture{
		t:   t,
		now: time.Date(2026, 11, 23, 19, 5, 0, 1234, time.FixedZone("CET", 3600)),
		contents: catalog.Contents{
			Organization: catalog.Organization{ConfigVersion: 4},
			Deployments:  []catalog.Deployment{{ID: 1, Slug: "prod-eu", Kind: catalog.Production}, {ID: 2, Slug: "staging", Kind: "test"}},
			Services: []catalog.Service{
				{ID: 1, Slug: "checkout-api", Name: "Checkout API", PolicyID: new(int64(9)), ReopenWindow: 300},
				{ID: 2, Slug: "ledger", Name: "Ledger"}, {ID: 3, Slug: "lost", Name: "Lost and found"},
			},
			SLOs:       []catalog.SLO{{ID: 1, ServiceID: 1, Slug: "get-data", Name: "Availability of get data API", Window: "28d", Priority: new(3)}},
			Priorities: []catalog.Priority{{Level: 3}, {Level: 1}, {Level: 2}},
			Integrations: []catalog.Integration{
				{ID: 1, Name: "SRE", Kind: catalog.KindSLO, ServiceID: new(int64(1)), KeyHMAC: []byte("hmac:own")},
				{ID: 2, Name: "Any", Kind: catalog.KindSLO, KeyHMAC: []byte("hmac:any")},
				{ID: 3, Name: "Slow", Kind: catalog.KindSLO, ServiceID: new(int64(1)), KeyHMAC: []byte("hmac:slow"), RateLimit: 2},
				{ID: 4, Name: "Other", Kind: "other", ServiceID: new(int64(1)), KeyHMAC: []byte("hmac:other")},
				{ID: 5, Name: "Lines", Kind: "lines", KeyHMAC: []byte("hmac:lines")},
			},
			PolicyVersions: []catalog.PolicyVersionRef{
				{PolicyID: 9, ID: 92, Effective: time.Date(2026, 11, 23, 18, 5, 0, 0, time.UTC)},
				{PolicyID: 9, ID: 91, Effective: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
				{PolicyID: 9, ID: 93, Effective: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
			},
		},
	}
	h.cached = catalog.NewSnapshot(h.contents)
	formats, err := ingest.NewFormats(slo.Format, lines)
	if err != nil {
		t.Fatal(err)
	}
	h.service = ingest.NewService(ingest.ServiceOptions{
		Formats: formats, Config: h, Submitter: h, Changes: h, Reports: h, Rejections: h,
		HMAC: func(key string) []byte { return []byte("hmac:" + key) },
		URL:  func(number int64) string { return fmt.Sprintf("https://tocsin.example/incidents/%d", number) },
		Now:  func() time.Time { return h.now },
		Log:  slog.New(slog.DiscardHandler),
	})
	return h
}

func (h *fixture) Snapshot(context.Context) (*catalog.Snapshot, error) { return h.cached, nil }

func (h *fixture) Reload(context.Context) (*catalog.Snapshot, error) {
	h.reloads++
	h.cached = catalog.NewSnapshot(h.contents)
	return h.cached, nil
}

func (h *fixture) Submit(_ context.Context, signals []ingest.Signal) ([]ingest.Result, error) {
	if h.submitErr != nil {
		return nil, h.submitErr
	}
	results := make([]ingest.Result, len(signals))
	if h.stale > 0 {
		h.stale--
		for i := range results {
			results[i].Stale = true
		}
		return results, nil
	}
	if h.written != nil {
		defer h.written()
	}
	h.units = append(h.units, len(signals))
	for i, s := range signals {
		if results[i].Stale = h.written != nil && s.ConfigVersion != h.contents.Organization.ConfigVersion; results[i].Stale {
			continue
		}
		h.submitted = append(h.submitted, s)
		results[i] = ingest.Result{Status: incident.ResultCreated, Number: 17}
		if s.Event.Action == incident.Resolve {
			results[i] = ingest.Result{Status: incident.ResultIgnored, Warning: nothingOpen}
			if s.Event.DedupKey == h.firing {
				results[i] = ingest.Result{Status: incident.ResultResolved, Number: 16}
			}
		}
	}
	return results, nil
}

func (h *fixture) RecordChanges(_ context.Context, changes []ingest.RecordedChange) error {
	h.changes = append(h.changes, changes...)
	return h.recordErr
}

const nothingOpen = "Nothing is open under this dedup key, so the recovery ended nothing."

func (h *fixture) Reject(_ context.Context, r ingest.Rejection) error {
	if h.rejectErr != nil {
		return h.rejectErr
	}
	r.ID = int64(len(h.rejections) + 1)
	h.rejections = append(h.rejections, r)
	return nil
}

func (h *fixture) Rejection(_ context.Context, id int64) (ingest.Rejection, error) {
	if id < 1 || id > int64(len(h.rejections)) {
		return ingest.Rejection{}, fault.NotFound("no rejected signal %d", id)
	}
	return h.rejections[id-1], nil
}

func (h *fixture) Replayed(_ context.Context, r ingest.Rejection) error {
	h.rejections[r.ID-1] = r
	return nil
}

func (h *fixture) post(key, body string) (ingest.Answer, error) {
	answers, err := h.service.Accept(context.Background(), ingest.Request{
		Key: key, Endpoint: slo.Path, ContentType: "application/json", Body: []byte(body), Remote: "192.0.2.1",
	})
	if err != nil {
		return ingest.Answer{}, err
	}
	return answers[0], nil
}

// last posts what must be accepted and returns the signal that came of it.
func (h *fixture) last(t *testing.T, key, body string) (ingest.Signal, ingest.Answer) {
	t.Helper()
	answer, err := h.post(key, body)
	if err != nil {
		t.Fatal(err)
	}
	return h.submitted[len(h.submitted)-1], answer
}

func TestAccept(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	s, answer := h.last(t, "own", string(fullBreach))
	text, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"status":"created","incident":{"number":17,"url":"https://tocsin.example/incidents/17"},"dedup_key":"optional","warnings":[]}`; string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if diff := cmp.Diff(incident.Rules{
		ServiceID: 1, IntegrationID: 1, Actor: "integration:SRE", ReopenWindow: 5 * time.Minute, DeploymentKnown: true, Production: true,
	}, s.Rules); diff != "" {
		t.Error(diff)
	}
	if s.ServiceID != 1 || s.ConfigVersion != 4 || s.PolicyVersionID == nil || *s.PolicyVersionID != 92 || s.Event.Facts.Sender != "SRE" {
		t.Errorf("got %+v", s)
	}
	if want := time.Date(2026, 11, 23, 18, 5, 0, 1000, time.UTC); s.ReceivedAt != want {
		t.Errorf("received at %v", s.ReceivedAt)
	}
	if *s.Event.Priority != 2 || s.Event.PrioritySource != incident.SourceSignal {
		t.Errorf("priority %v from %s", *s.Event.Priority, s.Event.PrioritySource)
	}
	if _, answer = h.last(t, "own", breach(`"status":"recovered"`)); answer.Incident != nil || answer.Status != incident.ResultIgnored || !slices.Contains(answer.Warnings, nothingOpen) {
		t.Errorf("got %+v", answer)
	}
}

func TestServiceOfSignal(t *testing.T) {
	t.Parallel()
	body := func(service string) string {
		return fmt.Sprintf(`{"service":%q,"sli":"availability","slo":{"name":"x"}}`, service)
	}
	for _, test := range []struct {
		key, name string
		catchAll  bool
		want      int64 // 0 for refused
		warning   string
	}{
		{"own", "checkout-api", false, 1, ""},
		{"own", "CHECKOUT api", false, 1, ""},
		{"own", "ledger", false, 1, `The sender names the service "ledger"; the key belongs to checkout-api.`},
		{"own", "nobody", true, 1, `The sender names the service "nobody"; the key belongs to checkout-api.`},
		{"any", "ledger", false, 2, ""},
		{"any", " Ledger ", true, 2, ""},
		{"any", "nobody", true, 3, `The service "nobody" is not known; the signal went to lost.`},
		{"any", "nobody", false, 0, ""},
	} {
		h := newFixture(t)
		if test.catchAll {
			h.contents.Organization.CatchAllServiceID = new(int64(3))
			h.cached = catalog.NewSnapshot(h.contents)
		}
		if test.want == 0 {
			_, err := h.post(test.key, body(test.name))
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.KindInvalid || len(f.Fields) != 1 || f.Fields[0].Path != "service" {
				t.Errorf("%+v: got %v", test, err)
			}
			continue
		}
		s, answer := h.last(t, test.key, body(test.name))
		if got := strings.Join(answer.Warnings, " "); s.ServiceID != test.want || got != test.warning {
			t.Errorf("%+v: got %d, %q", test, s.ServiceID, got)
		}
		if s.Event.Facts.Service != strings.TrimSpace(test.name) {
			t.Errorf("%+v: the sender's name became %q", test, s.Event.Facts.Service)
		}
	}
}

func TestUnknownNamesAreWarnings(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	s, answer := h.last(t, "own", `{"service":"checkout-api","sli":"availability","slo":{"name":"get-data"},
		"deployment":"mars","incident_priority":9,"observed":"low"}`)
	want := []string{
		"observed must be a number and is not used.",
		`The deployment "mars" is not known.`,
		"There is no priority P9; P3, the least urgent, is used.",
	}
	if diff := cmp.Diff(want, answer.Warnings); diff != "" {
		t.Error(diff)
	}
	if s.Event.Deployment != "mars" || s.Rules.DeploymentKnown || *s.Event.Priority != 3 || s.Event.PrioritySource != incident.SourceSignal {
		t.Errorf("got %+v", s)
	}
	if s, _ = h.last(t, "own", breach(`"deployment":"staging"`)); !s.Rules.DeploymentKnown || s.Rules.Production {
		t.Errorf("staging: %+v", s.Rules)
	}
	// The window of the catalog's SLO serves a breach that states none.
	h.contents.SLOs[0].Priority = nil
	h.cached = catalog.NewSnapshot(h.contents)
	s, _ = h.last(t, "own", `{"service":"checkout-api","sli":"availability","slo":{"name":"get-data"},
		"error_budget":{"remaining_percent":30,"depleted_percent":10,"depletion_window":"1h"}}`)
	if s.Event.Priority == nil || *s.Event.Priority != 2 || s.Event.PrioritySource != incident.SourceBudget {
		t.Errorf("got %+v", s.Event)
	}
	if s, _ = h.last(t, "any", `{"service":"ledger","sli":"availability","slo":{"name":"x"}}`); s.PolicyVersionID != nil {
		t.Errorf("a service without a policy got version %d", *s.PolicyVersionID)
	}
}

func TestFutureStartIsNotUsed(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	for ahead, used := range map[time.Duration]bool{-time.Hour: true, 5 * time.Minute: true, 5*time.Minute + time.Microsecond: false, 10 * time.Hour: false} {
		start := h.now.UTC().Truncate(time.Microsecond).Add(ahead)
		for _, status := range []string{"breached", "recovered"} {
			s, answer := h.last(t, "own", breach(fmt.Sprintf(`"deployment":"prod-eu","status":%q,"started_at":%q`, status, start.Format(time.RFC3339Nano))))
			if s.Event.StartedAt.IsZero() == used || (s.Event.Facts.StartedAt != nil) != used {
				t.Errorf("%s, %v ahead: starts at %v", status, ahead, s.Event.StartedAt)
			}
			warned := slices.Contains(answer.Warnings, "started_at lies in the future and is not used; the time of receipt stands for it.")
			kept := slices.ContainsFunc(s.Event.Facts.Unknown, func(p incident.Pair) bool { return p.Name == "started_at" })
			if warned == used || kept == used {
				t.Errorf("%s, %v ahead: warnings %q, kept %v", status, ahead, answer.Warnings, s.Event.Facts.Unknown)
			}
		}
	}
}

func TestUnknownKeyStoresNothing(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	for _, key := range []string{"", "nobody", "other"} {
		if _, err := h.post(key, "{"); !fault.Is(err, fault.KindUnauthorized) {
			t.Errorf("%q: got %v", key, err)
		}
	}
	if len(h.submitted)+len(h.rejections) > 0 {
		t.Errorf("kept %v, %v", h.submitted, h.rejections)
	}
}

func TestRejectionsAreListed(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	large := strings.Repeat(" ", ingest.MaxBody+1)
	for _, test := range []struct {
		contentType, body string
		status            int
		fields            int
	}{
		{"application/json", "{", 400, 0},
		{"application/json", large, 413, 0},
		{"text/plain\x00\xff", breach(""), 415, 0},
		{"application/json", "{}", 422, 3},
	} {
		_, err := h.service.Accept(t.Context(), ingest.Request{Key: "own", Endpoint: slo.Path, ContentType: test.contentType, Body: []byte(test.body), Remote: "192.0.2.1"})
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%d: got %v", test.status, err)
			continue
		}
		r := h.rejections[len(h.rejections)-1]
		if r.Status != test.status || r.IntegrationID != 1 || r.Reason != f.Message || len(r.Fields) != test.fields || r.Remote != "192.0.2.1" ||
			string(r.Body) != test.body[:min(len(test.body), ingest.MaxBody)] || !utf8.ValidString(r.ContentType) || strings.Contains(r.ContentType, "\x00") {
			r.Body = nil
			t.Errorf("%d: listed %+v", test.status, r)
		}
	}
	if len(h.rejections) != 4 || len(h.submitted) != 0 {
		t.Errorf("%d listed, %d accepted", len(h.rejections), len(h.submitted))
	}
	h.rejectErr = errors.New("disk full")
	if _, err := h.post("own", "{"); !fault.Is(err, fault.KindMalformed) {
		t.Errorf("where it cannot be listed: %v", err)
	}
	stats := h.service.Stats()
	if stats.Refused[fault.KindMalformed] != 2 || stats.Refused[fault.KindInvalid] != 1 || stats.Accepted[incident.ResultCreated] != 0 {
		t.Errorf("stats %+v", stats)
	}
}

func TestTemporaryFaultIsNotListed(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	for _, err := range []error{fault.Unavailable("overload"), fault.Internal(errors.New("bug"))} {
		h.submitErr = err
		if _, got := h.post("own", breach("")); !errors.Is(got, err) {
			t.Errorf("got %v", got)
		}
	}
	if len(h.rejections) > 0 {
		t.Errorf("listed %+v", h.rejections)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	if _, err := h.post("any", `{"service":"orders","sli":"availability","slo":{"name":"x"}}`); err == nil {
		t.Fatal("an unknown service was accepted")
	}
	if _, err := h.service.Replay(t.Context(), 1, "dana@acme.example"); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("still wrong: %v", err)
	}
	if r := h.rejections[0]; r.ReplayResult != `There is no service "orders".` || r.ReplayedBy != "dana@acme.example" || len(h.rejections) != 1 {
		t.Errorf("got %+v", r)
	}
	h.contents.Services = append(h.contents.Services, catalog.Service{ID: 8, Slug: "orders"})
	h.cached = catalog.NewSnapshot(h.contents)
	h.submitErr = fault.Unavailable("overload")
	if _, err := h.service.Replay(t.Context(), 1, "ana@acme.example"); !fault.Is(err, fault.KindUnavailable) || h.rejections[0].ReplayedBy != "dana@acme.example" {
		t.Errorf("got %v, %+v", err, h.rejections[0])
	}
	h.submitErr = nil
	answer, err := h.service.Replay(t.Context(), 1, "ana@acme.example")
	if err != nil || answer[0].Status != incident.ResultCreated || h.submitted[0].ServiceID != 8 {
		t.Errorf("got %+v, %v", answer, err)
	}
	if r := h.rejections[0]; r.ReplayResult != "created" || r.ReplayedBy != "ana@acme.example" || r.ReplayedAt == nil {
		t.Errorf("got %+v", r)
	}
	if _, err := h.service.Replay(t.Context(), 1, "ben@acme.example"); !fault.Is(err, fault.KindConflict) || len(h.submitted) != 1 {
		t.Errorf("twice: %v", err)
	}
	if _, err := h.service.Replay(t.Context(), 99, "ben@acme.example"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestReplayContentTypeAndTruncatedBody(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	_, _ = h.service.Accept(t.Context(), ingest.Request{Key: "own", Endpoint: slo.Path, ContentType: "application/x-www-form-urlencoded", Body: []byte(breach(""))})
	_, _ = h.post("own", strings.Repeat(" ", ingest.MaxBody+1))
	if _, err := h.service.Replay(t.Context(), 1, "ana@acme.example"); err != nil {
		t.Error(err)
	}
	if _, err := h.service.Replay(t.Context(), 2, "ana@acme.example"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("got %v", err)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	h := newFixture(t)
	var waits []time.Duration
	for range 4 {
		_, err := h.post("slow", breach(""))
		wait, _ := ingest.RetryAfter(err)
		if (err != nil) != fault.Is(err, fault.KindLimited) {
			t.Errorf("got %v", err)
		}
		waits = append(waits, wait)
		h.now = h.now.Add(10 * time.Second)
	}
	if want := []time.Duration{0, 0, 10 * time.Second, 0}; !slices.Equal(waits, want) {
		t.Errorf("got %v, want %v", waits, want)
	}
	for range 10 {
		if _, err := h.post("own", breach("")); err != nil {
			t.Errorf("a key without a limit: %v", err)
		}
	}
	if len(h.rejections) > 0 {
		t.Errorf("listed %+v", h.rejections)
	}
}

func BenchmarkAccept(b *testing.B) {
	h := newFixture(b)
	req := ingest.Request{Key: "own", Endpoint: slo.Path, ContentType: "application/json", Body: fullBreach}
	b.ReportAllocs()
	for b.Loop() {
		h.submitted = h.submitted[:0]
		if _, err := h.service.Accept(context.Background(), req); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBodyIsReadAfterKeyIsKnown(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection broke")
	for _, c := range []struct {
		name, key string
		fails     error
		reads     int
		want      fault.Kind
	}{
		{"a key that is known", "own", nil, 1, fault.KindMalformed},
		{"a key that nobody knows", "none", nil, 0, fault.KindUnauthorized},
		{"no key", "", nil, 0, fault.KindUnauthorized},
		{"a body that cannot be read", "own", broken, 1, fault.KindInternal},
	} {
		h, reads := newFixture(t), 0
		_, err := h.service.Accept(t.Context(), ingest.Request{Key: c.key, Endpoint: slo.Path, ContentType: "application/json", Read: func() ([]byte, error) {
			reads++
			return []byte(`{"service":`), c.fails
		}})
		if reads != c.reads || !fault.Is(err, c.want) || c.fails != nil && !errors.Is(err, c.fails) {
			t.Errorf("%s: read %d times, %v", c.name, reads, err)
		}
		if want := map[fault.Kind]int{fault.KindMalformed: 1}[c.want]; len(h.rejections) != want || want == 1 && string(h.rejections[0].Body) != `{"service":` {
			t.Errorf("%s: listed %+v", c.name, h.rejections)
		}
	}
	h := newFixture(t)
	for range 3 {
		reads := 0
		_, err := h.service.Accept(t.Context(), ingest.Request{Key: "slow", Endpoint: slo.Path, Read: func() ([]byte, error) { reads++; return nil, nil }})
		if fault.Is(err, fault.KindLimited) && reads != 0 {
			t.Error("the body of a key that is over its limit was read")
		}
	}
}
