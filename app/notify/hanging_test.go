package notify

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// to are pages to addresses of their own, by SMS.
func to(first, n int64) []Claim {
	var all []Claim
	for i := range n {
		c := pages(SMS, first+i)[0]
		c.To = fmt.Sprint("number ", first+i)
		all = append(all, c)
	}
	return all
}

// TestHangingRecipientsDelayNobodyElse has a provider hang for some numbers.
func TestHangingRecipientsDelayNobodyElse(t *testing.T) {
	t.Parallel()
	for _, hanging := range []int64{1, 40} {
		t.Run(fmt.Sprint(hanging), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &outboxStore{due: to(1, hanging+1)}
				began := time.Now()
				var reached time.Duration
				o := newOutbox(s, func(ctx context.Context, m Message) (Receipt, *Failure) {
					if m.ID <= hanging {
						return hangs(ctx, m)
					}
					reached = time.Since(began)
					return takes(ctx, m)
				})
				o.Workers = 64 // as the server has
				for len(s.due) > 0 {
					ended := o.Ended()
					if sweep(t, o) == 0 {
						<-ended
					}
				}
				synctest.Wait()
				if len(s.sent) != 1 || reached > time.Second {
					t.Errorf("after %s %d were sent", reached, len(s.sent))
				}
				o.Wait()
			})
		})
	}
}

func TestNextMethodDuringHangingCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		o := newOutbox(s, hangs)
		began := time.Now()
		sweep(t, o)
		o.Wait()
		if len(s.late) != 1 || s.late[0].Medium != Email || s.lateAt[0].Sub(began) != NextMethodAfter {
			t.Errorf("during the call it went to %+v at %v", s.late, s.lateAt)
		}
	})
}

func TestOneCallForEachAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: to(1, 1)}
		o := newOutbox(s, hangs)
		sweep(t, o)
		sweep(t, o)
		if busy := s.busy[1].Addresses; len(busy) != 1 || busy[0] != "number 1" {
			t.Errorf("addresses left alone: %v", busy)
		}
		time.Sleep(NextMethodAfter) // of the test's own clock
		sweep(t, o)
		if busy := s.busy[2].Addresses; busy != nil {
			t.Errorf("addresses left alone while the call hangs: %v", busy)
		}
		o.Wait()
		sweep(t, o)
		if busy := s.busy[3].Addresses; busy != nil {
			t.Errorf("addresses left alone afterwards: %v", busy)
		}
	})
}

// limited counts calls by method, as Slack does.
type limited struct {
	provider
	calls map[string]int
}

func (l *limited) Method(m Message) string { return m.Update }

func (l *limited) Deliver(ctx context.Context, m Message) (Receipt, *Failure) {
	l.calls[m.Update]++
	return l.provider(ctx, m)
}

func TestPauseIsForAllMessagesOfMethod(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{}
		o := newOutbox(s, takes)
		now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
		o.Now = func() time.Time { return now }
		refused := &Failure{Reason: "Slack: too many messages", Scope: ScopeProvider, RetryAfter: 30 * time.Second}
		l := &limited{calls: map[string]int{}, provider: func(context.Context, Message) (Receipt, *Failure) { return Receipt{}, refused }}
		o.Channels = FixedChannels{Slack: l}
		send := func(n int, update string) {
			for i := range n {
				c := pages(Slack, int64(i+1))[0]
				c.Update = update
				s.due = []Claim{c}
				sweep(t, o)
				o.Wait()
			}
		}
		send(200, "")
		send(1, "update")
		if l.calls[""] != 1 || l.calls["update"] != 1 {
			t.Errorf("calls by method: %v", l.calls)
		}
		if f := s.failed[1]; !f.Uncalled || !s.retries[1].Equal(now.Add(30*time.Second)) {
			t.Errorf("during the pause: %+v, again at %v", f, s.retries[1])
		}
		now, refused = now.Add(30*time.Second), nil
		send(1, "")
		if l.calls[""] != 2 || len(s.sent) != 1 {
			t.Errorf("after the pause: %v, %d sent", l.calls, len(s.sent))
		}
	})
}

// asked is a channel whose provider does not call back.
type asked struct {
	provider
	states []string
}

func (a *asked) State(context.Context, string) (state, reason string, err error) {
	state, a.states = a.states[0], a.states[1:]
	return state, "", nil
}

func TestProviderIsAskedWhereItCannotCallBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: pages(SMS, 1)}
		s.due[0].Attempt = 7
		o := newOutbox(s, takes)
		a := &asked{states: []string{"", "sent", "sent", "delivered"}, provider: func(context.Context, Message) (Receipt, *Failure) {
			return Receipt{ProviderID: "SM1", Ask: true}, nil
		}}
		o.Channels = FixedChannels{SMS: a}
		ctx, stop := context.WithCancel(t.Context())
		go o.Ask(ctx)
		sweep(t, o)
		o.Wait()
		time.Sleep(askFor) // of the test's own clock
		synctest.Wait()
		stop()
		if len(s.reports) != 2 || s.reports[0] != "7 sent" || s.reports[1] != "7 delivered" || len(a.states) > 0 {
			t.Errorf("reported %q, and %q was not asked for", s.reports, a.states)
		}
	})
}

func TestChannelWorksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &outboxStore{due: append(pages(SMS, 1), pages(Email, 2)...)}
		s.due[0].Failing = true
		o := newOutbox(s, takes)
		sweep(t, o)
		o.Wait()
		if len(s.mended) != 1 || s.mended[0] != SMS {
			t.Errorf("mended %v", s.mended)
		}
	})
}
