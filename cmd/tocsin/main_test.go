package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness"
)

// terminal is where somebody types commands.
type terminal struct {
	t    *testing.T
	vars map[string]string
}

// said is what a command answered.
type said struct {
	code     int
	out, err string
}

func (k terminal) run(args ...string) said { return k.runWith("", args...) }

func (k terminal) runWith(input string, args ...string) said {
	k.t.Helper()
	var out, errOut bytes.Buffer
	lookup := func(name string) (string, bool) { v, ok := k.vars[name]; return v, ok }
	code := run(k.t.Context(), args, strings.NewReader(input), &out, &errOut, lookup)
	return said{code, out.String(), errOut.String()}
}

// ok runs a command that must succeed, and returns what it printed.
func (k terminal) ok(args ...string) string {
	k.t.Helper()
	s := k.run(args...)
	if s.code != 0 {
		k.t.Fatalf("tocsin %s: %d\n%s%s", strings.Join(args, " "), s.code, s.out, s.err)
	}
	return s.out
}

// fails runs a command that must fail with a code, and returns what it
// complained of.
func (k terminal) fails(code int, args ...string) string {
	k.t.Helper()
	s := k.run(args...)
	if s.code != code {
		k.t.Fatalf("tocsin %s: %d, want %d\n%s%s", strings.Join(args, " "), s.code, code, s.out, s.err)
	}
	return s.err
}

// empty is an installation without anybody, on SQLite.
func empty(t *testing.T) terminal {
	t.Helper()
	return terminal{t, map[string]string{"TOCSIN_DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db")}}
}

// onEach runs a test on an empty, migrated installation of each kind.
func onEach(t *testing.T, test func(t *testing.T, k terminal)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		k := empty(t)
		k.ok("migrate")
		test(t, k)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, terminal{t, map[string]string{"TOCSIN_DATABASE_URL": harness.Postgres(t), "TOCSIN_SECRET_KEY": strings.Repeat("ab", 32)}})
	})
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tocsin.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

const example = "../../docs/examples/acme.yaml"

func TestApplyIsIdempotent(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		tried := k.ok("apply", "-f", example, "--dry-run")
		wantWords(t, tried, "+ user ana@acme.example", "+ schedule payments", "would be made; nothing has been changed.")
		if again := k.ok("apply", "-f", example, "--dry-run"); again != tried {
			t.Errorf("a dry run has changed something (-first +second):\n%s", cmp.Diff(tried, again))
		}
		wantWords(t, k.ok("apply", "-f", example), "+ user ana@acme.example", "changes made.")
		if got := k.ok("apply", "-f", example); got != "Nothing to change.\n" {
			t.Errorf("applied again:\n%s", got)
		}
		exported := k.ok("export")
		wantWords(t, exported, "slo0000000000000000000000000key1", "ana@acme.example")
		if s := k.runWith(exported, "apply", "-f", "-"); s.code != 0 || s.out != "Nothing to change.\n" {
			t.Errorf("what was exported, applied: %d\n%s%s", s.code, s.out, s.err)
		}
		file := filepath.Join(t.TempDir(), "export.yaml")
		if out := k.ok("export", "-o", file); out != "" {
			t.Errorf("printed %q", out)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the export is readable by others: %v, %v", info.Mode(), err)
		}
	})
}

func TestApplyErrorsNameLineAndField(t *testing.T) {
	t.Parallel()
	k := empty(t)
	k.ok("migrate")
	file := write(t, "version: 1\nteams:\n  - {slug: a, name: A, manager: nobody@acme.example}\n")
	got := k.fails(1, "apply", "-f", file)
	wantWords(t, got, file+" cannot be applied:\n", file+":3:", "teams[0].manager")
	wantWords(t, k.fails(1, "apply", "-f", "none.yaml"), "There is no file none.yaml.")
	if got := k.ok("oncall"); !strings.Contains(got, "no schedule") {
		t.Errorf("something was applied: %s", got)
	}
}

func TestOnCall(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.ok("apply", "-f", write(t, onCallFixture))
		for _, test := range []struct {
			args []string
			want string
		}{
			{[]string{"--team", "payments", "--at", "2027-02-01T12:00:00Z"}, `Payments · main: Ana Ortiz until Mon 8 Feb 09:00 (Europe/Madrid); in the shadow Dana Levi
Payments · backup: Ben Adeyemi until Mon 8 Feb 09:00 (Europe/Madrid)
`},
			// By the wall of the organisation, in Berlin, and over the turn of the year.
			{[]string{"--schedule", "payments", "--at", "2026-12-30 08:30"}, `Payments · main: Ben Adeyemi until Mon 4 Jan 2027 09:00 (Europe/Madrid); in the shadow Dana Levi
Payments · backup: Ana Ortiz until Mon 4 Jan 2027 09:00 (Europe/Madrid)
`},
			{[]string{"--schedule", "office", "--at", "2027-02-06T12:00:00Z"}, "Office · main: nobody until Mon 8 Feb 09:00 (Europe/London)\n"},
			{[]string{"--schedule", "ever", "--at", "2027-02-06T12:00:00Z"}, "Ever · main: Dana Levi (Europe/Berlin)\n"},
			{[]string{"--service", "checkout-api", "--at", "2027-02-01T12:00:00Z"}, `Payments · backup: Ben Adeyemi until Mon 8 Feb 09:00 (Europe/Madrid)
Office · main: Ana Ortiz until Mon 1 Feb 17:00 (Europe/London)
Dana Levi: nobody who can be reached
`},
			{[]string{"--schedule", "payments", "--at", "2025-01-01T00:00:00Z"}, `Payments · main: nobody until Mon 5 Jan 2026 09:00 (Europe/Madrid); in the shadow Dana Levi
Payments · backup: nobody until Mon 5 Jan 2026 09:00 (Europe/Madrid)
`},
		} {
			if diff := cmp.Diff(test.want, k.ok(append([]string{"oncall"}, test.args...)...)); diff != "" {
				t.Errorf("oncall %v (-want +got):\n%s", test.args, diff)
			}
		}
		if got := strings.Count(k.ok("oncall"), "\n"); got != 4 {
			t.Errorf("%d positions in all, want 4", got)
		}
		wantWords(t, k.fails(1, "oncall", "--service", "logical"), "Logical has no escalation policy, so its incidents page the administrators.")
		wantWords(t, k.fails(1, "oncall", "--team", "nobodys"), "nobodys")
		wantWords(t, k.fails(1, "oncall", "--at", "tomorrow"), `"tomorrow" is no time`)
	})
}

const onCallFixture = `
version: 1
organization: {name: Acme, timezone: Europe/Berlin}
users:
  - {email: ana@acme.example, name: Ana Ortiz}
  - {email: ben@acme.example, name: Ben Adeyemi}
  - {email: dana@acme.example, name: Dana Levi, role: manager}
teams:
  - {slug: payments, name: Payments, members: [ana@acme.example, ben@acme.example]}
schedules:
  - slug: payments
    name: Payments
    team: payments
    timezone: Europe/Madrid
    positions: [main, backup]
    layers: [{name: weekly, start: "2026-01-05 09:00", rotate: {every: 1, unit: week}, members: [ana@acme.example, ben@acme.example]}]
    shadows: [{user: dana@acme.example, position: main}]
  - slug: office
    name: Office
    timezone: Europe/London
    positions: [main]
    layers: [{name: hours, members: [ana@acme.example], restrictions: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}]}]
  - {slug: ever, name: Ever, timezone: Europe/Berlin, positions: [main], layers: [{name: one, members: [dana@acme.example]}]}
escalation_policies:
  - slug: payments
    name: Payments
    repeat: 1
    steps:
      - {timeout: 5m, targets: [{schedule: payments, position: backup}]}
      - {timeout: 5m, targets: [{schedule: office, position: main}, {user: dana@acme.example}, {schedule: payments, position: backup}]}
services:
  - {slug: checkout-api, name: Checkout API, team: payments, escalation_policy: payments}
  - {slug: logical, name: Logical}
`

func TestPeople(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.vars["TOCSIN_PUBLIC_URL"] = "https://tocsin.acme.example"
		wantWords(t, k.ok("user", "list"), "nobody yet")
		added := k.ok("user", "add", "Ana@acme.example", "--name", "Ana Ortiz", "--timezone", "Europe/Madrid")
		wantWords(t, added, "Ana Ortiz (ana@acme.example) is now a responder.", "https://tocsin.acme.example/password/")
		link := k.ok("user", "link", "ana@acme.example")
		wantWords(t, link, "https://tocsin.acme.example/password/", "works once, until")
		if strings.TrimSpace(link) == strings.TrimSpace(added[strings.Index(added, "\n")+1:]) {
			t.Error("the second link is the first")
		}
		wantWords(t, k.ok("user", "role", "ana@acme.example", "administrator"), "is now an administrator.")
		wantWords(t, k.ok("user", "list"), "NAME", "Ana Ortiz  ana@acme.example  administrator  has set no password")
		wantWords(t, k.fails(1, "user", "role", "ana@acme.example", "king"), "A role is stakeholder, responder, manager or administrator.")
		wantWords(t, k.fails(1, "user", "add", "nonsense", "--name", "X"), "email")
		wantWords(t, k.fails(1, "user", "link", "ben@acme.example"), "ben@acme.example")
	})
}

func TestTokenIsPrintedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		wantWords(t, k.ok("token", "list"), "no API tokens")
		made := k.run("token", "create", "--name", "ci", "--scope", "read")
		secret := strings.TrimSuffix(made.out, "\n")
		if made.code != 0 || len(secret) < 32 || strings.ContainsAny(secret, " \n") {
			t.Fatalf("made: %+v", made)
		}
		wantWords(t, made.err, "shown this once")
		list := k.ok("token", "list")
		wantWords(t, list, "ci", "read", "by tocsin", "never", "active")
		if strings.Contains(list, secret) {
			t.Error("the list shows the secret")
		}
		wantWords(t, k.fails(1, "token", "create", "--name", "ci", "--scope", "read"), "ci")
		wantWords(t, k.fails(1, "token", "create", "--name", "x", "--scope", "root"), "A scope is read,")
		wantWords(t, k.ok("token", "revoke", "ci"), "The token ci is revoked.")
		wantWords(t, k.ok("token", "list"), "revoked 20")
		wantWords(t, k.fails(1, "token", "revoke", "other"), "No token is called other.")
	})
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	k := empty(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"nonsense"}, `Unknown command "nonsense"`},
		{[]string{"apply"}, `Required flag(s) "file" not set`},
		{[]string{"apply", "--fil", "x"}, "Unknown flag: --fil"},
		{[]string{"user", "link"}, "Missing argument EMAIL: tocsin user link EMAIL"},
		{[]string{"migrate", "now"}, `Unexpected argument "now"`},
		{[]string{"oncall", "--team", "a", "--service", "b"}, "team"},
	} {
		wantWords(t, k.fails(2, test.args...), test.want, "tocsin help")
	}
	wantWords(t, k.ok(), "serve", "doctor", "Available Commands")
	wantWords(t, k.ok("version"), "tocsin "+version)
}

func TestAnotherSecretIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, k terminal) {
		k.ok("apply", "-f", example)
		exported := k.ok("export")
		secret := k.vars["TOCSIN_SECRET_KEY"]
		k.vars["TOCSIN_SECRET_KEY"] = strings.Repeat("cd", 32)
		for _, command := range [][]string{{"export"}, {"apply", "-f", example}} {
			if s := k.run(command...); s.code == 0 || !strings.Contains(s.err, "cannot be opened of: ") {
				t.Errorf("%v: %d\n%s%s", command, s.code, s.out, s.err)
			}
		}
		if k.vars["TOCSIN_SECRET_KEY"] = secret; secret == "" {
			delete(k.vars, "TOCSIN_SECRET_KEY")
		}
		if again := k.ok("export"); again != exported {
			t.Errorf("changed (-before +after):\n%s", cmp.Diff(exported, again))
		}
	})
}

func TestMissingDatabaseIsNotCreated(t *testing.T) {
	t.Parallel()
	k := empty(t)
	for _, command := range [][]string{{"oncall"}, {"export"}, {"user", "list"}, {"token", "list"}} {
		wantWords(t, k.fails(1, command...), "There is no database", "tocsin serve")
	}
	if _, err := os.Stat(strings.TrimPrefix(k.vars["TOCSIN_DATABASE_URL"], "sqlite:")); !os.IsNotExist(err) {
		t.Error("a command has made a database")
	}
}

func TestErrorMessages(t *testing.T) {
	t.Parallel()
	k := terminal{t, map[string]string{"TOCSIN_LISTEN": "here", "TOCSIN_SMTP_FROM": "a@example.com"}}
	wantWords(t, k.fails(1, "serve"), "The configuration has 2 problems.\n", "  TOCSIN_LISTEN: \"here\" is no address", "  TOCSIN_SMTP_URL: ")

	// A port that nothing listens on.
	k = terminal{t, map[string]string{"TOCSIN_DATABASE_URL": "postgres://tocsin:hunter2@127.0.0.1:1/tocsin", "TOCSIN_SECRET_KEY": strings.Repeat("ab", 32)}}
	got := k.fails(1, "oncall")
	wantWords(t, got, "The database postgres://tocsin@127.0.0.1:1/tocsin cannot be reached: nothing listens there.")
	for _, unwanted := range []string{"hunter2", "dial", "connect:"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("%q is shown:\n%s", unwanted, got)
		}
	}
	wantWords(t, k.fails(1, "oncall", "--verbose"), "Cause: ", "connect")

	// A server that answers, and has no such database.
	there, err := url.Parse(harness.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	there.Path = "/none"
	k.vars["TOCSIN_DATABASE_URL"] = there.String()
	wantWords(t, k.fails(1, "oncall"), "the server has no database of that name")
}
