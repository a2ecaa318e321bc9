package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// BatcherOptions tune a Batcher; zero values take the defaults.
type BatcherOptions struct {
	Lanes    int           // parallel transactions; 1. A key or group always takes the same lane
	MaxBatch int           // signals in a transaction; 256
	MaxCount int           // signals that are queued or being written; 10,000
	MaxBytes int64         // their total size; 64 MiB
	Deadline time.Duration // limit of a sender's wait, and of a transaction; 5 s
	Log      *slog.Logger
}

func (o BatcherOptions) withDefaults() BatcherOptions {
	if o.Lanes <= 0 {
		o.Lanes = 1
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = 256
	}
	if o.MaxCount <= 0 {
		o.MaxCount = 10_000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.Deadline <= 0 {
		o.Deadline = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// A transaction that fails with ErrRetry is tried up to maxTries times, with
// exponential backoff that starts at firstBackoff.
const (
	maxTries     = 6
	firstBackoff = 2 * time.Millisecond
)

// Batcher writes signals in batches (group commit) and delays no signal for it: a
// lane takes all that are queued and writes them in one transaction; those that
// arrive meanwhile are the next batch. There is no timer. Where the Writer answers
// with a Mark, the wait for the flush runs beside the lane, which goes on with the
// next batch.
type Batcher struct {
	writer    Writer
	opts      BatcherOptions
	seed      maphash.Seed
	lanes     []*lane
	unflushed *flushQueue
	lanesDone sync.WaitGroup
	flushDone sync.WaitGroup

	count   atomic.Int64
	bytes   atomic.Int64
	metrics batcherMetrics
}

// lane is a queue that one goroutine drains.
type lane struct {
	mu      sync.Mutex
	waiting []*submission
	closed  bool
	wake    wakeup
}

// submission holds the signals of one request, which are written in one transaction.
// It is answered once.
type submission struct {
	signals []Signal
	size    int64
	state   atomic.Int32
	answer  chan answer // of capacity 1, so that a lane never waits for a sender
}

type answer struct {
	results []Result
	err     error
}

// The states of a submission.
const (
	queued  int32 = iota
	taken         // by its lane, which writes it or fails it
	dropped       // its deadline passed before a lane took it
)

// NewBatcher starts the lanes. Close ends them.
func NewBatcher(writer Writer, opts BatcherOptions) *Batcher {
	b := &Batcher{writer: writer, opts: opts.withDefaults(), seed: maphash.MakeSeed(), unflushed: newFlushQueue()}
	b.flushDone.Go(b.answerFlushed)
	for range b.opts.Lanes {
		l := &lane{wake: newWakeup()}
		b.lanes = append(b.lanes, l)
		b.lanesDone.Go(func() { b.drain(l) })
	}
	return b
}

// Submit waits until the signals, of which there is at least one, are durable. They
// are written in one transaction, unless the data of one is bad: then each is tried
// by itself, and the request fails. It fails as Unavailable at once where the queue
// is full or closed, and when the deadline passes. After a deadline the signals may
// still be written; their dedup keys make it safe to send them again. Where ctx ends,
// only the wait ends.
func (b *Batcher) Submit(ctx context.Context, signals []Signal) ([]Result, error) {
	s := &submission{signals: signals, answer: make(chan answer, 1)}
	for i := range signals {
		s.size += signals[i].size()
	}
	if !b.admit(s) {
		b.metrics.overload.Add(1)
		return nil, tryAgain("Too many signals are waiting. Send it again in a moment.", nil)
	}
	if !b.laneOf(&s.signals[0]).push(s) {
		b.release(s)
		return nil, tryAgain("Tocsin is shutting down. Send it again in a moment.", nil)
	}
	deadline := time.NewTimer(b.opts.Deadline)
	defer deadline.Stop()
	select {
	case a := <-s.answer:
		return a.results, a.err
	case <-ctx.Done():
		return nil, tryAgain("The request ended before it was answered, so the signal may or may not have been stored. Send it again: its dedup key makes that harmless.", ctx.Err())
	case <-deadline.C:
		b.metrics.late.Add(1)
		if s.state.CompareAndSwap(queued, dropped) {
			b.release(s)
		}
		return nil, tryAgain("Storing the signal takes too long. Send it again in a moment.", nil)
	}
}

// Close accepts no more signals, writes those that are queued, and returns when all are
// answered or ctx ends.
func (b *Batcher) Close(ctx context.Context) error {
	for _, l := range b.lanes {
		l.close()
	}
	finished := make(chan struct{})
	go func() {
		b.lanesDone.Wait()
		b.unflushed.close()
		b.flushDone.Wait()
		close(finished)
	}()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close batcher with signals queued: %w", ctx.Err())
	}
}

// admit reserves space in the queue. A request with more than MaxCount signals is
// admitted while the queue is empty.
func (b *Batcher) admit(s *submission) bool {
	n := int64(len(s.signals))
	if all := b.count.Add(n); all > int64(b.opts.MaxCount) && all > n {
		b.count.Add(-n)
		return false
	}
	if b.bytes.Add(s.size) > b.opts.MaxBytes {
		b.release(s)
		return false
	}
	return true
}

func (b *Batcher) release(s *submission) {
	b.count.Add(-int64(len(s.signals)))
	b.bytes.Add(-s.size)
}

// laneOf returns the same lane for all signals of a group or key, so that they keep
// their order. The other signals of a request follow its first.
func (b *Batcher) laneOf(s *Signal) *lane {
	if len(b.lanes) == 1 {
		return b.lanes[0]
	}
	key := s.Event.Group
	if key == "" {
		key = s.Event.DedupKey
	}
	hash := maphash.String(b.seed, key) ^ uint64(s.ServiceID)*0x9e3779b97f4a7c15
	return b.lanes[hash%uint64(len(b.lanes))]
}

func (l *lane) push(s *submission) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.waiting = append(l.waiting, s)
	l.wake.signal()
	return true
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake.signal()
}

// wakeup wakes one goroutine. A signal is kept while the goroutine is not waiting yet.
type wakeup chan struct{}

func newWakeup() wakeup { return make(wakeup, 1) }

func (w wakeup) signal() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// take moves submissions of up to limit signals into batch, or a single one that has
// more. An empty batch means that the lane is empty. more is false once the lane is
// closed and empty.
func (l *lane) take(batch []*submission, limit int) (_ []*submission, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, signals := 0, 0
	for ; n < len(l.waiting); n++ {
		s := l.waiting[n]
		if len(batch) > 0 && signals+len(s.signals) > limit {
			break
		}
		if s.state.CompareAndSwap(queued, taken) {
			batch = append(batch, s)
			signals += len(s.signals)
		}
	}
	rest := copy(l.waiting, l.waiting[n:])
	clear(l.waiting[rest:])
	l.waiting = l.waiting[:rest]
	return batch, !l.closed || rest > 0 || len(batch) > 0
}

// drain writes the batches of a lane until it is closed and empty.
func (b *Batcher) drain(l *lane) {
	batch := make([]*submission, 0, b.opts.MaxBatch)
	signals := make([]Signal, 0, b.opts.MaxBatch)
	for range l.wake {
		for {
			var more bool
			if batch, more = l.take(batch[:0], b.opts.MaxBatch); !more {
				return
			}
			if len(batch) == 0 {
				break
			}
			signals = signals[:0]
			for _, s := range batch {
				signals = append(signals, s.signals...)
			}
			ctx, cancel := context.WithTimeout(context.Background(), b.opts.Deadline)
			b.write(ctx, batch, signals)
			cancel()
			clear(batch)
			clear(signals)
		}
	}
}

// write writes a batch and answers each of its submissions. A batch that fails because
// of its data is split in halves until the bad submission is alone, so that only it
// fails.
func (b *Batcher) write(ctx context.Context, batch []*submission, signals []Signal) {
	written, err := b.try(ctx, signals)
	switch {
	case err == nil && written.Mark == Durable:
		b.confirm(batch, written.Results)
	case err == nil:
		b.unflushed.add(unflushedBatch{batch: slices.Clone(batch), written: written})
	case isTransient(err) || ctx.Err() != nil:
		b.refuse(batch, err)
	case len(batch) == 1:
		if len(signals) > 1 {
			b.writeSingly(ctx, signals)
		}
		b.metrics.failed.Add(1)
		s := &signals[0]
		b.opts.Log.Error("write signal failed", "service", s.ServiceID, "dedup_key", s.Event.DedupKey, "signals", len(signals), "error", err)
		b.reply(batch[0], answer{err: fault.Internal(err)})
	default:
		b.metrics.bisected.Add(1)
		half := len(batch) / 2
		n := 0
		for _, s := range batch[:half] {
			n += len(s.signals)
		}
		b.write(ctx, batch[:half], signals[:n])
		b.write(ctx, batch[half:], signals[n:])
	}
}

// writeSingly writes each signal of a request in its own transaction, since one of them
// cannot be written. The request fails all the same; its sender may repeat all signals,
// which their dedup keys make safe.
func (b *Batcher) writeSingly(ctx context.Context, signals []Signal) {
	b.metrics.bisected.Add(1)
	for i := range signals {
		if _, err := b.try(ctx, signals[i:i+1]); err != nil {
			b.opts.Log.Error("write signal failed", "service", signals[i].ServiceID, "dedup_key", signals[i].Event.DedupKey, "error", err)
		}
	}
}

// confirm answers the submissions of a durable batch.
func (b *Batcher) confirm(batch []*submission, results []Result) {
	b.metrics.written.Add(int64(len(results)))
	for _, s := range batch {
		n := len(s.signals)
		b.reply(s, answer{results: results[:n:n]})
		results = results[n:]
	}
}

// refuse answers a batch that may not be durable, so that its senders try again.
func (b *Batcher) refuse(batch []*submission, err error) {
	b.metrics.failed.Add(int64(len(batch)))
	b.opts.Log.Warn("write batch failed", "requests", len(batch), "error", err)
	failure := tryAgain("The signal could not be stored. Send it again in a moment.", err)
	for _, s := range batch {
		b.reply(s, answer{err: failure})
	}
}

func isTransient(err error) bool {
	return errors.Is(err, ErrRetry) || errors.Is(err, ErrUnavailable)
}

// try writes the signals, again after each ErrRetry up to maxTries.
func (b *Batcher) try(ctx context.Context, signals []Signal) (Written, error) {
	backoff := firstBackoff
	for tries := 1; ; tries++ {
		b.metrics.batches.Add(1)
		written, err := b.call(ctx, signals)
		if !errors.Is(err, ErrRetry) || tries == maxTries {
			return written, err
		}
		b.metrics.retried.Add(1)
		select {
		case <-time.After(backoff):
			backoff *= 2
		case <-ctx.Done():
			return Written{}, errors.Join(err, ErrUnavailable)
		}
	}
}

// call turns a panic of the writer into an error, since the lane must go on.
func (b *Batcher) call(ctx context.Context, signals []Signal) (written Written, err error) {
	defer func() {
		if p := recover(); p != nil {
			written, err = Written{}, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	written, err = b.writer.WriteSignals(ctx, signals)
	if err == nil && len(written.Results) != len(signals) {
		err = fmt.Errorf("writer returned %d results for %d signals", len(written.Results), len(signals))
	}
	return written, err
}

func (b *Batcher) reply(s *submission, a answer) {
	b.release(s)
	s.answer <- a
}
