package notify

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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
	// Broken says that it could not be claimed, for what stands in its rows. It
	// is leased to nobody, and all that is left is to give it up.
	Broken bool
}

// OutboxStore claims messages and keeps what became of them.
type OutboxStore interface {
	// ClaimMessages leases at most limit messages that are due, and those whose
	// lease has lapsed. Pages that were answered meanwhile are left out of
	// them, and a message without any left is withdrawn.
	// Media that are busy are left alone. found counts the withdrawn, too. One
	// that cannot be claimed holds up no other: it comes back as Broken. An error
	// may come with claims that were leased before it.
	ClaimMessages(ctx context.Context, now time.Time, limit int, busy []Medium) (claims []Claim, found int, err error)
	// GiveUp ends a broken message. Several pages go out again in smaller messages;
	// a single one goes by the contact method that next names, as by Failed. What
	// cannot even be given up is put off.
	GiveUp(ctx context.Context, c Claim, next func(tried []int64) (ContactMethod, bool), now time.Time) error
	// Renew prolongs the leases of messages that this process is sending, and
	// returns those that it still holds.
	Renew(ctx context.Context, sending []int64) ([]int64, error)
	// Sent records that the provider took an attempt. It changes nothing once
	// the lease has passed on.
	Sent(ctx context.Context, c Claim, r Receipt, now time.Time) error
	// Failed records that an attempt failed. With a time in retry the message
	// is due again then; without, next names the contact method that a page falls
	// over to, given those that carried it, and false where there is none. It is
	// called inside a transaction and must not ask the database.
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
	// RealNow is the time by which leases and calls last. It never jumps as Now
	// does where an hour is played in a second.
	RealNow func() time.Time
	// Workers bounds the calls under way.
	Workers int
	Log     *slog.Logger
	// Observed is told of each call that ended, "sent", "delivered" or "failed";
	// and of each that begins, with "sending". Nil is told nothing.
	Observed func(c Claim, state string)

	mu       sync.Mutex
	inFlight map[int64]flight
	changed  chan struct{} // closed and replaced whenever a send ends
}

// flight is a call under way.
type flight struct {
	since  time.Time
	medium Medium
	cancel context.CancelFunc
}

// Works reports whether a channel carries a medium.
func (o *Outbox) Works(m Medium) bool { return o.Channels[m] != nil }

// Sweep claims what is due, as far as there are hands, and starts sending it.
// It returns how much it found; an error does not keep what was claimed from
// being sent.
func (o *Outbox) Sweep(ctx context.Context) (int, error) {
	free := o.Workers - o.InFlight()
	if free <= 0 {
		return 0, nil
	}
	claims, found, err := o.Store.ClaimMessages(ctx, o.Now(), free, o.busy())
	for _, c := range claims {
		if c.Broken {
			err = errors.Join(err, o.giveUp(ctx, c))
			continue
		}
		// Shutting down finishes what is claimed, so the claim's own context
		// ends with its lease and its timeout alone.
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
		o.begin(c, cancel)
		go func() {
			defer o.end(c.ID, cancel)
			o.send(sending, c)
		}()
	}
	return found, err
}

func (o *Outbox) giveUp(ctx context.Context, c Claim) error {
	next, err := o.fallOver(ctx, c)
	if err != nil {
		return err
	}
	return o.Store.GiveUp(ctx, c, next, o.Now())
}

// busy are the media that have taken their half of the hands. One provider that
// hangs must not keep the others from sending, least of all what falls over
// from it.
func (o *Outbox) busy() []Medium {
	o.mu.Lock()
	defer o.mu.Unlock()
	hands := map[Medium]int{}
	for _, f := range o.inFlight {
		hands[f.medium]++
	}
	var busy []Medium
	for m, n := range hands {
		if n >= max(1, o.Workers/2) {
			busy = append(busy, m)
		}
	}
	return busy
}

// InFlight is how many calls are under way.
func (o *Outbox) InFlight() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.inFlight)
}

// Wait returns when no call is under way and what became of each is recorded.
// Others may begin meanwhile.
func (o *Outbox) Wait() {
	for {
		ended := o.Ended()
		if o.InFlight() == 0 {
			return
		}
		<-ended
	}
}

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

func (o *Outbox) begin(c Claim, cancel context.CancelFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.inFlight == nil {
		o.inFlight = map[int64]flight{}
	}
	o.inFlight[c.ID] = flight{o.RealNow(), c.Medium, cancel}
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
	renewed := o.RealNow()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sending := o.sending()
		if len(sending) == 0 {
			renewed = o.RealNow()
			continue
		}
		asked, cancel := context.WithTimeout(ctx, RenewEvery)
		started := o.RealNow()
		held, err := o.Store.Renew(asked, sending)
		cancel()
		switch {
		case err == nil:
			renewed = started
			o.cancelBut(held, started)
		case o.RealNow().Sub(renewed) > Lease-RenewEvery:
			o.Log.ErrorContext(ctx, "leases could not be renewed; calls under way are cancelled", "error", err)
			o.cancelBut(nil, started)
		}
	}
}

// sending are the messages of the calls under way, in the order of locks.
func (o *Outbox) sending() []int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(maps.Keys(o.inFlight))
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

// send makes one call and records what became of it.
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
	record := func(ctx context.Context) error {
		if failure == nil {
			return o.Store.Sent(ctx, c, receipt, o.Now())
		}
		next, err := o.fallOver(ctx, c)
		if err != nil {
			return err
		}
		return o.Store.Failed(ctx, c, *failure, o.retryAt(c, *failure), next, o.Now())
	}
	if failure != nil {
		o.Log.WarnContext(ctx, "a message was not taken", "message", c.ID, "attempt", c.Number, "medium", c.Medium, "reason", failure.Reason, "cause", failure.Cause, "permanent", failure.Permanent)
	}
	o.keep(context.WithoutCancel(ctx), c, record)
}

// recordTries is how often the record of a call is tried. The lease is renewed
// meanwhile; after that it lapses, and the message goes out again, marked so.
const recordTries = 5

func (o *Outbox) keep(ctx context.Context, c Claim, record func(context.Context) error) {
	for try := 1; ; try++ {
		bounded, cancel := context.WithTimeout(ctx, 2*Lease)
		err := record(bounded)
		cancel()
		if err == nil {
			return
		}
		o.Log.ErrorContext(ctx, "what became of a message could not be recorded", "message", c.ID, "attempt", c.Number, "try", try, "error", err)
		if try == recordTries {
			return
		}
		time.Sleep(time.Duration(try) * 200 * time.Millisecond)
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
		return Receipt{}, &Failure{Reason: "The message could not be written.", Cause: err.Error(), Permanent: true}
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

// fallOver reads what the record needs to know before its transaction begins.
func (o *Outbox) fallOver(ctx context.Context, c Claim) (func([]int64) (ContactMethod, bool), error) {
	if c.Kind != KindPage {
		return func([]int64) (ContactMethod, bool) { return ContactMethod{}, false }, nil
	}
	people, err := o.People.Recipients(ctx, 0)
	if err != nil {
		return nil, err
	}
	return func(tried []int64) (ContactMethod, bool) { return people[c.UserID].FallOver(tried, o.Works) }, nil
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
