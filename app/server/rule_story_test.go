package server_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness"
)

// An integration's dedup rule comes in between a breach and its recovery, and is
// changed between another one and its own.
func TestRuleSetBetweenBreachAndRecovery(t *testing.T) {
	chain, err := os.ReadFile("../harness/testdata/chain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ruled := func(rule string) string {
		return strings.Replace(string(chain), "kind: slo,", "kind: slo, dedup: '"+rule+"',", 1)
	}
	harness.ForEach(t, "chain.yaml", func(t *testing.T, h *harness.Harness) {
		before := h.PostBreach("checkout-api")
		h.Phone("ben").ExpectSMS().Reply("ack")
		h.ApplyText("ruled.yaml", ruled("event.service"))
		if again := h.PostBreach("checkout-api", harness.Recovered()); again != before {
			t.Errorf("the recovery is of incident %d, not %d", again, before)
		}
		if status := h.Incident(before)["status"]; status != "resolved" {
			t.Errorf("the breach from before the rule is %s", status)
		}

		under := h.PostBreach("checkout-api")
		h.Phone("ben").ExpectSMS().Reply("ack")
		if same := h.PostBreach("checkout-api", harness.With("endpoint", "another")); same != under {
			t.Errorf("what the rule takes for the same is incident %d, not %d", same, under)
		}
		h.ApplyText("changed.yaml", ruled("event.sli"))
		status, body := h.Post("/webhooks/slo/"+harness.Key("checkout-api"), "application/json",
			[]byte(`{"status": "recovered", "service": "checkout-api", "sli": "availability", "slo": {"name": "Availability of get data API"}}`))
		var answer struct {
			Status   string
			Warnings []string
		}
		if err := json.Unmarshal(body, &answer); err != nil || status != 202 || answer.Status != "ignored" || !strings.Contains(strings.Join(answer.Warnings, " "), "resolve the incident by hand") {
			t.Errorf("the recovery under another rule is answered %d %s", status, body)
		}
		if status := h.Incident(under)["status"]; status != "acknowledged" {
			t.Errorf("what the recovery did not reach is %s", status)
		}
		h.NobodyElseIsPaged()
	})
}
