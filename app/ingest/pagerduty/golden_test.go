package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/harness/captures"
	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
)

func recorded(t testing.TB) map[string]captures.Capture {
	t.Helper()
	return captures.Read(t, "testdata/", 10)
}

// TestDecodeCaptures compares what recorded requests mean with golden files. The
// body is left out of these: it is the request without its key.
func TestDecodeCaptures(t *testing.T) {
	t.Parallel()
	for name, c := range recorded(t) {
		events, err := pagerduty.Format.Decode(c.Input())
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		if key := pagerduty.Format.Endpoints[0].Key(c.Body); key == "" || bytes.Contains(events[0].Body, []byte(key+`"`)) || !json.Valid(events[0].Body) {
			t.Errorf("%s: the body shows the key %q:\n%s", name, key, events[0].Body)
		}
		captures.Compare(t, filepath.Join("testdata", "golden", name+".json"), events)
	}
}
