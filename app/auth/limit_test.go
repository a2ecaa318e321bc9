package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestLimiterSlidingWindow(t *testing.T) {
	t.Parallel()
	l := newLimiter(3, 15*time.Minute)
	steps := []struct {
		after time.Duration
		want  time.Duration
	}{
		{0, 0},
		{time.Minute, 0},
		{2 * time.Minute, 0},
		{3 * time.Minute, 12 * time.Minute},
		{15*time.Minute - time.Microsecond, time.Microsecond},
		{15 * time.Minute, 0},                // the first has left the window
		{15 * time.Minute, time.Minute},      // the second leaves next
		{16 * time.Minute, 0},                // what was refused has not counted
		{40 * time.Minute, 0},                // all have left
		{40 * time.Minute, 0},                //
		{40 * time.Minute, 0},                //
		{41 * time.Minute, 14 * time.Minute}, //
	}
	for i, s := range steps {
		if got := l.take("ana", noon.Add(s.after)); got != s.want {
			t.Errorf("step %d at %s: wait %s, want %s", i, s.after, got, s.want)
		}
	}
	if got := l.take("ben", noon); got != 0 {
		t.Errorf("another key waits %s", got)
	}
}

func TestLimiterClear(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, time.Minute)
	l.take("ana", noon)
	l.take("ana", noon)
	l.giveBack("ana")
	if got := l.take("ana", noon); got != 0 {
		t.Errorf("after one was given back: wait %s", got)
	}
	if got := l.take("ana", noon); got == 0 {
		t.Error("giving one back gave more than one")
	}
	l.clear("ana")
	l.clear("nobody")
	l.giveBack("nobody")
	if len(l.keys) != 0 || l.order.Len() != 0 {
		t.Errorf("%d keys, %d in order after clear", len(l.keys), l.order.Len())
	}
}

func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(1, time.Hour)
	l.take("first", noon)
	for i := range maxKeys {
		l.take(fmt.Sprint(i), noon)
	}
	if len(l.keys) != maxKeys || l.order.Len() != maxKeys {
		t.Errorf("keeps %d keys, want %d", len(l.keys), maxKeys)
	}
	if l.take(fmt.Sprint(maxKeys-1), noon) == 0 {
		t.Error("the latest was forgotten")
	}
	if l.take("first", noon) != 0 {
		t.Error("the oldest was not forgotten")
	}
}

func TestLimitedHasWait(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		time.Second:                   "Too many attempts failed. Try again in a minute.",
		time.Minute + time.Nanosecond: "Too many attempts failed. Try again in 2 minutes.",
		15 * time.Minute:              "Too many attempts failed. Try again in 15 minutes.",
	} {
		var f *fault.Error
		var w *Wait
		err := limited(wait)
		if !errors.As(err, &f) || f.Kind != fault.KindLimited || f.Message != want || !errors.As(err, &w) || w.For != wait {
			t.Errorf("limited(%s) = %v, want %q with that wait", wait, err, want)
		}
	}
}

func TestRemoteKey(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7":             "192.0.2.7",
		"192.0.2.7:4711":        "192.0.2.7",
		"::ffff:192.0.2.7":      "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::/64",
		"[2001:db8:1:2::9]:443": "2001:db8:1:2::/64",
		"fe80::1%eth0":          "fe80::/64",
		"":                      "unknown",
		"proxy.internal":        "unknown",
	} {
		if got := remoteKey(remote); got != want {
			t.Errorf("remoteKey(%q) = %q, want %q", remote, got, want)
		}
	}
}

func TestManyKeysDoNotEvictFrequentFailures(t *testing.T) {
	t.Parallel()
	l := newLimiter(3, time.Hour)
	for range 3 {
		l.take("ana", noon)
	}
	for i := range maxKeys + oldestKeys {
		l.take(fmt.Sprint(i), noon)
	}
	if l.take("ana", noon) == 0 {
		t.Error("her failures were forgotten")
	}
}

func TestNetworkKey(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"::ffff:192.0.2.7":     "192.0.2.0/24",
		"192.0.2.7":            "192.0.2.0/24",
		"":                     "unknown",
	} {
		if got := networkKey(remote); got != want {
			t.Errorf("networkKey(%q) = %q, want %q", remote, got, want)
		}
	}
}
