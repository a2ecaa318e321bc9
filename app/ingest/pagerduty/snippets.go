package pagerduty

import (
	"encoding/json"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// sample is a trigger that was made up.
func sample(s ingest.Sample) []byte {
	body, err := json.Marshal(map[string]any{
		"event_action": "trigger",
		"dedup_key":    s.DedupKey,
		"payload": map[string]any{
			"summary": s.Title, "source": "Tocsin", "severity": "critical",
			"custom_details": map[string]string{"service": s.Service},
		},
	})
	if err != nil { // texts always can be
		panic(err)
	}
	return body
}

// snippets are for senders that speak to PagerDuty already: an address and a key
// are all that changes.
func snippets(url, key string) []ingest.Snippet {
	return []ingest.Snippet{
		{Title: "curl", Language: "sh", Text: `curl -i ` + url + EventPath + ` -H 'Content-Type: application/json' -d '{
  "routing_key": "` + key + `",
  "event_action": "trigger",
  "dedup_key": "db-1/disk",
  "payload": {"summary": "Disk 95% full on db-1", "source": "db-1", "severity": "critical"}
}'
`},
		{Title: "Alertmanager", Language: "yaml", Text: `receivers:
  - name: tocsin
    pagerduty_configs:
      - routing_key: ` + key + `
        url: ` + url + EventPath + `
        send_resolved: true
        severity: '{{ .CommonLabels.severity }}'
`},
		{Title: "go-pagerduty", Language: "go", Text: `client := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint("` + url + `"))
_, err := client.ManageEventWithContext(ctx, &pagerduty.V2Event{
	RoutingKey: "` + key + `",
	Action:     "trigger",
	DedupKey:   "db-1/disk",
	Payload:    &pagerduty.V2Payload{Summary: "Disk 95% full on db-1", Source: "db-1", Severity: "critical"},
})
`},
		{Title: "Deployment", Language: "sh", Text: `curl -i ` + url + ChangePath + ` -H 'Content-Type: application/json' -d '{
  "routing_key": "` + key + `",
  "payload": {"summary": "Deployed checkout 1.2", "source": "ci"},
  "links": [{"href": "https://ci.example.com/runs/1", "text": "Pipeline"}]
}'
`},
	}
}
