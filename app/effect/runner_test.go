package effect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// sweep fails the test unless a sweep hands over n events.
func sweep(t *testing.T, r *Runner, n int) {
	t.Helper()
	if got, err := r.Sweep(t.Context()); err != nil || got != n {
		t.Fatalf("%d events, want %d: %v", got, n, err)
	}
}

// start registers a consumer on a timeline that has two events already.
func start(t *testing.T, c *recorder) (*memory, *Runner) {
	t.Helper()
	m := newMemory()
	m.happen(incident.EvReceived, incident.EvResolved)
	r := newRunner(&process{m}, c)
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, r
}

func TestNewConsumerStartsAtTheEnd(t *testing.T) {
	t.Parallel()
	c := &recorder{name: "chat"}
	m, r := start(t, c)
	sweep(t, r, 0)
	m.happen(incident.EvReceived, incident.EvAcknowledged)
	sweep(t, r, 2)
	sweep(t, r, 0)
	if !slices.Equal(c.got, []int64{3, 4}) || m.position("chat") != 4 {
		t.Errorf("got events %v, cursor %d", c.got, m.position("chat"))
	}
	if err := r.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.happen(incident.EvResolved)
	sweep(t, r, 1)
	if !slices.Equal(c.got, []int64{3, 4, 5}) {
		t.Errorf("got events %v after a second registration", c.got)
	}
}

func TestForgottenConsumerIsRegisteredAgain(t *testing.T) {
	t.Parallel()
	c := &recorder{name: "chat"}
	m, r := start(t, c)
	if err := r.Store.Unregister(t.Context(), "chat", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	m.happen(incident.EvReceived)
	sweep(t, r, 0)
	m.happen(incident.EvResolved)
	sweep(t, r, 1)
	if !slices.Equal(c.got, []int64{4}) {
		t.Errorf("got events %v", c.got)
	}
}

func TestOtherKindsAreSkipped(t *testing.T) {
	t.Parallel()
	c := &recorder{name: "chat", kinds: []incident.EventKind{incident.EvResolved}}
	m, r := start(t, c)
	m.happen(slices.Repeat([]incident.EventKind{incident.EvStep}, maxUnsaved-1)...)
	sweep(t, r, 0)
	if m.skips != 0 || m.position("chat") != 2 {
		t.Fatalf("%d writes, cursor %d", m.skips, m.position("chat"))
	}
	m.happen(incident.EvStep)
	sweep(t, r, 0)
	if m.skips != 1 || m.position("chat") != maxUnsaved+2 {
		t.Fatalf("%d writes, cursor %d", m.skips, m.position("chat"))
	}
	m.happen(incident.EvStep, incident.EvResolved)
	sweep(t, r, 1)
	if !slices.Equal(c.got, []int64{maxUnsaved + 4}) {
		t.Errorf("got events %v", c.got)
	}
}

func TestCursorMovedByAnotherProcess(t *testing.T) {
	t.Parallel()
	c, d := &recorder{name: "chat", kinds: []incident.EventKind{incident.EvResolved}}, &recorder{name: "chat"}
	m, r := start(t, c)
	m.happen(incident.EvStep)
	sweep(t, r, 0) // the step is passed over in memory alone
	m.happen(incident.EvResolved)
	sweep(t, newRunner(&process{m}, d), 2)
	sweep(t, r, 0)
	m.happen(incident.EvResolved)
	sweep(t, r, 1)
	if !slices.Equal(c.got, []int64{5}) || !slices.Equal(d.got, []int64{3, 4}) {
		t.Errorf("got events %v and %v", c.got, d.got)
	}
}

func TestFailureBacksOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		c := &recorder{name: "chat", consume: func(context.Context, []Event) error { return broken }}
		m, r := start(t, c)
		m.happen(incident.EvReceived)
		var waits []time.Duration
		for range 9 {
			before := c.calls
			begun := time.Now()
			for c.calls == before {
				sweep(t, r, 0)
				time.Sleep(time.Second)
			}
			waits = append(waits, time.Since(begun)-time.Second)
		}
		want := []time.Duration{0, 0, 1, 3, 7, 15, 31, 59, 59}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(waits, want) {
			t.Errorf("waited %v, want %v", waits, want)
		}
		row := m.rows["chat"]
		if row.failure.Tries != 9 || row.failure.Error != "broken" || row.failure.EventID != 3 || r.Failures() != 9 {
			t.Errorf("recorded %+v, %d failures", row.failure, r.Failures())
		}
		c.consume = nil
		time.Sleep(time.Minute)
		sweep(t, r, 1)
		if row.cursor.Tries != 0 || len(row.aside) != 0 {
			t.Errorf("after success: %+v, set aside %v", row.cursor, row.aside)
		}
	})
}

func TestUnavailableDatabaseIsNotCounted(t *testing.T) {
	t.Parallel()
	c := &recorder{name: "chat", consume: func(context.Context, []Event) error { return fmt.Errorf("queue posts: %w", errAway) }}
	m, r := start(t, c)
	m.happen(incident.EvReceived)
	for range 2 * isolateAfter {
		if _, err := r.Sweep(t.Context()); !errors.Is(err, errAway) {
			t.Fatalf("error %v", err)
		}
	}
	if row := m.rows["chat"]; row.cursor.Tries != 0 || row.owner != nil || row.cursor.Position != 2 {
		t.Errorf("recorded %+v", row)
	}
}

// failingWith fails batches that contain one of some events.
func failingWith(bad ...int64) func(context.Context, []Event) error {
	return func(_ context.Context, events []Event) error {
		for _, e := range events {
			if slices.Contains(bad, e.ID) {
				return fmt.Errorf("event %d is bad", e.ID)
			}
		}
		return nil
	}
}

// retry sweeps a failing consumer until its next sweep looks for the event that
// is to blame. It waits by the clock of the synctest bubble that it is called in.
func retry(t *testing.T, r *Runner) {
	t.Helper()
	for range isolateAfter - 1 {
		sweep(t, r, 0)
		time.Sleep(time.Minute)
	}
}

func TestBadEventIsSetAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat", consume: failingWith(7, 20)}
		m, r := start(t, c)
		m.happen(slices.Repeat([]incident.EventKind{incident.EvReceived}, 30)...)
		retry(t, r)
		if len(c.got) != 0 {
			t.Fatalf("got %v while the whole batch is retried", c.got)
		}
		sweep(t, r, 30)
		var want []int64
		for id := int64(3); id <= 32; id++ {
			if id != 7 && id != 20 {
				want = append(want, id)
			}
		}
		if !slices.Equal(c.got, want) {
			t.Errorf("got events %v, want %v", c.got, want)
		}
		row := m.rows["chat"]
		if len(row.aside) != 2 || row.aside[0] != (SetAside{EventID: 7, Tries: isolateAfter, Error: "event 7 is bad"}) || row.aside[1].EventID != 20 {
			t.Errorf("set aside %+v", row.aside)
		}
		if row.cursor.Position != 32 || row.cursor.Tries != 0 {
			t.Errorf("cursor %+v", row.cursor)
		}
	})
}

func TestBrokenConsumerSetsNothingAside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat", consume: failingWith(3, 4)}
		m, r := start(t, c)
		m.happen(incident.EvReceived, incident.EvReceived)
		retry(t, r)
		sweep(t, r, 0)
		if row := m.rows["chat"]; len(row.aside) != 0 || row.cursor.Position != 2 || row.failure.EventID != 3 {
			t.Fatalf("set aside %v, cursor %+v, failure %+v", row.aside, row.cursor, row.failure)
		}
		// Another event proves that the two are to blame.
		m.happen(incident.EvReceived)
		time.Sleep(time.Minute)
		sweep(t, r, 3)
		if row := m.rows["chat"]; len(row.aside) != 2 || !slices.Equal(c.got, []int64{5}) {
			t.Errorf("set aside %v, got %v", row.aside, c.got)
		}
	})
}

func TestSlowConsumerCountsAsFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat", consume: func(ctx context.Context, _ []Event) error {
			<-ctx.Done()
			return errAway // what a cancelled query may say
		}}
		m, r := start(t, c)
		m.happen(incident.EvReceived)
		begun := time.Now()
		sweep(t, r, 0)
		if took := time.Since(begun); took != ConsumeTimeout || m.rows["chat"].cursor.Tries != 1 {
			t.Errorf("ended after %s, recorded %+v", took, m.rows["chat"].failure)
		}
	})
}

// A sweep that ends before the consumer comes back is the consumer's failure too: were
// it none, the same events would be handed over again at once, for ever.
func TestSweepDeadlineCountsAsFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat", consume: func(ctx context.Context, _ []Event) error {
			<-ctx.Done()
			return errAway // what a cancelled query may say
		}}
		m, r := start(t, c)
		m.happen(incident.EvReceived)
		ctx, cancel := context.WithTimeout(t.Context(), ConsumeTimeout/2)
		defer cancel()
		if n, err := r.Sweep(ctx); n != 0 || err != nil {
			t.Errorf("%d events, %v", n, err)
		}
		row := m.rows["chat"]
		if row.owner != nil || row.cursor.Position != 2 || row.cursor.Tries != 1 || row.cursor.RetryAt == nil || r.Failures() != 1 {
			t.Errorf("recorded %+v, %d failures", row, r.Failures())
		}
		sweep(t, r, 0) // it backs off
		if c.calls != 1 {
			t.Errorf("called %d times", c.calls)
		}
	})
}

func TestHangingConsumerDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hanging := &recorder{name: "chat", consume: func(ctx context.Context, _ []Event) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		m, r := start(t, hanging)
		works := &recorder{name: "draft"}
		other := newRunner(&process{m}, works)
		if err := other.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.happen(incident.EvReceived)
		begun := time.Now()
		swept := make(chan error, 1)
		go func() {
			_, err := r.Sweep(t.Context())
			swept <- err
		}()
		synctest.Wait() // until it hangs
		sweep(t, other, 1)
		m.happen(incident.EvResolved)
		sweep(t, other, 1)
		if took := time.Since(begun); took != 0 || !slices.Equal(works.got, []int64{3, 4}) {
			t.Errorf("got %v after %s", works.got, took)
		}
		if err := <-swept; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != ConsumeTimeout || m.rows["chat"].cursor.Tries != 1 {
			t.Errorf("ended after %s, recorded %+v", took, m.rows["chat"].failure)
		}
	})
}

func TestLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat", consume: func(context.Context, []Event) error {
			time.Sleep(3 * Lease)
			return nil
		}}
		m, r := start(t, c)
		m.happen(incident.EvReceived)
		other := &recorder{name: "chat"}
		swept := make(chan error, 1)
		go func() {
			time.Sleep(2 * Lease)
			_, err := newRunner(&process{m}, other).Sweep(t.Context())
			swept <- err
		}()
		sweep(t, r, 1)
		if err := <-swept; err != nil {
			t.Error(err)
		}
		if !slices.Equal(c.got, []int64{3}) || other.calls != 0 {
			t.Errorf("got %v, the other process was called %d times", c.got, other.calls)
		}
	})
}

func TestDeadHolderIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat"}
		m, _ := start(t, c)
		m.happen(incident.EvReceived)
		if _, ok, err := (&process{m}).Claim(t.Context(), "chat", 2); !ok || err != nil {
			t.Fatal(ok, err)
		}
		r := newRunner(&process{m}, c)
		time.Sleep(Lease - time.Millisecond)
		sweep(t, r, 0)
		time.Sleep(time.Millisecond)
		sweep(t, r, 1)
	})
}

func TestLostLeaseCancelsConsume(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(m *memory){
		"taken over":  func(m *memory) { m.rows["chat"].owner = &process{m} },
		"not renewed": func(m *memory) { m.down = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := &recorder{name: "chat"}
				m, r := start(t, c)
				c.consume = func(ctx context.Context, _ []Event) error {
					m.mu.Lock()
					lose(m)
					m.mu.Unlock()
					<-ctx.Done()
					return ctx.Err()
				}
				m.happen(incident.EvReceived)
				begun := time.Now()
				sweep(t, r, 0)
				if took := time.Since(begun); took >= Lease {
					t.Errorf("cancelled after %s, the lease lasts %s", took, Lease)
				}
				if row := m.rows["chat"]; row.cursor.Position != 2 || row.cursor.Tries != 0 {
					t.Errorf("cursor %+v", row.cursor)
				}
			})
		})
	}
}

func TestShutdownReleasesTheLease(t *testing.T) {
	t.Parallel()
	c := &recorder{name: "chat"}
	m, r := start(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	c.consume = func(ctx context.Context, _ []Event) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	m.happen(incident.EvReceived)
	if _, err := r.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if row := m.rows["chat"]; row.owner != nil || row.cursor.Tries != 0 {
		t.Errorf("recorded %+v", row)
	}
	c.consume = nil
	sweep(t, r, 1)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1 << 40: time.Minute} {
		if got := Backoff(tries); got != want {
			t.Errorf("after %d failures %s, want %s", tries, got, want)
		}
	}
}
