package far

import (
	"context"
	"sync"
)

// Deadline returns a context whose deadline passes when pass is called, so that a test
// of a provider that does not answer is not a race with the machine's clock.
func Deadline(parent context.Context) (ctx context.Context, pass func()) {
	d := deadline{parent, make(chan struct{})}
	return d, sync.OnceFunc(func() { close(d.passed) })
}

type deadline struct {
	context.Context
	passed chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.passed }

func (d deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
