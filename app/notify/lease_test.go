package notify

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A renewal knows nothing of a call that began after its list was made: neither that
// the lease is held, nor that it was lost.
func TestCallDuringRenewalIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, hangs)
		s.held = func(sending []int64) ([]int64, error) {
			if len(sending) == 1 {
				time.Sleep(RenewEvery / 4) // the database is slow
				o.calls.begin(pages(SMS, 2)[0], time.Now(), func() { t.Error("the call that began meanwhile was cancelled") })
			}
			return sending, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		go o.KeepLeases(ctx)
		sweep(t, o)
		time.Sleep(2*RenewEvery + RenewEvery/2)
		synctest.Wait()
		stop()
		if n := len(s.renewals); n != 2 || len(s.renewals[1]) != 2 {
			t.Errorf("renewed %v", s.renewals)
		}
		o.calls.end(2, func() {})
		o.Wait()
	})
}

// What began during one renewal is cancelled by the next where its lease was lost.
func TestCallDuringRenewalIsCancelledByNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, hangs)
		var cancelled time.Duration
		began := time.Now()
		s.held = func(sending []int64) ([]int64, error) {
			if len(sending) == 1 {
				o.calls.begin(pages(SMS, 2)[0], time.Now(), func() {
					if cancelled == 0 {
						cancelled = time.Since(began)
					}
				})
			}
			return []int64{1}, nil
		}
		ctx, stop := context.WithCancel(t.Context())
		go o.KeepLeases(ctx)
		sweep(t, o)
		time.Sleep(2*RenewEvery + RenewEvery/2)
		synctest.Wait()
		stop()
		if cancelled != 2*RenewEvery {
			t.Errorf("cancelled after %s", cancelled)
		}
		o.calls.end(2, func() {})
		o.Wait()
	})
}

// A call that begins between the list of a renewal and its time is in neither.
func TestCallAtStartOfRenewalIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, hangs)
		sweep(t, o)
		starting := true
		o.RealNow = func() time.Time {
			if starting && time.Since(began(o, 1)) == RenewEvery {
				starting = false
				o.calls.begin(pages(SMS, 2)[0], time.Now(), func() { t.Error("the call was cancelled") })
				time.Sleep(time.Millisecond)
			}
			return time.Now()
		}
		ctx, stop := context.WithCancel(t.Context())
		go o.KeepLeases(ctx)
		time.Sleep(RenewEvery + RenewEvery/2)
		synctest.Wait()
		stop()
		if starting || len(s.renewals) != 1 {
			t.Errorf("renewed %v", s.renewals)
		}
		o.calls.end(2, func() {})
		o.Wait()
	})
}

// began is when the call for a message began; zero where there is none.
func began(o *Outbox, id int64) time.Time {
	o.calls.mu.Lock()
	defer o.calls.mu.Unlock()
	return o.calls.inFlight[id].since
}

// While the database does not answer, a call goes on as long as its lease may hold
// and no longer.
func TestCallEndsBeforeItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, hangs)
		s.held = func([]int64) ([]int64, error) { return nil, context.DeadlineExceeded }
		began := time.Now()
		sweep(t, o)
		go o.KeepLeases(t.Context())
		o.Wait()
		if took := time.Since(began); took <= RenewEvery || took > Lease {
			t.Errorf("the call was cancelled after %s", took)
		}
	})
}
