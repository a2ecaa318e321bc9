package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Lease is how long a claimed message is this process's without a renewal.
// RenewEvery keeps it; a process that dies is taken over within about a Lease.
const (
	Lease      = 3 * time.Second
	RenewEvery = time.Second
	// CallTimeout bounds one call to a provider.
	CallTimeout = 10 * time.Second
)

// Claim is a message that this process may send, once. Its attempt is
// committed before the provider is called.
type Claim struct {
	Message
	// UserID is whom it is for, 0 for a chat channel.
	UserID int64
	// MethodID is the contact method, 0 for a chat channel.
	MethodID int64
	// Number counts the attempts of this message, from 1.
	Number int
	// MadeAt is when the message was made, zero where it gathered on purpose.
	MadeAt time.Time
}

// OutboxStore claims messages and keeps what became of them.
type OutboxStore interface {
	// ClaimMessages leases at most limit messages that are due, and those whose
	// lease has lapsed. Pages that were answered meanwhile are left out of
	// them, and a message without any left is withdrawn.
	ClaimMessages(ctx context.Context, now time.Time, limit int) ([]Claim, error)
	// Renew prolongs every lease of this process and returns the messages that
	// it still holds.
	Renew(ctx context.Context) ([]int64, error)
	// Sent records that the provider took an attempt. It changes nothing once
	// the lease has passed on.
	Sent(ctx context.Context, c Claim, r Receipt, now time.Time) error
	// Failed records that an attempt failed. With a time in retry the message
	// is due again then; without, next names the contact method to fall over
	// to, given those that were tried, and false where there is none.
	Failed(ctx context.Context, c Claim, f Failure, retry *time.Time, next func(tried []int64) (ContactMethod, bool), now time.Time) error
}

// Composer adds to a claim what only the server knows: personal links and the
// callback's address.
type Composer interface {
	Compose(c *Claim) error
}

// Outbox sends messages.
type Outbox struct {
	Store    OutboxStore
	Channels map[Medium]Channel
	Composer Composer
	People   People
	Now      func() time.Time
	// Workers bounds the calls under way.
	Workers int
	Log     *slog.Logger
	// Observed is told of each call that ended, "sent", "delivered" or "failed";
	// and of each that begins, with "sending". Nil is told nothing.
	Observed func(c Claim, state string)

	mu       sync.Mutex
	inFlight map[int64]flight
	changed  chan struct{} // closed and replaced whenever a send ends
	group    sync.WaitGroup
}

// flight is a call under way.
type flight struct {
	since  time.Time
	cancel context.CancelFunc
}

// Works reports whether a channel carries a medium.
func (o *Outbox) Works(m Medium) bool { return o.Channels[m] != nil }

// Sweep claims what is due, as far as there are hands, and starts sending it.
// It returns how much it started.
func (o *Outbox) Sweep(ctx context.Context) (int, error) {
	free := o.Workers - o.InFlight()
	if free <= 0 {
		return 0, nil
	}
	claims, err := o.Store.ClaimMessages(ctx, o.Now(), free)
	if err != nil {
		return 0, err
	}
	for _, c := range claims {
		// Shutting down finishes what is claimed, so the claim's own context
		// ends with its lease and its timeout alone.
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
		o.begin(c.ID, cancel)
		o.group.Go(func() {
			defer o.end(c.ID, cancel)
			o.send(sending, c)
		})
	}
	return len(claims), nil
}

// InFlight is how many calls are under way.
func (o *Outbox) InFlight() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.inFlight)
}

// Wait returns when no call is under way.
func (o *Outbox) Wait() { o.group.Wait() }

// Ended is closed when the next call ends, so that a loop whose hands were all
// busy can look again.
func (o *Outbox) Ended() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

func (o *Outbox) begin(id int64, cancel context.CancelFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.inFlight == nil {
		o.inFlight = map[int64]flight{}
	}
	o.inFlight[id] = flight{time.Now(), cancel}
}

func (o *Outbox) end(id int64, cancel context.CancelFunc) {
	cancel()
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.inFlight, id)
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// KeepLeases renews the leases of what is under way until ctx ends. A message
// whose lease was lost, or could not be renewed in time, has its call cancelled:
// somebody else may be sending it by then.
func (o *Outbox) KeepLeases(ctx context.Context) {
	tick := time.NewTicker(RenewEvery)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if o.InFlight() == 0 {
			renewed = time.Now()
			continue
		}
		asked, cancel := context.WithTimeout(ctx, RenewEvery)
		started := time.Now()
		held, err := o.Store.Renew(asked)
		cancel()
		switch {
		case err == nil:
			renewed = started
			o.cancelBut(held, started)
		case time.Since(renewed) > Lease-RenewEvery:
			o.Log.ErrorContext(ctx, "leases could not be renewed; calls under way are cancelled", "error", err)
			o.cancelBut(nil, started)
		}
	}
}

// cancelBut cancels the calls that began before an instant, but those held.
func (o *Outbox) cancelBut(held []int64, before time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, f := range o.inFlight {
		if f.since.Before(before) && !slices.Contains(held, id) {
			f.cancel()
		}
	}
}

// send makes one call and records what became of it. Recording has time of its
// own: a provider that used all of ours must not cost us the record.
func (o *Outbox) send(ctx context.Context, c Claim) {
	o.observe(c, "sending")
	receipt, failure := o.deliver(ctx, &c)
	switch {
	case failure != nil:
		o.observe(c, "failed")
	case receipt.Delivered:
		o.observe(c, "delivered")
	default:
		o.observe(c, "sent")
	}
	record, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
	defer cancel()
	var err error
	if failure == nil {
		err = o.Store.Sent(record, c, receipt, o.Now())
	} else {
		o.Log.WarnContext(ctx, "a message was not taken", "message", c.ID, "attempt", c.Number, "medium", c.Medium, "reason", failure.Reason, "permanent", failure.Permanent)
		err = o.Store.Failed(record, c, *failure, o.retryAt(c, *failure), o.fallOver(record, c), o.Now())
	}
	if err != nil {
		// The lease will lapse, and the message go out again, marked so.
		o.Log.ErrorContext(ctx, "what became of a message could not be recorded", "message", c.ID, "attempt", c.Number, "error", err)
	}
}

func (o *Outbox) observe(c Claim, state string) {
	if o.Observed != nil {
		o.Observed(c, state)
	}
}

func (o *Outbox) deliver(ctx context.Context, c *Claim) (receipt Receipt, failure *Failure) {
	channel := o.Channels[c.Medium]
	if channel == nil {
		return Receipt{}, &Failure{Reason: c.Medium.Word() + " is not configured.", Permanent: true}
	}
	if err := o.Composer.Compose(c); err != nil {
		return Receipt{}, &Failure{Reason: "The message could not be written: " + err.Error(), Permanent: true}
	}
	defer func() {
		if r := recover(); r != nil {
			o.Log.ErrorContext(ctx, "a channel panicked", "medium", c.Medium, "panic", r)
			receipt, failure = Receipt{}, &Failure{Reason: "The channel failed in an unforeseen way.", Uncertain: true}
		}
	}()
	receipt, failure = channel.Deliver(ctx, c.Message)
	if failure != nil && errors.Is(ctx.Err(), context.Canceled) {
		failure.Uncertain = true
	}
	return receipt, failure
}

func (o *Outbox) retryAt(c Claim, f Failure) *time.Time {
	wait, again := Retry(c.Number, f)
	if !again {
		return nil
	}
	at := o.Now().Add(wait)
	return &at
}

func (o *Outbox) fallOver(ctx context.Context, c Claim) func([]int64) (ContactMethod, bool) {
	return func(tried []int64) (ContactMethod, bool) {
		if c.Kind != KindPage {
			return ContactMethod{}, false
		}
		people, err := o.People.Recipients(ctx, 0)
		if err != nil {
			o.Log.ErrorContext(ctx, "contact methods could not be read", "user", c.UserID, "error", err)
			return ContactMethod{}, false
		}
		return people[c.UserID].FallOver(tried, o.Works)
	}
}

// Retry says whether a message that failed for the n-th time, counted from 1,
// is tried again at the same address, and how long to wait. A permanent failure
// is not, nor one whose provider asks for more patience than a page has.
func Retry(n int, f Failure) (wait time.Duration, again bool) {
	waits := []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second}
	const patience = 30 * time.Second
	if f.Permanent || n > len(waits) || f.RetryAfter > patience {
		return 0, false
	}
	return max(waits[n-1], f.RetryAfter), true
}

// Word is what people call a medium.
func (m Medium) Word() string {
	switch m {
	case SMS:
		return "SMS"
	case Email:
		return "Email"
	case Slack:
		return "Slack"
	case Voice:
		return "Voice"
	}
	return string(m)
}
