package organization_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

func TestDurationsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1d": 24 * time.Hour, "1w": 7 * 24 * time.Hour, "1w2d3h4m5s": 788645 * time.Second,
	} {
		if got, err := organization.ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%s is %v, %v", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{"", "5", "m", "5 m", "-5m", "1.5h", "5m1h", "5m5m", "1y", "5M", "99999999w", "9999999999999999999s"} {
		if got, err := organization.ParseDuration(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		want := organization.Duration(time.Duration(rapid.Int64Range(0, 1_000_000_000).Draw(t, "seconds")) * time.Second)
		if got, err := organization.ParseDuration(want.String()); err != nil || got != want {
			t.Errorf("%v became %v, %v", want, got, err)
		}
	})
}

func TestMomentsAreReadByTheWallOrWithAnOffset(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-12-24 09:00":                 "2026-12-24T08:00:00Z",
		"2026-12-24T09:00":                 "2026-12-24T08:00:00Z",
		"2026-12-24T09:00:00-05:00":        "2026-12-24T14:00:00Z",
		"2026-12-24 09:00Z":                "2026-12-24T09:00:00Z",
		"2026-12-24T09:00:00.000001+01:00": "2026-12-24T08:00:00.000001Z",
		"2026-03-29 02:30":                 "2026-03-29T01:00:00Z", // skipped: the first instant after the jump
	} {
		var m organization.Moment
		if err := m.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := m.In("Europe/Berlin").Format(time.RFC3339Nano); got != want {
			t.Errorf("%s is %s, not %s", text, got, want)
		}
	}
	var m organization.Moment
	if err := m.UnmarshalText([]byte("24 December")); err == nil {
		t.Errorf("a moment without a year is taken for %v", m)
	}
}

func TestSlugsAreMadeFromNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Checkout API": "checkout-api", " Büro & Küche ": "buro-kuche", "P1": "p1", "東京": "", "a--b": "a-b",
	} {
		if got := organization.Slug(name); got != want {
			t.Errorf("%q becomes %q, not %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		slug := organization.Slug(rapid.String().Draw(t, "name"))
		if len(slug) > 64 || slug != organization.Slug(slug) {
			t.Errorf("the slug %q is none", slug)
		}
	})
}
