package web_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/harness/webtest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

func healthy() web.Health {
	return web.Health{
		Ping:      func(context.Context) error { return nil },
		Migrated:  func(context.Context) (bool, error) { return true, nil },
		Load:      func(context.Context) error { return nil },
		Write:     func(context.Context) error { return nil },
		ClockStep: func() (time.Time, time.Duration) { return time.Time{}, 0 },
		Swept:     func() (time.Duration, bool) { return time.Second, true },
	}
}

// TestReadinessTriesWrite probes often and counts the writes.
func TestReadinessTriesWrite(t *testing.T) {
	t.Parallel()
	health, writes := healthy(), 0
	health.Write = func(context.Context) error {
		writes++
		return errors.New("no space left on device")
	}
	handler := newHandler(web.Deps{Health: health}, nil)
	for range 20 {
		got := webtest.Decode[map[string]string](t, webtest.Do(handler, "GET", "/readyz", ""), 503)
		if got["database"] != "cannot be written to" || got["migrations"] != "current" {
			t.Fatalf("answered %v", got)
		}
	}
	if writes > 5 {
		t.Errorf("%d writes for 20 probes within a second", writes)
	}
}

func TestReadinessNamesClockStep(t *testing.T) {
	t.Parallel()
	health := healthy()
	health.ClockStep = func() (time.Time, time.Duration) {
		return time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC), -2 * time.Hour
	}
	got := webtest.Decode[map[string]string](t, webtest.Do(newHandler(web.Deps{Health: health}, nil), "GET", "/readyz", ""), 200)
	if want := "jumped by -2h0m0s at 2026-11-23T18:00:00Z"; got["clock"] != want {
		t.Errorf("the clock %q, want %q", got["clock"], want)
	}
}
