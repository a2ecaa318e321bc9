package notify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Lease is how long a claim is valid without a renewal. It is renewed every RenewEvery;
// after a process dies, others claim its messages within about a Lease.
const (
	Lease      = 3 * time.Second
	RenewEvery = time.Second
	// CallTimeout bounds one call to a provider.
	CallTimeout = 10 * time.Second
)

// Claim is a message that this process may send, once. Its attempt is committed before
// the provider is called.
type Claim struct {
	Message
	// UserID is the recipient, 0 for a chat channel.
	UserID int64
	// MethodID is the contact method, 0 for a chat channel.
	MethodID int64
	// Number counts the attempts of this message, from 1.
	Number int
	// MadeAt is when the message was made, zero where it was delayed to bundle pages.
	MadeAt time.Time
	// Failing says that its channel has failed since its last success.
	Failing bool
	// Broken says that the message could not be claimed because of its data. It is not
	// leased, and can only be given up.
	Broken bool
}

// OutboxStore claims messages and records the results of their delivery.
type OutboxStore interface {
	// ClaimMessages leases at most limit messages that are due or whose lease has
	// expired, except those of busy media and to busy addresses. Of a channel that
	// holds its messages it leases one every ProbeEvery. Pages that were acknowledged
	// meanwhile are removed from them, and a message without pages is withdrawn. found
	// counts the withdrawn ones too. A message that cannot be claimed does not block others: it is
	// returned as Broken. With an error there may be claims that were leased before it.
	ClaimMessages(ctx context.Context, now time.Time, limit int, busy Busy) (claims []Claim, found int, err error)
	// Hold has due messages wait whose channel holds its messages, at most limit, and
	// sends their pages to the contact methods that next returns for a user. It returns
	// how many there were.
	Hold(ctx context.Context, now time.Time, limit int, next func(userID int64) func(tried []int64) (ContactMethod, bool)) (int, error)
	// ChannelWorks ends the state of a channel that has failed: what waits for it is
	// due.
	ChannelWorks(ctx context.Context, m Medium, now time.Time) error
	// FallOver sends the pages of a message that is being sent to the contact method
	// that next returns, as well.
	FallOver(ctx context.Context, c Claim, next func(tried []int64) (ContactMethod, bool), now time.Time) error
	// Report records a later state of an attempt, as the provider tells it: "sent",
	// "delivered" or "failed". next is as for Hold.
	Report(ctx context.Context, attempt int64, state, providerID, reason string, next func(userID int64) func(tried []int64) (ContactMethod, bool), now time.Time) error
	// GiveUp ends a broken message. Several pages are put into smaller messages; a
	// single one is sent to the contact method that next returns, as by Failed. Where
	// that fails too, the message is postponed.
	GiveUp(ctx context.Context, c Claim, next func(tried []int64) (ContactMethod, bool), now time.Time) error
	// Renew renews the leases of messages that this process is sending, and returns
	// those that it still holds.
	Renew(ctx context.Context, sending []int64) ([]int64, error)
	// Sent records that the provider accepted an attempt. It changes nothing where
	// another process holds the lease.
	Sent(ctx context.Context, c Claim, r Receipt, now time.Time) error
	// Failed records that an attempt failed, and for a failure that is not of
	// ScopeMessage the state of the channel. With retry the message is due again at
	// that time, or waits for its channel, unless the steps of its pages are over; where
	// FallsOver says so, its pages go by another method as well. next returns the
	// contact method that a page falls over to, given those tried, and false where there
	// is none. next is called inside a transaction
	// and must not query the database.
	Failed(ctx context.Context, c Claim, f Failure, retry *time.Time, next func(tried []int64) (ContactMethod, bool), now time.Time) error
}

// Composer adds personal links and the callback URL to a claim.
type Composer interface {
	Compose(c *Claim) error
}

// Outbox sends messages.
type Outbox struct {
	Store    OutboxStore
	Channels Channels
	Composer Composer
	People   People
	Now      func() time.Time
	// RealNow is the clock for leases and calls. Unlike Now, it is never moved by tests
	// or by the demo.
	RealNow func() time.Time
	// Workers is the maximum number of concurrent calls, not counting slow ones.
	Workers int
	Log     *slog.Logger
	// Observed, if set, is called when a call begins, with "sending", and when it ends,
	// with "sent", "delivered" or "failed".
	Observed func(c Claim, state string)

	// Unsubscribed is told of an address whose owner has told the provider to send
	// nothing more, once the failure is recorded. Nil is told nothing.
	Unsubscribed func(ctx context.Context, medium Medium, address string) error

	calls  calls
	pauses pauses
	asking asking
}

// Works reports whether there is a channel for a medium.
func (o *Outbox) Works(m Medium) bool { return o.Channels.Channel(m) != nil }

// Sweep claims due messages, up to the number of free workers, and starts sending them.
// It returns how many it found. Claimed messages are sent even where it returns an
// error.
func (o *Outbox) Sweep(ctx context.Context) (int, error) {
	held, err := o.Store.Hold(ctx, o.Now(), claimBatch, o.nextMethods(ctx))
	free := min(o.Workers-o.calls.fast(), claimBatch)
	if free <= 0 {
		return held, err
	}
	claims, found, claimErr := o.Store.ClaimMessages(ctx, o.Now(), free, o.busy())
	err = errors.Join(err, claimErr)
	for _, c := range claims {
		if c.Broken {
			err = errors.Join(err, o.giveUp(ctx, c))
			continue
		}
		// A shutdown finishes claimed messages, so the context of a call ends only
		// with its lease or its timeout.
		sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
		o.calls.begin(c, o.RealNow(), cancel)
		go func() {
			defer o.calls.end(c.ID, cancel)
			o.send(sending, c)
		}()
	}
	return held + found, err
}

// claimBatch bounds the messages of one claim, so that the first is not delayed by the
// last.
const claimBatch = 16

// nextMethods returns the next argument of OutboxStore.Hold. The directory is read when
// it is first needed.
func (o *Outbox) nextMethods(ctx context.Context) func(userID int64) func([]int64) (ContactMethod, bool) {
	people := sync.OnceValues(func() (map[int64]Recipient, error) { return o.People.Recipients(ctx, 0) })
	return func(userID int64) func([]int64) (ContactMethod, bool) {
		all, err := people()
		if err != nil {
			o.Log.ErrorContext(ctx, "read recipients failed", "error", err)
		}
		return func(tried []int64) (ContactMethod, bool) { return all[userID].FallOver(tried, o.Works) }
	}
}

func (o *Outbox) giveUp(ctx context.Context, c Claim) error {
	next, err := o.fallOver(ctx, c)
	if err != nil {
		return err
	}
	return o.Store.GiveUp(ctx, c, next, o.Now())
}

// InFlight is the number of calls in progress.
func (o *Outbox) InFlight() int { return o.calls.count() }

// Wait waits until no call is in progress and all results are recorded. New calls may
// begin meanwhile.
func (o *Outbox) Wait() {
	for {
		ended := o.Ended()
		if o.InFlight() == 0 {
			return
		}
		<-ended
	}
}

// Ended is closed when the next call ends or becomes slow, so that a loop without a
// free worker can sweep again.
func (o *Outbox) Ended() <-chan struct{} { return o.calls.ended() }

// busy are the media that use half of the workers or more, so that a provider that
// hangs does not block the others, which its messages may fall over to; and the
// addresses of calls in progress, of which there is one at a time.
func (o *Outbox) busy() Busy { return o.calls.busy(max(1, o.Workers/2), o.RealNow()) }

// KeepLeases renews the leases of the calls in progress until ctx ends. Where a lease
// was lost, or could not be renewed in time, the call is cancelled, since another
// process may be sending the message.
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
		// The time comes first, so that a call which is not in sending began after it.
		started := o.RealNow()
		sending := o.calls.sending()
		if len(sending) == 0 {
			renewed = started
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, RenewEvery)
		held, err := o.Store.Renew(bounded, sending)
		cancel()
		switch {
		case err == nil:
			renewed = started
			o.calls.cancelExcept(held, started)
		case o.RealNow().Sub(renewed) > Lease-RenewEvery:
			o.Log.ErrorContext(ctx, "lease renewal failed", "cancelled", len(sending), "error", err)
			o.calls.cancelExcept(nil, started)
		}
	}
}

// send makes one call and records its result.
func (o *Outbox) send(ctx context.Context, c Claim) {
	o.observe(c, "sending")
	slow := time.AfterFunc(SlowAfter, func() { o.calls.slow(c.ID) })
	defer slow.Stop()
	late := time.AfterFunc(NextMethodAfter, func() { o.fallOverLate(context.WithoutCancel(ctx), c) })
	receipt, failure := o.deliver(ctx, &c)
	late.Stop()
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
		o.Log.WarnContext(ctx, "delivery failed", "message", c.ID, "attempt", c.Number, "medium", c.Medium, "reason", failure.Reason, "cause", failure.Cause, "permanent", failure.Permanent, "scope", failure.Scope)
	}
	o.record(context.WithoutCancel(ctx), c, record)
	if receipt.Ask {
		o.asking.add(c, receipt.ProviderID, o.RealNow())
	}
	if failure == nil && c.Failing {
		if err := o.Store.ChannelWorks(context.WithoutCancel(ctx), c.Medium, o.Now()); err != nil {
			o.Log.ErrorContext(ctx, "record working channel failed", "medium", c.Medium, "error", err)
		}
	}
	if failure != nil && failure.Unsubscribed && o.Unsubscribed != nil {
		if err := o.Unsubscribed(context.WithoutCancel(ctx), c.Medium, c.To); err != nil {
			o.Log.ErrorContext(ctx, "switch off unsubscribed address failed", "message", c.ID, "error", err)
		}
	}
}

// fallOverLate sends the pages of a message by the next contact method while its call
// is still in progress.
func (o *Outbox) fallOverLate(ctx context.Context, c Claim) {
	if c.Kind != KindPage {
		return
	}
	next, err := o.fallOver(ctx, c)
	if err == nil {
		err = o.Store.FallOver(ctx, c, next, o.Now())
	}
	if err != nil {
		o.Log.ErrorContext(ctx, "fall over during a call failed", "message", c.ID, "attempt", c.Number, "error", err)
	}
}

// recordTries bounds the tries to record a result. The lease is renewed meanwhile;
// after that it expires, and the message is sent again, marked Again.
const recordTries = 5

func (o *Outbox) record(ctx context.Context, c Claim, record func(context.Context) error) {
	for try := 1; ; try++ {
		bounded, cancel := context.WithTimeout(ctx, 2*Lease)
		err := o.calls.recorded(func() error { return record(bounded) })
		cancel()
		if err == nil {
			return
		}
		o.Log.ErrorContext(ctx, "record delivery result failed", "message", c.ID, "attempt", c.Number, "try", try, "error", err)
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
	channel := o.Channels.Channel(c.Medium)
	if channel == nil {
		return Receipt{}, &Failure{Reason: c.Medium.Name() + " is not configured.", Permanent: true}
	}
	if err := o.Composer.Compose(c); err != nil {
		return Receipt{}, &Failure{Reason: "The message could not be written.", Cause: err.Error(), Permanent: true}
	}
	key := pauseKey{medium: c.Medium}
	if limited, ok := channel.(Limited); ok {
		key.method = limited.Method(c.Message)
	}
	if rest := o.pauses.rest(key, o.Now()); rest > 0 {
		return Receipt{}, &Failure{Reason: c.Medium.Name() + ": too many messages, its provider asked to wait", Scope: ScopeProvider, RetryAfter: rest, Uncalled: true}
	}
	defer func() {
		if r := recover(); r != nil {
			o.Log.ErrorContext(ctx, "channel panicked", "medium", c.Medium, "panic", r)
			receipt, failure = Receipt{}, &Failure{Reason: "The channel failed in an unforeseen way.", Uncertain: true}
		}
	}()
	receipt, failure = channel.Deliver(ctx, c.Message)
	if failure != nil && errors.Is(ctx.Err(), context.Canceled) {
		failure.Uncertain = true
	}
	if failure != nil && failure.RetryAfter > 0 {
		o.pauses.begin(key, o.Now().Add(min(failure.RetryAfter, maxRetryAfter)))
	}
	return receipt, failure
}

func (o *Outbox) retryAt(c Claim, f Failure) *time.Time {
	wait, again := Retry(c.Number, c.Kind, f)
	if !again {
		return nil
	}
	at := o.Now().Add(wait)
	return &at
}

// fallOver returns the next argument of OutboxStore.Failed. It reads the directory
// before the transaction begins.
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
