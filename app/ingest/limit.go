package ingest

import (
	"sync"
	"time"
)

// limiter limits the signals a minute of each key. It is a token bucket with a burst of
// one minute's signals. Every process counts for itself.
type limiter struct {
	mu sync.Mutex
	// full is when the bucket of each integration will be full again.
	full map[int64]time.Time
}

// allow takes one token at an instant, or returns how long to wait for one.
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
