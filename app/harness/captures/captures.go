// Package captures reads requests that a recorder took from real senders, and compares
// what they mean with golden files. The flag -update of a test that uses it writes
// these anew.
package captures

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/ingest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Capture is a recorded request.
type Capture struct {
	Path    string
	Headers map[string]string
	Body    json.RawMessage
}

// Input is the request as it is given to a format, at its own path.
func (c Capture) Input() ingest.Input {
	return ingest.Input{Endpoint: c.Path, ContentType: c.Headers["Content-Type"], Body: c.Body}
}

// Read returns the captures in the files prefix*.json, of which there must be n, by the
// rest of their names.
func Read(t testing.TB, prefix string, n int) map[string]Capture {
	t.Helper()
	files, err := filepath.Glob(prefix + "*.json")
	if err != nil || len(files) != n {
		t.Fatalf("%d captures, want %d: %v", len(files), n, err)
	}
	all := map[string]Capture{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c Capture
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(file, prefix), ".json")] = c
	}
	return all
}

// Compare fails the test unless the events are those of a golden file, without their
// bodies and what is empty.
func Compare(t *testing.T, golden string, events []ingest.Event) {
	t.Helper()
	got := outline(t, events)
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
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

// outline is events as JSON, without their bodies and what is empty.
func outline(t *testing.T, events []ingest.Event) string {
	t.Helper()
	bodiless := make([]ingest.Event, len(events))
	for i := range events {
		bodiless[i] = events[i]
		bodiless[i].Body = nil
	}
	text, err := json.Marshal(bodiless)
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
