package alertmanager_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/captures"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/alertmanager"
)

// recorded are requests that a real Alertmanager sent to another path.
func recorded(t testing.TB) map[string]captures.Capture {
	t.Helper()
	return captures.Read(t, "testdata/alertmanager-0.34.2-webhook-", 5)
}

func input(body string) ingest.Input {
	return ingest.Input{Endpoint: alertmanager.Path, ContentType: "application/json", Body: []byte(body)}
}

// TestDecodeCaptures compares what recorded requests mean with golden files, from
// which the bodies are left out: each is the alert's own JSON.
func TestDecodeCaptures(t *testing.T) {
	t.Parallel()
	for name, c := range recorded(t) {
		events, err := alertmanager.Format.Decode(input(string(c.Body)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range events {
			var alert struct{ Fingerprint string }
			if err := json.Unmarshal(events[i].Body, &alert); err != nil || alert.Fingerprint == "" {
				t.Errorf("%s: event %d has no alert as its body, but %s", name, i, events[i].Body)
			}
		}
		captures.Compare(t, filepath.Join("testdata", "golden", name+".json"), events)
	}
}
