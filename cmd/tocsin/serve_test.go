package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// serving is a server that a test has started by the command.
type serving struct {
	said string // up to the empty line that ends the greeting
	stop func() said
}

// serve runs a command that serves until it is stopped, and waits for its
// greeting to contain a word.
func serve(t *testing.T, vars map[string]string, last string, args ...string) serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var errOut strings.Builder
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, args, strings.NewReader(""), write, &errOut, func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
		_ = write.Close()
		ended <- code
	}()
	var greeting strings.Builder
	lines := bufio.NewScanner(read)
	for !strings.Contains(greeting.String(), last) && lines.Scan() {
		greeting.WriteString(lines.Text() + "\n")
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	s := serving{said: greeting.String(), stop: func() said { cancel(); return said{<-ended, greeting.String(), errOut.String()} }}
	if !strings.Contains(s.said, last) {
		t.Fatalf("it ended without a greeting: %+v", s.stop())
	}
	return s
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

var link = regexp.MustCompile(`http://127\.0\.0\.1:\d+/setup/\S+`)

func TestFirstStartPrintsSetupLink(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.vars["TOCSIN_LISTEN"] = "127.0.0.1:0"
		s := serve(t, k.vars, "No channel is configured", "serve")
		wantWords(t, s.said, "Tocsin is at http://127.0.0.1:", "There is no administrator yet.", "pages only reach this log")
		first := link.FindString(s.said)
		status, body := get(t, first)
		if status != http.StatusOK || !strings.Contains(body, "Set up Tocsin") {
			t.Errorf("the link %q answers %d:\n%s", first, status, body)
		}
		if got := s.stop(); got.code != 0 {
			t.Errorf("stopped: %+v", got)
		}

		// Each start prints one that works, until there is an administrator.
		s = serve(t, k.vars, "No channel is configured", "serve")
		if again := link.FindString(s.said); again == "" || again[strings.LastIndex(again, "/"):] == first[strings.LastIndex(first, "/"):] {
			t.Errorf("the second start says:\n%s", s.said)
		}
		s.stop()
		k.ok("user", "add", "mira@acme.example", "--name", "Mira Patel", "--role", "administrator")
		s = serve(t, k.vars, "No channel is configured", "serve")
		if link.MatchString(s.said) {
			t.Errorf("there is an administrator, and it says:\n%s", s.said)
		}
		s.stop()
	})
}

func TestSecondServerOnOneFileIsRefused(t *testing.T) {
	t.Parallel()
	k := empty(t)
	k.vars["TOCSIN_LISTEN"] = "127.0.0.1:0"
	s := serve(t, k.vars, "No channel is configured", "serve")
	wantWords(t, k.fails(1, "serve"), "Another Tocsin already serves ", "several need PostgreSQL.")
	// Other commands work beside it.
	wantWords(t, k.ok("apply", "-f", example), "changes made.")
	wantWords(t, k.ok("oncall", "--team", "payments"), "Payments · main: ")
	s.stop()
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	k := empty(t)
	k.vars["TOCSIN_LISTEN"] = l.Addr().String()
	wantWords(t, k.fails(1, "serve"), "Something listens on "+l.Addr().String()+" already", "TOCSIN_LISTEN")
}

func TestLogFormat(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"text": "level=INFO", "json": `"level":"INFO"`} {
		k := empty(t)
		k.vars["TOCSIN_LISTEN"] = "127.0.0.1:0"
		s := serve(t, k.vars, "No channel is configured", "serve", "--log-format", format)
		if got := s.stop(); !strings.Contains(got.err, want) {
			t.Errorf("%s is missing in the log:\n%s", want, got.err)
		}
	}
	wantWords(t, empty(t).fails(1, "serve", "--log-format", "xml"), `"xml" is no format`)
}

func TestStartPrintsChannels(t *testing.T) {
	t.Parallel()
	k := empty(t)
	k.vars["TOCSIN_LISTEN"] = "127.0.0.1:0"
	k.vars["TOCSIN_SMTP_URL"], k.vars["TOCSIN_SMTP_FROM"] = "smtp://127.0.0.1:1", "a@acme.example"
	k.vars["TOCSIN_TWILIO_ACCOUNT_SID"], k.vars["TOCSIN_TWILIO_AUTH_TOKEN"], k.vars["TOCSIN_TWILIO_FROM"] = "AC1", "hunter2", "+15005550006"
	s := serve(t, k.vars, "Pages leave by", "serve")
	wantWords(t, s.said, "Pages leave by SMS and email.")
	if got := s.stop(); strings.Contains(got.out+got.err, "hunter2") {
		t.Error("a secret is shown")
	}
}
