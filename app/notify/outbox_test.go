package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// outboxStore is a store in memory that records its calls.
type outboxStore struct {
	mu       sync.Mutex
	due      []Claim
	failures int // how many records are refused
	held     func(sending []int64) ([]int64, error)

	busy     []Busy
	renewals [][]int64
	sent     []Claim
	failed   []Failure
	retries  []*time.Time
	fallback []ContactMethod
	givenUp  []int64
	mended   []Medium
	reports  []string
	late     []ContactMethod // that pages went to during a call
	lateAt   []time.Time
	tries    int
}

func (s *outboxStore) ClaimMessages(_ context.Context, _ time.Time, limit int, busy Busy) ([]Claim, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = append(s.busy, busy)
	var claims, left []Claim
	for _, c := range s.due {
		if len(claims) < limit && !slices.Contains(busy.Media, c.Medium) {
			claims = append(claims, c)
		} else {
			left = append(left, c)
		}
	}
	s.due = left
	return claims, len(claims), nil
}

func (s *outboxStore) Hold(context.Context, time.Time, int, func(int64) func([]int64) (ContactMethod, bool)) (int, error) {
	return 0, nil
}

func (s *outboxStore) ChannelWorks(_ context.Context, m Medium, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mended = append(s.mended, m)
	return nil
}

func (s *outboxStore) Report(_ context.Context, attempt int64, state, _, reason string, _ func(int64) func([]int64) (ContactMethod, bool), _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, strings.TrimSpace(fmt.Sprint(attempt, " ", state, " ", reason)))
	return nil
}

func (s *outboxStore) FallOver(_ context.Context, c Claim, next func([]int64) (ContactMethod, bool), _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := next([]int64{c.MethodID}); ok {
		s.late = append(s.late, m)
		s.lateAt = append(s.lateAt, time.Now())
	}
	return nil
}

func (s *outboxStore) GiveUp(_ context.Context, c Claim, _ func([]int64) (ContactMethod, bool), _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenUp = append(s.givenUp, c.ID)
	return s.refuses()
}

func (s *outboxStore) Renew(_ context.Context, sending []int64) ([]int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewals = append(s.renewals, sending)
	if s.held != nil {
		return s.held(sending)
	}
	return sending, nil
}

func (s *outboxStore) refuses() error {
	if s.tries++; s.tries <= s.failures {
		return errors.New("the database is away")
	}
	return nil
}

func (s *outboxStore) Sent(_ context.Context, c Claim, _ Receipt, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(); err != nil {
		return err
	}
	s.sent = append(s.sent, c)
	return nil
}

func (s *outboxStore) Failed(_ context.Context, c Claim, f Failure, retry *time.Time, next func([]int64) (ContactMethod, bool), _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refuses(); err != nil {
		return err
	}
	s.failed, s.retries = append(s.failed, f), append(s.retries, retry)
	if m, ok := next([]int64{c.MethodID}); ok {
		s.fallback = append(s.fallback, m)
	}
	return nil
}

// provider answers as its function does.
type provider func(ctx context.Context, m Message) (Receipt, *Failure)

func (p provider) Deliver(ctx context.Context, m Message) (Receipt, *Failure) { return p(ctx, m) }

// hangs until its call is given up.
func hangs(ctx context.Context, _ Message) (Receipt, *Failure) {
	<-ctx.Done()
	return Receipt{}, &Failure{Reason: "no answer"}
}

func takes(context.Context, Message) (Receipt, *Failure) { return Receipt{ProviderID: "1"}, nil }

type peopleWith map[int64]Recipient

func (p peopleWith) Recipients(context.Context, int64) (map[int64]Recipient, error) { return p, nil }

// awayFor is a directory that fails this many times first.
type awayFor struct {
	People
	times int
}

func (a *awayFor) Recipients(ctx context.Context, version int64) (map[int64]Recipient, error) {
	if a.times--; a.times >= 0 {
		return nil, errors.New("the database is away")
	}
	return a.People.Recipients(ctx, version)
}

type asItIs struct{}

func (asItIs) Compose(*Claim) error { return nil }

func newOutbox(s *outboxStore, sms provider) *Outbox {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	return &Outbox{
		Store: s, Composer: asItIs{}, Workers: 8, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return at }, RealNow: time.Now,
		Channels: FixedChannels{SMS: sms, Email: provider(takes)},
		People: peopleWith{1: {UserID: 1, Methods: []ContactMethod{
			{ID: 1, UserID: 1, Medium: SMS, VerifiedAt: &at}, {ID: 2, UserID: 1, Medium: Email, VerifiedAt: &at},
		}}},
	}
}

func pages(medium Medium, ids ...int64) []Claim {
	var all []Claim
	for _, id := range ids {
		all = append(all, Claim{Message: Message{ID: id, Kind: KindPage, Medium: medium}, UserID: 1, MethodID: 1, Number: 1})
	}
	return all
}

func sweep(t *testing.T, o *Outbox) int {
	t.Helper()
	n, err := o.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRecordIsRetried(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failures, sent int
	}{
		"at once":             {0, 1},
		"after one failure":   {1, 1},
		"at the last try":     {recordTries - 1, 1},
		"until it is too old": {recordTries, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &outboxStore{due: pages(SMS, 1), failures: c.failures}
				o := newOutbox(s, takes)
				sweep(t, o)
				o.Wait()
				if len(s.sent) != c.sent || s.tries != min(c.failures+1, recordTries) {
					t.Errorf("%d records in %d tries", len(s.sent), s.tries)
				}
			})
		})
	}
}

func TestFallOverAfterDirectoryError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, func(context.Context, Message) (Receipt, *Failure) {
			return Receipt{}, &Failure{Reason: "no such number", Permanent: true}
		})
		o.People = &awayFor{o.People, 2}
		sweep(t, o)
		o.Wait()
		if len(s.failed) != 1 || s.retries[0] != nil || len(s.fallback) != 1 || s.fallback[0].Medium != Email {
			t.Errorf("failed %+v, due again %v, fell over to %+v", s.failed, s.retries, s.fallback)
		}
	})
}

func TestLeaseIsRenewedWhileRecordIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1), failures: recordTries - 1}
		o := newOutbox(s, takes)
		ctx, stop := context.WithCancel(t.Context())
		go o.KeepLeases(ctx)
		sweep(t, o)
		o.Wait()
		stop()
		if len(s.renewals) == 0 || len(s.sent) != 1 {
			t.Errorf("renewed %v, recorded %d", s.renewals, len(s.sent))
		}
	})
}

func TestHangingProviderUsesHalfOfWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1, 2, 3, 4)}
		o := newOutbox(s, hangs)
		if n := sweep(t, o); n != 4 {
			t.Fatalf("%d messages were claimed", n)
		}
		s.due = append(pages(SMS, 5, 6), pages(Email, 7)...)
		if n := sweep(t, o); n != 1 || !slices.Equal(s.busy[1].Media, []Medium{SMS}) {
			t.Errorf("%d messages were claimed, and %v left alone", n, s.busy[1].Media)
		}
		synctest.Wait()
		if len(s.sent) != 1 || s.sent[0].ID != 7 {
			t.Errorf("sent while SMS hangs: %+v", s.sent)
		}
		o.Wait() // the calls are cancelled
		if n := sweep(t, o); n != 2 || s.busy[2].Media != nil {
			t.Errorf("%d messages were claimed afterwards, and %v left alone", n, s.busy[2])
		}
		o.Wait()
	})
}

func TestOneWorkerServesAllMedia(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, takes)
		o.Workers = 1
		sweep(t, o)
		o.Wait()
		if len(s.sent) != 1 || s.busy[0].Media != nil {
			t.Errorf("sent %+v, and %v was left alone", s.sent, s.busy)
		}
	})
}

func TestLeasesAreRenewedForCallsInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 9, 3)}
		o := newOutbox(s, hangs)
		go o.KeepLeases(t.Context())
		<-time.After(RenewEvery + RenewEvery/2)
		if s.renewals != nil {
			t.Fatalf("renewed %v while nothing was under way", s.renewals)
		}
		sweep(t, o)
		o.Wait()
		if len(s.renewals) < 9 {
			t.Errorf("renewed %d times in the ten seconds of a call", len(s.renewals))
		}
		for _, r := range s.renewals {
			if !slices.Equal(r, []int64{3, 9}) {
				t.Errorf("renewed %v", r)
			}
		}
	})
}

func TestLostLeaseCancelsCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held   func([]int64) ([]int64, error)
		within time.Duration
	}{
		"to another process":  {func([]int64) ([]int64, error) { return []int64{2}, nil }, RenewEvery},
		"without an answer":   {func([]int64) ([]int64, error) { return nil, errors.New("the database is away") }, Lease},
		"only where it ended": {func(sending []int64) ([]int64, error) { return sending, nil }, CallTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &outboxStore{due: pages(SMS, 1), held: c.held}
				o := newOutbox(s, hangs)
				go o.KeepLeases(t.Context())
				began := time.Now()
				sweep(t, o)
				o.Wait()
				if took := time.Since(began); took > c.within {
					t.Errorf("the call went on for %s, want at most %s", took, c.within)
				}
				if len(s.failed) != 1 || c.within < CallTimeout && !s.failed[0].Uncertain {
					t.Errorf("recorded %+v", s.failed)
				}
			})
		})
	}
}

func TestChannelPanicIsFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, func(context.Context, Message) (Receipt, *Failure) { panic("a bug") })
		sweep(t, o)
		o.Wait()
		if len(s.failed) != 1 || s.retries[0] == nil || !s.failed[0].Uncertain {
			t.Errorf("recorded %+v, due again %v", s.failed, s.retries)
		}
	})
}

func TestBrokenMessageBlocksNoOther(t *testing.T) {
	t.Parallel()
	s := &outboxStore{due: pages(SMS, 1, 2, 3)}
	s.due[1].Broken = true
	o := newOutbox(s, takes)
	if n := sweep(t, o); n != 3 {
		t.Errorf("%d messages were found", n)
	}
	o.Wait()
	if len(s.sent) != 2 || !slices.Equal(s.givenUp, []int64{2}) {
		t.Errorf("sent %+v, gave up %v", s.sent, s.givenUp)
	}
	// A message whose GiveUp fails is found again; the others are sent nevertheless.
	s.due, s.failures = pages(SMS, 4, 5), 1
	s.tries = 0
	s.due[0].Broken = true
	if _, err := o.Sweep(t.Context()); err == nil {
		t.Error("the sweep tells of no error")
	}
	o.Wait()
	if len(s.sent) != 3 || s.sent[2].ID != 5 {
		t.Errorf("sent %+v", s.sent)
	}
}
