package alertmanager

import (
	"encoding/json"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// sample is a notification of one alert that was made up.
func sample(s ingest.Sample) []byte {
	body, err := json.Marshal(map[string]any{
		"version": "4",
		"alerts": []map[string]any{{
			"status": "firing", "fingerprint": s.DedupKey,
			"labels":      map[string]string{"alertname": s.Title, "service": s.Service, "severity": "critical"},
			"annotations": map[string]string{"summary": s.Title},
		}},
	})
	if err != nil { // texts always can be
		panic(err)
	}
	return body
}

func snippets(url, key string) []ingest.Snippet {
	return []ingest.Snippet{
		{Title: "Alertmanager", Language: "yaml", Text: `# alertmanager.yml
route:
  receiver: tocsin
  group_by: [alertname, service]
receivers:
  - name: tocsin
    webhook_configs:
      - url: ` + url + Path + `
        send_resolved: true
        http_config:
          authorization:
            credentials: ` + key + `
`},
		{Title: "Prometheus", Language: "yaml", Text: `# prometheus.yml: Prometheus sends to Alertmanager, which sends to Tocsin
# (` + url + Path + `, key ` + key + `).
alerting:
  alertmanagers:
    - static_configs:
        - targets: ['127.0.0.1:9093']
`},
		{Title: "curl", Language: "sh", Text: `curl -i ` + url + Path + ` -H 'Authorization: Bearer ` + key + `' -d '{
  "version": "4", "groupKey": "test", "alerts": [{
    "status": "firing",
    "labels": {"alertname": "Test", "severity": "critical"},
    "annotations": {"summary": "A test of the Alertmanager webhook"}
  }]
}'
`},
	}
}
