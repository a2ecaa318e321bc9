package db

import (
	"testing"
	"time"
)

func TestDiskIsSlowFromHalfTheWriteTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for name, disk := range map[string]struct {
		takes time.Duration
		slow  bool
	}{
		"slow": {510 * time.Microsecond, true},
		"fast": {490 * time.Microsecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p CommitLatency
			measure := func(now time.Time) {
				for range latencySamples {
					p.Wrote(MinMeasured, time.Millisecond)
					p.Wrote(1, time.Microsecond) // says nothing
					p.Waited(now, disk.takes)
				}
			}
			if p.Apart(start, MinMeasured-1) || !p.Apart(start, MinMeasured) {
				t.Error("before anything is known, large batches are to be measured and small ones not")
			}
			measure(start)
			holds := start.Add(latencyHolds - 1)
			if p.Apart(holds, 1) != disk.slow || p.Apart(holds, 100) != disk.slow {
				t.Error("what was measured is not gone by")
			}
			over := start.Add(latencyHolds)
			if p.Apart(over, MinMeasured-1) || !p.Apart(over, MinMeasured) {
				t.Error("it is not measured again")
			}
			disk.takes = time.Second
			measure(over)
			if !p.Apart(over, 1) {
				t.Error("a disk that has become slow is not noticed")
			}
		})
	}
}
