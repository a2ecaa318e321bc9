// Package web is what the slices of the HTTP interface share: the router and its
// middleware, who makes a request, the answers to errors, probes, metrics and the
// live stream. The slices are web/hook (signals), web/callback (providers),
// web/api and the packages under web/page; each mounts its routes on a Router.
// errors.go alone maps faults to answers.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/static"
)

// Deps is what the Router needs. All are required unless stated otherwise.
type Deps struct {
	// PublicURL is how people and providers reach Tocsin, without a trailing
	// slash.
	PublicURL string
	// TrustedProxies are the networks whose X-Forwarded-For is trusted; empty
	// trusts none.
	TrustedProxies []*net.IPNet

	Now func() time.Time
	Log *slog.Logger

	Auth     *auth.Service
	Sessions *auth.Sessions

	Live    *Live
	Health  Health
	Metrics *Metrics
}

// Router serves HTTP. It has the routes of this package; slices add theirs by
// Signals, Callbacks, Pages and API, which differ in middleware.
type Router struct {
	Deps
	echo *echo.Echo
	// sameOrigin rejects cross-site posts.
	sameOrigin echo.MiddlewareFunc
	// errorPage renders an error for people; nil writes it as plain text.
	errorPage func(c echo.Context, p Problem) error
	// signalPaths are those that senders post to.
	signalPaths []string
}

const (
	// requestTimeout is how long a request may take where its route sets no limit
	// of its own.
	requestTimeout = 20 * time.Second
	// MaxBody bounds the body of a request to a page or to the API, in bytes.
	MaxBody = 1 << 20
)

// New makes a Router with the routes of this package: probes, metrics, static
// files and the live stream.
func New(d Deps) *Router {
	r := &Router{Deps: d, echo: echo.New()}
	r.echo.HideBanner, r.echo.HidePort = true, true
	r.echo.HTTPErrorHandler = r.fail
	r.echo.IPExtractor = clientAddress(d.TrustedProxies)
	r.echo.Use(r.observe)
	r.sameOrigin = r.checkOrigin()

	r.probeRoutes(Routes{echo: r.echo})
	Routes{echo: r.echo}.Get(static.Prefix+"*", echo.WrapHandler(static.Handler()))
	// A stream has no end that a HEAD could wait for.
	r.browser().Add(http.MethodGet, livePath, r.live)
	return r
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.echo.ServeHTTP(w, request)
}

// Routes are all that were added, in no particular order.
func (r *Router) Routes() []*echo.Route { return r.echo.Routes() }

// SetErrorPage has errors of pages rendered by show, within the request's session
// and a new time limit. A nil show, as at first, writes plain text.
func (r *Router) SetErrorPage(show func(c echo.Context, p Problem) error) { r.errorPage = show }

// Signals are the routes of the hot path below a path that senders post to: no
// session, no compression, no limits but those of the handler. Accepted requests
// are left out of the access log.
func (r *Router) Signals(path string) Routes {
	r.signalPaths = append(r.signalPaths, path)
	return Routes{echo: r.echo}
}

// isSignalPath reports whether a path begins with one that senders post to.
func (r *Router) isSignalPath(path string) bool {
	for _, prefix := range r.signalPaths {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// Callbacks are the routes that providers call, with bodies of at most maxBody
// bytes.
func (r *Router) Callbacks(maxBody int64) Routes {
	return Routes{echo: r.echo, middleware: []echo.MiddlewareFunc{limitBody(maxBody), limitTime}}
}

// Pages are the routes that people open in a browser. Their forms are parsed and
// checked before the handler runs.
func (r *Router) Pages() Routes {
	return r.browser().with(compress, limitBody(MaxBody), limitTime, checkForm)
}

// API are the routes of the REST API, for a token or a session.
func (r *Router) API() Routes {
	return Routes{echo: r.echo, middleware: []echo.MiddlewareFunc{
		noStore, r.sameOrigin, r.sessionUnlessToken, compress, limitBody(MaxBody), limitTime, checkQuery,
	}}
}

// browser are the routes that a browser calls with its session.
func (r *Router) browser() Routes {
	return Routes{echo: r.echo, middleware: []echo.MiddlewareFunc{r.browserHeaders, r.sameOrigin, r.session}}
}

var compress = middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024})

// clientAddress finds the address that a request came from: the nearest in
// X-Forwarded-For that is no trusted proxy's. Rate limits go by it, so only
// configured networks are trusted, private ones included.
func clientAddress(proxies []*net.IPNet) echo.IPExtractor {
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		trust = append(trust, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// Routes registers handlers behind the same middleware, the first outermost.
// Groups of echo would answer 404 where a path exists and its method does not.
type Routes struct {
	echo       *echo.Echo
	middleware []echo.MiddlewareFunc
}

func (r Routes) with(more ...echo.MiddlewareFunc) Routes {
	return Routes{echo: r.echo, middleware: append(append([]echo.MiddlewareFunc(nil), r.middleware...), more...)}
}

// Add registers a handler for one method.
func (r Routes) Add(method, path string, handle echo.HandlerFunc) {
	r.echo.Add(method, path, handle, r.middleware...)
}

// Get registers a handler for GET and HEAD: net/http leaves the body out.
func (r Routes) Get(path string, handle echo.HandlerFunc) {
	r.Add(http.MethodGet, path, handle)
	r.Add(http.MethodHead, path, handle)
}

// Post registers a handler for POST.
func (r Routes) Post(path string, handle echo.HandlerFunc) { r.Add(http.MethodPost, path, handle) }

// secure reports whether the public address is https.
func (r *Router) secure() bool { return strings.HasPrefix(r.PublicURL, "https://") }

// limitTime cancels a request's context after requestTimeout. What happens after
// the handler has returned, such as rendering an error, is not bound by it.
func limitTime(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		original := c.Request()
		ctx, cancel := context.WithTimeout(original.Context(), requestTimeout)
		defer cancel()
		c.SetRequest(original.WithContext(ctx))
		defer c.SetRequest(original)
		return next(c)
	}
}

// limitBody refuses to read more than maxBytes: see fail.
func limitBody(maxBytes int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, maxBytes)
			return next(c)
		}
	}
}
