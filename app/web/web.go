// Package web is the edge of Tocsin: everything that is asked of it over HTTP.
// One file holds one resource; errors.go alone turns faults into answers.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/static"
)

// Deps is what the edge stands on. All are required but where it says
// otherwise.
type Deps struct {
	// PublicURL is how people and providers reach Tocsin, without a slash at
	// its end.
	PublicURL string
	// TrustedProxies are the networks whose X-Forwarded-For is believed; without
	// any, nobody's is.
	TrustedProxies []*net.IPNet

	Now func() time.Time
	Log *slog.Logger

	Signals Signals
	Formats *ingest.Formats // what senders post, and where
	// Config and Submitter open incidents by hand, as a signal would.
	Config    ingest.Config
	Submitter ingest.Submitter

	Incidents Incidents
	Actions   Actions
	Listing   Listing
	Overrides Overrides

	Auth     *auth.Service
	Sessions *auth.Sessions
	Requests Requests

	// Texts is nil where SMS is not configured.
	Texts    Texts
	Replies  Replies
	Receipts Receipts
	People   notify.People
	// Directory is who stands behind targets, and policies.
	Directory escalation.Directory
	Works     func(notify.Medium) bool

	Live    *Live
	Health  Health
	Metrics *Metrics

	Pages Pages
}

// edge is the state of the handlers.
type edge struct {
	Deps
	// errorPage shows a person what went wrong; nil writes it as plain text.
	errorPage func(c echo.Context, p Problem) error
	kept      atomic.Pointer[listing]
	// simulating is shared by all who simulate.
	simulating turns
}

// How long a request may take and how large its body may be, where the route
// says nothing else.
const (
	requestTime = 20 * time.Second
	mostBody    = 1 << 20
)

// New makes the edge: every route, ready to serve.
func New(d Deps) *echo.Echo {
	h := &edge{Deps: d, simulating: make(turns, mostSimulations)}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.fail
	e.IPExtractor = remoteBehind(d.TrustedProxies)
	e.Use(h.observe)

	h.signalRoutes(routes{echo: e})
	h.probeRoutes(routes{echo: e})
	routes{echo: e}.get(static.Prefix+"*", echo.WrapHandler(static.Handler()))
	h.twilioRoutes(routes{echo: e, behind: []echo.MiddlewareFunc{limitBody(mostForm), limitTime}})

	compress := middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024})
	sameOrigin := h.sameOrigin()
	browser := routes{echo: e, behind: []echo.MiddlewareFunc{h.browserHeaders, sameOrigin, h.session}}
	h.liveRoutes(browser)
	h.pageRoutes(browser.with(compress, limitBody(mostBody), limitTime, legibleForm))
	h.apiRoutes(routes{echo: e, behind: []echo.MiddlewareFunc{
		noStore, sameOrigin, h.sessionUnlessToken, compress, limitBody(mostBody), limitTime, legibleQuery,
	}})
	return e
}

// remoteBehind finds the address that a request came from: the nearest in
// X-Forwarded-For that is no proxy's. Limits go by it, so that nobody is believed
// who was not named, on whatever network they are.
func remoteBehind(proxies []*net.IPNet) echo.IPExtractor {
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		trust = append(trust, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// routes registers handlers behind the same middleware, the first outermost.
// Groups of echo would answer 404 where a path exists and its method does not.
type routes struct {
	echo   *echo.Echo
	behind []echo.MiddlewareFunc
}

func (r routes) with(more ...echo.MiddlewareFunc) routes {
	return routes{echo: r.echo, behind: append(append([]echo.MiddlewareFunc(nil), r.behind...), more...)}
}

func (r routes) add(method, path string, handle echo.HandlerFunc) {
	r.echo.Add(method, path, handle, r.behind...)
}

// get answers HEAD too: net/http leaves the body out.
func (r routes) get(path string, handle echo.HandlerFunc) {
	r.add(http.MethodGet, path, handle)
	r.add(http.MethodHead, path, handle)
}

func (r routes) post(path string, handle echo.HandlerFunc) { r.add(http.MethodPost, path, handle) }

// secure reports whether the public address is https.
func (h *edge) secure() bool { return strings.HasPrefix(h.PublicURL, "https://") }

func (h *edge) incidentURL(number int64) string {
	return h.PublicURL + "/incidents/" + formatInt(number)
}

// limitTime ends a request's work when it takes too long. What is left to do once
// its handler has returned, such as to show a failure, is not bound by it.
func limitTime(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		whole := c.Request()
		ctx, cancel := context.WithTimeout(whole.Context(), requestTime)
		defer cancel()
		c.SetRequest(whole.WithContext(ctx))
		defer c.SetRequest(whole)
		return next(c)
	}
}

// limitBody refuses to read more than so many bytes: see fail.
func limitBody(most int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
			return next(c)
		}
	}
}
