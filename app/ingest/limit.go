package ingest

import (
	"sync"
	"time"
)

// limiter holds each key to its signals a minute. A key may use its whole
// minute at once and gets it back evenly. Every process counts for itself.
type limiter struct {
	mu sync.Mutex
	// full is when each integration will have its whole minute again.
	full map[int64]time.Time
}

// allow takes one signal at an instant, or says how long to wait.
func (l *limiter) allow(integrationID int64, perMinute int, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	each := time.Minute / time.Duration(perMinute)
	full := l.full[integrationID]
	if full.Before(now) {
		full = now
	}
	full = full.Add(each)
	if wait := full.Sub(now) - time.Minute; wait > 0 {
		return wait, false
	}
	if l.full == nil {
		l.full = make(map[int64]time.Time)
	}
	l.full[integrationID] = full
	return 0, true
}
