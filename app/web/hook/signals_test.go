package hook_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/hook"

	"github.com/google/go-cmp/cmp"
)

// fakeSignals answers as it is told and keeps the last request.
type fakeSignals struct {
	got    ingest.Request
	answer ingest.Answer
	err    error
	// refusal is what the format says to a failure.
	refusal ingest.Reply
}

func (f *fakeSignals) Serve(_ context.Context, req ingest.Request, reply *ingest.Reply) error {
	body, err := req.Read()
	req.Body, req.Read = body, nil
	f.got = req
	if f.err != nil {
		err = f.err
	}
	if err != nil {
		*reply = f.refusal
		return err
	}
	slo.Format.Answer(ingest.Input{}, []ingest.Answer{f.answer}, reply)
	return nil
}

// newHandler has the routes of signals only.
func newHandler(signals hook.Signals, more ...ingest.Format) http.Handler {
	formats, err := ingest.NewFormats(append(more, slo.Format)...)
	if err != nil {
		panic(err)
	}
	r := web.New(web.Deps{
		PublicURL: webtest.PublicURL, Now: time.Now, Log: slog.New(slog.DiscardHandler), Live: web.NewLive(), Metrics: web.NewMetrics(),
	})
	hook.Mount(r, hook.Deps{Formats: formats, Signals: signals})
	return r
}

var created = ingest.Answer{
	Status: incident.ResultCreated, Incident: &ingest.IncidentRef{Number: 17, URL: "https://tocsin.example.com/incidents/17"},
	DedupKey: "a/b", Warnings: []string{},
}

func TestKeyInHeader(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	format := slo.Format
	format.Kind, format.Endpoints = "keyed", []ingest.Endpoint{{Method: http.MethodPost, Path: "/keyed", KeyHeader: "X-Routing-Key"}}
	handler := newHandler(signals, format)
	for want, header := range map[string][]string{
		"k1": {"X-Routing-Key", "k1"},
		"k2": {"X-Routing-Key", "k1", "Authorization", "Bearer k2"},
		"":   {"X-Other", "k1"},
	} {
		if w := webtest.Do(handler, "POST", "/keyed", `{}`, header...); w.Code != 202 || signals.got.Key != want {
			t.Errorf("%v: %d, key %q", header, w.Code, signals.got.Key)
		}
	}
}

func TestAcceptedSignal(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	handler := newHandler(signals)
	for name, ask := range map[string]func() *httptest.ResponseRecorder{
		"key in the path":  func() *httptest.ResponseRecorder { return webtest.Do(handler, "POST", "/webhooks/slo/k1", `{"a":1}`) },
		"a slash after it": func() *httptest.ResponseRecorder { return webtest.Do(handler, "POST", "/webhooks/slo/k1/", `{"a":1}`) },
		"bearer key": func() *httptest.ResponseRecorder {
			return webtest.Do(handler, "POST", "/webhooks/slo", `{"a":1}`, "Authorization", "bearer k1")
		},
	} {
		w := ask()
		want := `{"status":"created","incident":{"number":17,"url":"https://tocsin.example.com/incidents/17"},"dedup_key":"a/b","warnings":[]}` + "\n"
		if w.Code != 202 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		got := signals.got
		got.Remote = ""
		if diff := cmp.Diff(ingest.Request{Endpoint: slo.Path, Key: "k1", ContentType: "application/json", Body: []byte(`{"a":1}`)}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRejectedSignalIsProblemDocument(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		retry  string
	}{
		{fault.Malformed("m"), 400, ""},
		{fault.Unauthorized("m"), 401, ""},
		{fault.Forbidden("m"), 403, ""},
		{fault.NotFound("m"), 404, ""},
		{fault.Conflict("m"), 409, ""},
		{fault.Gone("m"), 410, ""},
		{fault.TooLarge("m"), 413, ""},
		{fault.Unsupported("m"), 415, ""},
		{fault.Invalid("m").With(fault.Field{Path: "slo.name", Message: "is missing"}), 422, ""},
		{fault.Limited("m"), 429, "60"},
		{fault.Unavailable("m"), 503, "2"},
		{fault.Internal(errors.New("secret")), 500, ""},
		{errors.New("secret"), 500, ""},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), 503, "2"},
		{fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Err: errors.New("secret")}), 503, "2"},
	} {
		signals := &fakeSignals{err: c.err}
		w := webtest.Do(newHandler(signals), "POST", "/webhooks/slo/k1", `{}`)
		p := webtest.Decode[web.Problem](t, w, c.status)
		if w.Header().Get("Content-Type") != web.ProblemType || w.Header().Get("Retry-After") != c.retry || p.Status != c.status || p.Reference == "" {
			t.Errorf("%v is answered %v %s", c.err, w.Header(), w.Body)
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the cause is shown: %s", w.Body)
		}
		if c.status == 422 && (len(p.Errors) != 1 || p.Errors[0].Path != "slo.name") {
			t.Errorf("the field is not named: %s", w.Body)
		}
	}
}

// TestTruncatedBody speaks HTTP by hand, since no client sends such a
// request.
func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{err: fault.Malformed("no JSON")}
	server := httptest.NewServer(newHandler(signals))
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /webhooks/slo/k1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"service\":")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 400 || string(signals.got.Body) != `{"service":` {
		t.Errorf("answered %d; judged %q", answer.StatusCode, signals.got.Body)
	}
}

// What breaks on its way is no fault of ours.
func TestMalformedChunks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(&fakeSignals{answer: created}))
	defer server.Close()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /webhooks/slo/k1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var p web.Problem
	if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || answer.StatusCode != 400 || !strings.Contains(p.Detail, "broke on its way") {
		t.Errorf("answered %d %+v, %v", answer.StatusCode, p, err)
	}
}

func TestChunkedBodyIsLimited(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	handler := newHandler(signals)
	r := httptest.NewRequest("POST", "/webhooks/slo/k1", io.MultiReader(bytes.NewReader(make([]byte, ingest.MaxBody)), strings.NewReader("more")))
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if n := len(signals.got.Body); n != ingest.MaxBody+1 {
		t.Errorf("%d bytes were read, want %d", n, ingest.MaxBody+1)
	}
}

// BenchmarkSignal is what the edge itself costs.
func BenchmarkSignal(b *testing.B) {
	body, err := os.ReadFile("../../ingest/slo/testdata/breach.json")
	if err != nil {
		b.Fatal(err)
	}
	handler := newHandler(&fakeSignals{answer: created})
	r := httptest.NewRequest("POST", "/webhooks/slo/slo0000000000000000000000000key1", nil)
	r.Header.Set("Content-Type", "application/json")
	reader := bytes.NewReader(body)
	r.ContentLength = int64(len(body))
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		handler.ServeHTTP(w, r)
	}
	if w.status != http.StatusAccepted {
		b.Fatalf("answered %d", w.status)
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// TestFormatsAreMounted with the paths and the words of each.
func TestFormatsAreMounted(t *testing.T) {
	t.Parallel()
	other := slo.Format
	other.Kind, other.Endpoints = "other", []ingest.Endpoint{
		{Method: http.MethodPost, Path: "/v2/enqueue", Key: func([]byte) string { return "k1" }, Redact: bytes.Clone},
		{Method: http.MethodPut, Path: "/other", KeyInPath: true},
	}
	signals := &fakeSignals{answer: created}
	handler := newHandler(signals, other)
	for _, c := range []struct {
		method, path, endpoint, key string
		status                      int
	}{
		{"POST", "/v2/enqueue", "/v2/enqueue", "", 202},
		{"POST", "/v2/enqueue/k1", "", "", 404},
		{"PUT", "/other/k1", "/other", "k1", 202},
		{"POST", "/other/k1", "", "", 405},
		{"POST", "/webhooks/slo/k1", slo.Path, "k1", 202},
	} {
		signals.got = ingest.Request{}
		if w := webtest.Do(handler, c.method, c.path, `{}`); w.Code != c.status || signals.got.Endpoint != c.endpoint || signals.got.Key != c.key {
			t.Errorf("%s %s: %d, %+v", c.method, c.path, w.Code, signals.got)
		}
	}
	// What the format says to a failure is said; what it does not is a problem
	// document, of its addresses too.
	signals.err = fault.Unavailable("overload")
	if p := webtest.Decode[web.Problem](t, webtest.Do(handler, "POST", "/v2/enqueue", `{}`), 503); p.Detail != "overload" {
		t.Errorf("got %+v", p)
	}
	signals.refusal = ingest.Reply{Status: 503, ContentType: "text/plain", Body: []byte("later")}
	w := webtest.Do(handler, "POST", "/v2/enqueue", `{}`)
	if w.Code != 503 || w.Body.String() != "later" || w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
}

// A body is read and unzipped no further than shows that it is too large.
func TestLargeBodyIsNotReadWhole(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 8<<20)
	for name, c := range map[string]struct{ body, encoding string }{
		"plain":  {large, "identity"},
		"zipped": {zipped(t, large), "gzip"},
	} {
		signals := &fakeSignals{answer: created}
		webtest.Do(newHandler(signals), "POST", "/webhooks/slo/k1", c.body, "Content-Encoding", c.encoding)
		if n := len(signals.got.Body); n != ingest.MaxBody+1 {
			t.Errorf("%s: %d bytes were read, want %d", name, n, ingest.MaxBody+1)
		}
	}
}
