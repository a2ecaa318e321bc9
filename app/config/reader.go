package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// reader looks up settings and collects their errors.
type reader struct {
	flags    *pflag.FlagSet
	lookup   func(string) (string, bool)
	problems []fault.Field
}

// find returns a setting's value and the name by which it was given.
func (r *reader) find(flag string) (value, name string) {
	for _, s := range settings {
		if s.flag != flag {
			continue
		}
		if f := r.flags.Lookup(flag); f != nil && f.Changed {
			return strings.TrimSpace(f.Value.String()), "--" + flag
		}
		if v, ok := r.lookup(s.variable()); ok && strings.TrimSpace(v) != "" {
			return strings.TrimSpace(v), s.variable()
		}
		return s.fallback, s.variable()
	}
	panic("config: no setting " + flag)
}

func (r *reader) value(flag string) string {
	value, _ := r.find(flag)
	return value
}

func (r *reader) given(flag string) bool { return r.value(flag) != "" }

// addError adds an error. The message must not contain a secret.
func (r *reader) addError(flag, format string, args ...any) {
	_, name := r.find(flag)
	r.problems = append(r.problems, fault.Field{Path: name, Message: fmt.Sprintf(format, args...)})
}

func (r *reader) listen() string {
	value := r.value("listen")
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		r.addError("listen", "%q is no address: write HOST:PORT, such as 127.0.0.1:8080, or :8080 for every interface.", value)
		return ""
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		r.addError("listen", "%q is no port: it is a number up to 65535.", port)
		return ""
	}
	return value
}

// trustedProxies reads networks and single addresses; none is nobody.
func (r *reader) trustedProxies() []*net.IPNet {
	value := r.value("trusted-proxies")
	if value == "none" {
		return nil
	}
	var networks []*net.IPNet
	for word := range strings.SplitSeq(value, ",") {
		word = strings.TrimSpace(word)
		if ip := net.ParseIP(word); ip != nil {
			bits := 8 * net.IPv6len
			if ip.To4() != nil {
				bits = 8 * net.IPv4len
			}
			word = fmt.Sprintf("%s/%d", ip, bits)
		}
		_, network, err := net.ParseCIDR(word)
		if err != nil {
			r.addError("trusted-proxies", "%q is no network and no address: write 10.0.0.0/8 or 10.1.2.3, several with commas, or none.", word)
			return nil
		}
		networks = append(networks, network)
	}
	return networks
}

func (r *reader) publicURL(listen string) string {
	value := r.value("public-url")
	if value == "" {
		if strings.HasSuffix(listen, ":0") {
			return ""
		}
		return DefaultPublicURL(listen)
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.addError("public-url", "It is no http or https address, such as https://tocsin.example.com.")
	case u.User != nil:
		r.addError("public-url", "It must hold no user or password: it is part of every link that is sent.")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		r.addError("public-url", "It ends after the host: Tocsin answers at the root of a host, not below a path.")
	default:
		return u.Scheme + "://" + u.Host
	}
	return ""
}

func (r *reader) database() Database {
	d, problem := parseDatabase(r.value("database-url"))
	if problem != "" {
		r.addError("database-url", "%s", problem)
	}
	return d
}

func (r *reader) secretKey() Secret {
	value := r.value("secret-key")
	if value == "" {
		return Secret{}
	}
	key, err := decodeKey(value)
	if err != nil {
		r.addError("secret-key", "It %s.", err)
	}
	return key
}

func (r *reader) smtp() SMTP {
	address, from := r.value("smtp-url"), r.value("smtp-from")
	switch {
	case address == "" && from == "":
		return SMTP{}
	case address == "":
		r.addError("smtp-url", "Mail has an address to come from and no server: give both or neither.")
	case from == "":
		r.addError("smtp-from", "Mail has a server and no address to come from, such as tocsin@example.com.")
	}
	if problem := smtpProblem(address); address != "" && problem != "" {
		r.addError("smtp-url", "%s", problem)
	}
	if _, err := mail.ParseAddress(from); from != "" && err != nil {
		r.addError("smtp-from", "%q is no address: write tocsin@example.com or Tocsin <tocsin@example.com>.", from)
	}
	return SMTP{URL: NewSecret(address), From: from}
}

// smtpProblem is the error in an SMTP URL, without the password that may be in it.
func smtpProblem(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "It cannot be read: special characters in the password are written in percent encoding, such as %40 for @."
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" {
		return "It begins with smtp:// or smtps://."
	}
	if u.Hostname() == "" {
		return "It names no host: smtp://user:pass@host:587."
	}
	switch u.Query().Get("starttls") {
	case "", "required", "optional", "off":
		return ""
	default:
		return "Its starttls is required, optional or off."
	}
}

// sender matches a number in E.164, a short code, or a messaging service.
var sender = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{4,8}|MG[0-9a-zA-Z]+)$`)

// IsTwilioSender reports whether SMS can be sent from a number in E.164, a short code or a
// messaging service of that name.
func IsTwilioSender(from string) bool { return sender.MatchString(from) }

func (r *reader) twilio() Twilio {
	t := Twilio{
		AccountSID: r.value("twilio-account-sid"),
		AuthToken:  NewSecret(r.value("twilio-auth-token")),
		From:       r.value("twilio-from"),
		BaseURL:    r.baseURL("twilio-base-url"),
	}
	needed := []string{"twilio-account-sid", "twilio-auth-token", "twilio-from"}
	if !r.given(needed[0]) && !r.given(needed[1]) && !r.given(needed[2]) {
		if t.BaseURL != "" {
			r.addError("twilio-base-url", "A gateway needs an account SID, an auth token and a number as well.")
		}
		return Twilio{}
	}
	for _, flag := range needed {
		if !r.given(flag) {
			r.addError(flag, "Twilio needs an account SID, an auth token and a number to send from; this one is missing.")
		}
	}
	if t.From != "" && !IsTwilioSender(t.From) {
		r.addError("twilio-from", "%q is no number such as +4915112345678, no short code and no messaging service (MG…).", t.From)
	}
	return t
}

func (r *reader) slack() Slack {
	s := Slack{BotToken: NewSecret(r.value("slack-bot-token")), BaseURL: r.baseURL("slack-base-url")}
	if s.BotToken.IsZero() && s.BaseURL != "" {
		r.addError("slack-bot-token", "Slack has an address and no bot token.")
	}
	return s
}

func (r *reader) baseURL(flag string) string {
	value := r.value(flag)
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		r.addError(flag, "It is no http or https address.")
		return ""
	}
	return value
}
