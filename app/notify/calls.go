package notify

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// SlowAfter is how long a call may last before it no longer counts against the
	// workers, so that recipients for whom a provider hangs delay nobody else.
	SlowAfter = 400 * time.Millisecond
	// maxCalls bounds the calls to one provider, slow ones included.
	maxCalls = 256
	// maxRecording bounds the results that are written at the same time.
	maxRecording = 16
)

// Busy is what no message is claimed for.
type Busy struct {
	Media []Medium
	// Addresses have a call in progress.
	Addresses []string
}

// calls are the calls in progress, by message. The zero calls has none.
type calls struct {
	mu       sync.Mutex
	inFlight map[int64]flight
	changed  chan struct{} // closed and replaced whenever a call ends or becomes slow

	once      sync.Once
	recording chan struct{}
}

// flight is a call in progress.
type flight struct {
	since  time.Time
	medium Medium
	to     string
	slow   bool
	cancel context.CancelFunc
}

func (c *calls) begin(claim Claim, now time.Time, cancel context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight == nil {
		c.inFlight = map[int64]flight{}
	}
	c.inFlight[claim.ID] = flight{since: now, medium: claim.Medium, to: claim.To, cancel: cancel}
}

func (c *calls) end(id int64, cancel context.CancelFunc) {
	cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.inFlight, id)
	c.notify()
}

// slow has a call count as slow, if it is still in progress.
func (c *calls) slow(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.inFlight[id]
	if !ok {
		return
	}
	f.slow = true
	c.inFlight[id] = f
	c.notify()
}

// notify wakes whoever waits for ended. c.mu is held.
func (c *calls) notify() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

func (c *calls) ended() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// count is the number of calls in progress.
func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.inFlight)
}

// fast is the number of calls in progress that are not slow.
func (c *calls) fast() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, f := range c.inFlight {
		if !f.slow {
			n++
		}
	}
	return n
}

// busy are the media with share fast calls or more, and the addresses with a call that
// began less than NextMethodAfter ago. The pages of one that lasts longer go by the next
// method, and those that wait behind it are to do so too.
func (c *calls) busy(share int, now time.Time) Busy {
	c.mu.Lock()
	defer c.mu.Unlock()
	fast, all := map[Medium]int{}, map[Medium]int{}
	var b Busy
	for _, f := range c.inFlight {
		all[f.medium]++
		if !f.slow {
			fast[f.medium]++
		}
		if f.to != "" && now.Sub(f.since) < NextMethodAfter {
			b.Addresses = append(b.Addresses, f.to)
		}
	}
	for m := range all {
		if fast[m] >= share || all[m] >= maxCalls {
			b.Media = append(b.Media, m)
		}
	}
	return b
}

// sending are the messages of the calls in progress, sorted, which is the order in
// which the store locks them.
func (c *calls) sending() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.inFlight))
}

// cancelExcept cancels the calls that began before an instant, except those held.
func (c *calls) cancelExcept(held []int64, before time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, f := range c.inFlight {
		if f.since.Before(before) && !slices.Contains(held, id) {
			f.cancel()
		}
	}
}

// recorded writes a result, at most maxRecording at the same time.
func (c *calls) recorded(write func() error) error {
	c.once.Do(func() { c.recording = make(chan struct{}, maxRecording) })
	c.recording <- struct{}{}
	defer func() { <-c.recording }()
	return write()
}
