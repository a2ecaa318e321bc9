package server_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store"
)

// paged is how many people are paged by it, each of an incident of their own.
const paged = 24

// TestKilledProcessLosesNoPage runs two processes on one PostgreSQL. The calls
// of the first reach a provider that never answers; when it holds some of the
// pages between claim and send, it is killed. Every page leaves from the other.
func TestKilledProcessLosesNoPage(t *testing.T) {
	t.Parallel()
	twilio, err := far.NewTwilio(far.TwilioConfig{LocalCallbacks: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = twilio.Close() })
	hole := newBlackHole(t)
	database := harness.Postgres(t)
	binary := build(t)
	file := filepath.Join(t.TempDir(), "people.yaml")
	if err := os.WriteFile(file, []byte(manyPeople(paged)), 0o600); err != nil {
		t.Fatal(err)
	}
	doomed := process{t: t, binary: binary, database: database, twilio: twilio, base: hole.address}
	other := process{t: t, binary: binary, database: database, twilio: twilio, base: twilio.URL()}
	doomed.run("apply", "-f", file)
	doomed.serve()
	other.serve()

	for i := range paged {
		doomed.post(fmt.Sprintf("/webhooks/slo/%s", personKey(i)), `{"service":"s","sli":"availability","slo":{"name":"Availability"}}`)
	}
	hole.wait(t)
	if err := doomed.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed, held := time.Now(), int(hole.held.Load())
	db, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// What was claimed counts as under way, whether its call had begun or not.
	claimed := count(t, db, func(p incident.PageRecord) bool { return p.State == incident.AttemptSending })

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var last time.Time
	for i := range paged {
		sms, err := twilio.Wait(ctx, func(m far.SMS) bool { return m.To == personNumber(i) })
		if err != nil {
			t.Fatalf("the page of person %d was lost: %v", i, err)
		}
		if sms.At.After(last) {
			last = sms.At
		}
	}
	t.Logf("%d pages were claimed, %d calls under way; the last page left %s after the kill", claimed, held, last.Sub(killed).Round(time.Millisecond))

	marked := count(t, db, func(p incident.PageRecord) bool { return p.Again })
	if marked < held || marked > claimed {
		t.Errorf("%d sends are marked as a second one, of %d that were claimed and %d whose calls had begun", marked, claimed, held)
	}
	if sent := len(twilio.Messages()); sent != paged {
		t.Errorf("%d messages went to %d people", sent, paged)
	}
}

// count counts the pages of everybody.
func count(t *testing.T, db *store.Store, which func(incident.PageRecord) bool) int {
	t.Helper()
	n := 0
	for i := range paged {
		pages, err := db.Paging.IncidentPages(t.Context(), int64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pages {
			if which(p) {
				n++
			}
		}
	}
	return n
}

// blackHole takes connections and never answers.
type blackHole struct {
	address string
	held    atomic.Int64
	first   chan struct{}
}

func newBlackHole(t *testing.T) *blackHole {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &blackHole{address: "http://" + l.Addr().String(), first: make(chan struct{})}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			if h.held.Add(1) == 1 {
				close(h.first)
			}
		}
	}()
	return h
}

func (h *blackHole) wait(t *testing.T) {
	t.Helper()
	select {
	case <-h.first:
	case <-t.Context().Done():
		t.Fatal("the process that is to be killed claimed nothing")
	}
}

// process is the binary, as it runs in production.
type process struct {
	t                      *testing.T
	binary, database, base string
	twilio                 *far.Twilio
	host                   string
	env                    []string // besides that of the test
	command                *exec.Cmd
	log                    lockedBuffer
}

// lockedBuffer is what a process has written so far.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tocsin")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/tocsin-oncall/tocsin/cmd/tocsin").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

func (p *process) prepare(args ...string) *exec.Cmd {
	c := exec.CommandContext(p.t.Context(), p.binary, args...)
	c.Env = append(os.Environ(), "TOCSIN_DATABASE_URL="+p.database, "TOCSIN_LISTEN="+p.host, "TOCSIN_SECRET_KEY="+strings.Repeat("5a", 32),
		"TOCSIN_TWILIO_BASE_URL="+p.base, "TOCSIN_TWILIO_ACCOUNT_SID="+p.twilio.AccountSID,
		"TOCSIN_TWILIO_AUTH_TOKEN="+p.twilio.AuthToken, "TOCSIN_TWILIO_FROM="+p.twilio.Number)
	c.Env = append(c.Env, p.env...)
	return c
}

func (p *process) run(args ...string) {
	p.t.Helper()
	if out, err := p.prepare(args...).CombinedOutput(); err != nil {
		p.t.Fatalf("tocsin %s: %v\n%s", args[0], err, out)
	}
}

// serve starts a server and waits until it is ready.
func (p *process) serve() {
	p.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(p.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.host = l.Addr().String()
	_ = l.Close()
	p.command = p.prepare("serve")
	p.command.Stdout, p.command.Stderr = &p.log, &p.log
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = p.command.Wait(); close(ended) }()
	p.t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-ended
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			p.t.Fatalf("the server ended:\n%s", p.log.String())
		case <-p.t.Context().Done():
			p.t.Fatal("the server did not become ready")
		case <-tick.C:
		}
		if r, err := http.Get("http://" + p.host + "/readyz"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
	}
}

func (p *process) post(path, body string) {
	p.t.Helper()
	r, err := http.Post("http://"+p.host+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusAccepted {
		p.t.Fatalf("POST %s was answered %d", path, r.StatusCode)
	}
}

func personKey(i int) string    { return fmt.Sprintf("kill%028d", i) }
func personNumber(i int) string { return fmt.Sprintf("+4915%09d", i) }

// manyPeople is an organisation in which everybody has a service of their own.
func manyPeople(n int) string {
	var users, policies, services, integrations strings.Builder
	for i := range n {
		fmt.Fprintf(&users, "  - {email: p%d@acme.example, name: Person %d, role: responder, contacts: [{id: sms, type: sms, value: %q, verified: true}]}\n", i, i, personNumber(i))
		fmt.Fprintf(&policies, "  - {slug: p%d, name: P%d, steps: [{timeout: 1h, targets: [{user: p%d@acme.example}]}]}\n", i, i, i)
		fmt.Fprintf(&services, "  - {slug: s%d, name: S%d, escalation_policy: p%d}\n", i, i, i)
		fmt.Fprintf(&integrations, "  - {slug: s%d, name: S%d, kind: slo, service: s%d, key: %s}\n", i, i, i, personKey(i))
	}
	return "version: 1\nusers:\n" + users.String() + "escalation_policies:\n" + policies.String() + "services:\n" + services.String() + "integrations:\n" + integrations.String()
}
