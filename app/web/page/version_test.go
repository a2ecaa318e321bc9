package page

import (
	"testing"
	"time"
)

func TestVersionInForceSince(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	var many []time.Time
	for n := range 10 {
		many = append(many, day(n+1))
	}
	for name, c := range map[string]struct {
		since   []time.Time
		want    time.Time
		earlier int
		first   time.Time
	}{
		"none":                       {nil, time.Time{}, 0, time.Time{}},
		"one that nobody knows":      {[]time.Time{{}}, time.Time{}, 0, time.Time{}},
		"one":                        {many[:1], day(1), 0, time.Time{}},
		"one of this moment":         {[]time.Time{day(20)}, day(20), 0, time.Time{}},
		"one that is still to come":  {[]time.Time{day(3), day(21)}, day(3), 0, time.Time{}},
		"more than are worth naming": {many, day(10), maxVersions, day(9)},
	} {
		got, earlier := InForce(c.since, day(20))
		if !got.Equal(c.want) || len(earlier) != c.earlier || len(earlier) > 0 && !earlier[0].Equal(c.first) {
			t.Errorf("%s: since %s, earlier %v", name, got, earlier)
		}
	}
}
