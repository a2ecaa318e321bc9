package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComparisonShowsMediansAndRatios(t *testing.T) {
	t.Parallel()
	var c comparison
	for round, values := range [][2]float64{{100, 110}, {300, 240}, {200, 260}} {
		c.add(besidePgbench, baseline, perSecond, values[baseline])
		c.add(besidePgbench, present, perSecond, values[present])
		c.add("time to page, p50", round%2, milliseconds, 4)
		c.add("time to page, p50", 1-round%2, milliseconds, 5)
	}
	want := `| measured | baseline | present | present / baseline | single rounds |
|---|---:|---:|---:|---:|
| distinct keys, connections: 32 | 200/s | 240/s | 1.20 | 0.80 to 1.30 |
| the same to pgbench's 160/s | 1.25 | 1.50 | | |
| time to page, p50 | 4.0 ms | 5.0 ms | 1.25 | 0.80 to 1.25 |
`
	if diff := cmp.Diff(want, c.table([]float64{150, 160, 170})); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
