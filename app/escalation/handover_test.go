package escalation_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// Daylight saving time begins while the step runs: the handover is at nine local time,
// and the timeout of the step is unchanged.
func TestHandoverInsideStep(t *testing.T) {
	t.Parallel()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		begins, handover string
	}{
		"an ordinary night":  {"2026-03-21 21:00", "+12h"},
		"clocks go forward":  {"2026-03-28 21:00", "+11h"},
		"clocks go backward": {"2026-10-24 21:00", "+13h"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(14*time.Hour, mainOnCall), step(time.Hour, user(dana))}})
			l := weekly(1, 2, 3)
			l.Rotate = &oncall.Rotate{Every: 1, Unit: oncall.Day}
			begins, _ := time.ParseInLocation("2006-01-02 15:04", c.begins, madrid)
			l.Start = oncall.WallTimeOf(begins.Add(-12 * time.Hour)) // at nine, since Ana's turn
			d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: schedule(l)}
			d.now, d.began = begins.UTC(), begins.UTC()
			d.begin()
			d.advance(14 * time.Hour)
			d.tells(t, "+0s step 1 run 1: ana", c.handover+" hand over step 1 run 1: ben", "+14h step 2 run 1, instead: dana")
			if p := d.pages[1]; p.why.Kind != "handover" || p.why.Position != "main" || p.why.Step != 1 {
				t.Errorf("why of the newcomer: %+v", p.why)
			}
		})
	}
}

func TestHandoverToNobodyAndBack(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(48*time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
	from := func(h time.Duration) time.Time { return monday.Add(h * time.Hour) }
	s := schedule(weekly(1, 2, 3))
	s.Overrides = []oncall.Override{
		{From: from(2), To: from(4), Kind: oncall.Remove, Out: 1},         // a gap
		{From: from(6), To: from(8), Kind: oncall.Replace, Out: 1, In: 2}, // Ben, and Ana comes back
		{From: from(10), To: from(12), Kind: oncall.Add, In: 3},
		{From: from(14), To: from(16), Kind: oncall.Replace, Out: 1, In: oncall.Person(stranger)},
	}
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	d.begin()
	d.advance(48 * time.Hour)
	d.tells(t,
		"+0s step 1 run 1: ana",
		"+6h hand over step 1 run 1: ben",
		"+10h hand over step 1 run 1: chiara",
		"+48h exhausted",
		"+48h fallback, instead: dana",
	)
}

func TestHandoverInsideFallback(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, user(dana))}, Fallback: []escalation.Target{mainOnCall}})
	d.now = time.Date(2026, 1, 12, 6, 55, 0, 0, time.UTC) // Ben follows at 08:00
	d.began = d.now
	d.begin()
	d.advance(time.Hour + 10*time.Minute)
	d.tells(t, "+0s step 1 run 1: dana", "+1h exhausted", "+1h fallback, instead: ana", "+1h5m hand over fallback: ben")
}

// A configuration change wakes the escalation early: people who are on call since the
// change are paged.
func TestConfigurationChangesInsideStep(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	r := d.begin()
	d.advance(20 * time.Minute)
	s := schedule(weekly(1, 2, 3))
	s.Overrides = []oncall.Override{{ID: 9, From: d.now, To: d.now.Add(time.Hour), Position: "main", Kind: oncall.Replace, Out: 1, In: 3}}
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	r.wake(d.now)
	deadline := *r.State.Deadline
	d.advance(time.Minute)
	d.tells(t, "+0s step 1 run 1: ana", "+20m hand over step 1 run 1: chiara")
	if !r.State.Deadline.Equal(deadline) {
		t.Errorf("the deadline moved to %s", r.State.Deadline)
	}
	if d.pages[1].why.Override != 9 {
		t.Errorf("why of the newcomer: %+v", d.pages[1].why)
	}
}

func TestShadowComesOnInsideStep(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	s := schedule(weekly(1, 2, 3))
	s.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(chiara), Position: "main", From: monday.Add(10 * time.Minute)}}
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	r := d.begin()
	d.advance(20 * time.Minute)
	r.wake(d.now)
	d.advance(time.Minute)
	d.tells(t, "+0s step 1 run 1: ana") // no handover
	if d.paged() != "ana chiara" || !d.pages[1].Shadow {
		t.Errorf("pages: %+v", d.pages)
	}
}

func TestShadowsDoNotCount(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall), step(time.Hour, backup)}})
	s := schedule(weekly(1, 2, 3))
	s.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(chiara), Position: "main"}}
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	d.begin()
	d.sweep()
	d.tells(t, "+0s step 1 run 1: ana")
	if d.paged() != "ana chiara" || d.pages[0].Shadow || !d.pages[1].Shadow || !d.pages[1].why.Shadow {
		t.Errorf("pages: %+v", d.pages)
	}

	// With nobody on, there is nothing to copy.
	d = newFixture(t, d.policies[paymentsPolicy])
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	d.unreachable(ana)
	d.begin()
	d.sweep()
	d.tells(t, "+0s pass over step 1 run 1", "+0s step 2 run 1: ben")
	if d.paged() != "ben" {
		t.Errorf("paged: %s", d.paged())
	}
}
