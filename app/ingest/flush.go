package ingest

import (
	"context"
	"sync"
)

// flushQueue holds batches that are written and wait for a flush to disk.
type flushQueue struct {
	mu      sync.Mutex
	waiting []unflushedBatch
	closed  bool
	wake    wakeup
}

type unflushedBatch struct {
	batch   []*submission
	written Written
}

func newFlushQueue() *flushQueue { return &flushQueue{wake: newWakeup()} }

func (q *flushQueue) add(u unflushedBatch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, u)
	q.wake.signal()
}

// close ends answerFlushed once all batches are answered. add must not be called
// after it.
func (q *flushQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake.signal()
}

func (q *flushQueue) take() (all []unflushedBatch, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, q.waiting = q.waiting, nil
	return all, q.closed
}

// answerFlushed answers the submissions of written batches once they are flushed. One
// flush covers all batches that were written before it began.
func (b *Batcher) answerFlushed() {
	for range b.unflushed.wake {
		all, closed := b.unflushed.take()
		if len(all) > 0 {
			b.waitForFlushes(all)
		}
		if closed {
			return
		}
	}
}

// waitForFlushes waits once for each mark. Batches have different marks where the
// connection was lost between them; then those with the earlier mark may not be on
// disk.
func (b *Batcher) waitForFlushes(all []unflushedBatch) {
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
