package escalation_test

import (
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
)

func TestEmptyStepsArePassedOver(t *testing.T) {
	t.Parallel()
	p := workedExample()
	p.Steps[0].Targets = []escalation.Target{nobody}
	p.Steps[3].Targets = []escalation.Target{nobody}
	p.Repeat = 1
	d := newFixture(t, p)
	d.begin()
	d.advance(13 * time.Hour)
	d.tells(t,
		"+0s pass over step 1 run 1", "+0s step 2 run 1: ben",
		"+2h step 3 run 1, instead: ana ben chiara",
		"+6h pass over step 4 run 1", "+6h pass over step 1 run 2", "+6h step 2 run 2, instead: ben",
		"+8h step 3 run 2, instead: ana ben chiara",
		"+12h pass over step 4 run 2", "+12h exhausted", "+12h fallback, instead: dana",
		"+12h15m administrators, instead: root")
}

func TestPolicyWithoutPeople(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.unreachable(ana, ben, chiara, dana)
	d.begin()
	d.advance(2 * time.Hour)
	d.tells(t,
		"+0s pass over step 1 run 1", "+0s pass over step 2 run 1", "+0s pass over step 3 run 1", "+0s pass over step 4 run 1",
		"+0s exhausted", "+0s pass over fallback", "+0s administrators: root",
		"+1h pass over fallback again", "+1h administrators again, instead: root",
		"+2h pass over fallback again", "+2h administrators again, instead: root")
}

// After a run that found nobody, the remaining runs are passed over.
func TestEmptyRunIsTheLast(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.advance(10 * time.Minute)
	d.unreachable(ana, ben, chiara, dana)
	d.advance(50 * time.Minute)
	d.tells(t, "+0s step 1 run 1: ana",
		"+1h pass over step 2 run 1", "+1h pass over step 3 run 1", "+1h pass over step 4 run 1",
		"+1h pass over step 1 run 2", "+1h pass over step 2 run 2", "+1h pass over step 3 run 2", "+1h pass over step 4 run 2",
		"+1h exhausted", "+1h pass over fallback", "+1h administrators, instead: root")
}

// Where not even an administrator is reachable, it tries again every hour.
func TestRetryHourlyWithoutAnyone(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
	d.unreachable(ana, ben, chiara, dana, root)
	d.begin()
	d.advance(90 * time.Minute)
	d.tells(t,
		"+0s pass over step 1 run 1", "+0s exhausted", "+0s pass over fallback", "+0s pass over administrators",
		"+1h pass over fallback again", "+1h pass over administrators again")
	d.roster.People[root] = escalation.Person{Role: "administrator", Reachable: true}
	d.advance(time.Hour)
	d.tells(t, "+2h pass over fallback again", "+2h administrators again, instead: root")
}

// Where somebody can be reached before the hour is over, it goes on at once: with the
// first step where that is somebody in the steps, else with the fallback.
func TestTriesAgainOnceSomebodyIsReachable(t *testing.T) {
	t.Parallel()
	for who, want := range map[int64]string{ana: "+5m step 1 run 1, instead: ana", dana: "+5m fallback again, instead: dana"} {
		d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
		d.unreachable(ana, ben, chiara, dana, root)
		r := d.begin()
		d.advance(4 * time.Minute)
		r.wake(d.now)
		d.advance(time.Minute)
		d.roster.People[who] = escalation.Person{Reachable: true}
		r.wake(d.now)
		d.advance(0)
		d.tells(t, "+0s pass over step 1 run 1", "+0s exhausted", "+0s pass over fallback", "+0s pass over administrators", want)
	}
}

// Where nobody else can be reached, the last pages are not superseded: without them
// nobody would be paged at all.
func TestLastPagesAreKept(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}})
	d.unreachable(root)
	d.begin()
	d.advance(30 * time.Hour)
	if len(d.pages) != 1 || d.pages[0].superseded {
		t.Errorf("Ana's page should go on: %+v", d.pages)
	}
}

func TestNoPolicyPagesAdministrators(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int64{"none": 0, "one that was deleted": 99} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newFixture(t, workedExample())
			d.begin(func(r *row) { r.PolicyVersionID = version })
			d.advance(time.Hour)
			d.tells(t, "+0s exhausted", "+0s administrators: root", "+1h administrators again, instead: root")
		})
	}
}

func TestPolicyDeletedInsideStep(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.advance(2 * time.Hour)
	delete(d.policies, paymentsPolicy)
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben", "+3h exhausted", "+3h administrators, instead: root")
}

// A step that a person or failed attempts end early is followed at once by the next,
// also in the hourly fallback, where the administrators are next.
func TestStepEndedEarly(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
	r := d.begin()
	for range 5 {
		d.advance(time.Minute)
		r.skip(d.now)
	}
	d.advance(0)
	d.tells(t, "+0s step 1 run 1: ana", "+1m exhausted", "+1m fallback, instead: dana", "+2m administrators, instead: root",
		"+3m fallback again, instead: dana", "+4m administrators again, instead: root", "+5m fallback again, instead: dana")
}

func TestMayPassOver(t *testing.T) {
	t.Parallel()
	for phase, want := range map[escalation.Phase]bool{
		escalation.PhaseWaiting: false, escalation.PhaseSteps: true, escalation.PhaseFallback: true, escalation.PhaseAdministrators: false,
	} {
		for run := range 3 {
			if got := escalation.MayPassOver(string(phase), run); got != want {
				t.Errorf("%s, run %d: %v", phase, run, got)
			}
		}
	}
}
