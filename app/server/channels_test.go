package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// A record tells of every incident that its message is about, to those who read
// it as JSON too, and no object has a key twice.
func TestLogOnlyListsIncidents(t *testing.T) {
	t.Parallel()
	subject := func(n int64) notify.Subject {
		return notify.Subject{Number: n, Title: fmt.Sprintf("SLO %d", n), Why: "You are main.", Link: fmt.Sprintf("https://tocsin.example.com/a/%d", n)}
	}
	entry := func(n float64) map[string]any {
		return map[string]any{"incident": n, "title": fmt.Sprintf("SLO %v", n), "why": "You are main.", "link": fmt.Sprintf("https://tocsin.example.com/a/%v", n)}
	}
	for name, test := range map[string]struct {
		message notify.Message
		want    map[string]any // beyond what every record has
	}{
		"of none":     {notify.Message{Text: "123456"}, map[string]any{"text": "123456"}},
		"of one":      {notify.Message{Subjects: []notify.Subject{subject(17)}}, entry(17)},
		"of several":  {notify.Message{Subjects: []notify.Subject{subject(4), subject(3)}}, map[string]any{"incidents": map[string]any{"1": entry(4), "2": entry(3)}}},
		"beyond some": {notify.Message{Subjects: []notify.Subject{subject(4)}, More: 2}, map[string]any{"incidents": map[string]any{"1": entry(4)}, "more": 2.0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			m := test.message
			m.Medium, m.To, m.Kind = notify.SMS, "+34600000001", notify.KindPage
			receipt, failure := logChannel{slog.New(slog.NewJSONHandler(&b, nil))}.Deliver(t.Context(), m)
			if failure != nil || !receipt.Delivered {
				t.Fatalf("delivering came to %+v, %+v", receipt, failure)
			}
			unambiguous(t, b.String())
			var got map[string]any
			if err := json.Unmarshal(b.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			for key, want := range map[string]any{"medium": "sms", "to": "+34600000001", "kind": "page"} {
				if got[key] != want {
					t.Errorf("%s is %v, want %v", key, got[key], want)
				}
			}
			for _, key := range []string{"time", "level", "msg", "medium", "to", "kind"} {
				delete(got, key)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLogOnlyAsText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := notify.Message{Kind: notify.KindPage, Subjects: []notify.Subject{{Number: 4, Title: "Four"}, {Number: 3, Title: "Three"}}}
	if _, failure := (logChannel{slog.New(slog.NewTextHandler(&b, nil))}).Deliver(t.Context(), m); failure != nil {
		t.Fatal(failure)
	}
	for _, part := range []string{"kind=page", "incidents.1.incident=4 incidents.1.title=Four", "incidents.2.incident=3 incidents.2.title=Three"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("the line lacks %q: %s", part, b.String())
		}
	}
}

// unambiguous fails where an object has a key twice, of which decoders keep the
// last. It knows objects alone, which is all that a record has.
func unambiguous(t *testing.T, record string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(record))
	var open []map[string]bool
	isKey := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case token == json.Delim('{'):
			open, isKey = append(open, map[string]bool{}), true
		case token == json.Delim('}'):
			open, isKey = open[:len(open)-1], true
		case isKey:
			keys, key := open[len(open)-1], token.(string)
			if keys[key] {
				t.Errorf("%q stands twice in %s", key, record)
			}
			keys[key], isKey = true, false
		default:
			isKey = true
		}
	}
}
