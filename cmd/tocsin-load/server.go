package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// subject is a measured server, with the provider that it sends to.
type subject struct {
	host    string
	twilio  *far.Twilio
	process *exec.Cmd
	dir     string
	// opened counts the incidents that runs of distinct breaches opened.
	opened   int
	apiToken string // of the API; empty until it is needed
}

// start boots a binary on a database with an organisation of many people,
// each with a service, a policy and a key of their own.
func (p plan) start(ctx context.Context, binary, database string) (*subject, error) {
	dir, err := os.MkdirTemp("", "tocsin-load")
	if err != nil {
		return nil, err
	}
	twilio, err := far.NewTwilio(far.TwilioConfig{LocalCallbacks: true})
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{host: fmt.Sprintf("127.0.0.1:%d", port), twilio: twilio, dir: dir}
	file := filepath.Join(dir, "load.yaml")
	if err := os.WriteFile(file, []byte(organization(p.people)), 0o600); err != nil {
		return nil, err
	}
	env := append(os.Environ(),
		"TOCSIN_DATABASE_URL="+database, "TOCSIN_LISTEN="+s.host, "TOCSIN_SECRET_KEY="+strings.Repeat("a1", 32),
		"TOCSIN_TWILIO_BASE_URL="+twilio.URL(), "TOCSIN_TWILIO_ACCOUNT_SID="+twilio.AccountSID,
		"TOCSIN_TWILIO_AUTH_TOKEN="+twilio.AuthToken, "TOCSIN_TWILIO_FROM="+twilio.Number)
	for _, args := range [][]string{{"migrate"}, {"apply", "-f", file}} {
		command := exec.CommandContext(ctx, binary, args...)
		command.Env = env
		if out, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s %s: %w\n%s", binary, args[0], err, out)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	s.process = exec.CommandContext(ctx, binary, "serve")
	s.process.Env, s.process.Stdout, s.process.Stderr = env, log, log
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	return s, s.ready(ctx)
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *subject) ready(ctx context.Context) error {
	for range 300 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.host+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return errors.New("server not ready:\n" + string(log))
}

func (s *subject) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
	_ = s.twilio.Close()
	_ = os.RemoveAll(s.dir)
}

// key is the integration key of the i-th service.
func key(i int) string { return fmt.Sprintf("load%028d", i) }

// number is the i-th person's.
func number(i int) string { return fmt.Sprintf("+4915%09d", i) }

// organization is the configuration file. The person of the first service receives the
// pages of the runs of requests, the others one page each in turn.
func organization(people int) string {
	var users, policies, services, integrations strings.Builder
	for i := range people + 1 {
		fmt.Fprintf(&users, "  - {email: p%d@load.example, name: Person %d, role: responder, contacts: [{id: sms, type: sms, value: %q, verified: true}]}\n", i, i, number(i))
		fmt.Fprintf(&policies, "  - {slug: load-%d, name: Load %d, steps: [{timeout: 1h, targets: [{user: p%d@load.example}]}]}\n", i, i, i)
		fmt.Fprintf(&services, "  - {slug: load-%d, name: Load %d, deployments: [prod-eu], escalation_policy: load-%d}\n", i, i, i)
		fmt.Fprintf(&integrations, "  - {slug: load-%d, name: Load %d, kind: slo, service: load-%d, key: %s}\n", i, i, i, key(i))
	}
	policy, service, integration := lateConfiguration()
	policies.WriteString(policy)
	services.WriteString(service)
	integrations.WriteString(integration)
	return "version: 1\norganization: {name: Load, timezone: UTC}\ndeployments:\n  - {slug: prod-eu, name: Production Europe, region: EU, kind: production}\nusers:\n" + users.String() +
		"escalation_policies:\n" + policies.String() + "services:\n" + services.String() + "integrations:\n" + integrations.String()
}
