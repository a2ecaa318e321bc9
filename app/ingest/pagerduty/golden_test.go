package pagerduty_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/pagerduty"
)

var update = flag.Bool("update", false, "write the golden files anew")

// capture is a request as a recorder took it from a real sender.
type capture struct {
	Path    string
	Headers map[string]string
	Body    json.RawMessage
}

func (c capture) input() ingest.Input {
	return ingest.Input{Endpoint: c.Path, ContentType: c.Headers["Content-Type"], Body: c.Body}
}

func captures(t testing.TB) map[string]capture {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) != 10 {
		t.Fatalf("%d captures, %v", len(names), err)
	}
	all := map[string]capture{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c capture
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".json")] = c
	}
	return all
}

// TestDecodeCaptures compares what recorded requests mean with golden files. The
// body is left out of these: it is the request without its key.
func TestDecodeCaptures(t *testing.T) {
	t.Parallel()
	for name, c := range captures(t) {
		events, err := pagerduty.Format.Decode(c.input())
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		if key := pagerduty.Format.Endpoints[0].Key(c.Body); key == "" || bytes.Contains(events[0].Body, []byte(key+`"`)) || !json.Valid(events[0].Body) {
			t.Errorf("%s: the body shows the key %q:\n%s", name, key, events[0].Body)
		}
		got := outline(t, events[0])
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

// outline is an event as JSON, without its body and what is empty.
func outline(t *testing.T, ev ingest.Event) string {
	t.Helper()
	ev.Body = nil
	text, err := json.Marshal(ev)
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
