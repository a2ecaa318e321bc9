package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
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
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
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

func (f *fakeSignals) Accept(context.Context, ingest.Request) ([]ingest.Answer, error) {
	return []ingest.Answer{f.answer}, f.err
}

func sloOnly() *ingest.Formats {
	formats, err := ingest.NewFormats(slo.Format)
	if err != nil {
		panic(err)
	}
	return formats
}

// bareEdge is an edge without a store, for what needs none.
func bareEdge(change func(*Deps)) http.Handler {
	d := Deps{PublicURL: "https://tocsin.example.com", Now: time.Now, Log: slog.New(slog.DiscardHandler), Live: NewLive(), Metrics: NewMetrics(), Formats: sloOnly()}
	change(&d)
	return New(d)
}

var created = ingest.Answer{
	Status: incident.ResultCreated, Incident: &ingest.IncidentRef{Number: 17, URL: "https://tocsin.example.com/incidents/17"},
	DedupKey: "a/b", Warnings: []string{},
}

func TestASignalIsAnsweredOnceItIsDurable(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	edge := bareEdge(func(d *Deps) { d.Signals = signals })
	for name, ask := range map[string]func() *httptest.ResponseRecorder{
		"key in the path":  func() *httptest.ResponseRecorder { return ask(edge, "POST", "/webhooks/slo/k1", `{"a":1}`) },
		"a slash after it": func() *httptest.ResponseRecorder { return ask(edge, "POST", "/webhooks/slo/k1/", `{"a":1}`) },
		"bearer key": func() *httptest.ResponseRecorder {
			return ask(edge, "POST", "/webhooks/slo", `{"a":1}`, "Authorization", "bearer k1")
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

func TestKeyInAHeader(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	format := slo.Format
	format.Endpoints = []ingest.Endpoint{{Method: http.MethodPost, Path: "/hook", KeyHeader: "X-Routing-Key"}}
	edge := bareEdge(func(d *Deps) {
		formats, err := ingest.NewFormats(format)
		if err != nil {
			t.Fatal(err)
		}
		d.Signals, d.Formats = signals, formats
	})
	for want, header := range map[string][]string{
		"k1": {"X-Routing-Key", "k1"},
		"k2": {"X-Routing-Key", "k1", "Authorization", "Bearer k2"},
		"":   {"X-Other", "k1"},
	} {
		if w := ask(edge, "POST", "/hook", `{}`, header...); w.Code != 202 || signals.got.Key != want {
			t.Errorf("%v: %d, key %q", header, w.Code, signals.got.Key)
		}
	}
}

func TestWhatIsRefusedIsAProblemDocument(t *testing.T) {
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
		w := ask(bareEdge(func(d *Deps) { d.Signals = signals }), "POST", "/webhooks/slo/k1", `{}`)
		p := decode[Problem](t, w, c.status)
		if w.Header().Get("Content-Type") != problemType || w.Header().Get("Retry-After") != c.retry || p.Status != c.status || p.Reference == "" {
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

func TestSignalsOnTheRealService(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		good := `{"service":"checkout-api","sli":"availability","slo":{"name":"a"}}`
		path := "/webhooks/slo/" + exampleKey
		for _, c := range []struct {
			name, path, body, contentType string
			status, rejected              int
		}{
			{"good", path, good, "application/json", 202, 0},
			{"unknown key", "/webhooks/slo/none", good, "application/json", 401, 0},
			{"no key", "/webhooks/slo", good, "application/json", 401, 0},
			{"a missing field", path, `{"service":"checkout-api"}`, "application/json", 422, 1},
			{"no JSON", path, `{"service":`, "application/json", 400, 1},
			{"not UTF-8", path, "{\"service\":\"\xff\"}", "application/json", 400, 1},
			{"a form", path, good, "application/x-www-form-urlencoded", 415, 1},
			{"too large", path, `{"x":"` + strings.Repeat("x", ingest.MaxBody) + `"}`, "application/json", 413, 1},
			{"empty", path, "", "application/json", 400, 1},
		} {
			before := h.rejections()
			w := h.ask("POST", c.path, c.body, "Content-Type", c.contentType)
			if w.Code != c.status {
				t.Errorf("%s is answered %d, want %d: %s", c.name, w.Code, c.status, w.Body)
			}
			if n := h.rejections() - before; n != c.rejected {
				t.Errorf("%s: %d rejections are listed, want %d", c.name, n, c.rejected)
			}
		}
	})
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEncodedBodies(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		good := `{"service":"checkout-api","sli":"availability","slo":{"name":"a"}}`
		bomb := zipped(t, `{"x":"`+strings.Repeat("x", 64<<20)+`"}`)
		for _, c := range []struct {
			name, encoding, body string
			status               int
			words                string
		}{
			{"gzip", "gzip", zipped(t, good), 202, ""},
			{"GZIP", " GZIP ", zipped(t, good), 202, ""},
			{"as it is", "identity", good, 202, ""},
			{"no gzip", "gzip", good, 400, "The body is not gzip, though its Content-Encoding says so."},
			{"half of it", "gzip", zipped(t, good)[:30], 400, "The body is gzip that is broken or cut off."},
			{"a bomb", "gzip", bomb, 413, "The body is larger than 512 KiB."},
			{"brotli", "br", "\x0b\x02\x80", 415, `The content encoding \"br\" is not read here; send gzip, or the body as it is.`},
			{"twice", "gzip, gzip", zipped(t, zipped(t, good)), 415, "gzip, gzip"},
		} {
			before := h.rejections()
			w := h.ask("POST", "/webhooks/slo/"+exampleKey, c.body, "Content-Type", "application/json", "Content-Encoding", c.encoding)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.words) {
				t.Errorf("%s is answered %d: %s", c.name, w.Code, w.Body)
			}
			if listed := h.rejections() - before; listed != 1 && c.status != 202 || listed != 0 && c.status == 202 {
				t.Errorf("%s: %d rejections are listed", c.name, listed)
			}
		}
	})
}

// TestTheBodyOfAnUnknownKeyIsNotRead, however large it is.
func TestTheBodyOfAnUnknownKeyIsNotRead(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		for path, want := range map[string]bool{"/webhooks/slo/none": false, "/webhooks/slo": false, "/webhooks/slo/" + exampleKey: true} {
			body := &unwanted{left: ingest.MaxBody + 1}
			r := httptest.NewRequest("POST", path, body)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.edge.ServeHTTP(w, r)
			if read := body.left <= ingest.MaxBody; read != want || (w.Code == http.StatusUnauthorized) == want {
				t.Errorf("%s is answered %d with %d bytes unread", path, w.Code, body.left)
			}
		}
	})
}

// unwanted is a body that nobody should ask for.
type unwanted struct{ left int }

func (b *unwanted) Read(p []byte) (int, error) {
	n := min(b.left, len(p))
	if b.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// rejections counts what is listed for the example's integration.
func (h *house) rejections() int {
	h.t.Helper()
	state, err := h.db.Organization.Listing(h.t.Context())
	h.must(err)
	listed, err := h.db.Incidents.Rejections(h.t.Context(), state.Integrations[0].ID, 0, 100)
	h.must(err)
	return len(listed)
}

// TestABodyThatIsCutOff speaks HTTP by hand, since no client sends such a
// request.
func TestABodyThatIsCutOff(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{err: fault.Malformed("no JSON")}
	server := httptest.NewServer(bareEdge(func(d *Deps) { d.Signals = signals }))
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
func TestABodyWhosePartsDoNotFitTogether(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(bareEdge(func(d *Deps) { d.Signals = &fakeSignals{answer: created} }))
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
	var p Problem
	if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || answer.StatusCode != 400 || !strings.Contains(p.Detail, "broke on its way") {
		t.Errorf("answered %d %+v, %v", answer.StatusCode, p, err)
	}
}

func TestABodyThatDoesNotArrive(t *testing.T) {
	t.Parallel()
	for status, cause := range map[int]error{
		400: io.ErrUnexpectedEOF,
		503: os.ErrDeadlineExceeded,
		413: &http.MaxBytesError{Limit: 1 << 10},
	} {
		r := httptest.NewRequest("POST", "/api/v1/incidents/1/notes", io.MultiReader(strings.NewReader(`{"note"`), iotest.ErrReader(cause)))
		_, err := readBody(echo.New().NewContext(r, httptest.NewRecorder()), &struct{}{})
		if p := problemOf(err); p.Status != status || p.Detail == "" {
			t.Errorf("%v is answered %+v", cause, p)
		}
	}
}

func TestAChunkedBodyIsReadToItsLimit(t *testing.T) {
	t.Parallel()
	signals := &fakeSignals{answer: created}
	edge := bareEdge(func(d *Deps) { d.Signals = signals })
	r := httptest.NewRequest("POST", "/webhooks/slo/k1", io.MultiReader(bytes.NewReader(make([]byte, ingest.MaxBody)), strings.NewReader("more")))
	edge.ServeHTTP(httptest.NewRecorder(), r)
	if n := len(signals.got.Body); n != ingest.MaxBody+1 {
		t.Errorf("%d bytes were read, want %d", n, ingest.MaxBody+1)
	}
}

// BenchmarkSignal is what the edge itself costs.
func BenchmarkSignal(b *testing.B) {
	body, err := os.ReadFile("../ingest/testdata/breach.json")
	if err != nil {
		b.Fatal(err)
	}
	edge := bareEdge(func(d *Deps) { d.Signals = &fakeSignals{answer: created} })
	r := httptest.NewRequest("POST", "/webhooks/slo/slo0000000000000000000000000key1", nil)
	r.Header.Set("Content-Type", "application/json")
	reader := bytes.NewReader(body)
	r.ContentLength = int64(len(body))
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		edge.ServeHTTP(w, r)
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
		{Method: http.MethodPost, Path: "/v2/enqueue", Key: func([]byte) string { return "k1" }},
		{Method: http.MethodPut, Path: "/other", KeyInPath: true},
	}
	formats, err := ingest.NewFormats(slo.Format, other)
	if err != nil {
		t.Fatal(err)
	}
	signals := &fakeSignals{answer: created}
	edge := bareEdge(func(d *Deps) { d.Signals, d.Formats = signals, formats })
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
		if w := ask(edge, c.method, c.path, `{}`); w.Code != c.status || signals.got.Endpoint != c.endpoint || signals.got.Key != c.key {
			t.Errorf("%s %s: %d, %+v", c.method, c.path, w.Code, signals.got)
		}
	}
	// What the format says to a failure is said; what it does not is a problem
	// document, of its addresses too.
	signals.err = fault.Unavailable("overload")
	if p := decode[Problem](t, ask(edge, "POST", "/v2/enqueue", `{}`), 503); p.Detail != "overload" {
		t.Errorf("got %+v", p)
	}
	signals.refusal = ingest.Reply{Status: 503, ContentType: "text/plain", Body: []byte("later")}
	w := ask(edge, "POST", "/v2/enqueue", `{}`)
	if w.Code != 503 || w.Body.String() != "later" || w.Header().Get("Retry-After") != "2" || w.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("got %d %s %v", w.Code, w.Body, w.Header())
	}
}
