package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// failure is the notify.Failure of an error. By RFC 5321 a reply of 4xx is temporary
// and one of 5xx permanent. The server accepts a message when it has read its end, so
// the outcome is uncertain only where the connection was lost after that.
func (s *Sender) failure(ctx context.Context, err error, recipient string) *notify.Failure {
	var send *gomail.SendError
	var reply *textproto.Error
	var offline net.Error
	f := &notify.Failure{Cause: s.masked(err.Error(), recipient)}
	switch {
	case errors.As(err, &send) && send.ErrorCode() != 0:
		f.Reason = "Email: " + said(send)
		f.Permanent = send.ErrorCode() >= 500
		f.Scope = scope(send.ErrorCode(), send.Reason == gomail.ErrSMTPMailFrom)
	case errors.As(err, &reply): // before any message: to the greeting, to EHLO, to a sign-in
		f.Reason = "Email: " + oneLine(fmt.Sprintf("%d %s", reply.Code, reply.Msg))
		f.Permanent = reply.Code >= 500
		f.Scope = scope(reply.Code, true)
	case ctx.Err() != nil:
		f.Reason = notify.Unanswered(ctx, server, err)
		f.Scope, f.Uncertain = notify.ScopeProvider, lostAfterData(send)
	case send != nil:
		f.Reason = server + " broke off the connection"
		f.Scope, f.Uncertain = notify.ScopeProvider, lostAfterData(send)
	case errors.As(err, &offline), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.Reason = notify.Unanswered(ctx, server, err)
		f.Scope = notify.ScopeProvider
		if notify.Unreached(err) {
			f.Scope = notify.ScopeChannel
		}
	default:
		f.Reason = "Email: " + s.misconfigured(err)
		f.Scope, f.Permanent = notify.ScopeChannel, true
	}
	f.Reason = s.masked(f.Reason, recipient)
	return f
}

// scope is what a reply is about. 421 closes the service for a while; a sign-in that is
// refused or missing (530 to 538), and whatever is refused before a recipient is named,
// is about us.
func scope(code int, beforeRecipient bool) notify.Scope {
	switch {
	case code == 421:
		return notify.ScopeProvider
	case code >= 530 && code <= 538, beforeRecipient && code >= 500:
		return notify.ScopeChannel
	case beforeRecipient:
		return notify.ScopeProvider
	}
	return notify.ScopeMessage
}

// server is what carries email, as a sentence begins with it.
const server = "The mail server"

func lostAfterData(send *gomail.SendError) bool {
	return send != nil && send.Reason == gomail.ErrSMTPDataClose
}

// misconfigured is the reason where the URL of the server can never work.
func (s *Sender) misconfigured(err error) string {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted: " + strings.TrimPrefix(certificate.Err.Error(), "x509: ")
	case errors.As(err, &record):
		return "the server does not speak TLS from the first byte: the URL should begin with smtp://"
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return "the server offers no STARTTLS: it needs ?starttls=optional or off in the URL, or a better server"
	}
	return err.Error()
}

// said extracts the server's reply from the error of the library, which adds its own
// text and may quote the reply as net/textproto does.
func said(send *gomail.SendError) string {
	text := strings.TrimPrefix(send.Error(), send.Reason.String()+": ")
	code, rest, _ := strings.Cut(text, " ")
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		words, _ := strconv.Unquote(quoted) // it has just been found to be quoted
		return oneLine(code + " " + words)
	}
	text, _, _ = strings.Cut(text, ", affected ")
	return oneLine(text)
}

// masked removes the password and the recipient's address, which a server may repeat.
func (s *Sender) masked(text, recipient string) string {
	if s.server.password != "" {
		text = strings.ReplaceAll(text, s.server.password, "xxxxx")
	}
	if recipient != "" {
		text = strings.ReplaceAll(text, recipient, "the recipient")
	}
	return text
}
