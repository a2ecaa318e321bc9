package far

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is a message that the mail server took.
type Mail struct {
	// From and To are the envelope's.
	From string
	To   []string
	// Header is as sent; Subject is its subject with the encoding undone.
	Header  mail.Header
	Subject string
	// Text and HTML are the two forms of the body, or empty.
	Text, HTML string
	// Encrypted and User tell how the sender came: over TLS, signed in as.
	Encrypted bool
	User      string
	// At is when the end of the message arrived.
	At time.Time
}

// MailRefusal is an answer that is no success, given to the recipient's
// address: a Code of 4xx is temporary, one of 5xx permanent.
type MailRefusal struct {
	Code    int
	Message string
}

// MailConfig says how a mail server is spoken to. The zero value takes
// everything from everybody.
type MailConfig struct {
	// TLS offers STARTTLS with a certificate of its own; Implicit speaks TLS
	// from the first byte. Roots tells whom to trust.
	TLS, Implicit bool
	// User and Password, where they are set, must be given before a message.
	User, Password string
}

// MailServer is an SMTP server that keeps what it gets.
type MailServer struct {
	MailConfig
	// Roots has the server's certificate, or is nil without TLS.
	Roots *x509.CertPool

	faults   faults[MailRefusal]
	messages *journal[Mail]
	listener net.Listener
	server   *smtp.Server
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	work     sync.WaitGroup
}

// NewMail starts a mail server. Close it in the end.
func NewMail(config MailConfig) (*MailServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &MailServer{MailConfig: config, messages: newJournal[Mail](), listener: listener}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.server = smtp.NewServer(smtp.BackendFunc(m.session))
	m.server.Domain = "mail.example.com"
	m.server.ErrorLog = log.New(io.Discard, "", 0)
	m.server.ReadTimeout = time.Minute
	m.server.WriteTimeout = time.Minute
	m.server.AllowInsecureAuth = true
	if config.TLS || config.Implicit {
		certificate, roots, err := selfSigned()
		if err != nil {
			_ = listener.Close()
			return nil, err
		}
		m.Roots = roots
		m.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	}
	if config.Implicit {
		listener = tls.NewListener(listener, m.server.TLSConfig)
	}
	m.work.Go(func() {
		// Serve ends when Close closes the listener, and has nothing to tell.
		_ = m.server.Serve(listener)
	})
	return m, nil
}

// URL is the server's address as TOCSIN_SMTP_URL has it.
func (m *MailServer) URL() string {
	u := url.URL{Scheme: "smtp", Host: m.listener.Addr().String()}
	switch {
	case m.Implicit:
		u.Scheme = "smtps"
	case m.TLS:
		u.RawQuery = "starttls=required"
	default:
		u.RawQuery = "starttls=off"
	}
	if m.User != "" {
		u.User = url.UserPassword(m.User, m.Password)
	}
	return u.String()
}

// Messages are those that were taken so far, in the order of arrival.
func (m *MailServer) Messages() []Mail { return m.messages.all() }

// Wait returns the first message that matches, of those that came and those to
// come. It calls match once a message, in the order of arrival.
func (m *MailServer) Wait(ctx context.Context, match func(Mail) bool) (Mail, error) {
	return m.messages.wait(ctx, match)
}

// FailNext refuses the next messages, one for each refusal.
func (m *MailServer) FailNext(refusals ...MailRefusal) { m.faults.failNext(refusals) }

// FailFor refuses every message to an address until SucceedFor.
func (m *MailServer) FailFor(address string, refusal MailRefusal) { m.faults.failFor(address, refusal) }

// SucceedFor ends what FailFor began.
func (m *MailServer) SucceedFor(address string) { m.faults.succeedFor(address) }

// Hold takes messages and does not answer until release is called.
func (m *MailServer) Hold() (release func()) { return m.faults.hold() }

// DropNext takes the next message and breaks the connection instead of
// answering.
func (m *MailServer) DropNext() { m.faults.dropNext() }

// Close frees the port, breaks the open connections and waits for what runs.
func (m *MailServer) Close() error {
	m.cancel()
	// The server itself forgets a listener that it does not serve yet.
	err := errors.Join(m.listener.Close(), m.server.Close())
	m.work.Wait()
	if errors.Is(err, net.ErrClosed) || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

func (m *MailServer) session(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m, conn: c}, nil
}

// mailSession is one client's connection.
type mailSession struct {
	server *MailServer
	conn   *smtp.Conn
	user   string
	from   string
	to     []string
}

func (s *mailSession) AuthMechanisms() []string {
	if s.server.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.User || password != s.server.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if refusal, refused := s.server.faults.refusal(to); refused {
		return &smtp.SMTPError{Code: refusal.Code, EnhancedCode: smtp.EnhancedCode{refusal.Code / 100, 1, 1}, Message: refusal.Message}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Not a message: " + err.Error()}
	}
	_, encrypted := s.conn.TLSConnectionState()
	m := Mail{From: s.from, To: s.to, Header: message.Header, Encrypted: encrypted, User: s.user}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err == nil {
		err = m.read(textproto.MIMEHeader(message.Header), message.Body)
	}
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Not a message: " + err.Error()}
	}
	m.At = time.Now()
	s.server.messages.add(m)
	if s.server.faults.dropped() || !s.server.faults.pause(s.server.ctx) {
		return s.conn.Conn().Close()
	}
	return nil
}

func (s *mailSession) Reset()        { s.from, s.to = "", nil }
func (s *mailSession) Logout() error { return nil }

// read takes the text and the HTML out of a body, however nested.
func (m *Mail) read(header textproto.MIMEHeader, body io.Reader) error {
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		return m.readParts(multipart.NewReader(body, parameters["boundary"]))
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	switch mediaType {
	case "text/plain":
		m.Text = string(content)
	case "text/html":
		m.HTML = string(content)
	}
	return err
}

func (m *Mail) readParts(parts *multipart.Reader) error {
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = m.read(part.Header, part)
		}
		if err != nil {
			return err
		}
	}
}

// selfSigned makes a certificate for 127.0.0.1, and the pool that trusts it.
func selfSigned() (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots, nil
}
