package config_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// keyBase64 and keyHex are two ways to write one key.
const (
	keyBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	keyHex    = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

func keyBytes(t *testing.T) config.Secret {
	t.Helper()
	key, err := hex.DecodeString(keyHex)
	if err != nil {
		t.Fatal(err)
	}
	return config.NewSecret(string(key))
}

type variables map[string]string

func (v variables) lookup(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

func load(t *testing.T, env variables, args ...string) (config.Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("tocsin", pflag.ContinueOnError)
	config.Register(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(flags, env.lookup)
}

// problems are the fields of a fault, as "NAME: message".
func problems(t *testing.T, err error) []string {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.KindInvalid {
		t.Fatalf("error %v, want an invalid configuration", err)
	}
	var all []string
	for _, field := range f.Fields {
		all = append(all, field.Path+": "+field.Message)
	}
	return all
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Listen:         "127.0.0.1:8080",
		PublicURL:      "http://127.0.0.1:8080",
		TrustedProxies: networks(t, "127.0.0.0/8", "::1/128"),
		Database:       config.Database{File: "tocsin.db", URL: config.NewSecret("sqlite:tocsin.db")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]bool{"email": false, "sms": false, "slack": false}, got.Channels()); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
}

func networks(t *testing.T, all ...string) (list []*net.IPNet) {
	t.Helper()
	for _, s := range all {
		_, network, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, network)
	}
	return list
}

func TestNoTrustedProxyByDefault(t *testing.T) {
	t.Parallel()
	got, err := load(t, variables{"TOCSIN_TRUSTED_PROXIES": "none"})
	if err != nil || len(got.TrustedProxies) != 0 {
		t.Errorf("trusts %v, %v", got.TrustedProxies, err)
	}
}

func TestAllSettings(t *testing.T) {
	t.Parallel()
	env := variables{
		"TOCSIN_LISTEN":             ":9000",
		"TOCSIN_PUBLIC_URL":         "https://tocsin.example.com/",
		"TOCSIN_TRUSTED_PROXIES":    "10.1.0.0/16, 192.0.2.7,2001:db8::7",
		"TOCSIN_DATABASE_URL":       "postgres://tocsin:hunter2@db.example.com:5432/tocsin?sslmode=require",
		"TOCSIN_SECRET_KEY":         keyBase64,
		"TOCSIN_SMTP_URL":           "smtp://user:pass@mail.example.com:587?starttls=optional",
		"TOCSIN_SMTP_FROM":          "Tocsin <tocsin@example.com>",
		"TOCSIN_TWILIO_ACCOUNT_SID": "AC1",
		"TOCSIN_TWILIO_AUTH_TOKEN":  "token",
		"TOCSIN_TWILIO_FROM":        "+4915112345678",
		"TOCSIN_TWILIO_BASE_URL":    "http://127.0.0.1:1",
		"TOCSIN_SLACK_BOT_TOKEN":    "xoxb-1",
		"TOCSIN_SLACK_BASE_URL":     "http://127.0.0.1:2/api/",
	}
	want := config.Config{
		Listen:         ":9000",
		PublicURL:      "https://tocsin.example.com",
		TrustedProxies: networks(t, "10.1.0.0/16", "192.0.2.7/32", "2001:db8::7/128"),
		Database:       config.Database{URL: config.NewSecret(env["TOCSIN_DATABASE_URL"])},
		SecretKey:      keyBytes(t),
		SMTP:           config.SMTP{URL: config.NewSecret(env["TOCSIN_SMTP_URL"]), From: env["TOCSIN_SMTP_FROM"]},
		Twilio: config.Twilio{
			AccountSID: "AC1", AuthToken: config.NewSecret("token"), From: "+4915112345678", BaseURL: "http://127.0.0.1:1",
		},
		Slack: config.Slack{BotToken: config.NewSecret("xoxb-1"), BaseURL: "http://127.0.0.1:2/api/"},
	}

	got, err := load(t, env)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by variables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]bool{"email": true, "sms": true, "slack": true}, got.Channels()); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}

	var args []string
	for name, value := range env {
		flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "TOCSIN_"), "_", "-"))
		args = append(args, "--"+flag+"="+value)
	}
	got, err = load(t, variables{"TOCSIN_LISTEN": "nonsense"}, args...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by flags, before variables (-want +got):\n%s", diff)
	}
}

func TestEmptyVariableIsAbsent(t *testing.T) {
	t.Parallel()
	got, err := load(t, variables{"TOCSIN_LISTEN": " ", "TOCSIN_SMTP_URL": "", "TOCSIN_SECRET_KEY": ""})
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "127.0.0.1:8080" || got.Channels()["email"] {
		t.Errorf("empty variables were taken for values: %+v", got)
	}
}

func TestAllErrorsAreReported(t *testing.T) {
	t.Parallel()
	_, err := load(t, variables{
		"TOCSIN_LISTEN":       "8080",
		"TOCSIN_PUBLIC_URL":   "tocsin.example.com",
		"TOCSIN_DATABASE_URL": "mysql://db/tocsin",
		"TOCSIN_SECRET_KEY":   "c2hvcnQ=",
		"TOCSIN_SMTP_FROM":    "tocsin@example.com",
		"TOCSIN_TWILIO_FROM":  "Tocsin",
	}, "--slack-base-url=/api")
	want := []string{
		`TOCSIN_LISTEN: "8080" is no address: write HOST:PORT, such as 127.0.0.1:8080, or :8080 for every interface.`,
		"TOCSIN_DATABASE_URL: It begins with sqlite: or postgres://, such as sqlite:tocsin.db.",
		"TOCSIN_SECRET_KEY: It has 5 bytes instead of 32: `openssl rand -base64 32` makes one.",
		"TOCSIN_SMTP_URL: Mail has an address to come from and no server: give both or neither.",
		"TOCSIN_TWILIO_ACCOUNT_SID: Twilio needs an account SID, an auth token and a number to send from; this one is missing.",
		"TOCSIN_TWILIO_AUTH_TOKEN: Twilio needs an account SID, an auth token and a number to send from; this one is missing.",
		`TOCSIN_TWILIO_FROM: "Tocsin" is no number such as +4915112345678, no short code and no messaging service (MG…).`,
		"--slack-base-url: It is no http or https address.",
		"TOCSIN_PUBLIC_URL: It is no http or https address, such as https://tocsin.example.com.",
	}
	if diff := cmp.Diff(want, problems(t, err)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got := err.Error(); got != "The configuration has 9 problems." {
		t.Errorf("message %q", got)
	}
}

func TestInvalidValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		env   variables
		field string
		says  string
	}{
		{"a port beyond the last", variables{"TOCSIN_LISTEN": ":65536"}, "TOCSIN_LISTEN", "no port"},
		{"a port by name", variables{"TOCSIN_LISTEN": "localhost:http"}, "TOCSIN_LISTEN", "no port"},
		{"a public URL of another scheme", variables{"TOCSIN_PUBLIC_URL": "ftp://example.com"}, "TOCSIN_PUBLIC_URL", "http"},
		{"a public URL below a path", variables{"TOCSIN_PUBLIC_URL": "https://example.com/tocsin"}, "TOCSIN_PUBLIC_URL", "ends after the host"},
		{"a public URL with a password", variables{"TOCSIN_PUBLIC_URL": "https://a:b@example.com"}, "TOCSIN_PUBLIC_URL", "password"},
		{"a proxy by name", variables{"TOCSIN_TRUSTED_PROXIES": "10.0.0.0/8,proxy.internal"}, "TOCSIN_TRUSTED_PROXIES", "\"proxy.internal\" is no network"},
		{"SQLite without a file", variables{"TOCSIN_DATABASE_URL": "sqlite:"}, "TOCSIN_DATABASE_URL", "names no file"},
		{"SQLite in a directory", variables{"TOCSIN_DATABASE_URL": "sqlite:/var/lib/tocsin/"}, "TOCSIN_DATABASE_URL", "names no file"},
		{"SQLite with a host", variables{"TOCSIN_DATABASE_URL": "sqlite://tocsin.db"}, "TOCSIN_DATABASE_URL", "at once"},
		{"SQLite in memory", variables{"TOCSIN_DATABASE_URL": "sqlite::memory:"}, "TOCSIN_DATABASE_URL", "forget"},
		{"PostgreSQL without a database", variables{"TOCSIN_DATABASE_URL": "postgres://db.example.com", "TOCSIN_SECRET_KEY": keyHex}, "TOCSIN_DATABASE_URL", "names no database"},
		{"PostgreSQL that cannot be read", variables{"TOCSIN_DATABASE_URL": "postgres://u:100%@db/tocsin", "TOCSIN_SECRET_KEY": keyHex}, "TOCSIN_DATABASE_URL", "percent"},
		{"PostgreSQL without a key", variables{"TOCSIN_DATABASE_URL": "postgres://db/tocsin"}, "TOCSIN_SECRET_KEY", "must be given"},
		{"a key in no encoding", variables{"TOCSIN_SECRET_KEY": "not a key!"}, "TOCSIN_SECRET_KEY", "neither base64 nor hex"},
		{"a key that is too long", variables{"TOCSIN_SECRET_KEY": keyHex + "20"}, "TOCSIN_SECRET_KEY", "instead of 32"},
		{"mail by another scheme", variables{"TOCSIN_SMTP_URL": "mail.example.com", "TOCSIN_SMTP_FROM": "a@example.com"}, "TOCSIN_SMTP_URL", "smtp://"},
		{"mail without a host", variables{"TOCSIN_SMTP_URL": "smtp://", "TOCSIN_SMTP_FROM": "a@example.com"}, "TOCSIN_SMTP_URL", "no host"},
		{"mail with an unknown starttls", variables{"TOCSIN_SMTP_URL": "smtp://h?starttls=maybe", "TOCSIN_SMTP_FROM": "a@example.com"}, "TOCSIN_SMTP_URL", "starttls"},
		{"mail from nobody", variables{"TOCSIN_SMTP_URL": "smtp://h"}, "TOCSIN_SMTP_FROM", "no address"},
		{"mail from no address", variables{"TOCSIN_SMTP_URL": "smtp://h", "TOCSIN_SMTP_FROM": "tocsin"}, "TOCSIN_SMTP_FROM", "no address"},
		{"a gateway alone", variables{"TOCSIN_TWILIO_BASE_URL": "http://gateway"}, "TOCSIN_TWILIO_BASE_URL", "account SID"},
		{"a Slack address alone", variables{"TOCSIN_SLACK_BASE_URL": "http://slack/api/"}, "TOCSIN_SLACK_BOT_TOKEN", "no bot token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, test.env)
			got := problems(t, err)
			if len(got) != 1 || !strings.HasPrefix(got[0], test.field+": ") || !strings.Contains(got[0], test.says) {
				t.Errorf("problems %q, want one of %s that says %q", got, test.field, test.says)
			}
		})
	}
}

func TestPublicURLDefault(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		":8080":          "http://localhost:8080",
		"0.0.0.0:8080":   "http://localhost:8080",
		"[::]:8080":      "http://localhost:8080",
		"[::1]:8080":     "http://[::1]:8080",
		"[::1]:80":       "http://[::1]",
		"pager:80":       "http://pager",
		"127.0.0.1:0":    "", // until the system has chosen
	} {
		got, err := load(t, variables{"TOCSIN_LISTEN": listen})
		if err != nil || got.PublicURL != want {
			t.Errorf("listening on %s: %q, %v, want %q", listen, got.PublicURL, err, want)
		}
	}
}

func TestDatabaseStringHasNoPassword(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"sqlite:tocsin.db":                          "sqlite:tocsin.db",
		"sqlite:///var/lib/tocsin.db":               "sqlite:/var/lib/tocsin.db",
		"postgres://u:hunter2@db:5432/tocsin":       "postgres://u@db:5432/tocsin",
		"postgresql://db/tocsin?password=hunter2":   "postgresql://db/tocsin",
		"postgres://u@db/tocsin?sslpassword=hunter": "postgres://u@db/tocsin",
	} {
		got, err := load(t, variables{"TOCSIN_DATABASE_URL": address, "TOCSIN_SECRET_KEY": keyHex})
		if err != nil || got.Database.String() != want {
			t.Errorf("%s is shown as %q (%v), want %q", address, got.Database, err, want)
		}
	}
}

// secrets are values that must come out nowhere, each of them in all the ways
// in which it could be written.
var secrets = []string{"hunter2", "s3cr3t-mail", "s3cr3t-twilio", "s3cr3t-slack", keyBase64, keyHex}

func everySecret(t *testing.T) config.Config {
	t.Helper()
	c, err := load(t, variables{
		"TOCSIN_TRUSTED_PROXIES":    "10.1.0.0/16, 192.0.2.7,2001:db8::7",
		"TOCSIN_DATABASE_URL":       "postgres://tocsin:hunter2@db.example.com/tocsin?password=hunter2",
		"TOCSIN_SECRET_KEY":         keyBase64,
		"TOCSIN_SMTP_URL":           "smtp://user:s3cr3t-mail@mail.example.com",
		"TOCSIN_SMTP_FROM":          "tocsin@example.com",
		"TOCSIN_TWILIO_ACCOUNT_SID": "AC1",
		"TOCSIN_TWILIO_AUTH_TOKEN":  "s3cr3t-twilio",
		"TOCSIN_TWILIO_FROM":        "+4915112345678",
		"TOCSIN_SLACK_BOT_TOKEN":    "s3cr3t-slack",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	c := everySecret(t)
	type server struct{ config config.Config } // unexported, where fmt asks no method
	var out bytes.Buffer
	for _, value := range []any{c, &c, server{c}, &server{c}, []config.Config{c}, c.Database, c.SMTP, c.SecretKey, &c.SecretKey} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		if text, err := json.Marshal(value); err != nil {
			t.Errorf("marshal %T: %v", value, err)
		} else {
			out.Write(text)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("started", "value", value)
		slog.New(slog.NewTextHandler(&out, nil)).Info("started", "value", value)
	}
	shown := out.String()
	for _, secret := range append(secrets, keyBytes(t).Reveal()) {
		inHex, inDecimal := hex.EncodeToString([]byte(secret)), strings.Trim(fmt.Sprintf("%d", []byte(secret)), "[]")
		for _, written := range []string{secret, inHex, strings.ToUpper(inHex), inDecimal} {
			if strings.Contains(shown, written) {
				t.Errorf("%q is shown, as %q", secret, written)
			}
		}
	}
	if !strings.Contains(shown, "mail") || !strings.Contains(shown, "postgres://tocsin@db.example.com/tocsin") {
		t.Error("nothing is shown at all, so this test proves nothing")
	}
}

func TestErrorsHaveNoSecret(t *testing.T) {
	t.Parallel()
	_, err := load(t, variables{
		"TOCSIN_DATABASE_URL": "postgres://u:hunter2%@db/tocsin",
		"TOCSIN_SECRET_KEY":   keyHex + "!",
		"TOCSIN_SMTP_URL":     "smtp://u:s3cr3t-mail%@h",
		"TOCSIN_PUBLIC_URL":   "https://u:hunter2@example.com/",
	})
	said := strings.Join(problems(t, err), "\n") + err.Error()
	if len(problems(t, err)) != 5 { // mail has no address to come from, too
		t.Errorf("problems:\n%s", said)
	}
	for _, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("%q is in:\n%s", secret, said)
		}
	}
}

func TestSecretReveal(t *testing.T) {
	t.Parallel()
	if got := config.NewSecret("hunter2").Reveal(); got != "hunter2" {
		t.Errorf("revealed %q", got)
	}
	none := config.NewSecret("")
	if !none.IsZero() || none.Reveal() != "" || none.String() != "" {
		t.Errorf("an empty secret: zero %v, value %q, shown as %q", none.IsZero(), none.Reveal(), none)
	}
	if config.NewSecret("a").Equal(config.NewSecret("b")) || !config.NewSecret("a").Equal(config.NewSecret("a")) {
		t.Error("secrets are not compared by their values")
	}
}

func TestUnknownVariable(t *testing.T) {
	t.Parallel()
	environment := []string{"PATH=/bin", "TOCSIN_SMTP_URL=smtp://localhost", "TOCSIN_SMPT_URL=smtp://localhost", "TOCSIN_TEST_POSTGRES=postgres://localhost", "MY_TOCSIN_LISTEN=x", "TOCSIN_LISTEN"}
	if diff := cmp.Diff([]string{"TOCSIN_SMPT_URL"}, config.Unknown(environment)); diff != "" {
		t.Errorf("unknown are (-want +got):\n%s", diff)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Register(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		variable := "TOCSIN_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if got := config.Unknown([]string{variable + "=x"}); got != nil {
			t.Errorf("the setting %q is unknown", got)
		}
	})
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://tocsin.example.com": true, "http://192.0.2.7:8080": true, "http://[2001:db8::1]": true,
		"": false, "http://localhost:8080": false, "http://a.localhost": false, "http://127.0.0.1": false, "http://127.1.2.3:80": false,
		"http://[::1]:8080": false, "http://[::]:8080": false, "http://0.0.0.0:8080": false, "::": false,
	} {
		if got := config.IsPublic(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
	const gateway, here = "http://127.0.0.1:9000", "http://127.0.0.1:8080"
	if !config.TwilioCallsBack(here, gateway) || config.TwilioCallsBack(here, "") || config.TwilioCallsBack("", gateway) {
		t.Error("a gateway on this machine alone reaches this machine")
	}
}
