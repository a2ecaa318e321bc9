package auth

import (
	"context"
	"sync"
)

// maxWaiting is how many attempts one key has waiting or pausing at once.
const maxWaiting = 5

// turns lets attempts of one key go one at a time, so that a pause between them
// is a rate, however many come together.
type turns struct {
	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	in   int // waiting, and the one whose turn it is
	turn chan struct{}
}

// take waits for the key's turn, which lasts until leave is called. Where too
// many wait it is a fault of kind limited.
func (t *turns) take(ctx context.Context, key string) (leave func(), err error) {
	t.mu.Lock()
	if t.lines == nil {
		t.lines = map[string]*line{}
	}
	l := t.lines[key]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		t.lines[key] = l
	}
	if l.in >= maxWaiting {
		t.mu.Unlock()
		return nil, limited(maxWaiting * slowBy)
	}
	l.in++
	t.mu.Unlock()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; t.out(key, l) }, nil
	case <-ctx.Done():
		t.out(key, l)
		return nil, ctx.Err()
	}
}

func (t *turns) out(key string, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.in--; l.in == 0 {
		delete(t.lines, key)
	}
}
