//go:build peers

package peers

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// TestPagerDutyClient has PagerDuty's own client page, acknowledge and resolve.
func TestPagerDutyClient(t *testing.T) {
	w := newWorld(t)
	client := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint(w.URL))
	send := func(action, key string) string {
		t.Helper()
		event := &pagerduty.V2Event{RoutingKey: pagerdutyKey, Action: action, DedupKey: key, Client: "peers", ClientURL: "https://peers.example.com"}
		if action == "trigger" {
			event.Payload = &pagerduty.V2Payload{
				Summary: "Disk 95% full on db-1", Source: "db-1", Severity: "critical",
				Component: "postgres", Group: "prod", Class: "disk", Details: map[string]any{"free_gb": 3},
			}
		}
		response, err := client.ManageEventWithContext(t.Context(), event)
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		if response.Status != "success" || response.Message != "Event processed" {
			t.Errorf("%s is answered %+v", action, response)
		}
		w.WaitIdle()
		return response.DedupKey
	}
	ana := w.Phone("ana")

	if key := send("trigger", "db-1/disk"); key != "db-1/disk" {
		t.Errorf("the key became %q", key)
	}
	open := w.open()
	if len(open) != 1 {
		t.Fatalf("incidents %v are open, want one", open)
	}
	ana.ExpectSMS("Disk 95% full on db-1")
	send("trigger", "db-1/disk")
	ana.ExpectNothing()

	send("acknowledge", "db-1/disk")
	w.expectStatus(open[0], "acknowledged")
	send("resolve", "db-1/disk")
	w.expectStatus(open[0], "resolved")
	ana.ExpectNothing()

	// What is not open is acknowledged and resolved to no effect.
	send("acknowledge", "db-1/disk")
	send("resolve", "never-seen")
	if open := w.open(); len(open) != 0 {
		t.Errorf("incidents %v are open", open)
	}

	// A trigger without a key gets one, and each gets its own.
	one, other := send("trigger", ""), send("trigger", "")
	if one == "" || one == other {
		t.Errorf("the keys are %q and %q", one, other)
	}
	if open := w.open(); len(open) != 2 {
		t.Errorf("incidents %v are open, want two", open)
	}
	send("resolve", one)
	send("resolve", other)
	if open := w.open(); len(open) != 0 {
		t.Errorf("incidents %v are open", open)
	}
	ana.Ignore()

	change, err := client.CreateChangeEventWithContext(t.Context(), pagerduty.ChangeEvent{
		RoutingKey: pagerdutyKey,
		Payload:    pagerduty.ChangeEventPayload{Summary: "Deployed checkout 1.2", Source: "ci", CustomDetails: map[string]any{"build": 7}},
		Links:      []pagerduty.ChangeEventLink{{Href: "https://ci.example.com/runs/1", Text: "Pipeline"}},
	})
	if err != nil || change.Status != "success" {
		t.Errorf("the change is answered %+v, %v", change, err)
	}
	w.expectChange("Deployed checkout 1.2", "ci", incident.Link{Text: "Pipeline", Href: "https://ci.example.com/runs/1"})
	if open := w.open(); len(open) != 0 {
		t.Errorf("the change opened %v", open)
	}
	ana.ExpectNothing()
}

// expectChange fails the test unless one change is stored, the same as this one.
func (w *world) expectChange(summary, source string, link incident.Link) {
	w.t.Helper()
	view, err := w.Server.DB.Organization.Load(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	changes, err := w.Server.DB.Incidents.ChangesBefore(w.t.Context(), view.Services[0].ID, w.Now().Add(time.Hour), 2)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(changes) != 1 || changes[0].Summary != summary || changes[0].Source != source || !slices.Equal(changes[0].Links, []incident.Link{link}) {
		w.t.Errorf("the stored changes are %+v", changes)
	}
}

// TestPagerDutyClientErrors has the client find that an event is refused for good,
// and read PagerDuty's error from the answer.
func TestPagerDutyClientErrors(t *testing.T) {
	w := newWorld(t)
	client := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint(w.proxy.URL))
	payload := &pagerduty.V2Payload{Summary: "Disk full", Source: "db-1", Severity: "critical"}
	for name, test := range map[string]struct {
		event pagerduty.V2Event
		want  string
	}{
		"an unknown key": {pagerduty.V2Event{RoutingKey: "00000000000000000000000000000000", Action: "trigger", Payload: payload}, "Invalid routing key"},
		"a short key":    {pagerduty.V2Event{RoutingKey: "R0", Action: "trigger", Payload: payload}, "Length of 'routing_key' is incorrect (should be 32 characters)"},
		"no summary":     {pagerduty.V2Event{RoutingKey: pagerdutyKey, Action: "trigger", Payload: &pagerduty.V2Payload{Source: "db-1"}}, "'payload.summary' is missing or blank"},
		"a wrong action": {pagerduty.V2Event{RoutingKey: pagerdutyKey, Action: "snooze", Payload: payload}, "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"},
	} {
		_, err := client.ManageEventWithContext(t.Context(), &test.event)
		var refused pagerduty.APIError
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Temporary() {
			t.Errorf("%s: %v", name, err)
		}
		d := w.await("is refused", func(d delivery) bool { return d.status == http.StatusBadRequest })
		var told pagerduty.EventsAPIV2Error
		if err := json.Unmarshal([]byte(d.answer), &told); err != nil || !slices.Contains(told.APIError.ErrorObject.Errors, test.want) {
			t.Errorf("%s is answered %s, %v", name, d.answer, err)
		}
	}
}
