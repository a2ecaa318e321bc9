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
			if p.FlushSeparately(start, MinMeasured-1) || !p.FlushSeparately(start, MinMeasured) {
				t.Error("before a decision, large batches are to be measured and small ones not")
			}
			measure(start)
			holds := start.Add(latencyHolds - 1)
			if p.FlushSeparately(holds, 1) != disk.slow || p.FlushSeparately(holds, 100) != disk.slow {
				t.Error("the measured decision does not hold")
			}
			over := start.Add(latencyHolds)
			if p.FlushSeparately(over, MinMeasured-1) || !p.FlushSeparately(over, MinMeasured) {
				t.Error("the latency is not measured again once the decision is over")
			}
			disk.takes = time.Second
			measure(over)
			if !p.FlushSeparately(over, 1) {
				t.Error("a disk that has become slow is not noticed")
			}
		})
	}
}
