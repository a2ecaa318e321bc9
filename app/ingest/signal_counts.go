package ingest

import "time"

// SignalCounts are the counts of one integration.
type SignalCounts struct {
	// LastAt is when a signal was last accepted, nil for never.
	LastAt *time.Time
	// Rejected counts those that were rejected and not replayed since.
	Rejected int
}
