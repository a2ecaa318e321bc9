//go:build peers

package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is Alertmanager's, which Debian names after Prometheus.
func binary(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("TOCSIN_ALERTMANAGER"); named != "" {
		return named
	}
	for _, name := range []string{"prometheus-alertmanager", "alertmanager"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Alertmanager: install prometheus-alertmanager, or set TOCSIN_ALERTMANAGER to its path")
	return ""
}

// alertmanager is a running Alertmanager with a data directory of its own.
type alertmanager struct {
	t         *testing.T
	directory string
	url       string
	stop      func()
}

// startAlertmanager starts one whose only receiver is the configuration given. It
// waits for a group's alerts unless the first of them began before its group_wait.
func startAlertmanager(t *testing.T, receiver string) *alertmanager {
	t.Helper()
	a := &alertmanager{t: t, directory: t.TempDir()}
	config := `
route:
  receiver: tocsin
  group_by: [alertname, service]
  group_wait: 500ms
  group_interval: 300ms
  repeat_interval: 600ms
receivers:
  - name: tocsin
` + receiver
	if err := os.WriteFile(filepath.Join(a.directory, "alertmanager.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	a.start()
	t.Cleanup(func() { a.stop() })
	return a
}

var listening = regexp.MustCompile(`Listening on.*address=(127\.0\.0\.1:\d+)`)

// start runs Alertmanager and waits until it listens.
func (a *alertmanager) start() {
	a.t.Helper()
	command := exec.Command(binary(a.t), //nolint:noctx // it is stopped by a signal
		"--config.file="+filepath.Join(a.directory, "alertmanager.yml"), "--storage.path="+filepath.Join(a.directory, "data"),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	stderr, err := command.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		a.t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	var log bytes.Buffer
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			log.WriteString(lines.Text() + "\n")
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				select {
				case address <- found[1]:
				default:
				}
			}
		}
	}()
	a.stop = sync.OnceFunc(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		<-ended
		_ = command.Wait()
		if a.t.Failed() {
			a.t.Logf("Alertmanager:\n%s", log.String())
		}
	})
	select {
	case found := <-address:
		a.url = "http://" + found
	case <-ended:
		_ = command.Wait()
		a.t.Fatalf("Alertmanager did not start:\n%s", log.String())
	case <-time.After(deadline):
		a.stop()
		a.t.Fatalf("Alertmanager does not listen after %s", deadline)
	}
}

// alert is one of the two that the tests put in.
type alert struct {
	instance string
	startsAt time.Time
	over     bool
}

// put tells Alertmanager of alerts, as Prometheus does.
func (a *alertmanager) put(alerts ...alert) {
	a.t.Helper()
	var all []map[string]any
	for _, alert := range alerts {
		ends := time.Now().Add(time.Hour)
		if alert.over {
			ends = time.Now()
		}
		all = append(all, map[string]any{
			"labels":       map[string]string{"alertname": "DemoErrors", "service": "checkout", "severity": "critical", "instance": alert.instance},
			"annotations":  map[string]string{"summary": "Errors on " + alert.instance, "runbook_url": "https://runbooks.example.com/checkout"},
			"startsAt":     alert.startsAt,
			"endsAt":       ends,
			"generatorURL": "https://prometheus.example.com/graph",
		})
	}
	body, err := json.Marshal(all)
	if err != nil {
		a.t.Fatal(err)
	}
	response, err := http.Post(a.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		a.t.Fatalf("Alertmanager answers %s to alerts", response.Status)
	}
}

// TestAlertmanagerWebhook follows a group of two alerts through a real
// Alertmanager: both fire, it repeats, one is over, both are; and what fires goes
// on across restarts of either side.
func TestAlertmanagerWebhook(t *testing.T) {
	w := newWorld(t)
	am := startAlertmanager(t, fmt.Sprintf(`
    webhook_configs:
      - url: %s/webhooks/alertmanager
        send_resolved: true
        http_config: {authorization: {credentials: %s}}
`, w.proxy.URL, alertmanagerKey))
	ana := w.Phone("ana")
	first := alert{instance: "api-1", startsAt: time.Now()}
	second := alert{instance: "api-2", startsAt: time.Now()}

	// Both fire: one incident.
	am.put(first, second)
	fired := w.await("tells of both alerts", func(d delivery) bool { return accepted(d) && len(d.answers(t)) == 2 }).answers(t)
	number := fired[0].Incident.Number
	if open := w.open(); number == 0 || fired[1].Incident.Number != number || !slices.Equal(open, []int64{number}) {
		t.Fatalf("both alerts are answered %+v; incidents %v are open", fired, open)
	}
	ana.ExpectSMS("Errors on api-")
	ana.Ignore()

	// A repeat pages nobody.
	w.forget()
	for range 2 {
		d := w.await("repeats both alerts", accepted)
		if got := statuses(d.answers(t)); !slices.Equal(got, []string{"deduplicated", "deduplicated"}) {
			t.Fatalf("the repeat is answered %v", got)
		}
	}
	ana.ExpectNothing()
	w.expectStatus(number, "triggered")

	// One of two is over: the incident goes on.
	second.over = true
	am.put(second)
	w.await("tells that one of two is over", func(d delivery) bool { return accepted(d) && strings.Contains(d.body, `"status":"resolved"`) })
	w.expectStatus(number, "triggered")
	ana.ExpectNothing()

	// Tocsin restarts while the other fires: Alertmanager tries until it is back.
	w.Shutdown()
	w.forget()
	w.await("finds nobody", func(d delivery) bool { return d.status == http.StatusBadGateway })
	w.Boot()
	w.aim(w.URL)
	w.await("is accepted after the restart", accepted)
	w.expectStatus(number, "triggered")

	// Alertmanager restarts, and Prometheus tells it again of what fires.
	am.stop()
	w.forget()
	am.start()
	am.put(first)
	w.await("comes from the Alertmanager that was restarted", accepted)
	w.expectStatus(number, "triggered")
	ana.ExpectNothing()

	// Both are over.
	first.over = true
	am.put(first)
	over := w.await("tells that all are over", func(d delivery) bool {
		return accepted(d) && slices.Contains(statuses(d.answers(t)), "resolved")
	}).answers(t)
	if len(over) != 1 || over[0].Incident.Number != number {
		t.Errorf("the end is answered %+v", over)
	}
	w.expectStatus(number, "resolved")
	if open := w.open(); len(open) != 0 {
		t.Errorf("incidents %v are open", open)
	}
}

// TestAlertmanagerPagerDuty has Alertmanager believe that Tocsin is PagerDuty. It
// sends one event for a group, so a group is one alert.
func TestAlertmanagerPagerDuty(t *testing.T) {
	w := newWorld(t)
	am := startAlertmanager(t, fmt.Sprintf(`
    pagerduty_configs:
      - url: %s/v2/enqueue
        routing_key: %s
        send_resolved: true
        severity: '{{ .CommonLabels.severity }}'
`, w.proxy.URL, pagerdutyKey))
	ana := w.Phone("ana")
	first := alert{instance: "api-1", startsAt: time.Now()}
	second := alert{instance: "api-2", startsAt: time.Now()}
	firing := func(n string) func(delivery) bool {
		return func(d delivery) bool { return accepted(d) && strings.Contains(d.body, "[FIRING:"+n+"]") }
	}

	am.put(first, second)
	fired := w.await("tells of the group", firing("2"))
	if !strings.Contains(fired.answer, `"status":"success","message":"Event processed","dedup_key":"`) {
		t.Errorf("the event is answered %s", fired.answer)
	}
	open := w.open()
	if len(open) != 1 {
		t.Fatalf("incidents %v are open, want one", open)
	}
	ana.ExpectSMS("DemoErrors")

	w.forget()
	w.await("repeats", firing("2"))
	second.over = true
	am.put(second)
	w.await("tells that one of two is over", firing("1"))
	w.expectStatus(open[0], "triggered")
	ana.ExpectNothing()

	am.stop()
	w.forget()
	am.start()
	am.put(first)
	w.await("comes from the Alertmanager that was restarted", firing("1"))
	w.expectStatus(open[0], "triggered")
	ana.ExpectNothing()

	first.over = true
	am.put(first)
	w.await("tells that all are over", func(d delivery) bool { return accepted(d) && strings.Contains(d.body, `"event_action":"resolve"`) })
	w.expectStatus(open[0], "resolved")
	if open := w.open(); len(open) != 0 {
		t.Errorf("incidents %v are open", open)
	}
}
