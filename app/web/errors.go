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

// statusOf is the one table of what a kind of fault is answered with.
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

// fail answers a request that ended in an error: a problem document to
// programs, a page to people. The cause goes to the log alone.
func (h *edge) fail(err error, c echo.Context) {
	p := problemOf(err)
	p.Reference = requestID(c)
	h.logFailure(c, p, err)
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(retryAfter(err, p.Status)))
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="Tocsin"`)
	}
	header.Set("Cache-Control", "no-store")
	if answered := h.showFailure(c, p); answered != nil && !c.Response().Committed {
		h.Log.ErrorContext(c.Request().Context(), "a failure could not be shown", "request", p.Reference, "error", answered)
		_ = c.String(p.Status, p.Detail+"\n")
	}
}

func (h *edge) showFailure(c echo.Context, p Problem) error {
	switch path := c.Request().URL.Path; {
	case c.Request().Method == http.MethodHead:
		return c.NoContent(p.Status)
	case h.forPrograms(path):
		return writeProblem(c, p)
	case h.errorPage == nil:
		return c.String(p.Status, p.Detail+"\n")
	default:
		return h.errorPage(c, p)
	}
}

// forPrograms tells addresses that no person opens in a browser.
func (h *edge) forPrograms(path string) bool {
	if h.isHook(path) {
		return true
	}
	for _, prefix := range []string{"/api/", "/webhooks/", "/twilio/", livePath, "/metrics", "/healthz", "/readyz"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// problemOf turns any error into what may be shown of it.
func problemOf(err error) Problem {
	f := faultOf(err)
	p := Problem{Status: statusOf[f.Kind], Detail: f.Message, Errors: f.Fields}
	var routing *echo.HTTPError
	if errors.As(err, &routing) && routing.Code == http.StatusMethodNotAllowed {
		p.Status, p.Detail = http.StatusMethodNotAllowed, "This address does not take that method."
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// faultOf finds the fault in an error, or says what kind an error of the
// libraries beneath us is.
func faultOf(err error) *fault.Error {
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

// unreceived is what a body that could not be read to its end is answered with.
// It is the sender's connection that broke, and nothing of ours.
func unreceived(err error) error {
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

// routingFault reads the errors of the router and of its middleware.
func routingFault(err *echo.HTTPError) *fault.Error {
	switch err.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return errNowhere
	case http.StatusBadRequest:
		return fault.Malformed("The request cannot be read.").Because(err)
	}
	return fault.Internal(err)
}

// retryAfter is in whole seconds, at least one.
func retryAfter(err error, status int) int {
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

// logFailure writes what the client is not told. What clients get wrong is
// seen in the access log.
func (h *edge) logFailure(c echo.Context, p Problem, err error) {
	ctx := c.Request().Context()
	level := slog.LevelDebug
	switch {
	case p.Status == http.StatusInternalServerError:
		level = slog.LevelError
	case p.Status == http.StatusServiceUnavailable && ctx.Err() == nil:
		level = slog.LevelWarn
	}
	h.Log.Log(ctx, level, "a request failed", "request", p.Reference, "route", c.Path(), "status", p.Status, "error", err)
}

// errNowhere answers a path that leads nowhere.
var errNowhere = fault.NotFound("There is nothing at this address.")
