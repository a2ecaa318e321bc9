package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// setTimer sets a timer as an incident does.
func (p *pipeline) setTimer(kind string, subject int64, due time.Time) {
	p.t.Helper()
	p.must(0, p.db.InTx(context.Background(), func(tx *db.Tx) error { return paging.SetTimer(context.Background(), tx, kind, subject, due) }))
}

// claimTimers leases what is due of two kinds.
func (p *pipeline) claimTimers(limit int) []effect.Timer {
	p.t.Helper()
	due, err := p.db.Effects.ClaimTimers(context.Background(), p.now, []string{incident.TimerAck, incident.TimerQuietPeriod}, limit)
	p.must(0, err)
	return due
}

func subjects(timers []effect.Timer) []int64 {
	var all []int64
	for _, t := range timers {
		all = append(all, t.Subject)
	}
	return all
}

func TestTimersAreLeased(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		effects := st.Effects
		for subject, due := range []time.Duration{-3, -1, -2, 1} {
			p.setTimer(incident.TimerQuietPeriod, int64(subject), p.now.Add(due*time.Second))
		}
		p.setTimer("of a newer version", 9, p.now.Add(-time.Hour))
		first := p.claimTimers(2)
		if !slices.Equal(subjects(first), []int64{0, 2}) || !first[0].Due.Equal(p.now.Add(-3*time.Second)) || first[0].Kind != incident.TimerQuietPeriod {
			t.Fatalf("claimed %+v", first)
		}
		dead := st.Owner
		st.Owner = "another process"
		if second := p.claimTimers(5); !slices.Equal(subjects(second), []int64{1}) {
			t.Fatalf("the other process claimed %+v", second)
		}
		// The first process dies; its renewals and results come too late.
		p.exec("UPDATE timers SET lease_until = $1 WHERE lease_owner = $2", time.Now().Add(-time.Second).UTC(), dead)
		taken := p.claimTimers(5)
		if !slices.Equal(subjects(taken), []int64{0, 2}) {
			t.Fatalf("taken over: %+v", taken)
		}
		st.Owner = dead
		p.must(0, effects.RenewTimers(t.Context()))
		p.must(0, effects.DoneTimer(t.Context(), first[0]))
		p.must(0, effects.PostponeTimer(t.Context(), first[1], p.now.Add(time.Hour)))
		p.must(0, effects.ReleaseTimers(t.Context()))
		if n := p.count("SELECT count(*) FROM timers WHERE lease_owner = 'another process' AND due_at <= $1 AND tries = 0", p.now); n != 3 {
			t.Fatalf("%d of 3 timers are still the other's", n)
		}
		st.Owner = "another process"
		p.must(0, effects.DoneTimer(t.Context(), taken[0]))
		p.must(0, effects.PostponeTimer(t.Context(), taken[1], p.now.Add(time.Minute)))
		p.must(0, effects.ReleaseTimers(t.Context()))
		if again := p.claimTimers(5); !slices.Equal(subjects(again), []int64{1}) {
			t.Errorf("due again: %+v", again)
		}
		p.now = p.now.Add(time.Minute)
		if again := p.claimTimers(5); !slices.Equal(subjects(again), []int64{3, 2}) || again[1].Tries != 1 {
			t.Errorf("a minute later: %+v", again)
		}
		if n := p.count("SELECT count(*) FROM timers WHERE kind = 'of a newer version' AND lease_owner IS NULL AND tries = 0"); n != 1 {
			t.Error("a timer of a kind that nobody registered was touched")
		}
	})
}

func TestResetTimerRunsAgain(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.setTimer(incident.TimerAck, 1, p.now)
		calls := 0
		timers := &effect.Timers{Store: st.Effects, Now: st.Now, Log: p.timers.Log}
		timers.Register(incident.TimerAck, func(context.Context, int64) error {
			if calls++; calls == 1 {
				p.setTimer(incident.TimerAck, 1, p.now) // due at the very same time
			}
			return nil
		})
		for _, want := range []int{1, 1, 0} {
			if n := p.must(timers.Sweep(t.Context())); n != want {
				t.Fatalf("%d timers, want %d", n, want)
			}
		}
		if calls != 2 {
			t.Errorf("carried out %d times", calls)
		}
	})
}

func TestTimerStatus(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		if s, err := st.Effects.TimerStatus(t.Context()); err != nil || s != (effect.TimerStatus{}) {
			t.Fatalf("without timers: %+v, %v", s, err)
		}
		p.setTimer(incident.TimerAck, 1, p.now.Add(time.Hour))
		p.setTimer(incident.TimerAck, 2, p.now.Add(-time.Hour))
		p.setTimer(incident.TimerQuietPeriod, 3, p.now)
		timers := &effect.Timers{Store: st.Effects, Now: st.Now, Log: p.timers.Log}
		timers.Register(incident.TimerQuietPeriod, func(context.Context, int64) error { return errors.New("broken") })
		p.must(timers.Sweep(t.Context()))
		if s, err := st.Effects.TimerStatus(t.Context()); err != nil || s != (effect.TimerStatus{Waiting: 2, Late: 1, Failing: 1}) {
			t.Errorf("status %+v, %v", s, err)
		}
	})
}
