package demo

import (
	"container/heap"
	"context"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/server"
)

// clock shows the past. It is set by one goroutine and read by all.
type clock struct{ micros atomic.Int64 }

// Now is what it shows, in UTC.
func (c *clock) Now() time.Time { return time.UnixMicro(c.micros.Load()).UTC() }

func (c *clock) set(at time.Time) { c.micros.Store(at.UnixMicro()) }

// event is an action of the story at a time.
type event struct {
	at    time.Time
	order int // of those at one instant
	do    func(context.Context) error
}

// agenda is a heap of the events to come, the earliest first.
type agenda struct {
	events []event
	made   int
}

func (a *agenda) add(at time.Time, do func(context.Context) error) {
	a.made++
	heap.Push(a, event{at, a.made, do})
}

// Len implements heap.Interface.
func (a *agenda) Len() int { return len(a.events) }

// Less implements heap.Interface.
func (a *agenda) Less(i, j int) bool {
	x, y := a.events[i], a.events[j]
	if x.at.Equal(y.at) {
		return x.order < y.order
	}
	return x.at.Before(y.at)
}

// Swap implements heap.Interface.
func (a *agenda) Swap(i, j int) { a.events[i], a.events[j] = a.events[j], a.events[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { a.events = append(a.events, x.(event)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := a.events[len(a.events)-1]
	a.events = a.events[:len(a.events)-1]
	return last
}

// play carries out the events up to end, and what becomes due on the server in between.
func (a *agenda) play(ctx context.Context, s *server.Server, c *clock, end time.Time) error {
	for a.Len() > 0 && !a.events[0].at.After(end) {
		e := heap.Pop(a).(event)
		if err := advance(ctx, s, c, e.at); err != nil {
			return err
		}
		if err := e.do(ctx); err != nil {
			return err
		}
	}
	return advance(ctx, s, c, end)
}

// advance moves the clock to an instant, and stops at each instant at which something
// is
// due.
func advance(ctx context.Context, s *server.Server, c *clock, to time.Time) error {
	for {
		if err := s.RunUntilIdle(ctx); err != nil {
			return err
		}
		due, ok, err := s.NextDue(ctx)
		if err != nil {
			return err
		}
		if !ok || due.After(to) {
			break
		}
		if due.After(c.Now()) {
			c.set(due)
		}
	}
	c.set(to)
	return s.RunUntilIdle(ctx)
}
