package webtest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
)

// PagerDutyKey is the key of the integration that AddPagerDuty adds.
const PagerDutyKey = "pagerduty00000000000000000000key"

// AddPagerDuty adds an integration of PagerDuty's format without a service.
func (a *App) AddPagerDuty() {
	a.t.Helper()
	a.Apply("version: 1\nintegrations: [{slug: clients, name: Clients, kind: pagerduty, key: " + PagerDutyKey + "}]\n")
}

// PostChange posts a change event of a service as PagerDuty's clients do. It has
// the source "ci" and a link, and another one that no page may lead to.
func (a *App) PostChange(service, summary string, at time.Time) {
	a.t.Helper()
	body := fmt.Sprintf(`{"routing_key":%q,"payload":{"summary":%q,"source":"ci","timestamp":%q,"custom_details":{"service":%q}},
		"links":[{"href":"https://ci.example.com/runs/1","text":"Pipeline"},{"href":"javascript:alert(1)","text":"Unsafe"}]}`,
		PagerDutyKey, summary, at.Format(time.RFC3339), service)
	if got := a.Do("POST", pagerduty.ChangePath, body); got.Code != http.StatusAccepted {
		a.t.Fatalf("a change got %d %s", got.Code, got.Body)
	}
}
