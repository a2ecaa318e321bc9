package oncall

import (
	"fmt"
	"math"
	"sync"
	"time"
)

// instant is a time in microseconds since the epoch.
type instant int64

const (
	sinceEver instant = math.MinInt64
	forever   instant = math.MaxInt64
)

func instantOf(t time.Time) instant { return instant(t.UnixMicro()) }

// beginning is instantOf for a time that is open at its start when it is zero.
func beginning(t time.Time) instant {
	if t.IsZero() {
		return sinceEver
	}
	return instantOf(t)
}

// ending is instantOf for a time that is open at its end when it is zero.
func ending(t time.Time) instant {
	if t.IsZero() {
		return forever
	}
	return instantOf(t)
}

func atSecond(second int64) instant { return instant(second) * 1e6 }

// second is the second that the instant falls into.
func (i instant) second() int64 { return floorDiv(int64(i), 1e6) }

// time is zero for an instant that is no bound.
func (i instant) time() time.Time {
	if i == sinceEver || i == forever {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

// span is the time from start up to, but without, end.
type span struct{ start, end instant }

var always = span{sinceEver, forever}

func (s span) and(o span) span { return span{max(s.start, o.start), min(s.end, o.end)} }

func (s span) empty() bool { return s.start >= s.end }

func (s span) has(t instant) bool { return s.start <= t && t < s.end }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func modulo(a, n int) int { return (a%n + n) % n }

// locations caches time.LoadLocation, which reads the zone each time.
var locations sync.Map

// location accepts IANA names only: neither "", which would be UTC, nor "Local", which
// differs between machines.
func location(name string) (*time.Location, error) {
	if known, ok := locations.Load(name); ok {
		return known.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a known time zone: %w", name, err)
	}
	locations.Store(name, loc)
	return loc, nil
}
