package effect

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Timer is one that is due, leased to this process.
type Timer struct {
	Kind       string
	Subject    int64 // an incident, an escalation…, by kind
	Occurrence int64 // tells several of one kind and subject apart
	Due        time.Time
	Tries      int // failures in a row
}

// TimerStore leases timers.
type TimerStore interface {
	// ClaimTimers leases at most limit timers of some kinds that are due at now
	// and leased to nobody, those first that have been due for longest.
	ClaimTimers(ctx context.Context, now time.Time, kinds []string, limit int) ([]Timer, error)
	// RenewTimers prolongs the leases of this process.
	RenewTimers(ctx context.Context) error
	// ReleaseTimers ends the leases of this process.
	ReleaseTimers(ctx context.Context) error
	// DoneTimer removes a timer that was carried out, unless it was set anew or
	// its lease was lost.
	DoneTimer(ctx context.Context, t Timer) error
	// PostponeTimer has a timer tried again that failed, under the same
	// conditions.
	PostponeTimer(ctx context.Context, t Timer, until time.Time) error
}

// Timers carries out what was put off. Kinds that nobody registered are left to
// a process that knows them.
type Timers struct {
	Store TimerStore
	// Now is the clock of due times.
	Now func() time.Time
	Log *slog.Logger

	kinds   []string
	handles map[string]func(ctx context.Context, subject int64) error
}

// maxTimers bounds how many timers are leased at a time.
const maxTimers = 20

// Register has a kind carried out by handle, which gets the timer's subject. A
// timer may be carried out more than once: the handle looks at the state that it
// finds. It is done where the handle answers that the subject is not found.
// Register panics where the kind is registered already.
func (t *Timers) Register(kind string, handle func(ctx context.Context, subject int64) error) {
	if t.handles == nil {
		t.handles = map[string]func(context.Context, int64) error{}
	}
	if t.handles[kind] != nil {
		panic(fmt.Sprintf("timer kind %q is registered twice", kind))
	}
	t.handles[kind] = handle
	t.kinds = append(t.kinds, kind)
	slices.Sort(t.kinds)
}

// Kinds are those that are registered.
func (t *Timers) Kinds() []string { return slices.Clone(t.kinds) }

// Sweep carries out timers that are due and returns how many they were. One
// that fails is tried again later and holds up no other.
func (t *Timers) Sweep(ctx context.Context) (int, error) {
	due, err := t.Store.ClaimTimers(ctx, t.Now(), t.kinds, maxTimers)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	held, letGo := keepLease(ctx, func(ctx context.Context) (bool, error) { return true, t.Store.RenewTimers(ctx) })
	defer letGo()
	for _, timer := range due {
		if err := t.carryOut(held, timer); err != nil {
			letGo()
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), RenewEvery)
			defer cancel()
			if e := t.Store.ReleaseTimers(ending); e != nil {
				t.Log.WarnContext(ctx, "timers not released", "error", e)
			}
			return 0, err
		}
	}
	return len(due), nil
}

// carryOut returns an error where the others would fail like it: the process
// shuts down, or the store cannot be written to.
func (t *Timers) carryOut(ctx context.Context, timer Timer) error {
	bounded, cancel := context.WithTimeout(ctx, ConsumeTimeout)
	err := t.handles[timer.Kind](bounded, timer.Subject)
	cancel()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil || fault.Is(err, fault.KindNotFound):
		return t.Store.DoneTimer(ctx, timer)
	}
	tries := timer.Tries + 1
	until := t.Now().Add(Backoff(tries))
	t.Log.ErrorContext(ctx, "timer failed", "kind", timer.Kind, "subject", timer.Subject, "tries", tries, "retry_at", until, "error", err)
	return t.Store.PostponeTimer(ctx, timer, until)
}
