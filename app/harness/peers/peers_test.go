//go:build peers

// Package peers runs real senders against the real server: Prometheus
// Alertmanager, and PagerDuty's own client. `make test-peers` runs it; the build
// tag keeps it out of other runs, which need no Alertmanager.
package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
)

// Keys of the integrations; PagerDuty's clients want 32 characters.
const (
	alertmanagerKey = "alertmanager0000000000000000key1"
	pagerdutyKey    = "pagerduty00000000000000000000key"
)

// organisation has Ana on call for everything, from long before any clock.
const organisation = `
version: 1
organization: {name: Acme, timezone: UTC}
users:
  - {email: ana@acme.example, name: Ana Ortiz, role: responder,
     contacts: [{id: sms, type: sms, value: "+34600000001", verified: true}]}
teams:
  - {slug: payments, name: Payments, members: [ana@acme.example]}
escalation_policies:
  - {slug: payments, name: Payments, team: payments, steps: [{timeout: 60m, targets: [{user: ana@acme.example}]}]}
services:
  - {slug: checkout, name: Checkout, team: payments, escalation_policy: payments}
integrations:
  - {slug: alertmanager, name: Alertmanager, kind: alertmanager, service: checkout, key: ` + alertmanagerKey + `}
  - {slug: pagerduty, name: PagerDuty clients, kind: pagerduty, service: checkout, key: ` + pagerdutyKey + `}
`

// deadline is how long a test waits for what a peer does.
const deadline = time.Minute

// world is a server, and the proxy by which a peer reaches it.
type world struct {
	*harness.Harness
	t          *testing.T
	proxy      *httptest.Server
	target     atomic.Pointer[url.URL]
	deliveries chan delivery
}

// delivery is a request of a peer and what it was answered.
type delivery struct {
	path, body string
	status     int
	answer     string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, deliveries: make(chan delivery, 1000)}
	w.Harness = harness.NewAt(t, "sqlite:"+filepath.Join(t.TempDir(), "tocsin.db"), time.Now().UTC().Truncate(time.Microsecond))
	w.ApplyText("peers.yaml", organisation)
	w.aim(w.URL)
	w.proxy = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			body, err := io.ReadAll(r.In.Body)
			if err != nil {
				t.Errorf("read a peer's request: %v", err)
			}
			r.Out.Body = io.NopCloser(bytes.NewReader(body))
			r.Out = r.Out.WithContext(withBody(r.Out.Context(), string(body)))
			r.SetURL(w.target.Load())
		},
		ModifyResponse: func(r *http.Response) error {
			answer, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(answer))
			w.deliveries <- delivery{r.Request.URL.Path, bodyOf(r.Request.Context()), r.StatusCode, string(answer)}
			return err
		},
		ErrorHandler: func(rw http.ResponseWriter, r *http.Request, _ error) {
			w.deliveries <- delivery{path: r.URL.Path, status: http.StatusBadGateway}
			rw.WriteHeader(http.StatusBadGateway)
		},
	})
	t.Cleanup(w.proxy.Close)
	return w
}

// aim points the proxy at a server.
func (w *world) aim(address string) {
	w.t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.target.Store(target)
}

// await returns the next delivery that matches.
func (w *world) await(what string, match func(delivery) bool) delivery {
	w.t.Helper()
	timeout := time.After(deadline)
	var seen []string
	for {
		select {
		case d := <-w.deliveries:
			if match(d) {
				return d
			}
			seen = append(seen, fmt.Sprintf("%s %d %.2000s", d.path, d.status, d.answer))
		case <-timeout:
			w.t.Fatalf("no delivery that %s within %s, but:\n%s", what, deadline, strings.Join(seen, "\n"))
		}
	}
}

// forget drops the deliveries that nobody has looked at.
func (w *world) forget() {
	for {
		select {
		case <-w.deliveries:
		default:
			return
		}
	}
}

// accepted has the deliveries that the server took.
func accepted(d delivery) bool { return d.status == http.StatusAccepted }

// answer is what is answered for an alert.
type answer struct {
	Status   string
	Incident struct{ Number int64 }
	DedupKey string `json:"dedup_key"`
	Warnings []string
}

// answers are those to a notification of Alertmanager.
func (d delivery) answers(t *testing.T) []answer {
	t.Helper()
	var all []answer
	if err := json.Unmarshal([]byte(d.answer), &all); err != nil {
		t.Fatalf("%s is no list: %v", d.answer, err)
	}
	return all
}

func statuses(answers []answer) []string {
	var all []string
	for _, a := range answers {
		all = append(all, a.Status)
	}
	slices.Sort(all)
	return all
}

// open are the incidents that are not resolved.
func (w *world) open() []int64 {
	w.t.Helper()
	list, _ := w.API(http.MethodGet, "/incidents", nil)["items"].([]any)
	var numbers []int64
	for _, item := range list {
		row, _ := item.(map[string]any)
		number, _ := row["number"].(float64)
		if row["status"] != "resolved" {
			numbers = append(numbers, int64(number))
		}
	}
	return numbers
}

// expectStatus fails where an incident has another status.
func (w *world) expectStatus(number int64, want string) {
	w.t.Helper()
	if got := w.Incident(number)["status"]; got != want {
		w.t.Fatalf("incident %d is %v, want %s", number, got, want)
	}
}
