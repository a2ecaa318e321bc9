package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

const (
	memoryLimit = 256 << 20
	// softLimit is what Go is told of a container of that size, by the variable that
	// takes precedence over what it would read of the container.
	softLimit = "GOMEMLIMIT=217MiB"
)

// TestServerStaysWithinMemory lets the server bear, one after the other, what needs
// much memory at once: passwords that are checked, a storm of signals, open pages.
func TestServerStaysWithinMemory(t *testing.T) {
	twilio, err := far.NewTwilio(far.TwilioConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = twilio.Close() })
	file := filepath.Join(t.TempDir(), "people.yaml")
	if err := os.WriteFile(file, []byte(manyPeople(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, binary: build(t), database: "sqlite:" + filepath.Join(t.TempDir(), "tocsin.db"), twilio: twilio, base: twilio.URL(), env: []string{softLimit}}
	p.run("migrate")
	p.run("apply", "-f", file)
	p.serve()
	person := p.signIn("p0@acme.example")

	p.inParallel(100, 100, func(int) error { return p.signInWrong() })
	p.expectWithin(memoryLimit, "100 sign-ins at once")
	p.inParallel(10_000, 16, p.breach)
	p.expectWithin(memoryLimit, "10,000 breaches")

	const pages = 1500
	heard := make(chan error, pages)
	var connected sync.WaitGroup
	for range pages {
		connected.Add(1)
		go func() { heard <- p.watch(person, connected.Done) }()
	}
	connected.Wait()
	if err := p.breach(10_000); err != nil {
		t.Fatal(err)
	}
	for range pages {
		if err := <-heard; err != nil {
			t.Fatal(err)
		}
	}
	p.expectWithin(memoryLimit, "1,500 open pages")
}

// signIn returns a client with the session of a person.
func (p *process) signIn(email string) *http.Client {
	p.t.Helper()
	out, err := p.prepare("user", "link", email).CombinedOutput()
	if err != nil {
		p.t.Fatalf("user link: %v\n%s", err, out)
	}
	path := regexp.MustCompile(`/password/\S+`).Find(out)
	if path == nil {
		p.t.Fatalf("user link printed no link:\n%s", out)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	r, err := client.PostForm("http://"+p.host+string(path), url.Values{"password": {"a sentence is good"}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusOK {
		p.t.Fatalf("the password was answered %d", r.StatusCode)
	}
	return client
}

// signInWrong tries a wrong password, which is refused, or put off where many are
// checked at once.
func (p *process) signInWrong() error {
	r, err := http.PostForm("http://"+p.host+"/sign-in", url.Values{"email": {"p0@acme.example"}, "password": {"wrong"}})
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	switch r.StatusCode {
	case http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil
	default:
		return fmt.Errorf("a wrong password was answered %d", r.StatusCode)
	}
}

func (p *process) breach(i int) error {
	body := fmt.Sprintf(`{"service":"s0","sli":"availability","slo":{"name":"Availability"},"dedup_key":"storm-%d"}`, i)
	r, err := http.Post("http://"+p.host+"/webhooks/slo/"+personKey(0), "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	_, _ = io.Copy(io.Discard, r.Body) // so that the connection is used again
	if r.StatusCode != http.StatusAccepted {
		return fmt.Errorf("a breach was answered %d", r.StatusCode)
	}
	return nil
}

// watch keeps a live stream open until it hears of a change.
func (p *process) watch(client *http.Client, connected func()) error {
	r, err := client.Get("http://" + p.host + "/live")
	connected()
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data:") {
			return nil
		}
	}
	return fmt.Errorf("a stream that was answered %d ended before the change: %w", r.StatusCode, lines.Err())
}

// inParallel calls f for 0 to n-1, at most workers at once, and fails on an error.
func (p *process) inParallel(n, workers int, f func(int) error) {
	p.t.Helper()
	next, failed := make(chan int), make(chan error, workers)
	for range workers {
		go func() {
			var err error
			for i := range next {
				if err == nil {
					err = f(i)
				}
			}
			failed <- err
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range workers {
		if err := <-failed; err != nil {
			p.t.Error(err)
		}
	}
}

// expectWithin fails where the process has ever held more memory than a limit, in bytes.
func (p *process) expectWithin(limit int, after string) {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.t.Fatalf("the server did not survive: %v\n%s", err, p.log.String())
	}
	_, rest, found := bytes.Cut(status, []byte("VmHWM:"))
	if !found {
		p.t.Fatalf("the server did not survive:\n%s", p.log.String())
	}
	kilobytes, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("at most %d MB after %s", kilobytes>>10, after)
	if kilobytes<<10 > limit {
		p.t.Errorf("the server held %d MB after %s, at most %d MB are allowed", kilobytes>>10, after, limit>>20)
	}
}
