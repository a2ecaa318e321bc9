package email_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify/email"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url, host string
		port      int
		user      string
		security  email.Security
		masked    string
	}{
		{"smtp://mail.example.com", "mail.example.com", 587, "", email.Required, "smtp://mail.example.com:587?starttls=required"},
		{"smtp://localhost:1025/?starttls=off", "localhost", 1025, "", email.Off, "smtp://localhost:1025?starttls=off"},
		{"smtp://ana:hunter2@mail.example.com:25?starttls=optional", "mail.example.com", 25, "ana", email.Optional, "smtp://ana:xxxxx@mail.example.com:25?starttls=optional"},
		{"smtps://ana%40example.com:p%2Fw%40%23@mail.example.com", "mail.example.com", 465, "ana@example.com", email.Implicit, "smtps://ana%40example.com:xxxxx@mail.example.com:465"},
		{"smtp://[::1]:2525?starttls=required", "::1", 2525, "", email.Required, "smtp://[::1]:2525?starttls=required"},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			t.Parallel()
			s, err := email.ParseURL(test.url)
			if err != nil {
				t.Fatal(err)
			}
			if s.Host != test.host || s.Port != test.port || s.User != test.user || s.Security != test.security {
				t.Errorf("got host %q port %d user %q security %q", s.Host, s.Port, s.User, s.Security)
			}
			if s.String() != test.masked {
				t.Errorf("shown as %s, want %s", s, test.masked)
			}
		})
	}
}

func TestParseURLRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                "begins neither",
		"mail.example.com":                "begins neither",
		"http://mail.example.com":         "begins neither",
		"smtp://":                         "names no host",
		"smtp://:587":                     "names no host",
		"smtp://mail.example.com:0":       "port",
		"smtp://mail.example.com:99999":   "port",
		"smtp://mail.example.com:smtp":    "percent encoding",
		"smtp://mail.example.com/inbox":   "after the host",
		"smtp://ana@mail.example.com":     "without a password",
		"smtp://:hunter2@example.com":     "without a user",
		"smtp://mail.example.com?tls=on":  "other than starttls",
		"smtp://h?starttls=yes":           "none of required, optional and off",
		"smtp://h?starttls=":              "none of required, optional and off",
		"smtps://h?starttls=required":     "needless",
		"smtp://h?starttls=%zz":           "query",
		"smtp://ana:hunter2%zz@h":         "percent encoding",
		"smtp://ana:hunter2/x@h":          "percent encoding",
		"smtp://ana:hunter2#x@h":          "percent encoding",
		"smtp://ana:hunter2?x@h":          "percent encoding",
		"smtp://ana:hunter2 x@h":          "percent encoding",
		"smtp://ana:hunter2@h:1/hunter2x": "after the host",
	}
	for url, want := range tests {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			_, err := email.ParseURL(url)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error that says %q", err, want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestServerHidesPassword(t *testing.T) {
	t.Parallel()
	s, err := email.ParseURL("smtps://ana:hunter2@mail.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%s", "%#v", "%q"} {
		if shown := fmt.Sprintf(format, s); strings.Contains(shown, "hunter2") {
			t.Errorf("%s shows %s", format, shown)
		}
	}
	if shown := fmt.Sprintf("%+v %#v", email.Config{Server: s}, email.Config{Server: s}); strings.Contains(shown, "hunter2") {
		t.Errorf("inside a configuration: %s", shown)
	}
}
