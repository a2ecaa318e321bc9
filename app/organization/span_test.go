package organization

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestSpansAreSets holds union and without against sets of hours.
func TestSpansAreSets(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	const hours = 24
	at := func(hour int) time.Time { return start.Add(time.Duration(hour) * time.Hour) }
	draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) span {
		from := rapid.IntRange(0, hours-1).Draw(t, "from")
		return span{at(from), at(rapid.IntRange(from+1, hours).Draw(t, "to"))}
	}), 0, 6)
	has := func(spans []span, hour int) bool {
		for _, s := range spans {
			if !at(hour).Before(s.from) && at(hour).Before(s.to) {
				return true
			}
		}
		return false
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		joined := union(a)
		left := without(joined, union(b))
		for hour := range hours {
			if has(joined, hour) != has(a, hour) || has(left, hour) != (has(a, hour) && !has(b, hour)) {
				t.Fatalf("hour %d of %v without %v: %v", hour, a, b, left)
			}
		}
		for _, spans := range [][]span{joined, left} {
			for i := 1; i < len(spans); i++ {
				if spans[i].from.Before(spans[i-1].to) {
					t.Fatalf("%v overlap", spans)
				}
			}
		}
		for i := 1; i < len(joined); i++ {
			if !joined[i].from.After(joined[i-1].to) {
				t.Fatalf("%v touch", joined)
			}
		}
	})
}
