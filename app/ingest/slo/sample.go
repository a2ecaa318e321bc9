package slo

import (
	"encoding/json"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// sample is a breach that was made up.
func sample(s ingest.Sample) []byte {
	body, err := json.Marshal(map[string]any{
		"service":   s.Service,
		"sli":       "availability",
		"slo":       map[string]any{"name": s.Title, "objective": 99.9, "window": "28d"},
		"observed":  99.1,
		"dedup_key": s.DedupKey,
	})
	if err != nil { // texts and numbers always can be
		panic(err)
	}
	return body
}
