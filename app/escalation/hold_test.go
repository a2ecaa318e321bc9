package escalation_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

var workdays = []oncall.Weekday{oncall.Monday, oncall.Tuesday, oncall.Wednesday, oncall.Thursday, oncall.Friday}

var office = oncall.Window{Days: workdays, From: 9 * 60, To: 17 * 60}

// officeHours are the support hours of the fixture's service.
func officeHours() map[int64]oncall.Hours {
	return map[int64]oncall.Hours{checkout: {Zone: "Europe/Madrid", Windows: []oncall.Window{office}}}
}

// heldFixture has nobody on call outside office hours, by agreement, and a first step
// that is held then. It begins on Monday at 19:15 in Madrid.
func heldFixture(t *testing.T) *fixture {
	p := workedExample()
	p.Steps[0].OutsideCover = escalation.Hold
	d := newFixture(t, p)
	l := weekly(1, 2, 3)
	l.Restrictions = []oncall.Window{office}
	s := schedule(l)
	s.Versions[0].RequiredCover = []oncall.Window{office}
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Slug: "payments", Name: "Payments", Schedule: s}
	return d
}

func TestHoldUntilCoverBegins(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	d.begin()
	d.advance(14 * time.Hour)
	d.tells(t, "+0s hold step 1 run 1 until +13h45m", "+13h45m step 1 run 1: ana")
}

func TestPassIsTheDefault(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	p := d.policies[paymentsPolicy]
	p.Steps[0].OutsideCover = ""
	d.begin()
	d.advance(0)
	d.tells(t, "+0s pass over step 1 run 1", "+0s pass over step 2 run 1", "+0s step 3 run 1: ana ben chiara")
}

func TestGapWithinCoverIsNotHeld(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	s := d.roster.Schedules[paymentsSchedule]
	s.Schedule.Versions[0].RequiredCover = nil
	d.begin()
	d.advance(0)
	d.tells(t, "+0s pass over step 1 run 1", "+0s pass over step 2 run 1", "+0s step 3 run 1: ana ben chiara")
}

func TestP1IsNotHeld(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	r := d.begin()
	d.advance(time.Hour)
	r.raise(d.now, 2)
	d.advance(time.Hour)
	r.raise(d.now, 1)
	d.advance(0)
	d.tells(t, "+0s hold step 1 run 1 until +13h45m", "+1h hold step 1 run 1 until +13h45m",
		"+2h pass over step 1 run 1", "+2h pass over step 2 run 1", "+2h step 3 run 1: ana ben chiara")
}

func TestEscalateByHandEndsHold(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	r := d.begin()
	d.advance(time.Hour)
	r.skip(d.now)
	d.advance(0)
	d.tells(t, "+0s hold step 1 run 1 until +13h45m",
		"+1h pass over step 1 run 1", "+1h pass over step 2 run 1", "+1h step 3 run 1: ana ben chiara")
}

// An override that puts somebody on ends the wait, since the configuration wakes it.
func TestOverrideEndsHold(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	r := d.begin()
	d.advance(time.Hour)
	r.wake(d.now)
	d.advance(0)
	s := d.roster.Schedules[paymentsSchedule]
	s.Schedule.Overrides = []oncall.Override{{ID: 1, Kind: oncall.Add, In: oncall.Person(ben), Position: "main", From: d.now.Add(time.Hour), To: d.now.Add(2 * time.Hour)}}
	d.roster.Schedules[paymentsSchedule] = s
	r.wake(d.now)
	d.advance(time.Hour)
	d.tells(t, "+0s hold step 1 run 1 until +13h45m", "+2h step 1 run 1: ben")
}

// The step before a held one is over.
func TestHoldSupersedesStepBefore(t *testing.T) {
	t.Parallel()
	d := heldFixture(t)
	p := d.policies[paymentsPolicy]
	p.Steps[0], p.Steps[1] = step(time.Hour, user(chiara)), p.Steps[0]
	d.begin()
	d.advance(2 * time.Hour)
	d.tells(t, "+0s step 1 run 1: chiara", "+1h hold step 2 run 1 until +13h45m")
	if !d.pages[0].superseded {
		t.Error("Chiara is paged on")
	}
}

func low(r *row) {
	three := 3
	r.Priority, r.Urgency = &three, incident.Low
}

// beforeClosing is a fixture at 16:15 in Madrid, in support hours.
func beforeClosing(t *testing.T, policy escalation.Policy) *fixture {
	d := newFixture(t, policy)
	d.roster.SupportHours = officeHours()
	d.now = monday.Add(-3 * time.Hour)
	d.began = d.now
	return d
}

// A step that began in support hours is over when it has lasted for its timeout in
// support hours.
func TestLowUrgencyPausesOutsideSupportHours(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, workedExample())
	d.begin(low)
	d.advance(41 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+17h step 2 run 1, instead: ben", "+19h step 3 run 1, instead: ana ben chiara", "+23h step 4 run 1, instead: dana",
		"+24h step 1 run 2, instead: ana", "+41h step 2 run 2, instead: ben")
}

func TestHighUrgencyDoesNotPause(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, workedExample())
	d.begin()
	d.advance(2 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben")
}

// A step that ends outside support hours, since all its attempts failed, waits.
func TestLowUrgencyWaitsAtEachStep(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, workedExample())
	r := d.begin(low)
	d.advance(2 * time.Hour)
	running, _, ok := escalation.PassOver(d.now, escalation.Running{State: r.State, Active: true, NextAction: r.next}, false)
	if !ok {
		t.Fatal("the step is not passed over")
	}
	r.State, r.next = running.State, running.NextAction
	d.advance(15 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+2h wait until +16h45m", "+16h45m step 2 run 1, instead: ben")
	if !d.pages[0].superseded || !d.pages[1].Digest {
		t.Errorf("the first page goes on, or the second is not in the digest: %+v", d.pages)
	}
}

func TestLowUrgencyHandsOverInSupportHours(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, escalation.Policy{Steps: []escalation.Step{step(8*time.Hour, mainOnCall)}})
	l := weekly(1, 2, 3)
	l.Rotate = &oncall.Rotate{Every: 1, Unit: oncall.Day}
	l.Start = wall("2026-01-05 06:00")
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Slug: "payments", Name: "Payments", Schedule: schedule(l)}
	d.begin(low)
	d.advance(18 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+16h45m hand over step 1 run 1: ben")
}

// What a person escalates pages at once, and what follows keeps to the hours again.
func TestEscalateByHandPagesOutsideSupportHours(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, workedExample())
	r := d.begin(low)
	d.advance(2 * time.Hour)
	r.skip(d.now)
	d.advance(24 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+2h step 2 run 1, instead: ben", "+18h45m step 3 run 1, instead: ana ben chiara", "+22h45m step 4 run 1, instead: dana", "+23h45m step 1 run 2, instead: ana", "+24h45m wait until +40h45m")
}

func TestExhaustedLowUrgencyWaits(t *testing.T) {
	t.Parallel()
	d := beforeClosing(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
	r := d.begin(low)
	d.advance(2 * time.Hour)
	running, _, _ := escalation.PassOver(d.now, escalation.Running{State: r.State, Active: true, NextAction: r.next}, false)
	r.State, r.next = running.State, running.NextAction
	d.advance(15 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+2h exhausted", "+2h wait until +16h45m", "+16h45m fallback: dana", "+17h administrators, instead: root")
}

func TestUnreachedPeopleAreNamed(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall, nobody), step(time.Hour, nobody)}})
	s := d.roster.People[stranger]
	s.Unreachable = "no verified contact method"
	d.roster.People[stranger] = s
	var events []incident.TimelineEvent
	d.check = func(_ escalation.Due, c escalation.Change) { events = append(events, c.Events...) }
	d.begin()
	d.advance(time.Hour)
	want := []incident.Unreached{{Person: stranger, Reason: "no verified contact method"}}
	for i, kind := range []incident.EventKind{incident.EvStep, incident.EvPassedOver} {
		place, _ := incident.PlaceOf(events[i].Payload)
		if events[i].Kind() != kind {
			t.Errorf("event %d is %s", i, events[i].Kind())
		}
		if diff := gocmp.Diff(want, place.Unreached); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
