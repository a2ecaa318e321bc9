// Package config reads the settings of an installation from environment variables
// TOCSIN_*, each of which is a flag too. They are validated once, at the start, and all
// errors are reported together.
package config

import (
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Config is the settings of an installation. The zero value of a provider means that it
// is not configured.
type Config struct {
	// Listen is the address that the web server binds, "host:port". An empty
	// host means every interface.
	Listen string
	// PublicURL is the URL of Tocsin for people and providers, without a slash at its
	// end. It is empty where it is not set and the system chooses the port: then
	// DefaultPublicURL gives it after the port was bound.
	PublicURL string
	// TrustedProxies are the networks of the proxies whose X-Forwarded-For is used. A
	// client in such a network can claim any address.
	TrustedProxies []*net.IPNet
	Database       Database
	// SecretKey is what TOCSIN_SECRET_KEY holds, decoded to KeySize bytes. It
	// is empty where it was not given, which only SQLite allows: see
	// EnsureSecretKey.
	SecretKey Secret
	SMTP      SMTP
	Twilio    Twilio
	Slack     Slack
}

// SMTP is the mail server for outgoing mail.
type SMTP struct {
	// URL is "smtp://user:pass@host:587?starttls=required" or "smtps://…".
	URL Secret
	// From is "tocsin@example.com" or "Tocsin <tocsin@example.com>".
	From string
}

// Twilio is an account at Twilio, or at a gateway with the same API.
type Twilio struct {
	AccountSID string
	AuthToken  Secret
	// From is a number in E.164, a short code, or a messaging service ("MG…").
	From string
	// BaseURL is the gateway's; empty means Twilio itself.
	BaseURL string
}

// Slack is a bot in one workspace.
type Slack struct {
	BotToken Secret
	// BaseURL is where the Web API is; empty means Slack itself.
	BaseURL string
}

// Channels says, by the medium of a contact method, which providers are configured.
// Where none is, all messages are written to the log.
func (c Config) Channels() map[string]bool {
	return map[string]bool{
		"email": !c.SMTP.URL.IsZero(),
		"sms":   !c.Twilio.AuthToken.IsZero(),
		"slack": !c.Slack.BotToken.IsZero(),
	}
}

// LogValue is one line about the installation, for the log at the start.
func (c Config) LogValue() slog.Value {
	channels := []string{}
	for name, configured := range c.Channels() {
		if configured {
			channels = append(channels, name)
		}
	}
	slices.Sort(channels)
	return slog.GroupValue(
		slog.String("listen", c.Listen),
		slog.String("public_url", c.PublicURL),
		slog.String("database", c.Database.String()),
		slog.Any("channels", channels),
	)
}

// DefaultPublicURL is how a browser on the same machine reaches an address
// that a server listens on.
func DefaultPublicURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if port == "80" {
		if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
			return "http://[" + host + "]"
		}
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, port)
}

// IsPublic reports whether a URL may be reached from other machines: its host is neither
// this machine's own name or address nor that of every interface.
func IsPublic(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".localhost") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback() && !ip.IsUnspecified()
}

// TwilioCallsBack reports whether Twilio, or the gateway in its place if any, can reach a
// public URL. A gateway on this machine reaches addresses of this machine.
func TwilioCallsBack(publicURL, gateway string) bool {
	return IsPublic(publicURL) || publicURL != "" && gateway != "" && !IsPublic(gateway)
}

// Unknown are the variables of an environment, in the form of os.Environ, that have the
// prefix of settings and are none, such as a misspelt one.
func Unknown(environment []string) []string {
	var unknown []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) && !slices.ContainsFunc(settings, func(s setting) bool { return s.variable() == name }) && !strings.HasPrefix(name, forTests) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// Load reads the flags, then the environment where no flag was given, then the
// defaults; lookup is os.LookupEnv. A variable that is set and empty counts as
// absent. All errors are returned as one fault with a field for each, named as it was
// given: "TOCSIN_LISTEN" or "--listen". No message repeats a secret.
func Load(flags *pflag.FlagSet, lookup func(string) (string, bool)) (Config, error) {
	r := reader{flags: flags, lookup: lookup}
	c := Config{
		Listen:         r.listen(),
		TrustedProxies: r.trustedProxies(),
		Database:       r.database(),
		SecretKey:      r.secretKey(),
		SMTP:           r.smtp(),
		Twilio:         r.twilio(),
		Slack:          r.slack(),
	}
	c.PublicURL = r.publicURL(c.Listen)
	if c.Database.IsPostgres() && !r.given("secret-key") {
		r.addError("secret-key", "With PostgreSQL it must be given, the same for every replica: 32 random bytes in base64 or hex. `openssl rand -base64 32` makes one.")
	}
	switch len(r.problems) {
	case 0:
		return c, nil
	case 1:
		return Config{}, fault.Invalid("The configuration has a problem.").With(r.problems...)
	default:
		return Config{}, fault.Invalid("The configuration has %d problems.", len(r.problems)).With(r.problems...)
	}
}
