package ingest

import (
	"context"
	"sync"
)

// settling holds batches that are written and wait for the disk.
type settling struct {
	mu      sync.Mutex
	waiting []unsettled
	closed  bool
	wake    bell
}

type unsettled struct {
	batch   []*submission
	written Written
}

func newSettling() *settling { return &settling{wake: newBell()} }

func (s *settling) add(u unsettled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, u)
	s.wake.ring()
}

// close has settle end once all are answered; add is not called any more.
func (s *settling) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.wake.ring()
}

func (s *settling) take() (all []unsettled, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, s.waiting = s.waiting, nil
	return all, s.closed
}

// settle answers the senders of what is written once it is on the disk. One
// wait serves all that was written before it began.
func (b *Batcher) settle() {
	for range b.settling.wake {
		all, closed := b.settling.take()
		if len(all) > 0 {
			b.settleAll(all)
		}
		if closed {
			return
		}
	}
}

// settleAll waits once for each mark. Another mark means that the connection was
// lost in between, and with it the certainty that what was written before it is
// there.
func (b *Batcher) settleAll(all []unsettled) {
	ctx, cancel := context.WithTimeout(context.Background(), b.opts.Deadline)
	defer cancel()
	waited := map[Mark]error{}
	for _, u := range all {
		mark := u.written.Mark
		err, known := waited[mark]
		if !known {
			err = b.writer.WaitForFlush(ctx, mark)
			waited[mark] = err
		}
		if err != nil {
			b.refuse(u.batch, err)
			continue
		}
		b.confirm(u.batch, u.written.Results)
	}
}
