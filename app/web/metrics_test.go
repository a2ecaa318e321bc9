package web_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func TestMetricsAccess(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		m := a.Metrics
		m.Swept("escalate", 3*time.Millisecond)
		m.Paged(20 * time.Millisecond)
		m.Message(notify.SMS, "sent")
		m.Backlog("send", func() float64 { return 4 })
		m.Watch(a.Live)
		m.Ingest(func() ingest.BatcherStats { return ingest.BatcherStats{Waiting: 7, Batches: 2} }, a.Signals.Stats)
		oldest := time.Now().Add(-time.Hour)
		m.Effects(func(context.Context) ([]effect.Status, error) {
			return []effect.Status{{Name: "chat", Behind: 3, Oldest: &oldest, Tries: 2, SetAside: 1}}, nil
		}, func() map[string]int64 { return map[string]int64{"chat": 5} }, func() time.Time { return oldest.Add(time.Hour) })
		a.PostBreach("a")
		from := func(remote string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = remote
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			a.Handler.ServeHTTP(w, r)
			return w
		}
		if w := from("127.0.0.1:999"); w.Code != 401 {
			t.Errorf("a proxy on this host that says nothing is answered %d", w.Code)
		}
		a.Slices.Web.PublicURL = "http://localhost:8080"
		a.Remount()
		text := from("127.0.0.1:999").Body.String()
		for _, line := range []string{
			`tocsin_signals_total{result="created"} 1`, `tocsin_incidents_opened_total 1`, `tocsin_ingest_queue_signals 7`,
			`tocsin_messages_total{medium="sms",state="sent"} 1`, `tocsin_due_backlog{loop="send"} 4`, `tocsin_time_to_page_seconds_count 1`,
			`tocsin_sweep_seconds_count{loop="escalate"} 1`, `tocsin_live_streams 0`, "go_goroutines ",
			`tocsin_effect_lag_events{consumer="chat"} 3`, `tocsin_effect_lag_seconds{consumer="chat"} 3600`, `tocsin_effect_tries{consumer="chat"} 2`,
			`tocsin_effect_set_aside_events{consumer="chat"} 1`, `tocsin_effect_failures_total{consumer="chat"} 5`,
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
			"a token":               {from("192.0.2.1:999", "Authorization", "Bearer "+a.Token(auth.Read)), 200},
			"a stakeholder's token": {from("192.0.2.1:999", "Authorization", "Bearer "+a.Token(auth.Stakeholder)), 403},
		} {
			if c.w.Code != c.status {
				t.Errorf("%s is answered %d, want %d", name, c.w.Code, c.status)
			}
		}
	})
}

func TestMeasuredWriterWrites(t *testing.T) {
	t.Parallel()
	m := web.NewMetrics()
	written, err := m.Writer(writerOf(3)).WriteSignals(t.Context(), make([]ingest.Signal, 3))
	if err != nil || len(written.Results) != 3 {
		t.Fatalf("%v, %v", written, err)
	}
	handler := newHandler(web.Deps{Metrics: m, PublicURL: "http://127.0.0.1:8080"}, nil)
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "[::1]:999"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "tocsin_ingest_batch_size_sum 3") {
		t.Error("the size of the batch is not counted")
	}
}

type writerOf int

func (n writerOf) WriteSignals(context.Context, []ingest.Signal) (ingest.Written, error) {
	return ingest.Written{Results: make([]ingest.Result, n)}, nil
}

func (writerOf) WaitForFlush(context.Context, ingest.Mark) error { return nil }
