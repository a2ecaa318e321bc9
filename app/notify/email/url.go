package email

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// Security is how a connection to the mail server is encrypted.
type Security string

// The values of Security. Only Required and Implicit are safe from downgrade attacks.
const (
	Required Security = "required" // STARTTLS, or nothing is sent
	Optional Security = "optional" // STARTTLS where the server offers it
	Off      Security = "off"      // never, not even for a password
	Implicit Security = "implicit" // TLS from the first byte: smtps
)

// Server is a mail server to send by.
type Server struct {
	Host     string
	Port     int
	User     string // empty for a server that asks for no sign-in
	Security Security

	password string
}

// ParseURL reads "smtp://user:pass@host:587?starttls=required|optional|off"
// (587 and required are the defaults) or "smtps://user:pass@host:465". An error
// never shows the password.
func ParseURL(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil { // not wrapped, since its text has the password
		return Server{}, errors.New("the SMTP URL cannot be read: special characters in the password are written in percent encoding, such as %40 for @")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username()}
	s.password, _ = u.User.Password()
	if s.Port, err = port(u); err != nil {
		return Server{}, err
	}
	if s.Security, err = security(u); err != nil {
		return Server{}, err
	}
	switch {
	case s.Host == "":
		return Server{}, fmt.Errorf("the SMTP URL names no host: %s://host", u.Scheme)
	case u.Path != "" && u.Path != "/", u.Fragment != "":
		return Server{}, errors.New("the SMTP URL goes on after the host; is a / or # in the password not written as %2F or %23?")
	case (s.User == "") != (s.password == ""):
		return Server{}, errors.New("the SMTP URL has a user without a password, or a password without a user")
	}
	return s, nil
}

func port(u *url.URL) (int, error) {
	switch {
	case u.Port() != "":
		n, err := strconv.Atoi(u.Port())
		if err != nil || n < 1 || n > 65535 {
			return 0, errors.New("the SMTP URL has a port that does not exist")
		}
		return n, nil
	case u.Scheme == "smtps":
		return 465, nil
	default:
		return 587, nil
	}
}

func security(u *url.URL) (Security, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", errors.New("the SMTP URL has a query that cannot be read")
	}
	starttls := query.Get("starttls")
	given := query.Has("starttls")
	query.Del("starttls")
	if len(query) > 0 {
		return "", errors.New("the SMTP URL has an option other than starttls")
	}
	switch u.Scheme {
	case "smtps":
		if given {
			return "", errors.New("the SMTP URL asks for starttls, which smtps:// makes needless: leave it out, or write smtp://")
		}
		return Implicit, nil
	case "smtp":
		if !given {
			return Required, nil
		}
		switch s := Security(starttls); s {
		case Required, Optional, Off:
			return s, nil
		}
		return "", errors.New("the SMTP URL's starttls is none of required, optional and off")
	default:
		return "", errors.New("the SMTP URL begins neither with smtp:// nor with smtps://")
	}
}

// String is the server's URL with its password masked.
func (s Server) String() string {
	u := url.URL{Scheme: "smtp", Host: s.address()}
	if s.Security == Implicit {
		u.Scheme = "smtps"
	} else {
		u.RawQuery = "starttls=" + string(s.Security)
	}
	if s.User != "" {
		u.User = url.UserPassword(s.User, "xxxxx")
	}
	return u.String()
}

// GoString keeps the password out of %#v as well.
func (s Server) GoString() string { return "email.Server{" + s.String() + "}" }

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Password is the password to sign in with; empty for none.
func (s Server) Password() string { return s.password }

// WithPassword is the server with another password.
func (s Server) WithPassword(password string) Server {
	s.password = password
	return s
}
