package ingest

import "time"

// SignalCounts are of what came in by one integration.
type SignalCounts struct {
	// LastAt is when a signal was last accepted, nil for never.
	LastAt *time.Time
	// Rejected counts those that were rejected and not replayed since.
	Rejected int
}
