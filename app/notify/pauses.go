package notify

import (
	"sync"
	"time"
)

// pauseKey is what a provider's Retry-After is about.
type pauseKey struct {
	medium Medium
	method string // of a Limited channel, or empty
}

// pauses are the times until which providers have asked to wait. Each process learns of
// them by itself, by one call.
type pauses struct {
	mu    sync.Mutex
	until map[pauseKey]time.Time
}

// begin keeps the later of two pauses.
func (p *pauses) begin(key pauseKey, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[pauseKey]time.Time{}
	}
	if until.After(p.until[key]) {
		p.until[key] = until
	}
}

// rest is what is left of a pause, or zero.
func (p *pauses) rest(key pauseKey, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.until[key].Sub(now))
}
