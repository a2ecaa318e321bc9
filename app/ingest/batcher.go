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
	MaxCount int           // signals that may wait or be in work; 10,000
	MaxBytes int64         // and their size; 64 MiB
	Deadline time.Duration // how long a sender waits, and a transaction may take; 5 s
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

// A batch that loses a race is tried this often, with a pause that doubles.
const (
	maxTries   = 6
	firstPause = 2 * time.Millisecond
)

// Batcher makes signals durable many at a time without making a single one
// wait: a lane takes whatever is there, writes it in one transaction, and what
// came in meanwhile is the next batch. There is no timer. Where the writer
// leaves the wait for the disk to WaitForFlush, the lane goes on meanwhile.
type Batcher struct {
	writer   Writer
	opts     BatcherOptions
	seed     maphash.Seed
	lanes    []*lane
	settling *settling
	done     sync.WaitGroup // the lanes
	settled  sync.WaitGroup

	count   atomic.Int64
	bytes   atomic.Int64
	metrics batcherMetrics
}

// lane is a queue that one goroutine drains.
type lane struct {
	mu      sync.Mutex
	waiting []*submission
	closed  bool
	wake    bell
}

// submission is the signals of one request on their way, which are written in one
// transaction. It is answered once, by its lane.
type submission struct {
	signals []Signal
	size    int64
	state   atomic.Int32
	answer  chan answer // holds one, so that a lane never waits for a sender
}

type answer struct {
	results []Result
	err     error
}

// The states of a submission.
const (
	queued  int32 = iota
	taken         // by its lane: it will be written or fail
	dropped       // its sender was told to try again before a lane took it
)

// NewBatcher starts the lanes. Close ends them.
func NewBatcher(writer Writer, opts BatcherOptions) *Batcher {
	b := &Batcher{writer: writer, opts: opts.withDefaults(), seed: maphash.MakeSeed(), settling: newSettling()}
	b.settled.Go(b.settle)
	for range b.opts.Lanes {
		l := &lane{wake: newBell()}
		b.lanes = append(b.lanes, l)
		b.done.Go(func() { b.drain(l) })
	}
	return b
}

// Submit waits until the signals, of which there is one at least, are durable.
// They are written in one transaction, but where the data of one is at fault: then
// the others are written and all fail. It fails as Unavailable at once
// where the queue is full or closed, and where the deadline passes first; then
// the signals may yet be written, which their dedup keys make harmless to repeat.
// A sender that hangs up ends the wait and nothing else.
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

// Close takes no more signals, finishes those that wait, and returns when all
// are answered or ctx ends.
func (b *Batcher) Close(ctx context.Context) error {
	for _, l := range b.lanes {
		l.close()
	}
	finished := make(chan struct{})
	go func() {
		b.done.Wait()
		b.settling.close()
		b.settled.Wait()
		close(finished)
	}()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("signals are still waiting to be stored: %w", ctx.Err())
	}
}

// admit reserves room in the queue. A request with more signals than the queue
// holds is let in where the queue is empty.
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

// laneOf gives every signal of a group or key the same lane, so that they keep
// their order. The other signals of a request go with its first.
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
	l.wake.ring()
	return true
}

func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake.ring()
}

// bell wakes one goroutine, and rings on where it is not listening yet.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// take moves submissions of up to limit signals into batch, or a single one that
// has more; it leaves none behind where it takes none. more is false once the lane
// is closed and empty.
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

// drain is the life of a lane.
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

// write makes a batch durable and answers each of its submissions. A batch that
// is refused because of its data is halved until what is wrong with it stands
// alone, so that it fails and its neighbours do not.
func (b *Batcher) write(ctx context.Context, batch []*submission, signals []Signal) {
	written, err := b.try(ctx, signals)
	switch {
	case err == nil && written.Mark == Durable:
		b.confirm(batch, written.Results)
	case err == nil:
		b.settling.add(unsettled{batch: slices.Clone(batch), written: written})
	case isTransient(err) || ctx.Err() != nil:
		b.refuse(batch, err)
	case len(batch) == 1:
		if len(signals) > 1 {
			b.writeApart(ctx, signals)
		}
		b.metrics.failed.Add(1)
		s := &signals[0]
		b.opts.Log.Error("store signal", "service", s.ServiceID, "dedup_key", s.Event.DedupKey, "signals", len(signals), "error", err)
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

// writeApart writes each signal of a request by itself, one of which cannot be
// written. Its sender is told of a failure all the same; that it repeats the
// others is harmless.
func (b *Batcher) writeApart(ctx context.Context, signals []Signal) {
	b.metrics.bisected.Add(1)
	for i := range signals {
		if _, err := b.try(ctx, signals[i:i+1]); err != nil {
			b.opts.Log.Error("store signal", "service", signals[i].ServiceID, "dedup_key", signals[i].Event.DedupKey, "error", err)
		}
	}
}

// confirm answers those whose signals are durable.
func (b *Batcher) confirm(batch []*submission, results []Result) {
	b.metrics.written.Add(int64(len(results)))
	for _, s := range batch {
		n := len(s.signals)
		b.reply(s, answer{results: results[:n:n]})
		results = results[n:]
	}
}

// refuse has senders repeat what may not be stored.
func (b *Batcher) refuse(batch []*submission, err error) {
	b.metrics.failed.Add(int64(len(batch)))
	b.opts.Log.Warn("store signals; senders repeat them", "requests", len(batch), "error", err)
	failure := tryAgain("The signal could not be stored. Send it again in a moment.", err)
	for _, s := range batch {
		b.reply(s, answer{err: failure})
	}
}

func isTransient(err error) bool {
	return errors.Is(err, ErrRetry) || errors.Is(err, ErrUnavailable)
}

// try writes once, and again for as long as races are lost.
func (b *Batcher) try(ctx context.Context, signals []Signal) (Written, error) {
	pause := firstPause
	for tries := 1; ; tries++ {
		b.metrics.batches.Add(1)
		written, err := b.call(ctx, signals)
		if !errors.Is(err, ErrRetry) || tries == maxTries {
			return written, err
		}
		b.metrics.retried.Add(1)
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return Written{}, errors.Join(err, ErrUnavailable)
		}
	}
}

// call survives a panic of the writer: the lane must live.
func (b *Batcher) call(ctx context.Context, signals []Signal) (written Written, err error) {
	defer func() {
		if p := recover(); p != nil {
			written, err = Written{}, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	written, err = b.writer.WriteSignals(ctx, signals)
	if err == nil && len(written.Results) != len(signals) {
		err = fmt.Errorf("the writer answered %d of %d signals", len(written.Results), len(signals))
	}
	return written, err
}

func (b *Batcher) reply(s *submission, a answer) {
	b.release(s)
	s.answer <- a
}
