package db

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/pgtest"
)

// everything is the wakeup that has everybody look.
var everything = Wakeup{Work: AllWork, Changes: []Change{{}}}

// listening is a process that listens to the others of a database.
type listening struct {
	*DB
	t       *testing.T
	wakeups <-chan Wakeup
}

// listen opens a database as another process, and returns once it listens.
func listen(t *testing.T, address string) listening {
	t.Helper()
	db, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wakeups, stop := db.Bus().Listen()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		db.Listen(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		stop()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	l := listening{db, t, wakeups}
	l.expect(everything)
	return l
}

// next is the next wakeup.
func (l listening) next() Wakeup {
	l.t.Helper()
	select {
	case w := <-l.wakeups:
		return w
	case <-time.After(20 * time.Second):
		l.t.Fatal("no wakeup came")
		return Wakeup{}
	}
}

func (l listening) expect(want Wakeup) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.next()); diff != "" {
		l.t.Fatal(diff)
	}
}

func (l listening) publish(w Wakeup) {
	l.t.Helper()
	if err := l.InTx(l.t.Context(), func(tx *Tx) error { return tx.Publish(l.t.Context(), w) }); err != nil {
		l.t.Fatal(err)
	}
}

// Each process hears of both, of itself only once: PostgreSQL notifies in the order of
// the commits, so that an echo would come before what the other says.
func TestEveryProcessHearsOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := listen(t, address), listen(t, address)
	of17 := Wakeup{Work: ToSend, Changes: []Change{{Number: 17, Version: 9}}}
	a.publish(of17)
	of17.From = a.Owner
	b.expect(of17)
	b.publish(Wakeup{Work: ToPlan})
	a.expect(of17)
	a.expect(Wakeup{From: b.Owner, Work: ToPlan})
	b.expect(Wakeup{From: b.Owner, Work: ToPlan})
}

func TestRolledBackWakeupIsNotHeard(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := listen(t, address), listen(t, address)
	undone := errors.New("undone")
	err := a.InTx(t.Context(), func(tx *Tx) error {
		return errors.Join(tx.Publish(t.Context(), Wakeup{Work: ToSend}), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	a.publish(Wakeup{Work: ToPlan})
	for _, process := range []listening{a, b} {
		process.expect(Wakeup{From: a.Owner, Work: ToPlan})
	}
}

func TestManyChangesReloadEverything(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := listen(t, address), listen(t, address)
	changes := make([]Change, MaxNamed+1)
	for i := range changes {
		changes[i] = Change{Number: int64(i + 1), Version: 1}
	}
	a.publish(Wakeup{Changes: changes})
	a.publish(Wakeup{Changes: changes[1:]})
	for _, process := range []listening{a, b} {
		process.expect(Wakeup{From: a.Owner, Changes: []Change{{}}})
		process.expect(Wakeup{From: a.Owner, Changes: changes[1:]})
	}
}

func TestEventsWakeConsumersOfEveryProcess(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := listen(t, address), listen(t, address)
	err := a.InTx(t.Context(), func(tx *Tx) error {
		tx.WroteEvents()
		return tx.Publish(t.Context(), Wakeup{Work: ToEscalate})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.expect(Wakeup{From: a.Owner, Work: ToEscalate | ToEffects})
}

// What was said meanwhile is lost, so that everybody has to look.
func TestReconnectWakesListeners(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := listen(t, address), listen(t, address)
	var ended int
	if err := a.Pool.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN tocsin'").Scan(&ended); err != nil || ended != 2 {
		t.Fatalf("%d connections were ended: %v", ended, err)
	}
	for _, process := range []listening{a, b} {
		process.expect(everything)
	}
	a.publish(Wakeup{Work: ToTime})
	b.expect(Wakeup{From: a.Owner, Work: ToTime})
}

func TestFullListenerIsToldToReload(t *testing.T) {
	t.Parallel()
	bus := newBus()
	wakeups, stop := bus.Listen()
	one := Wakeup{From: "a", Work: ToSend, Changes: []Change{{Number: 17, Version: 1}}}
	for range cap(wakeups) {
		bus.publish(one)
	}
	bus.publish(one)
	for range cap(wakeups) - 1 {
		if diff := cmp.Diff(one, <-wakeups); diff != "" {
			t.Fatal(diff)
		}
	}
	if diff := cmp.Diff(Wakeup{From: "a", Work: AllWork, Changes: []Change{{}}}, <-wakeups); diff != "" {
		t.Error(diff)
	}
	stop()
	bus.publish(one)
	if len(wakeups) != 0 {
		t.Error("a listener that stopped is told")
	}
}
