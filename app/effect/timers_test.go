package effect

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// timerRows is a TimerStore of several processes in memory.
type timerRows struct {
	mu   sync.Mutex
	rows []*timerRow
}

type timerRow struct {
	Timer
	owner *timerProcess
	until time.Time
}

type timerProcess struct{ *timerRows }

func (s *timerRows) set(kind string, subject int64, due time.Time) {
	s.rows = append(s.rows, &timerRow{Timer: Timer{Kind: kind, Subject: subject, Due: due}})
}

func (s *timerRows) left() []int64 {
	var subjects []int64
	for _, row := range s.rows {
		subjects = append(subjects, row.Subject)
	}
	return subjects
}

func (p *timerProcess) ClaimTimers(_ context.Context, now time.Time, kinds []string, limit int) ([]Timer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due []Timer
	for _, row := range p.rows {
		if len(due) < limit && !row.Due.After(now) && slices.Contains(kinds, row.Kind) && (row.owner == nil || !time.Now().Before(row.until)) {
			row.owner, row.until = p, time.Now().Add(Lease)
			due = append(due, row.Timer)
		}
	}
	return due, nil
}

func (p *timerProcess) RenewTimers(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range p.rows {
		if row.owner == p {
			row.until = time.Now().Add(Lease)
		}
	}
	return nil
}

func (p *timerProcess) ReleaseTimers(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range p.rows {
		if row.owner == p {
			row.owner = nil
		}
	}
	return nil
}

func (p *timerProcess) DoneTimer(_ context.Context, t Timer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows = slices.DeleteFunc(p.rows, func(row *timerRow) bool { return row.Timer == t && row.owner == p })
	return nil
}

func (p *timerProcess) PostponeTimer(_ context.Context, t Timer, until time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range p.rows {
		if row.Timer == t && row.owner == p {
			row.Due, row.Tries, row.owner = until, row.Tries+1, nil
		}
	}
	return nil
}

// newTimers carries out "settle" by handle.
func newTimers(rows *timerRows, handle func(ctx context.Context, subject int64) error) *Timers {
	timers := &Timers{Store: &timerProcess{rows}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	timers.Register("settle", handle)
	return timers
}

// sweepTimers fails the test unless n timers are due.
func sweepTimers(t *testing.T, timers *Timers, n int) {
	t.Helper()
	if got, err := timers.Sweep(t.Context()); err != nil || got != n {
		t.Fatalf("%d timers, want %d: %v", got, n, err)
	}
}

func TestFailingTimerHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rows := &timerRows{}
		for subject := range int64(4) {
			rows.set("settle", subject, time.Now())
		}
		rows.set("of a newer version", 4, time.Now())
		fails := map[int64]error{0: errors.New("broken"), 2: fault.NotFound("There is no incident with number 2.")}
		var asked []int64
		timers := newTimers(rows, func(_ context.Context, subject int64) error {
			asked = append(asked, subject)
			return fails[subject]
		})
		sweepTimers(t, timers, 4)
		if !slices.Equal(asked, []int64{0, 1, 2, 3}) || !slices.Equal(rows.left(), []int64{0, 4}) {
			t.Fatalf("carried out %v, left %v", asked, rows.left())
		}
		for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			time.Sleep(wait - time.Millisecond)
			sweepTimers(t, timers, 0)
			time.Sleep(time.Millisecond)
			sweepTimers(t, timers, 1)
		}
		fails = nil
		time.Sleep(time.Minute)
		sweepTimers(t, timers, 1)
		if !slices.Equal(rows.left(), []int64{4}) {
			t.Errorf("left %v", rows.left())
		}
	})
}

func TestTwoProcessesShareTimers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rows := &timerRows{}
		rows.set("settle", 1, time.Now())
		other := newTimers(rows, func(context.Context, int64) error {
			t.Error("carried out twice")
			return nil
		})
		timers := newTimers(rows, func(context.Context, int64) error {
			time.Sleep(2 * Lease) // the lease is renewed meanwhile
			sweepTimers(t, other, 0)
			return nil
		})
		sweepTimers(t, timers, 1)
		sweepTimers(t, other, 0)
	})
}

func TestTimerOfDeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rows := &timerRows{}
		rows.set("settle", 1, time.Now())
		if due, err := (&timerProcess{rows}).ClaimTimers(t.Context(), time.Now(), []string{"settle"}, 1); len(due) != 1 || err != nil {
			t.Fatal(due, err)
		}
		timers := newTimers(rows, func(context.Context, int64) error { return nil })
		sweepTimers(t, timers, 0)
		time.Sleep(Lease)
		sweepTimers(t, timers, 1)
	})
}

func TestShutdownReleasesTimers(t *testing.T) {
	t.Parallel()
	rows := &timerRows{}
	rows.set("settle", 1, time.Now())
	rows.set("settle", 2, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	timers := newTimers(rows, func(context.Context, int64) error {
		cancel()
		return nil
	})
	if _, err := timers.Sweep(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if !slices.Equal(rows.left(), []int64{1, 2}) {
		t.Fatalf("left %v", rows.left())
	}
	for _, row := range rows.rows {
		if row.owner != nil || row.Tries != 0 {
			t.Errorf("timer %+v", row)
		}
	}
}

func TestTimerKindRegisteredTwice(t *testing.T) {
	t.Parallel()
	timers := newTimers(&timerRows{}, func(context.Context, int64) error { return nil })
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	timers.Register("settle", func(context.Context, int64) error { return nil })
}
