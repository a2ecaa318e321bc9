package slo_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/ingest/slo"
)

const (
	reported = `{"status":"report","service":"api","sli":"latency","slo":{"name":"Fast"},`
	hour     = `"interval":{"from":"2026-11-23T18:00:00+01:00","to":"2026-11-23T18:00:00Z"}`
)

func TestDecodeReport(t *testing.T) {
	t.Parallel()
	ev := decode(t, reported+hour+`,"total":10,"good":"9","tenant":"x"}`)
	want := &ingest.Report{From: time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC), Total: new(int64(10)), Good: new(int64(9))}
	if diff := cmp.Diff(want, ev.Report); diff != "" {
		t.Error(diff)
	}
	if ev.ServiceName != "api" || ev.Facts.SLOName != "Fast" || !slices.Contains(ev.Facts.Unknown, incident.Pair{Name: "tenant", Value: `"x"`}) {
		t.Errorf("event %+v", ev.Event)
	}
	if got := slo.Format.Fields(&ev)["status"]; got != "report" {
		t.Errorf("a rule sees the status %v", got)
	}
}

func TestReportThatSaysTooLittleIsRefused(t *testing.T) {
	t.Parallel()
	for members, want := range map[string][]string{
		hour + `,"observed":99`:                             nil,
		hour + `,"error_budget":{"remaining_percent":7}`:    nil,
		hour + `,"total":0,"good":0`:                        nil,
		hour:                                                {"observed"},
		hour + `,"total":7`:                                 {"observed"},
		hour + `,"total":7,"good":1.5`:                      {"observed"},
		hour + `,"total":7,"good":8`:                        {"good"},
		`"observed":99`:                                     {"interval"},
		`"observed":99,"interval":"1h"`:                     {"interval"},
		`"observed":99,"interval":{}`:                       {"interval.from", "interval.to"},
		`"observed":99,"interval":{"from":"now","to":null}`: {"interval.from", "interval.to"},
		`"observed":99,"interval":{"from":"2026-11-23T18:00:00Z","to":"2026-11-23T18:00:00Z"}`: {"interval.to"},
		`"observed":99,"interval":{"from":"2024-11-23T18:00:00Z","to":"2026-11-23T18:00:00Z"}`: {"interval.to"},
	} {
		_, err := slo.Decode([]byte(reported+members+"}"), "application/json")
		var got []string
		if f, ok := errors.AsType[*fault.Error](err); ok {
			for _, field := range f.Fields {
				got = append(got, field.Path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", members, diff)
		}
	}
}

func TestReportFieldsOfBreachAreKept(t *testing.T) {
	t.Parallel()
	ev := decode(t, `{"service":"api","sli":"latency","slo":{"name":"Fast"},"total":7,`+hour+`}`)
	if ev.Report != nil || !slices.Contains(ev.Facts.Unknown, incident.Pair{Name: "total", Value: "7"}) || len(ev.Facts.Unknown) != 2 {
		t.Errorf("event %+v", ev)
	}
}

func TestPriorityOfBreachMayBeNone(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]*int{"0": new(0), `"P0"`: new(0), "2": new(2), "null": nil} {
		ev := decode(t, `{"service":"api","sli":"latency","slo":{"name":"Fast"},"incident_priority":`+sent+`}`)
		if diff := cmp.Diff(want, ev.Priority); diff != "" {
			t.Errorf("%s: %s", sent, diff)
		}
	}
}
