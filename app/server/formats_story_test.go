package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness"
)

const (
	alertmanagerKey = "alertmanager0000000000000000key1"
	pagerdutyKey    = "pagerduty00000000000000000000key"
)

const moreIntegrations = `
version: 1
organization: {name: Acme, timezone: Europe/Madrid, support_hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}}
integrations:
  - {slug: alertmanager, name: Alertmanager, kind: alertmanager, service: checkout-api, key: ` + alertmanagerKey + `}
  - {slug: pagerduty, name: PagerDuty clients, kind: pagerduty, service: checkout-api, key: ` + pagerdutyKey + `}
`

// recorded is a request that a real sender was recorded to make.
type recorded struct {
	At   time.Time
	Path string
	Body json.RawMessage
}

// recording reads one from the test data of a package under ingest.
func recording(t *testing.T, path string) recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "ingest", path+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r
}

// postNotification posts a notification of Alertmanager's and returns the results and the
// incident of the first alert.
func postNotification(t *testing.T, h *harness.Harness, body []byte) (results []string, number int64) {
	t.Helper()
	status, answer := h.Post("/webhooks/alertmanager/"+alertmanagerKey, "application/json", body)
	var answers []struct {
		Status   string
		Incident struct{ Number int64 }
	}
	if err := json.Unmarshal(answer, &answers); err != nil || status != http.StatusAccepted || len(answers) == 0 {
		t.Fatalf("the notification was answered %d: %s", status, answer)
	}
	h.WaitIdle()
	for _, a := range answers {
		results = append(results, a.Status)
	}
	return results, answers[0].Incident.Number
}

func expectStatus(t *testing.T, h *harness.Harness, number int64, want string) {
	t.Helper()
	if got := h.Incident(number)["status"]; got != want {
		t.Fatalf("incident %d is %v, want %s", number, got, want)
	}
}

// TestAlertmanagerGroupIsOneIncident replays the recorded life of a group.
func TestAlertmanagerGroupIsOneIncident(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("more.yaml", moreIntegrations)
		ben := h.Phone("ben")
		var number int64
		for _, step := range []struct {
			name    string
			results []string
			status  string
		}{
			{"firing", []string{"created", "deduplicated"}, "triggered"},
			{"repeat", []string{"deduplicated", "deduplicated"}, "triggered"},
			{"one-of-two-resolved", []string{"deduplicated", "resolved"}, "triggered"},
			{"resolved", []string{"resolved"}, "resolved"},
			{"one-of-two-resolved", []string{"ignored", "ignored"}, "resolved"}, // late, from a second Alertmanager
		} {
			r := recording(t, "alertmanager/testdata/alertmanager-0.34.2-webhook-"+step.name)
			if r.At.After(h.Now()) {
				h.AdvanceTo(r.At)
			}
			results, of := postNotification(t, h, r.Body)
			if number == 0 {
				number = of
				ben.ExpectSMS("Checkout api-1 errors")
				ben.Ignore()
			}
			if !slices.Equal(results, step.results) {
				t.Errorf("%s: %v, want %v", step.name, results, step.results)
			}
			expectStatus(t, h, number, step.status)
			ben.ExpectNothing()
		}
	})
}

// TestSlothTicketAndPage has the ticket of a burn rate fire at night,
// and the page some minutes after it.
func TestSlothTicketAndPage(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("more.yaml", moreIntegrations)
		r := recording(t, "alertmanager/testdata/alertmanager-0.34.2-webhook-sloth-burn-firing")
		var notification struct {
			GroupKey string            `json:"groupKey"`
			Alerts   []json.RawMessage `json:"alerts"`
		}
		if err := json.Unmarshal(r.Body, &notification); err != nil {
			t.Fatal(err)
		}
		both := notification.Alerts
		notification.Alerts = both[1:]
		ticket, err := json.Marshal(notification)
		if err != nil {
			t.Fatal(err)
		}
		h.AdvanceTo(r.At)
		results, number := postNotification(t, h, ticket)
		if !slices.Equal(results, []string{"created"}) {
			t.Fatalf("the ticket: %v", results)
		}
		h.Phone("ben").ExpectNothing()

		h.Advance(5 * time.Minute)
		results, again := postNotification(t, h, r.Body)
		if !slices.Equal(results, []string{"deduplicated"}) || again != number {
			t.Errorf("the page: %v of incident %d, want %d", results, again, number)
		}
		h.Phone("ben").ExpectSMS("error budget burn rate")
		h.Advance(5 * time.Minute)
		if results, _ := postNotification(t, h, r.Body); !slices.Equal(results, []string{"deduplicated"}) {
			t.Errorf("the repeat: %v", results)
		}
		h.Phone("ben").ExpectNothing()
	})
}

// TestRecordedPagerDutyEvents replays what PagerDuty's client was recorded to send.
func TestRecordedPagerDutyEvents(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("more.yaml", moreIntegrations)
		type told struct {
			Status, Message string
			DedupKey        string `json:"dedup_key"`
		}
		send := func(name string) told {
			t.Helper()
			r := recording(t, "pagerduty/testdata/go-pagerduty-1.8.0-"+name)
			if r.At.After(h.Now()) {
				h.AdvanceTo(r.At)
			}
			var event map[string]any
			if err := json.Unmarshal(r.Body, &event); err != nil {
				t.Fatal(err)
			}
			event["routing_key"] = pagerdutyKey
			body, err := json.Marshal(event)
			if err != nil {
				t.Fatal(err)
			}
			status, answer := h.Post(r.Path, "application/json", body)
			var a told
			if err := json.Unmarshal(answer, &a); err != nil || status != http.StatusAccepted || a.Status != "success" {
				t.Fatalf("%s was answered %d: %s", name, status, answer)
			}
			h.WaitIdle()
			return a
		}
		if a := send("trigger"); a.DedupKey != "db-1/disk" {
			t.Errorf("answered %+v", a)
		}
		h.Phone("ben").ExpectSMS("Disk 95% full on db-1")
		expectStatus(t, h, 1, "triggered")
		send("acknowledge")
		expectStatus(t, h, 1, "acknowledged")
		send("resolve")
		expectStatus(t, h, 1, "resolved")
		send("acknowledge")
		expectStatus(t, h, 1, "resolved")
		if a := send("change-event"); a.Message != "Change event processed" {
			t.Errorf("a change is answered %+v", a)
		}
		h.Phone("ben").ExpectNothing()
		if a := send("trigger-no-dedup-key"); a.DedupKey == "" {
			t.Errorf("a trigger without a key is answered %+v", a)
		}
		expectStatus(t, h, 2, "triggered")
	})
}

// TestOpsgenieIsRefused: what Alertmanager posts to Opsgenie is read by no format
// yet. It is refused wherever it goes, with a reason, and pages nobody.
func TestOpsgenieIsRefused(t *testing.T) {
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		h.ApplyText("more.yaml", moreIntegrations)
		for _, name := range []string{"firing", "repeat", "one-of-two-resolved", "resolved", "sloth-burn-firing"} {
			r := recording(t, "testdata/opsgenie/alertmanager-0.34.2-opsgenie-"+name)
			if !strings.HasPrefix(r.Path, "/v2/alerts") {
				t.Fatalf("%s went to %s", name, r.Path)
			}
			for path, want := range map[string]int{
				r.Path:                               http.StatusNotFound,
				"/webhooks/opsgenie/" + pagerdutyKey: http.StatusNotFound,
				"/webhooks/slo/" + harness.Key("checkout-api"): http.StatusUnprocessableEntity,
				"/webhooks/alertmanager/" + alertmanagerKey:    http.StatusUnprocessableEntity,
				"/v2/enqueue": http.StatusBadRequest,
			} {
				if status, answer := h.Post(path, "application/json", r.Body); status != want || len(answer) == 0 {
					t.Errorf("%s to %s was answered %d: %s", name, path, status, answer)
				}
			}
		}
		if list, _ := h.API(http.MethodGet, "/incidents", nil)["items"].([]any); len(list) != 0 {
			t.Errorf("incidents were opened: %v", list)
		}
		h.Phone("ben").ExpectNothing()
	})
}
