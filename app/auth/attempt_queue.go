package auth

import (
	"context"
	"sync"
)

// maxWaiting is how many attempts of one key may wait or pause at the same time.
const maxWaiting = 5

// attemptQueue carries out the attempts of one key one at a time, so that a pause in
// each
// bounds their rate, also of concurrent ones.
type attemptQueue struct {
	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	in   int // waiting, and the one that holds turn
	turn chan struct{}
}

// take waits until no other attempt of the key is in progress; the caller has to call
// leave. Fault: Limited where maxWaiting attempts wait.
func (q *attemptQueue) take(ctx context.Context, key string) (leave func(), err error) {
	q.mu.Lock()
	if q.lines == nil {
		q.lines = map[string]*line{}
	}
	l := q.lines[key]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		q.lines[key] = l
	}
	if l.in >= maxWaiting {
		q.mu.Unlock()
		return nil, limited(maxWaiting * slowBy)
	}
	l.in++
	q.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; q.out(key, l) }, nil
	case <-ctx.Done():
		q.out(key, l)
		return nil, ctx.Err()
	}
}

func (q *attemptQueue) out(key string, l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.in--; l.in == 0 {
		delete(q.lines, key)
	}
}
