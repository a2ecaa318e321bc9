package alertmanager_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/alertmanager"
)

var update = flag.Bool("update", false, "write the golden files anew")

// captures are the bodies of requests that a recorder took from a real
// Alertmanager, by the last part of their name.
func captures(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	const prefix = "testdata/alertmanager-0.34.2-webhook-"
	names, err := filepath.Glob(prefix + "*.json")
	if err != nil || len(names) != 5 {
		t.Fatalf("%d captures, %v", len(names), err)
	}
	all := map[string]json.RawMessage{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var capture struct{ Body json.RawMessage }
		if err := json.Unmarshal(text, &capture); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, prefix), ".json")] = capture.Body
	}
	return all
}

func input(body string) ingest.Input {
	return ingest.Input{Endpoint: alertmanager.Path, ContentType: "application/json", Body: []byte(body)}
}

// TestDecodeCaptures compares what recorded requests mean with golden files, from
// which the bodies are left out: each is the alert's own JSON.
func TestDecodeCaptures(t *testing.T) {
	t.Parallel()
	for name, body := range captures(t) {
		events, err := alertmanager.Format.Decode(input(string(body)))
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
		got := outline(t, events)
		golden := filepath.Join("testdata", "golden", name+".json")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// outline is events as JSON, without their bodies and what is empty.
func outline(t *testing.T, events []ingest.Event) string {
	t.Helper()
	bare := make([]ingest.Event, len(events))
	for i := range events {
		bare[i] = events[i]
		bare[i].Body = nil
	}
	text, err := json.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	var members any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(pruned(members)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// pruned is a value without its empty members, nil where nothing is left.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = pruned(member); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = pruned(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}
