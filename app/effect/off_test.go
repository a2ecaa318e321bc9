package effect

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestConsumerOfAnotherProcessIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{name: "chat"}
		m, r := start(t, c)
		off := &Off{Name: "chat", Store: &process{m}, Now: time.Now}
		m.happen(incident.EvReceived)
		for range 3 * int(UnusedAfter/time.Minute) {
			if _, err := off.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if m.rows["chat"] == nil {
				t.Fatal("it was forgotten while a process has it switched on")
			}
			if _, err := r.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if !slices.Equal(c.got, []int64{3}) {
			t.Errorf("got events %v", c.got)
		}
	})
}

func TestUnusedConsumerIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, _ := start(t, &recorder{name: "chat"})
		off := &Off{Name: "chat", Store: &process{m}, Now: time.Now}
		begun := time.Now()
		for m.rows["chat"] != nil && time.Since(begun) <= 2*UnusedAfter {
			if _, err := off.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(begun); took < UnusedAfter || took > UnusedAfter+SeenEvery+time.Minute {
			t.Errorf("forgotten after %s", took)
		}
		time.Sleep(time.Hour)
		if _, err := off.Sweep(t.Context()); err != nil {
			t.Errorf("once it is forgotten: %v", err)
		}
	})
}
