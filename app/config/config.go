// Package config reads what an installation is told about its surroundings:
// environment variables TOCSIN_*, each of which is a flag too. It is checked
// once, at the start, and everything that is wrong is said together.
package config

import (
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Config is what an installation is told. The zero value of a provider stands
// for one that is not configured.
type Config struct {
	// Listen is the address that the web server binds, "host:port". An empty
	// host means every interface.
	Listen string
	// PublicURL is how people and providers reach Tocsin, without a slash at
	// its end. It is empty where nobody said so and the system chooses the
	// port: whoever binds it then knows, and DefaultPublicURL tells.
	PublicURL string
	// TrustedProxies are the networks of the proxies whose X-Forwarded-For is
	// believed. Whoever is in one may claim any address.
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

// SMTP is the mail server that takes what we send.
type SMTP struct {
	// URL is "smtp://user:pass@host:587?starttls=required" or "smtps://…".
	URL Secret
	// From is "tocsin@example.com" or "Tocsin <tocsin@example.com>".
	From string
}

// Twilio is an account at Twilio, or at a gateway that speaks the same.
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

// Channels tells, by the medium of a contact method, which providers are
// configured. Where none is, a log stands in for all of them.
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

// Unknown are the variables of an environment, as os.Environ gives it, that are
// named as a setting is and are none, such as a misspelt one.
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
// absent. What is wrong comes back as one fault with a field for each problem,
// named as it was given: "TOCSIN_LISTEN" or "--listen". No message repeats a
// secret.
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
		r.wrong("secret-key", "With PostgreSQL it must be given, the same for every replica: 32 random bytes in base64 or hex. `openssl rand -base64 32` makes one.")
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
