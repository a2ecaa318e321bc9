package effect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

const (
	// maxBatch bounds the events of one call of Consume.
	maxBatch = 500
	// isolateAfter is how many failures in a row make the runner look for a
	// single event that is to blame.
	isolateAfter = 8
	// maxUnsaved bounds how far a cursor in the database lies behind while no
	// event is of the consumer's kinds. It saves a write for each of those.
	maxUnsaved = 1000
)

// errLeaseLost is the cause of a cancelled Consume.
var errLeaseLost = errors.New("the lease was lost")

// Runner moves one consumer along the timeline. Each consumer has its own, so
// that a slow one holds up no other.
type Runner struct {
	Consumer Consumer
	Store    Store
	// Now is the clock of due times.
	Now func() time.Time
	Log *slog.Logger

	failures atomic.Int64

	mu     sync.Mutex
	cursor int64 // in the database, when passed was read
	passed int64 // up to here nothing is of the consumer's kinds
}

// Failures counts the failed calls of Consume since the process started.
func (r *Runner) Failures() int64 { return r.failures.Load() }

// Register makes the consumer known: see Store.
func (r *Runner) Register(ctx context.Context) error {
	return r.Store.Register(ctx, r.Consumer.Name(), r.Consumer.Kinds())
}

// Sweep hands one batch of events to the consumer and returns how many they
// were. A failure of the consumer is recorded and logged, and is no error: the
// consumer is due again at Cursor.RetryAt.
func (r *Runner) Sweep(ctx context.Context) (int, error) {
	name := r.Consumer.Name()
	cursor, err := r.Store.Cursor(ctx, name)
	if fault.Is(err, fault.KindNotFound) {
		// This process did not sweep for long, and another has it switched off.
		r.Log.WarnContext(ctx, "consumer registered again", "consumer", name)
		return 0, r.Register(ctx)
	}
	if err != nil {
		return 0, err
	}
	if r.Now().Sub(cursor.SeenAt) >= SeenEvery {
		if err := r.Store.See(ctx, name); err != nil {
			return 0, err
		}
	}
	if cursor.Held || cursor.RetryAt != nil && cursor.RetryAt.After(r.Now()) {
		return 0, nil
	}
	batch, err := r.read(ctx, cursor)
	if err != nil || len(batch.Events) == 0 {
		return 0, err
	}
	claim, ok, err := r.Store.Claim(ctx, name, cursor.Position)
	if err != nil || !ok {
		return 0, err
	}
	return r.consume(ctx, claim, cursor, batch)
}

// read finds the next events, and saves the cursor now and then where there are
// none.
func (r *Runner) read(ctx context.Context, cursor Cursor) (Batch, error) {
	from := r.start(cursor.Position)
	for {
		batch, err := r.Store.Read(ctx, from, r.Consumer.Kinds(), maxBatch)
		if err != nil || len(batch.Events) > 0 || batch.Through == from {
			return batch, err
		}
		from = batch.Through
		r.pass(cursor.Position, from)
		if from-cursor.Position >= maxUnsaved {
			if err := r.Store.Skip(ctx, r.Consumer.Name(), cursor.Position, from); err != nil {
				return Batch{}, err
			}
			return Batch{Through: from}, nil
		}
	}
}

// start is where reading goes on. Another process may have moved the cursor.
func (r *Runner) start(position int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cursor != position {
		r.cursor, r.passed = position, position
	}
	return r.passed
}

func (r *Runner) pass(position, through int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursor, r.passed = position, through
}

// consume hands a batch over under a lease.
func (r *Runner) consume(ctx context.Context, claim Claim, cursor Cursor, batch Batch) (int, error) {
	held, letGo := keepLease(ctx, func(ctx context.Context) (bool, error) { return r.Store.Renew(ctx, claim) })
	defer letGo()
	var aside []SetAside
	var blamed int64
	err := r.call(held, batch.Events)
	if err != nil && !r.ended(held, err) && cursor.Tries+1 >= isolateAfter {
		aside, blamed, err = r.isolate(held, batch.Events, cursor.Tries+1, err)
	}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.Is(context.Cause(held), errLeaseLost):
		// The sweep's own time is up while the consumer hangs: that is its failure.
		letGo()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
		defer cancel()
		return 0, r.fail(ending, claim, cursor, blamed, err)
	case err != nil && r.ended(held, err):
		letGo()
		return 0, r.abandon(ctx, claim, context.Cause(held), err)
	case err != nil:
		letGo()
		return 0, r.fail(ctx, claim, cursor, blamed, err)
	}
	letGo()
	for _, a := range aside {
		r.Log.ErrorContext(ctx, "event set aside", "consumer", claim.Name, "event", a.EventID, "tries", a.Tries, "error", a.Error)
	}
	return r.advance(ctx, claim, batch, aside)
}

// advance records that a batch is done, also while the process shuts down.
func (r *Runner) advance(ctx context.Context, claim Claim, batch Batch, aside []SetAside) (int, error) {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
	defer cancel()
	ok, err := r.Store.Advance(ending, claim, batch.Through, aside)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		r.Log.WarnContext(ctx, "lease lost", "consumer", claim.Name)
		return 0, nil
	}
	return len(batch.Events), nil
}

// call hands events over once.
func (r *Runner) call(ctx context.Context, events []Event) error {
	bounded, cancel := context.WithTimeoutCause(ctx, ConsumeTimeout, fmt.Errorf("no answer within %s", ConsumeTimeout))
	defer cancel()
	err := r.Consumer.Consume(bounded, events)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		// Slowness counts against the events, whatever a cancelled call says.
		return tooSlow{context.Cause(bounded)}
	}
	return err
}

// tooSlow is the error of a consumer that did not come back in time.
type tooSlow struct{ error }

// ended reports whether an error says nothing about the events: the process
// shuts down, the lease was lost, or the database is away.
func (r *Runner) ended(held context.Context, err error) bool {
	var slow tooSlow
	return held.Err() != nil || !errors.As(err, &slow) && r.Store.Unavailable(err)
}

// isolate halves a batch that keeps failing until the events stand alone that
// fail by themselves. They are set aside only where another event of the batch
// goes through: where none does, the consumer is to blame, and where there is no
// other, nothing waits. Then it returns the failure.
func (r *Runner) isolate(ctx context.Context, events []Event, tries int, cause error) (aside []SetAside, blamed int64, err error) {
	passed := 0
	var halve func(events []Event, cause error) error
	halve = func(events []Event, cause error) error {
		if len(events) == 1 {
			aside = append(aside, SetAside{EventID: events[0].ID, Tries: tries, Error: cause.Error()})
			return nil
		}
		for _, half := range [][]Event{events[:len(events)/2], events[len(events)/2:]} {
			err := r.call(ctx, half)
			switch {
			case err == nil:
				passed += len(half)
			case r.ended(ctx, err):
				return err
			default:
				r.failures.Add(1)
				if err := halve(half, err); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := halve(events, cause); err != nil {
		return nil, 0, err
	}
	if passed > 0 {
		return aside, 0, nil
	}
	return nil, aside[0].EventID, cause
}

// fail has the consumer tried again later.
func (r *Runner) fail(ctx context.Context, claim Claim, cursor Cursor, blamed int64, cause error) error {
	r.failures.Add(1)
	tries := cursor.Tries + 1
	retry := r.Now().Add(Backoff(tries))
	r.Log.ErrorContext(ctx, "consumer failed", "consumer", claim.Name, "tries", tries, "retry_at", retry, "error", cause)
	return r.Store.Fail(ctx, claim, Failure{Tries: tries, RetryAt: retry, Error: cause.Error(), EventID: blamed})
}

// abandon ends the lease, so that nobody has to wait for it to lapse.
func (r *Runner) abandon(ctx context.Context, claim Claim, ended, cause error) error {
	if errors.Is(ended, errLeaseLost) {
		r.Log.WarnContext(ctx, "lease lost", "consumer", claim.Name)
		return nil
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), RenewEvery)
	defer cancel()
	return errors.Join(cause, r.Store.Release(ending, claim))
}

// keepLease renews a lease until letGo is called. The context that it returns
// ends where the lease was lost, or could not be renewed while it lasted.
func keepLease(ctx context.Context, renew func(context.Context) (bool, error)) (held context.Context, letGo func()) {
	held, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(RenewEvery)
		defer tick.Stop()
		failed := 0
		for {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			asked, stop := context.WithTimeout(held, RenewEvery)
			ok, err := renew(asked)
			stop()
			switch {
			case err == nil && ok:
				failed = 0
			case err == nil:
				cancel(errLeaseLost)
			default:
				// Each failure takes up to RenewEvery and the lease has as much left.
				if failed++; failed >= int(Lease/RenewEvery)-1 {
					cancel(errLeaseLost)
				}
			}
		}
	}()
	return held, func() {
		cancel(context.Canceled)
		<-done
	}
}
