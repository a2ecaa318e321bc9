package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// statusOf maps each kind of fault to its status.
var statusOf = map[fault.Kind]int{
	fault.KindInvalid:      http.StatusUnprocessableEntity,
	fault.KindMalformed:    http.StatusBadRequest,
	fault.KindUnauthorized: http.StatusUnauthorized,
	fault.KindForbidden:    http.StatusForbidden,
	fault.KindNotFound:     http.StatusNotFound,
	fault.KindConflict:     http.StatusConflict,
	fault.KindGone:         http.StatusGone,
	fault.KindTooLarge:     http.StatusRequestEntityTooLarge,
	fault.KindUnsupported:  http.StatusUnsupportedMediaType,
	fault.KindLimited:      http.StatusTooManyRequests,
	fault.KindUnavailable:  http.StatusServiceUnavailable,
	fault.KindInternal:     http.StatusInternalServerError,
}

// When a client may try again, where nothing says otherwise.
const (
	retryUnavailable = 2 * time.Second
	retryLimited     = time.Minute
)

// fail answers a request that ended in an error: a problem document for
// programs, a page for people. The cause goes to the log only.
func (r *Router) fail(err error, c echo.Context) {
	p := ProblemOf(err)
	p.Reference = RequestID(c)
	r.logError(c, p, err)
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	setRetryAfter(header, err, p.Status)
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="Tocsin"`)
	}
	header.Set("Cache-Control", "no-store")
	if err := r.writeError(c, p); err != nil && !c.Response().Committed {
		r.Log.ErrorContext(c.Request().Context(), "write error page", "request", p.Reference, "error", err)
		_ = c.String(p.Status, p.Detail+"\n")
	}
}

// Failed logs the error of a request that its handler answers itself, and sets
// Retry-After where the status asks for it. The answer is not written yet.
func (r *Router) Failed(c echo.Context, status int, err error) {
	p := ProblemOf(err)
	p.Status, p.Reference = status, RequestID(c)
	r.logError(c, p, err)
	setRetryAfter(c.Response().Header(), err, status)
}

func setRetryAfter(header http.Header, err error, status int) {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(RetryAfter(err, status)))
	}
}

func (r *Router) writeError(c echo.Context, p Problem) error {
	switch path := c.Request().URL.Path; {
	case c.Request().Method == http.MethodHead:
		return c.NoContent(p.Status)
	case r.isProgramPath(path):
		return writeProblem(c, p)
	case r.errorPage == nil:
		return c.String(p.Status, p.Detail+"\n")
	default:
		return r.writeErrorPage(c, p)
	}
}

// writeErrorPage gives the error page time of its own: the handler may have used
// up what limitTime gave it. It also loads the session of a request that matched
// no route, and so no middleware; changes to that session are not saved.
func (r *Router) writeErrorPage(c echo.Context, p Problem) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), requestTimeout)
	defer cancel()
	c.SetRequest(c.Request().WithContext(ctx))
	if cookie, err := c.Cookie(auth.SessionCookie); err == nil && c.Get(sessionKey) == nil {
		if ctx, err := r.Sessions.Load(ctx, cookie.Value); err == nil {
			c.SetRequest(c.Request().WithContext(ctx))
			c.Set(sessionKey, true)
		}
	}
	return r.errorPage(c, p)
}

// isProgramPath reports whether a path is called by programs, not by people.
func (r *Router) isProgramPath(path string) bool {
	if r.isSignalPath(path) {
		return true
	}
	for _, prefix := range []string{"/api/", "/webhooks/", "/twilio/", livePath, "/metrics", "/healthz", "/readyz"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// ProblemOf is what may be shown of any error.
func ProblemOf(err error) Problem {
	f := FaultOf(err)
	p := Problem{Status: statusOf[f.Kind], Detail: f.Message, Errors: f.Fields}
	var routing *echo.HTTPError
	if errors.As(err, &routing) && routing.Code == http.StatusMethodNotAllowed {
		p.Status, p.Detail = http.StatusMethodNotAllowed, "This address does not take that method."
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// FaultOf finds the fault in an error, or picks one for an error of the standard
// library and of echo.
func FaultOf(err error) *fault.Error {
	var f *fault.Error
	var large *http.MaxBytesError
	var routing *echo.HTTPError
	var network net.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &large):
		return fault.TooLarge("The body is larger than %d KiB.", large.Limit>>10)
	case errors.As(err, &routing):
		return routingFault(routing)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &network):
		return fault.Unavailable("Tocsin cannot answer now. Try again in a moment.").Because(err)
	}
	return fault.Internal(err)
}

// BodyError turns the error of reading a body to its end into a fault: the
// sender's connection broke, which is no internal error.
func BodyError(err error) error {
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil, errors.As(err, &large), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &network) && network.Timeout():
		return fault.Unavailable("The body did not arrive in time, and nothing was done. Send it again.").Because(err)
	case errors.As(err, &network):
		return err
	}
	return fault.Malformed("The body broke on its way: it is cut off, or its parts do not fit together. Nothing was done.").Because(err)
}

// routingFault maps the errors of echo and of its middleware.
func routingFault(err *echo.HTTPError) *fault.Error {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return ErrNoRoute
	case http.StatusBadRequest:
		return fault.Malformed("The request cannot be read.").Because(err)
	}
	return fault.Internal(err)
}

// RetryAfter is the header of that name for an error that is answered with a status,
// in whole seconds, at least one.
func RetryAfter(err error, status int) int {
	wait := retryUnavailable
	if status == http.StatusTooManyRequests {
		wait = retryLimited
	}
	var limited *auth.Wait
	if errors.As(err, &limited) {
		wait = limited.For
	} else if told, ok := ingest.RetryAfter(err); ok {
		wait = told
	}
	return max(1, int((wait+time.Second-1)/time.Second))
}

// logError logs the cause, which the client does not get. Client errors are at
// level debug, since the access log has them.
func (r *Router) logError(c echo.Context, p Problem, err error) {
	ctx := c.Request().Context()
	level := slog.LevelDebug
	switch {
	case p.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case p.Status == http.StatusServiceUnavailable && ctx.Err() == nil:
		level = slog.LevelWarn
	}
	r.Log.Log(ctx, level, "request failed", "request", p.Reference, "route", c.Path(), "status", p.Status, "error", err)
}

// ErrNoRoute answers a path that has no route.
var ErrNoRoute = fault.NotFound("There is nothing at this address.")
