package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/static"
)

const (
	requestIDKey = "request id"
	sessionKey   = "session" // set once a session is loaded
)

// RequestID identifies a request in the log. It is made on first use: most
// signals never need one.
func RequestID(c echo.Context) string {
	if id, ok := c.Get(requestIDKey).(string); ok {
		return id
	}
	id := rand.Text()[:16]
	c.Set(requestIDKey, id)
	return id
}

// observe wraps every request: it turns a panic into an answer and writes the
// access log. Accepted signals are only counted in the metrics, since there may
// be thousands a second.
func (r *Router) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := r.Now()
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		if r.secure() {
			c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if err := r.recoverPanic(next, c); err != nil {
			c.Error(err)
		}
		if c.Response().Status == http.StatusAccepted && r.isSignalPath(c.Path()) {
			return nil
		}
		request := c.Request()
		r.Log.LogAttrs(request.Context(), accessLevel(c), "request",
			slog.String("method", request.Method), slog.String("path", loggedPath(c)), slog.Int("status", c.Response().Status),
			slog.Int64("bytes", c.Response().Size), slog.Duration("took", r.Now().Sub(start)),
			slog.String("remote", c.RealIP()), slog.String("request", RequestID(c)))
		return nil
	}
}

// recoverPanic turns a panic into an error. http.ErrAbortHandler is left to
// net/http.
func (r *Router) recoverPanic(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if cause, ok := p.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
			panic(p)
		}
		err = fault.Internal(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
	}()
	return next(c)
}

func accessLevel(c echo.Context) slog.Level {
	switch c.Path() {
	case "/healthz", "/readyz", "/metrics", static.Prefix + "*":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// maxLoggedSegment is the longest segment of an unknown path that is logged, in
// bytes: keys and tokens are longer.
const maxLoggedSegment = 20

// loggedPath is the path without the keys and tokens that may stand in it. The
// query is never logged.
func loggedPath(c echo.Context) string {
	route, path := c.Path(), c.Request().URL.Path
	if strings.Contains(route, ":key") || strings.Contains(route, ":token") {
		return route
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if len(s) > maxLoggedSegment && (route == "" || route == path) {
			segments[i] = "…"
		}
	}
	return strings.Join(segments, "/")
}

// contentPolicy is the Content-Security-Policy of every page: nothing inline,
// nothing from other origins, no frames. Images in style sheets are data URLs.
const contentPolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (r *Router) browserHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Content-Security-Policy", contentPolicy)
		header.Set("X-Frame-Options", "DENY")
		// Links in messages are secrets. An empty referrer would also empty the
		// Origin header that checkOrigin reads.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		header.Set("X-Request-Id", RequestID(c))
		header.Set("Cache-Control", "no-store")
		return next(c)
	}
}

func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Request-Id", RequestID(c))
		return next(c)
	}
}

// checkOrigin rejects posts that a page of another origin made the browser send.
// Clients that are no browsers send no origin and pass.
func (r *Router) checkOrigin() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(r.PublicURL); err != nil {
		r.Log.Warn("public URL is not an origin; cross-origin checks use the Host header", "public_url", r.PublicURL, "error", err)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return fault.Forbidden("This request came from another site, so it was refused.").Because(err)
			}
			return next(c)
		}
	}
}

// session loads the browser's session and saves what the handler changes in it.
// An error of the handler is answered inside, so that its page can use the session.
func (r *Router) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		response := c.Response()
		outer := response.Writer
		defer func() { response.Writer = outer }()
		var failure error
		manager := *r.Sessions.SessionManager
		manager.ErrorFunc = func(_ http.ResponseWriter, _ *http.Request, err error) {
			failure = fault.Unavailable("Your session cannot be read now. Try again in a moment.").Because(err)
		}
		manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			response.Writer = w
			c.SetRequest(request)
			c.Set(sessionKey, true)
			if err := next(c); err != nil {
				c.Error(err)
			}
		})).ServeHTTP(outer, c.Request())
		return failure
	}
}

// sessionUnlessToken loads no session for a request with an API token.
func (r *Router) sessionUnlessToken(next echo.HandlerFunc) echo.HandlerFunc {
	session := r.session(next)
	return func(c echo.Context) error {
		if _, ok := BearerToken(c.Request()); ok {
			return next(c)
		}
		return session(c)
	}
}

// BearerToken is the token of an Authorization header.
func BearerToken(r *http.Request) (token string, ok bool) {
	const scheme = "bearer "
	value := r.Header.Get("Authorization")
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(value[len(scheme):]), true
}
