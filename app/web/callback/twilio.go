// Package callback takes what providers send: inbound SMS and delivery reports.
package callback

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/reply"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Texts reads the callbacks of the SMS provider.
type Texts interface {
	// Available reports whether SMS is set up.
	Available() bool
	// Signed reports whether a request has the provider's signature. It parses the
	// form.
	Signed(r *http.Request) bool
	Inbound(form url.Values) (Text, error)
	Status(form url.Values) (TextStatus, error)
	// Answer is the document that replies to an inbound text; for an empty text, one
	// that sends no reply.
	Answer(text string) []byte
}

// Text is an inbound SMS.
type Text struct {
	ID   string // the provider's
	From string
	Body string
}

// TextStatus is a delivery report.
type TextStatus struct {
	ProviderID string
	// State is "sent", "delivered" or "failed"; empty for any other.
	State string
	// Failure is why it failed, in words.
	Failure string
}

// Receipts stores delivery reports.
type Receipts interface {
	Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func([]int64) (notify.ContactMethod, bool), now time.Time) error
}

// Replies carries out an inbound text and returns the answer: reply.Service. known is
// false for a number that is nobody's, whose text does nothing.
type Replies interface {
	Reply(ctx context.Context, from, text string) (answer string, known bool, err error)
}

// Deps is what the routes need.
type Deps struct {
	Texts    Texts
	Replies  Replies
	Receipts Receipts
	Requests web.Requests
	People   notify.People
	Works    func(notify.Medium) bool
	Now      func() time.Time
	Log      *slog.Logger
}

// maxForm bounds the form of a callback, in bytes: far more than the provider
// sends.
const maxForm = 64 << 10

// Mount adds the routes that providers call.
func Mount(r *web.Router, d Deps) {
	h := handlers{d}
	routes := r.Callbacks(maxForm)
	routes.Post("/twilio/sms", h.checkSignature(h.inboundText))
	routes.Post("/twilio/status/:attempt", h.checkSignature(h.textStatus))
}

type handlers struct{ Deps }

// checkSignature rejects what the provider did not sign.
func (h handlers) checkSignature(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !h.Texts.Available() {
			return fault.NotFound("SMS is not set up here.")
		}
		if !h.Texts.Signed(c.Request()) {
			h.Log.WarnContext(c.Request().Context(), "callback without valid signature", "path", c.Path(), "remote", c.RealIP())
			return fault.Forbidden("The signature is not the carrier's. Check that TOCSIN_PUBLIC_URL is the address that it calls.")
		}
		return next(c)
	}
}

// inboundText carries out a text once, however often and however late it is delivered.
// Texts of strangers are not recorded, so that they take no space.
func (h handlers) inboundText(c echo.Context) error {
	ctx := c.Request().Context()
	in, err := h.Texts.Inbound(c.Request().PostForm)
	if err != nil {
		return fault.Malformed("This is no inbound message.").Because(err)
	}
	sum := sha256.Sum256([]byte(in.From + "\x00" + in.Body))
	request := &auth.IdempotentRequest{Actor: auth.TextsActor, Key: in.ID, Hash: sum[:]}
	kept, err := h.Requests.BeginRequest(ctx, request)
	if err != nil {
		return err
	}
	if kept != nil {
		return c.Blob(kept.Status, echo.MIMEApplicationXMLCharsetUTF8, kept.Body)
	}
	words, known, err := h.Replies.Reply(ctx, in.From, in.Body)
	// The answer is stored even if the provider has disconnected.
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		h.Log.ErrorContext(ctx, "reply failed", "error", err)
		words = reply.FailedText
	}
	if err != nil || !known {
		if err := h.Requests.ForgetRequest(ctx, request); err != nil {
			h.Log.ErrorContext(ctx, "forget request", "error", err)
		}
		return c.Blob(http.StatusOK, echo.MIMEApplicationXMLCharsetUTF8, h.Texts.Answer(words))
	}
	answer := h.Texts.Answer(words)
	if err := h.Requests.FinishRequest(ctx, request, auth.KeptAnswer{Status: http.StatusOK, Body: answer}); err != nil {
		h.Log.ErrorContext(ctx, "store answer", "error", err)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationXMLCharsetUTF8, answer)
}

// textStatus stores a delivery report. It may come before our own commit, twice or
// late; an attempt that failed falls over to the next contact method.
func (h handlers) textStatus(c echo.Context) error {
	attempt, err := strconv.ParseInt(c.Param("attempt"), 10, 64)
	if err != nil {
		return fault.NotFound("There is no such attempt.")
	}
	status, err := h.Texts.Status(c.Request().PostForm)
	if err != nil {
		return fault.Malformed("This is no status of a message.").Because(err)
	}
	if status.State == "" { // queued, or a status that is not known here
		return c.NoContent(http.StatusNoContent)
	}
	ctx := c.Request().Context()
	people, err := h.People.Recipients(ctx, 0)
	if err != nil {
		return err
	}
	next := func(userID int64) func([]int64) (notify.ContactMethod, bool) {
		return func(tried []int64) (notify.ContactMethod, bool) { return people[userID].FallOver(tried, h.Works) }
	}
	if err := h.Receipts.Report(ctx, attempt, status.State, status.ProviderID, status.Failure, next, h.Now()); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
