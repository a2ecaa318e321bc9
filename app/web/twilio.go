package web

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Texts reads what the carrier of SMS sends to us.
type Texts interface {
	// Signed reports whether the carrier made a request. It parses the form.
	Signed(r *http.Request) bool
	Inbound(form url.Values) (Text, error)
	Status(form url.Values) (TextStatus, error)
	// Answer is the document that replies to an inbound text; without words, one
	// that says nothing.
	Answer(words string) []byte
}

// Text is an SMS that somebody sent us.
type Text struct {
	ID   string // the carrier's
	From string
	Body string
}

// TextStatus is what the carrier says of an attempt.
type TextStatus struct {
	ProviderID string
	// State is "sent", "delivered" or "failed"; empty says nothing new.
	State string
	// Failure is why it failed, in words.
	Failure string
}

// Receipts keeps what providers say later of an attempt.
type Receipts interface {
	Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func([]int64) (notify.ContactMethod, bool), now time.Time) error
}

// mostForm is far more than any form of the carrier's, in bytes.
const mostForm = 64 << 10

func (h *edge) twilioRoutes(r routes) {
	r.post("/twilio/sms", h.signedByCarrier(h.inboundText))
	r.post("/twilio/status/:attempt", h.signedByCarrier(h.textStatus))
}

// signedByCarrier lets nothing pass that the carrier did not sign.
func (h *edge) signedByCarrier(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h.Texts == nil {
			return fault.NotFound("SMS is not configured here.")
		}
		if !h.Texts.Signed(c.Request()) {
			h.Log.WarnContext(c.Request().Context(), "a callback bears no signature of the carrier's; nothing was done", "path", c.Path(), "remote", c.RealIP())
			return fault.Forbidden("The signature is not the carrier's. Look whether TOCSIN_PUBLIC_URL is the address that it calls.")
		}
		return next(c)
	}
}

// inboundText obeys a text message once, however often it is delivered.
func (h *edge) inboundText(c echo.Context) error {
	ctx := c.Request().Context()
	in, err := h.Texts.Inbound(c.Request().PostForm)
	if err != nil {
		return fault.Malformed("This is no inbound message.").Because(err)
	}
	sum := sha256.Sum256([]byte(in.From + "\x00" + in.Body))
	request := &auth.IdempotentRequest{Actor: "twilio", Key: in.ID, Hash: sum[:]}
	kept, err := h.Requests.BeginRequest(ctx, request)
	if err != nil {
		return err
	}
	if kept != nil {
		return c.Blob(kept.Status, echo.MIMEApplicationXMLCharsetUTF8, kept.Body)
	}
	words, err := h.reply(ctx, in.From, in.Body)
	// What is kept of it is kept even if the carrier has hung up.
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		h.Log.ErrorContext(ctx, "a text could not be obeyed", "error", err)
		if err := h.Requests.ForgetRequest(ctx, request); err != nil {
			h.Log.ErrorContext(ctx, "a text stays marked as being at work", "error", err)
		}
		return c.Blob(http.StatusOK, echo.MIMEApplicationXMLCharsetUTF8, h.Texts.Answer(troubledText))
	}
	answer := h.Texts.Answer(words)
	if err := h.Requests.FinishRequest(ctx, request, auth.KeptAnswer{Status: http.StatusOK, Body: answer}); err != nil {
		h.Log.ErrorContext(ctx, "the answer to a text could not be kept", "error", err)
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationXMLCharsetUTF8, answer)
}

// textStatus keeps what became of an attempt. It may come before our own
// commit, twice or late; an attempt that failed after all falls over.
func (h *edge) textStatus(c echo.Context) error {
	attempt, err := strconv.ParseInt(c.Param("attempt"), 10, 64)
	if err != nil {
		return fault.NotFound("There is no such attempt.")
	}
	status, err := h.Texts.Status(c.Request().PostForm)
	if err != nil {
		return fault.Malformed("This is no status of a message.").Because(err)
	}
	if status.State == "" { // on its way, or a word that nobody here knows
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
