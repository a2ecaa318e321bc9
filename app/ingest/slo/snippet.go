package slo

import "github.com/tocsin-oncall/tocsin/app/ingest"

// snippets are the command that sends a breach by hand.
func snippets(url, key string) []ingest.Snippet {
	return []ingest.Snippet{{Title: "curl", Language: "sh", Text: `curl -X POST ` + url + Path + `/` + key + ` \
  -H 'Content-Type: application/json' \
  -d '{"service": "checkout-api", "sli": "availability", "slo": {"name": "Availability"}, "incident_priority": 2}'
`}}
}
