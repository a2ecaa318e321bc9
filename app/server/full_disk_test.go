package server_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// TestFullDiskSendsNothingUnrecorded lets the files of a server on SQLite grow no
// further, by the limit of the process, while a message waits for its second try.
// No claim can be committed then, so nothing may be sent; when there is room again
// the message is sent once.
func TestFullDiskSendsNothingUnrecorded(t *testing.T) {
	t.Parallel()
	twilio, err := far.NewTwilio(far.TwilioConfig{LocalCallbacks: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = twilio.Close() })
	file := filepath.Join(t.TempDir(), "people.yaml")
	if err := os.WriteFile(file, []byte(manyPeople(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := process{t: t, binary: build(t), database: "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db"), twilio: twilio, base: twilio.URL()}
	p.run("migrate")
	p.run("apply", "-f", file)
	p.serve()
	twilio.FailNext(far.TwilioRefusal{Status: 503, Code: 20500, Message: "Internal server error"})
	p.post("/webhooks/slo/"+personKey(0), `{"service":"s","sli":"availability","slo":{"name":"Availability"}}`)
	p.until("the first try to be refused", func() bool { return twilio.Refusals() > 0 })

	limit := p.limitFiles(unix.Rlimit{Cur: 4096, Max: unix.RLIM_INFINITY})
	failed := strings.Count(p.log.String(), `"loop":"messages"`)
	p.until("three sweeps of messages to fail", func() bool { return strings.Count(p.log.String(), `"loop":"messages"`) >= failed+3 })
	p.until("readiness to say so", func() bool { return strings.Contains(p.get("/readyz"), "cannot be written to") })
	if sent := len(twilio.Messages()); sent != 0 {
		t.Errorf("%d messages were sent while nothing could be recorded", sent)
	}
	p.limitFiles(limit)

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := twilio.Wait(ctx, func(m far.SMS) bool { return m.To == personNumber(0) }); err != nil {
		t.Fatalf("the message was not sent when there was room again: %v\n%s", err, p.log.String())
	}
	if sent := len(twilio.Messages()); sent != 1 {
		t.Errorf("%d messages were sent, want one", sent)
	}
}

// limitFiles sets how large a file the process may write, and returns the limit
// before.
func (p *process) limitFiles(limit unix.Rlimit) (before unix.Rlimit) {
	p.t.Helper()
	if err := unix.Prlimit(p.command.Process.Pid, unix.RLIMIT_FSIZE, &limit, &before); err != nil {
		p.t.Fatal(err)
	}
	return before
}

// until waits for what the process does.
func (p *process) until(what string, done func() bool) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-limit.C:
			p.t.Fatalf("waited in vain for %s:\n%s", what, p.log.String())
		case <-tick.C:
		}
	}
}

// get is the body of an answer of any status.
func (p *process) get(path string) string {
	p.t.Helper()
	r, err := http.Get("http://" + p.host + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}
