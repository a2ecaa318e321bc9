package store

import (
	"sync"
	"time"
)

// pace knows whether the disk is slow, as batches of signals see it.
//
// On a fast disk a batch best waits by itself: what comes in meanwhile becomes
// the next one, and large batches cost less a signal. On a slow one the next
// batch is better written while it waits. So a few batches wait apart, to have
// both times measured, and the outcome holds for a while. Measured with a disk
// of 0.2, 1 and 3 ms: waiting apart takes 0.8, 1.1 and 1.3 times as many signals
// as not.
type pace struct {
	mu      sync.Mutex
	writing mean // a batch in memory
	waiting mean // for the disk
	slow    bool
	until   time.Time // the outcome holds
}

const (
	paceSamples = 8
	paceHolds   = time.Second
)

// apart says whether a batch of n signals waits apart. Small ones, which come
// where little is going on, say nothing about it.
func (p *pace) apart(now time.Time, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.until) {
		return p.slow
	}
	return n >= settleFrom
}

// wrote notes how long it took to write a batch that waits apart.
func (p *pace) wrote(n int, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= settleFrom {
		p.writing.add(took)
	}
}

// waited notes how long the disk took.
func (p *pace) waited(now time.Time, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.add(took)
	if p.writing.n < paceSamples || p.waiting.n < paceSamples || now.Before(p.until) {
		return
	}
	p.slow = 2*p.waiting.of() > p.writing.of()
	p.until = now.Add(paceHolds)
	p.writing, p.waiting = mean{}, mean{}
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
