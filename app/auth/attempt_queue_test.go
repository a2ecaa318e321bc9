package auth

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

func TestPauseBoundsRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Service{pause: pause}
		var all sync.WaitGroup
		begun, refused := time.Now(), make(chan error, 20)
		for range 20 {
			all.Go(func() {
				if err := s.slowDown(t.Context(), []string{"ana", "192.0.2.1"}); err != nil {
					refused <- err
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != maxWaiting*slowBy || len(refused) != 20-maxWaiting {
			t.Errorf("20 at once took %s and %d were refused", took, len(refused))
		}
		if err := <-refused; !fault.Is(err, fault.KindLimited) {
			t.Errorf("refused with %v", err)
		}
		if len(s.attempts.lines) != 0 {
			t.Errorf("%d queues are left", len(s.attempts.lines))
		}
	})
}

func TestLeavingAttemptFreesPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var waits attemptQueue
		leave, err := waits.take(t.Context(), "ana")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := waits.take(ctx, "ana"); err == nil {
			t.Error("two had their turn at once")
		}
		leave()
		if len(waits.lines) != 0 {
			t.Error("a line is left")
		}
	})
}
