package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// setting is one environment variable and the flag that goes before it.
type setting struct {
	flag     string // "public-url"; the variable is TOCSIN_PUBLIC_URL
	fallback string
	usage    string
}

var settings = []setting{
	{"listen", "127.0.0.1:8080", "address to listen on, `HOST:PORT`"},
	{"public-url", "", "`URL` by which people and providers reach Tocsin (default: the address to listen on)"},
	{"trusted-proxies", "127.0.0.0/8,::1", "`NETWORKS` and addresses, with commas, whose X-Forwarded-For is believed, or none"},
	{"database-url", "sqlite:tocsin.db", "sqlite:FILE or postgres://…, as a `URL`"},
	{"secret-key", "", "32 random bytes in base64 or hex, as `KEY`; made and kept beside a SQLite file when absent"},
	{"smtp-url", "", "mail server, a `URL` smtp://user:pass@host:587?starttls=required|optional|off or smtps://…"},
	{"smtp-from", "", "`ADDRESS` that mail comes from"},
	{"twilio-account-sid", "", "Twilio account `SID`"},
	{"twilio-auth-token", "", "Twilio auth `TOKEN`"},
	{"twilio-from", "", "`NUMBER`, short code or messaging service that SMS come from"},
	{"twilio-base-url", "", "`URL` of a gateway that speaks as Twilio does"},
	{"slack-bot-token", "", "Slack bot `TOKEN`"},
	{"slack-base-url", "", "`URL` of the Slack Web API, where it is not Slack's own"},
}

// Every variable begins with prefix. Those that begin with forTests are read by
// the project's tests alone.
const (
	prefix   = "TOCSIN_"
	forTests = "TOCSIN_TEST_"
)

// variable is the name of the environment variable.
func (s setting) variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(s.flag, "-", "_"))
}

// Register adds a flag for every setting. Prefer the variables for secrets:
// other users of the machine can read a command line.
func Register(flags *pflag.FlagSet) {
	for _, s := range settings {
		usage := s.usage + " [" + s.variable() + "]"
		if s.fallback != "" {
			usage += " (default " + s.fallback + ")"
		}
		// The fallback is not the flag's default, so that the environment can
		// come between.
		flags.String(s.flag, "", usage)
	}
}
