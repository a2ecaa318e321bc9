package web_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
	"github.com/tocsin-oncall/tocsin/app/web"
	"github.com/tocsin-oncall/tocsin/app/web/hook"
)

// newHandler has the routes of the router and of signals, without a store.
func newHandler(d web.Deps, signals hook.Signals) http.Handler {
	d.PublicURL, d.Now, d.Live, d.Metrics = cmp.Or(d.PublicURL, webtest.PublicURL), time.Now, web.NewLive(), cmp.Or(d.Metrics, web.NewMetrics())
	d.Log = cmp.Or(d.Log, slog.New(slog.DiscardHandler))
	r := web.New(d)
	formats, err := ingest.NewFormats(slo.Format)
	if err != nil {
		panic(err)
	}
	hook.Mount(r, hook.Deps{Formats: formats, Signals: signals})
	return r
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	handler := newHandler(web.Deps{}, panicking{})
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
		w := webtest.Do(handler, c.method, c.path, "")
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s is answered %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
	}
}

// panicking is what must never happen.
type panicking struct{}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := newHandler(web.Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}, panicking{})
	p := webtest.Decode[web.Problem](t, webtest.Do(handler, "POST", "/webhooks/slo/k1", `{}`), 500)
	if strings.Contains(p.Detail, "fault of ours") || !strings.Contains(log.String(), "a fault of ours") || !strings.Contains(log.String(), p.Reference) {
		t.Errorf("answered %+v, logged %s", p, &log)
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		var log bytes.Buffer
		a.SetLog(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		const secret = "s3cr3ts3cr3ts3cr3ts3cr3t"
		for _, path := range []string{"/webhooks/slo/" + secret, "/webhooks/other/" + secret, "/webhooks/slo/" + secret + "/more", "/a/" + secret, "/setup/" + secret, "/nothing?token=" + secret} {
			a.Do("POST", path, `{"service":"`+secret+`"}`)
		}
		a.Do("GET", "/api/v1/incidents?q="+secret, "", "Authorization", "Bearer "+secret, "Cookie", auth.SessionCookie+"="+secret)
		a.Do("POST", "/twilio/sms", "From=%2B34600000001&Body="+secret+"&MessageSid=SM1", "Content-Type", "application/x-www-form-urlencoded", "X-Signed", "yes")
		if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "600000001") {
			t.Errorf("the log tells a secret:\n%s", &log)
		}
		if !strings.Contains(log.String(), `"path":"/webhooks/slo/:key"`) {
			t.Errorf("the log does not name the route:\n%s", &log)
		}
	})
}

func TestSecurityHeaders(t *testing.T) {
	const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Live.Close()
		header := a.As(auth.Responder, "GET", "/live", "").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		a.Slices.Web.PublicURL = "http://localhost:8080"
		a.Remount()
		if got := a.Do("GET", "/healthz", "").Header().Get("Strict-Transport-Security"); got != "" {
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
		"well":      {nil, nil, false, time.Second, 200, map[string]string{"status": "ready", "database": "reachable", "migrations": "current", "engine": "sweeping", "clock": "steady"}},
		"database":  {broken, nil, false, 0, 503, map[string]string{"status": "not ready", "database": "unreachable", "migrations": "unknown", "engine": "sweeping", "clock": "steady"}},
		"migration": {nil, nil, true, 0, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "pending", "engine": "sweeping", "clock": "steady"}},
		"unknown":   {nil, broken, false, 0, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "pending", "engine": "sweeping", "clock": "steady"}},
		"engine":    {nil, nil, false, 11 * time.Second, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "current", "engine": "last swept 11s ago", "clock": "steady"}},
		"start":     {nil, nil, false, -1, 503, map[string]string{"status": "not ready", "database": "reachable", "migrations": "current", "engine": "has not swept yet", "clock": "steady"}},
	} {
		handler := newHandler(web.Deps{Health: web.Health{
			Ping:      func(context.Context) error { return c.ping },
			Migrated:  func(context.Context) (bool, error) { return !c.pending, c.migrating },
			Write:     func(context.Context) error { return nil },
			ClockStep: func() (time.Time, time.Duration) { return time.Time{}, 0 },
			Swept:     func() (time.Duration, bool) { return c.swept, c.swept >= 0 },
			Load:      func(context.Context) error { return nil },
		}}, nil)
		got := webtest.Decode[map[string]string](t, webtest.Do(handler, "GET", "/readyz", ""), c.status)
		delete(got, "configuration") // see TestReadyMeansLoaded
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func (panicking) Serve(context.Context, ingest.Request, *ingest.Reply) error {
	panic("a fault of ours")
}

func TestLiveNeedsViewIncidents(t *testing.T) {
	webtest.ForEach(t, func(t *testing.T, a *webtest.App) {
		a.Live.Close() // a stream that should not begin ends, rather than hang the test
		if w := a.Do("GET", "/live", ""); w.Code != http.StatusUnauthorized {
			t.Errorf("without a token: %d", w.Code)
		}
		if w := a.As(auth.Stakeholder, "GET", "/live", ""); w.Code != http.StatusForbidden {
			t.Errorf("a stakeholder: %d", w.Code)
		}
		w := a.As(auth.Responder, "GET", "/live", "", "Accept-Encoding", "gzip")
		got := fmt.Sprint(w.Code, w.Header().Get("Content-Type"), w.Header().Get("X-Accel-Buffering"), w.Header().Get("Content-Encoding"))
		if want := fmt.Sprint(200, "text/event-stream", "no", ""); got != want {
			t.Errorf("a responder: %s, want %s", got, want)
		}
	})
}
