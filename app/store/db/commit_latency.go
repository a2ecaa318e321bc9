package db

import (
	"sync"
	"time"
)

// CommitLatency knows whether the disk is slow, as batches of signals see it.
//
// On a fast disk a batch best waits by itself: what comes in meanwhile becomes
// the next one, and large batches cost less a signal. On a slow one the next
// batch is better written while it waits. So a few batches wait apart, to have
// both times measured, and the outcome holds for a while. Measured with a disk
// of 0.2, 1 and 3 ms: waiting apart takes 0.8, 1.1 and 1.3 times as many signals
// as not.
type CommitLatency struct {
	mu      sync.Mutex
	writing mean // a batch in memory
	waiting mean // for the disk
	slow    bool
	until   time.Time // the outcome holds
}

const (
	latencySamples = 8
	latencyHolds   = time.Second
)

// Apart says whether a batch of n signals waits apart. Small ones, which come
// where little is going on, say nothing about it.
func (p *CommitLatency) Apart(now time.Time, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.until) {
		return p.slow
	}
	return n >= MinMeasured
}

// Wrote notes how long it took to write a batch that waits apart.
func (p *CommitLatency) Wrote(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= MinMeasured {
		p.writing.add(took)
	}
}

// Waited notes how long the disk took.
func (p *CommitLatency) Waited(now time.Time, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.add(took)
	if p.writing.n < latencySamples || p.waiting.n < latencySamples || now.Before(p.until) {
		return
	}
	p.slow = 2*p.waiting.of() > p.writing.of()
	p.until = now.Add(latencyHolds)
	p.writing, p.waiting = mean{}, mean{}
}

// Force has batches wait apart, or not, until an instant, whatever is measured.
func (p *CommitLatency) Force(slow bool, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow, p.until = slow, until
}

// Measured says how long a batch takes to write on average, and whether enough
// batches were measured to decide by.
func (p *CommitLatency) Measured() (writing time.Duration, decided bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writing.n > 0 {
		writing = p.writing.of()
	}
	return writing, !p.until.IsZero()
}

type mean struct {
	sum time.Duration
	n   int
}

func (m *mean) add(d time.Duration) {
	m.sum += d
	m.n++
}

func (m *mean) of() time.Duration { return m.sum / time.Duration(m.n) }
