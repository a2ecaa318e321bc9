package slo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

func TestLongTextIsCutAndKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", document.MaxName) + "😀"
	ev := decode(t, `{"service":"`+long+`","sli":"`+long+`","endpoint":"`+long+`","deployment":"`+long+`","slo":{"name":"`+long+`"}}`)
	for what, got := range map[string]string{
		"service": ev.ServiceName, "sli": ev.Facts.SLI, "endpoint": ev.Facts.Endpoint, "deployment": ev.Deployment, "slo": ev.Facts.SLOName, "title": ev.Title,
	} {
		if got != strings.Repeat("ä", document.MaxName) {
			t.Errorf("the %s has %d characters and ends with %q", what, utf8.RuneCountInString(got), got[len(got)-4:])
		}
	}
	for _, path := range []string{"service", "sli", "endpoint", "deployment", "slo.name"} {
		if !slices.Contains(ev.Facts.Unknown, incident.Pair{Name: path, Value: `"` + long + `"`}) {
			t.Errorf("%s is not kept whole", path)
		}
	}
	if len(ev.Warnings) != 5 || ev.Warnings[0] != "service is longer than 1024 characters and was cut." {
		t.Errorf("warnings %q", ev.Warnings)
	}
}

// TestWholeTextsIdentify has breaches that differ only after what is shown.
func TestWholeTextsIdentify(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", document.MaxName)
	keys, fields := map[string]bool{}, map[string]bool{}
	for _, end := range []string{"1", "2"} {
		ev := decode(t, `{"service":"api","sli":"latency","slo":{"name":"`+long+end+`"}}`)
		keys[ev.DedupKey] = true
		of, _ := slo.Format.Fields(&ev)["slo"].(map[string]any)
		name, _ := of["name"].(string)
		fields[name] = true
	}
	if len(keys) != 2 || len(fields) != 2 {
		t.Errorf("two breaches have %d keys and %d names under a rule", len(keys), len(fields))
	}
}

func TestRecoveryNeedsKeyOrNames(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"status":"recovered","dedup_key":"U"}`:                                    nil,
		`{"status":"recovered","dedup_key":"U","slo":{},"service":" ","sli":null}`:  nil,
		`{"status":"recovered","dedup_key":"U","slo":"Fast","service":1,"sli":[2]}`: nil,
		`{"status":"recovered","service":"api","sli":"latency","slo":{"name":"F"}}`: nil,
		`{"status":"recovered"}`:                 {"service", "sli", "slo.name"},
		`{"status":"recovered","dedup_key":" "}`: {"service", "sli", "slo.name"},
		`{"status":"recovered","dedup_key":7}`:   {"service", "sli", "slo.name"},
		`{"status":"breached","dedup_key":"U"}`:  {"service", "sli", "slo.name"},
		`{"dedup_key":"U"}`:                      {"service", "sli", "slo.name"},
	} {
		ev, err := slo.Decode([]byte(body), "application/json")
		var got []string
		if f, ok := errors.AsType[*fault.Error](err); ok {
			for _, field := range f.Fields {
				got = append(got, field.Path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
		if err == nil && (ev.Action != incident.Resolve || ev.DedupKey == "") {
			t.Errorf("%s became %+v", body, ev.Event)
		}
	}
	ev := decode(t, `{"status":"recovered","dedup_key":"U","slo":"Fast","service":1}`)
	if want := []string{"service must be text and is not used.", "slo must be an object with a name and is not used."}; !slices.Equal(ev.Warnings, want) {
		t.Errorf("warnings %q", ev.Warnings)
	}
}
