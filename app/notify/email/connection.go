package email

import (
	"context"
	"crypto/tls"
	"net"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// connected runs work on a new, authenticated connection. The SMTP library ignores
// cancellation and sets deadlines of its own, so the connection is closed when ctx
// ends.
func (s *Sender) connected(ctx context.Context, work func(*gomail.Client, *smtp.Client) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // closes the connection in any case
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = raw.Close() })
		return s.secured(dialing, raw)
	}
	client, err := gomail.NewClient(s.server.Host, s.options(dial)...)
	if err != nil {
		return err
	}
	conversation, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	if err := work(client, conversation); err != nil {
		return err
	}
	_ = conversation.Quit() // the work is done, so its error does not matter
	return nil
}

// secured starts TLS for Implicit.
func (s *Sender) secured(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if s.server.Security != Implicit {
		return raw, nil
	}
	secure := tls.Client(raw, s.tls)
	return secure, secure.HandshakeContext(ctx)
}

func (s *Sender) options(dial gomail.DialContextFunc) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(s.server.Port),
		gomail.WithTimeout(callTimeout),
		gomail.WithTLSConfig(s.tls),
		gomail.WithDialContextFunc(dial),
		gomail.WithoutNoop(),
		gomail.WithoutRset(),
		gomail.WithTLSPolicy(policies[s.server.Security]),
	}
	if s.server.Security == Implicit {
		options = append(options, gomail.WithSSL())
	}
	if s.server.User != "" {
		options = append(options,
			gomail.WithUsername(s.server.User),
			gomail.WithPassword(s.server.password),
			gomail.WithOpportunisticSMTPAuth(s.mechanisms()...))
	}
	return options
}

var policies = map[Security]gomail.TLSPolicy{
	Required: gomail.TLSMandatory,
	Optional: gomail.TLSOpportunistic,
	Off:      gomail.NoTLS,
	Implicit: gomail.TLSMandatory, // the connection is TLS already
}

// mechanisms are the authentication mechanisms in order of preference. Without TLS a
// password is sent only to a server on this machine or where the URL has starttls=off.
func (s *Sender) mechanisms() []gomail.SMTPAuthType {
	mechanisms := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5}
	if s.server.Security == Off {
		return append(mechanisms, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc)
	}
	return append(mechanisms, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
}
