package notify

import (
	"context"
	"sync"
	"time"
)

// A provider that cannot call back is asked, at intervals that double.
const (
	askFirst = 2 * time.Second
	askFor   = 10 * time.Minute
	// askTimeout bounds one question, askAtOnce how many there are at a time, and
	// maxAsked how many messages are asked about. Of further ones nothing more is known
	// than that they were sent.
	askTimeout = 3 * time.Second
	askAtOnce  = 4
	maxAsked   = 2000
)

// asking are the messages that providers are asked about. A restart forgets them.
type asking struct {
	mu  sync.Mutex
	all []*question
}

type question struct {
	claim      Claim
	providerID string
	since      time.Time
	next       time.Time
	state      string
}

func (a *asking) add(c Claim, providerID string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) < maxAsked {
		a.all = append(a.all, &question{claim: c, providerID: providerID, since: now, next: now.Add(askFirst)})
	}
}

// due are the questions to ask now. Those that have been asked for askFor are given up.
func (a *asking) due(now time.Time) []*question {
	a.mu.Lock()
	defer a.mu.Unlock()
	var due, kept []*question
	for _, q := range a.all {
		if now.Sub(q.since) > askFor || q.state == "delivered" || q.state == "failed" {
			continue
		}
		kept = append(kept, q)
		if !q.next.After(now) {
			due = append(due, q)
			q.next = now.Add(max(askFirst, now.Sub(q.since)))
		}
	}
	a.all = kept
	return due
}

// Ask asks providers that cannot call back what became of messages, until ctx ends.
func (o *Outbox) Ask(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var running sync.WaitGroup
		free := make(chan struct{}, askAtOnce)
		for _, q := range o.asking.due(o.RealNow()) {
			free <- struct{}{}
			running.Go(func() {
				defer func() { <-free }()
				o.ask(ctx, q)
			})
		}
		running.Wait()
	}
}

func (o *Outbox) ask(ctx context.Context, q *question) {
	channel, ok := o.Channels.Channel(q.claim.Medium).(Asked)
	if !ok {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	state, reason, err := channel.State(bounded, q.providerID)
	if err == nil && state != "" && state != q.state {
		err = o.Store.Report(ctx, q.claim.Attempt, state, q.providerID, reason, o.nextMethods(ctx), o.Now())
		if err == nil {
			q.state = state
		}
	}
	if err != nil && ctx.Err() == nil {
		o.Log.WarnContext(ctx, "ask for delivery state failed", "message", q.claim.ID, "error", err)
	}
}
