package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	edge := bareEdge(func(d *Deps) { d.Signals = &fakeSignals{answer: created} })
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/webhooks/slo/k1", 405, "OPTIONS, POST"},
		{"POST", "/webhooks/other/k1", 404, ""},
		{"POST", "/healthz", 405, "OPTIONS, GET, HEAD"},
		{"HEAD", "/healthz", 200, ""},
		{"HEAD", "/live", 405, "OPTIONS, GET"},
		{"GET", "/api/v2/incidents", 404, ""},
	} {
		w := ask(edge, c.method, c.path, "")
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s is answered %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

// panicking is what must never happen.
type panicking struct{}

func (panicking) Serve(context.Context, ingest.Request, *ingest.Reply) error {
	panic("a fault of ours")
}

func (panicking) Accept(context.Context, ingest.Request) ([]ingest.Answer, error) {
	panic("a fault of ours")
}

func TestAPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	edge := bareEdge(func(d *Deps) {
		d.Signals, d.Log = panicking{}, slog.New(slog.NewTextHandler(&log, nil))
	})
	p := decode[Problem](t, ask(edge, "POST", "/webhooks/slo/k1", `{}`), 500)
	if strings.Contains(p.Detail, "fault of ours") || !strings.Contains(log.String(), "a fault of ours") || !strings.Contains(log.String(), p.Reference) {
		t.Errorf("answered %+v, logged %s", p, &log)
	}
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		var log bytes.Buffer
		d := h.deps
		d.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		edge := New(d)
		const secret = "s3cr3ts3cr3ts3cr3ts3cr3t"
		for _, path := range []string{"/webhooks/slo/" + secret, "/webhooks/other/" + secret, "/webhooks/slo/" + secret + "/more", "/a/" + secret, "/setup/" + secret, "/nothing?token=" + secret} {
			ask(edge, "POST", path, `{"service":"`+secret+`"}`)
		}
		ask(edge, "GET", "/api/v1/incidents?q="+secret, "", "Authorization", "Bearer "+secret, "Cookie", auth.SessionCookie+"="+secret)
		ask(edge, "POST", "/twilio/sms", "From=%2B34600000001&Body="+secret+"&MessageSid=SM1", "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
		if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "600000001") {
			t.Errorf("the log tells a secret:\n%s", &log)
		}
		if !strings.Contains(log.String(), `"path":"/webhooks/slo/:key"`) {
			t.Errorf("the log does not name the route:\n%s", &log)
		}
	})
}

func TestBrowsersAreToldWhatPagesMayDo(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		h.deps.Live.Close()
		header := h.as(auth.Responder, "GET", "/live", "").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("the policy lets too much: %s", policy)
		}
		d := h.deps
		d.PublicURL = "http://localhost:8080"
		if got := ask(New(d), "GET", "/healthz", "").Header().Get("Strict-Transport-Security"); got != "" {
			t.Errorf("without https browsers are told %q", got)
		}
	})
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	broken := errors.New("secret address")
	for name, c := range map[string]struct {
		ping, migrating error
		pending         bool
		swept           time.Duration
		status          int
		want            map[string]string
	}{
		"well":      {nil, nil, false, time.Second, 200, map[string]string{"status": "ready", "database": "reachable", "migrations": "current", "engine": "sweeping"}},
		"database":  {broken, nil, false, 0, 503, map[string]string{"status": "not ready", "database": "unreachable", "migrations": "unknown", "engine": "sweeping"}},
		"migration": {nil, nil, true, 0, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "pending", "engine": "sweeping"}},
		"unknown":   {nil, broken, false, 0, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "pending", "engine": "sweeping"}},
		"engine":    {nil, nil, false, 11 * time.Second, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "current", "engine": "last swept 11s ago"}},
	} {
		edge := bareEdge(func(d *Deps) {
			d.Health = Health{
				Ping:     func(context.Context) error { return c.ping },
				Migrated: func(context.Context) (bool, error) { return !c.pending, c.migrating },
				Swept:    func() time.Duration { return c.swept },
			}
		})
		if got := decode[map[string]string](t, ask(edge, "GET", "/readyz", ""), c.status); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestMetricsAreForThisHostAndForTokens(t *testing.T) {
	forEachDatabase(t, func(t *testing.T, h *house) {
		m := h.deps.Metrics
		m.Swept("escalate", 3*time.Millisecond)
		m.Paged(20 * time.Millisecond)
		m.Message(notify.SMS, "sent")
		m.Backlog("send", func() float64 { return 4 })
		m.Watch(h.deps.Live)
		m.Ingest(func() ingest.BatcherStats { return ingest.BatcherStats{Waiting: 7, Batches: 2} }, h.deps.Signals.(*ingest.Service).Stats)
		h.breach("a")
		from := func(remote string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = remote
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			h.edge.ServeHTTP(w, r)
			return w
		}
		if w := from("127.0.0.1:999"); w.Code != 401 {
			t.Errorf("a proxy on this host that says nothing is answered %d", w.Code)
		}
		h.deps.PublicURL = "http://localhost:8080"
		h.edge = New(h.deps)
		text := from("127.0.0.1:999").Body.String()
		for _, line := range []string{
			`tocsin_signals_total{result="created"} 1`, `tocsin_incidents_opened_total 1`, `tocsin_ingest_queue_signals 7`,
			`tocsin_messages_total{medium="sms",state="sent"} 1`, `tocsin_due_backlog{loop="send"} 4`, `tocsin_time_to_page_seconds_count 1`,
			`tocsin_sweep_seconds_count{loop="escalate"} 1`, `tocsin_live_streams 0`, "go_goroutines ",
		} {
			if !strings.Contains(text, line) {
				t.Errorf("%q is missing", line)
			}
		}
		for name, c := range map[string]struct {
			w      *httptest.ResponseRecorder
			status int
		}{
			"another host":          {from("192.0.2.1:999"), 401},
			"a proxy on this host":  {from("127.0.0.1:999", "X-Forwarded-For", "192.0.2.1"), 401},
			"a token":               {from("192.0.2.1:999", "Authorization", "Bearer "+h.tokens[auth.Read]), 200},
			"a stakeholder's token": {from("192.0.2.1:999", "Authorization", "Bearer "+h.tokens[auth.Stakeholder]), 403},
		} {
			if c.w.Code != c.status {
				t.Errorf("%s is answered %d, want %d", name, c.w.Code, c.status)
			}
		}
	})
}

func TestAMeasuredWriterWrites(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	written, err := m.Writer(writerOf(3)).WriteSignals(t.Context(), make([]ingest.Signal, 3))
	if err != nil || len(written.Results) != 3 {
		t.Fatalf("%v, %v", written, err)
	}
	edge := bareEdge(func(d *Deps) { d.Metrics, d.PublicURL = m, "http://127.0.0.1:8080" })
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "[::1]:999"
	w := httptest.NewRecorder()
	edge.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "tocsin_ingest_batch_size_sum 3") {
		t.Error("the size of the batch is not counted")
	}
}

type writerOf int

func (writerOf) Settle(context.Context, ingest.Mark) error { return nil }

func (n writerOf) WriteSignals(context.Context, []ingest.Signal) (ingest.Written, error) {
	return ingest.Written{Results: make([]ingest.Result, n)}, nil
}
