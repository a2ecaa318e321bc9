// Package email sends messages by SMTP: as text and as HTML, one thread for
// each incident.
package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// callTimeout bounds a delivery whose context has no earlier deadline.
const callTimeout = 30 * time.Second

// Config is a mail server and the sender of messages.
type Config struct {
	Server Server
	// From is "tocsin@example.com" or "Tocsin <tocsin@example.com>".
	From string
	// Roots are the certificate authorities for the server's certificate; nil for those
	// of the system.
	Roots *x509.CertPool
}

// Sender is the notify.Channel for email.
type Sender struct {
	server Server
	from   *mail.Address
	tls    *tls.Config
}

// New checks the configuration without connecting.
func New(config Config) (*Sender, error) {
	from, err := mail.ParseAddress(config.From)
	if err != nil {
		return nil, errors.New("the address to send email from is not valid: write tocsin@example.com or Tocsin <tocsin@example.com>")
	}
	if from.Name == "" {
		from.Name = "Tocsin"
	}
	return &Sender{
		server: config.Server,
		from:   from,
		tls:    &tls.Config{ServerName: config.Server.Host, RootCAs: config.Roots, MinVersion: tls.VersionTLS12},
	}, nil
}

// Deliver sends the message to the mail server. Mail servers do not report reliably
// what happens afterwards, so an accepted message counts as delivered.
func (s *Sender) Deliver(ctx context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	msg, err := s.compose(m)
	if err != nil {
		return notify.Receipt{}, &notify.Failure{Reason: "Email: the recipient's address is not valid", Permanent: true}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err = s.connected(ctx, func(client *gomail.Client, conversation *smtp.Client) error {
		return client.SendWithSMTPClient(conversation, msg)
	})
	if msg.IsDelivered() { // an error after that does not matter
		return notify.Receipt{ProviderID: msg.GetMessageID(), Delivered: true}, nil
	}
	return notify.Receipt{}, s.failure(ctx, err, m.To)
}

// Check connects and authenticates to the mail server.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := s.connected(ctx, func(*gomail.Client, *smtp.Client) error { return nil })
	if err != nil {
		return errors.New(s.failure(ctx, err, "").Reason)
	}
	return nil
}

// domain is the part of the sender's address that makes message ids unique.
func (s *Sender) domain() string {
	return s.from.Address[strings.LastIndexByte(s.from.Address, '@')+1:]
}
