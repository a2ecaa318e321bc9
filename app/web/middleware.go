package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	requestIDKey = "request id"
	sessionKey   = "session" // set where a session is loaded
)

// requestID is what the log knows a request by. It is made when it is first
// asked for: most signals never need one.
func requestID(c echo.Context) string {
	if id, ok := c.Get(requestIDKey).(string); ok {
		return id
	}
	id := rand.Text()[:16]
	c.Set(requestIDKey, id)
	return id
}

// observe surrounds every request: a panic is an answer too, and what was
// answered is logged. Signals that were accepted are counted in the metrics
// instead, since there may be thousands a second.
func (h *edge) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := h.Now()
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		if h.secure() {
			c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		if err := h.survive(next, c); err != nil {
			c.Error(err)
		}
		if c.Response().Status == http.StatusAccepted && h.isHook(c.Path()) {
			return nil
		}
		r := c.Request()
		h.Log.LogAttrs(r.Context(), accessLevel(c), "request",
			slog.String("method", r.Method), slog.String("path", loggedPath(c)), slog.Int("status", c.Response().Status),
			slog.Int64("bytes", c.Response().Size), slog.Duration("took", h.Now().Sub(begun)),
			slog.String("remote", c.RealIP()), slog.String("request", requestID(c)))
		return nil
	}
}

// survive turns a panic into an error. Aborting a response is left to net/http.
func (h *edge) survive(next echo.HandlerFunc, c echo.Context) (err error) {
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
	case "/healthz", "/readyz", "/metrics":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// longestLogged is the longest segment of an unknown path that is logged: keys
// and tokens are longer.
const longestLogged = 20

// loggedPath is the path without the keys and tokens that may stand in it. The
// query is never logged.
func loggedPath(c echo.Context) string {
	route, path := c.Path(), c.Request().URL.Path
	if strings.Contains(route, ":key") || strings.Contains(route, ":token") {
		return route
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if len(s) > longestLogged && (route == "" || route == path) {
			segments[i] = "…"
		}
	}
	return strings.Join(segments, "/")
}

// policy is the Content-Security-Policy of every page: nothing inline, nothing
// from elsewhere, no frames. Pictures within style sheets are data.
const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func (h *edge) browserHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Frame-Options", "DENY")
		// Links in messages are secrets. An empty referrer would also empty the
		// Origin that sameOrigin goes by.
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		header.Set("X-Request-Id", requestID(c))
		header.Set("Cache-Control", "no-store")
		return next(c)
	}
}

func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Request-Id", requestID(c))
		return next(c)
	}
}

// sameOrigin refuses what a page of another origin has a browser post. Clients
// that are no browsers say nothing of an origin and pass.
func (h *edge) sameOrigin() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(h.PublicURL); err != nil {
		h.Log.Warn("the public URL is no origin; posts are judged by the request's host alone", "error", err)
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

// session loads the browser's session and keeps what the handler changes of it.
// A failure is answered within, so that its page may use the session.
func (h *edge) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		response := c.Response()
		outer := response.Writer
		defer func() { response.Writer = outer }()
		var failure error
		manager := *h.Sessions.SessionManager
		manager.ErrorFunc = func(_ http.ResponseWriter, _ *http.Request, err error) {
			failure = fault.Unavailable("Your session cannot be read now. Try again in a moment.").Because(err)
		}
		manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			response.Writer = w
			c.SetRequest(r)
			c.Set(sessionKey, true)
			if err := next(c); err != nil {
				c.Error(err)
			}
		})).ServeHTTP(outer, c.Request())
		return failure
	}
}

// sessionUnlessToken spares a request with a token the look for a session.
func (h *edge) sessionUnlessToken(next echo.HandlerFunc) echo.HandlerFunc {
	session := h.session(next)
	return func(c echo.Context) error {
		if _, ok := bearer(c.Request()); ok {
			return next(c)
		}
		return session(c)
	}
}

// bearer is the token of an Authorization header.
func bearer(r *http.Request) (token string, ok bool) {
	const scheme = "bearer "
	value := r.Header.Get("Authorization")
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(value[len(scheme):]), true
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }
