package escalation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

func TestWorkedExample(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.begin()
	d.advance(35*time.Hour + 30*time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana",
		"+1h step 2 run 1, instead: ben",
		"+3h step 3 run 1, instead: ana ben chiara",
		"+7h step 4 run 1, instead: dana",
		"+8h step 1 run 2, instead: ana",
		"+9h step 2 run 2, instead: ben",
		"+11h step 3 run 2, instead: ana ben chiara",
		"+15h step 4 run 2, instead: dana",
		"+16h step 1 run 3, instead: ana",
		"+17h step 2 run 3, instead: ben",
		"+19h step 3 run 3, instead: ana ben chiara",
		"+23h step 4 run 3, instead: dana",
		"+24h step 1 run 4, instead: ana",
		"+25h step 2 run 4, instead: ben",
		"+27h step 3 run 4, instead: ana ben chiara",
		"+31h step 4 run 4, instead: dana",
		"+32h exhausted",
		"+32h fallback, instead: dana",
		"+32h15m administrators, instead: root",
		"+33h15m fallback again, instead: dana",
		"+34h15m fallback again, instead: dana",
		"+35h15m fallback again, instead: dana",
	)
}

// TestAnAcknowledgmentEndsItAtEveryPoint answers at, just before and just after
// each moment at which the worked example pages somebody, with the wake-up still
// on its way.
func TestAnAcknowledgmentEndsItAtEveryPoint(t *testing.T) {
	t.Parallel()
	whole := newDesk(t, workedExample())
	whole.begin()
	whole.advance(36 * time.Hour)
	var points []time.Duration
	for _, p := range whole.pages {
		at := p.at.Sub(monday)
		points = append(points, at, at+time.Second)
		if at > 0 {
			points = append(points, at-time.Second)
		}
	}
	for _, status := range []incident.Status{incident.Acknowledged, incident.Resolved} {
		for _, at := range slices.Compact(points) {
			d := newDesk(t, workedExample())
			r := d.begin()
			d.advance(at)
			paged := len(d.pages)
			r.Status = status
			d.advance(72 * time.Hour)
			if len(d.pages) != paged {
				t.Errorf("%s at %s: somebody was paged afterwards: %s", status, at, d.paged())
			}
			if !r.ended {
				t.Errorf("%s at %s: the escalation goes on", status, at)
			}
			if slices.ContainsFunc(d.pages, func(p page) bool { return !p.superseded }) {
				t.Errorf("%s at %s: a page goes on", status, at)
			}
		}
	}
}

func TestAnAcknowledgmentEndsNoRequest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	r := d.begin(func(r *row) { r.Purpose, r.Status = escalation.Responder, incident.Acknowledged })
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben")
	r.Status = incident.Resolved
	d.advance(24 * time.Hour)
	d.tells(t)
}

// TestHandoverInsideAStep has the clocks go forward in the night of the step:
// the handover comes at nine on the wall, and the timer is not touched.
func TestHandoverInsideAStep(t *testing.T) {
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
			d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(14*time.Hour, main_), step(time.Hour, user(dana))}})
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
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(48*time.Hour, main_)}, Fallback: []escalation.Target{user(dana)}})
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

func TestTheFallbackHandsOverToo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, user(dana))}, Fallback: []escalation.Target{main_}})
	d.now = time.Date(2026, 1, 12, 6, 55, 0, 0, time.UTC) // Ben follows at 08:00
	d.began = d.now
	d.begin()
	d.advance(time.Hour + 10*time.Minute)
	d.tells(t, "+0s step 1 run 1: dana", "+1h exhausted", "+1h fallback, instead: ana", "+1h5m hand over fallback: ben")
}

// TestAChangeOfTheConfigurationInsideAStep is a wake-up before anything is due:
// whoever has come on since is paged.
func TestAChangeOfTheConfigurationInsideAStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
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

func TestTimeoutsByPriority(t *testing.T) {
	t.Parallel()
	p := workedExample()
	p.Steps[0].TimeoutFor = map[int]int64{1: 300}
	for name, c := range map[string]struct {
		priority int // 0 for none
		want     string
	}{
		"P1":   {1, "+5m step 2 run 1, instead: ben"},
		"P2":   {2, "+1h step 2 run 1, instead: ben"},
		"none": {0, "+1h step 2 run 1, instead: ben"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, p)
			d.begin(func(r *row) {
				if c.priority > 0 {
					r.Priority = &c.priority
				}
			})
			d.advance(time.Hour)
			d.tells(t, "+0s step 1 run 1: ana", c.want)
		})
	}
}

func TestARaisePagesTheStepAgain(t *testing.T) {
	t.Parallel()
	p := workedExample()
	p.Steps[1].TimeoutFor = map[int]int64{1: 300}
	d := newDesk(t, p)
	r := d.begin()
	d.advance(90 * time.Minute)
	r.raise(d.now, 1)
	d.advance(5 * time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben",
		"+1h30m step 2 run 1, instead: ben", "+1h35m step 3 run 1, instead: ana ben chiara")
}

// TestARaiseThatFindsNobodyGoesOn is a raise in a step that has become empty.
func TestARaiseThatFindsNobodyGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	r := d.begin()
	d.advance(90 * time.Minute)
	d.unreachable(ben)
	r.raise(d.now, 1)
	d.advance(time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben",
		"+1h30m pass over step 2 run 1", "+1h30m step 3 run 1, instead: ana chiara")
}

func TestARaiseAfterThePolicyIsExhausted(t *testing.T) {
	t.Parallel()
	p := escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_)}, Fallback: []escalation.Target{user(dana)}}
	d := newDesk(t, p)
	r := d.begin()
	d.advance(65 * time.Minute)
	r.raise(d.now, 1) // in the fallback
	d.advance(20 * time.Minute)
	r.raise(d.now, 1) // with the administrators
	d.advance(70 * time.Minute)
	r.raise(d.now, 1) // in the hourly fallback
	d.advance(time.Hour)
	d.tells(t,
		"+0s step 1 run 1: ana", "+1h exhausted", "+1h fallback, instead: dana",
		"+1h5m fallback, instead: dana", "+1h20m administrators, instead: root",
		"+1h25m administrators, instead: root", "+2h25m fallback again, instead: dana",
		"+2h35m fallback again, instead: dana", "+3h35m fallback again, instead: dana")
}

func TestEmptyStepsArePassedOver(t *testing.T) {
	t.Parallel()
	p := workedExample()
	p.Steps[0].Targets = []escalation.Target{nobody}
	p.Steps[3].Targets = []escalation.Target{nobody}
	p.Repeat = 1
	d := newDesk(t, p)
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

func TestAPolicyThatStandsForNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.unreachable(ana, ben, chiara, dana)
	d.begin()
	d.advance(2 * time.Hour)
	d.tells(t,
		"+0s pass over step 1 run 1", "+0s pass over step 2 run 1", "+0s pass over step 3 run 1", "+0s pass over step 4 run 1",
		"+0s exhausted", "+0s pass over fallback", "+0s administrators: root",
		"+1h pass over fallback again", "+1h administrators again, instead: root",
		"+2h pass over fallback again", "+2h administrators again, instead: root")
}

// TestNobodyAtAll tries again every hour, until somebody has come to be there.
func TestNobodyAtAll(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_)}, Fallback: []escalation.Target{user(dana)}})
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

// TestWhoWasPagedLastGoesOnBeingTold where nobody else can be: silence would be
// the end of it.
func TestWhoWasPagedLastGoesOnBeingTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_)}})
	d.unreachable(root)
	d.begin()
	d.advance(30 * time.Hour)
	if len(d.pages) != 1 || d.pages[0].superseded {
		t.Errorf("Ana's page should go on: %+v", d.pages)
	}
}

func TestNoPolicyLeadsToTheAdministrators(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int64{"none": 0, "one that was deleted": 99} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, workedExample())
			d.begin(func(r *row) { r.PolicyVersionID = version })
			d.advance(time.Hour)
			d.tells(t, "+0s exhausted", "+0s administrators: root", "+1h administrators again, instead: root")
		})
	}
}

func TestADeletedPolicyInTheMiddle(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.begin()
	d.advance(2 * time.Hour)
	delete(d.policies, paymentsPolicy)
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben", "+3h exhausted", "+3h administrators, instead: root")
}

// TestAPolicyThatCannotBeReadHoldsUpNoOther, and is tried again.
func TestAPolicyThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.unread[77] = errors.New("unexpected end of JSON input")
	d.begin(func(r *row) { r.PolicyVersionID = 77 })
	d.begin()
	if _, err := d.engine.Sweep(context.Background()); err == nil || !errors.Is(err, d.unread[77]) {
		t.Errorf("the error is %v", err)
	}
	d.tells(t, "+0s #2 step 1 run 1: ana")
	delete(d.unread, 77)
	d.policies[77] = workedExample()
	d.sweep()
	d.tells(t, "+0s step 1 run 1: ana")
}

func TestARosterThatCannotBeReadFiresNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.begin()
	d.engine.Directory = brokenDirectory{}
	if _, err := d.engine.Sweep(context.Background()); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("the error is %v", err)
	}
	d.engine.Directory = d
	d.sweep()
	d.tells(t, "+0s step 1 run 1: ana")
}

type brokenDirectory struct{ escalation.Directory }

func (brokenDirectory) Roster(context.Context, int64) (*escalation.Roster, error) {
	return nil, fault.Unavailable("not now")
}

// TestAnOutageFiresOneStep and the timeouts run from when it really fired.
func TestAnOutageFiresOneStep(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.begin()
	d.advance(10 * time.Minute)
	d.now = d.now.Add(17 * time.Hour)
	d.advance(2 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+17h10m step 2 run 1, instead: ben", "+19h10m step 3 run 1, instead: ana ben chiara")
}

// TestAnOutageOverTheHourlyFallback is not taken for one that was cut short.
func TestAnOutageOverTheHourlyFallback(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_)}, Fallback: []escalation.Target{user(dana)}})
	d.begin()
	d.advance(2*time.Hour + 20*time.Minute)
	d.now = d.now.Add(10 * time.Hour)
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h exhausted", "+1h fallback, instead: dana", "+1h15m administrators, instead: root",
		"+2h15m fallback again, instead: dana", "+12h20m fallback again, instead: dana", "+13h20m fallback again, instead: dana")
}

// TestAStepThatIsCutShort by a person or by attempts that failed goes on at
// once, also in the hourly fallback, where the administrators are next.
func TestAStepThatIsCutShort(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_)}, Fallback: []escalation.Target{user(dana)}})
	r := d.begin()
	for range 5 {
		d.advance(time.Minute)
		r.skip(d.now)
	}
	d.advance(0)
	d.tells(t, "+0s step 1 run 1: ana", "+1m exhausted", "+1m fallback, instead: dana", "+2m administrators, instead: root",
		"+3m fallback again, instead: dana", "+4m administrators again, instead: root", "+5m fallback again, instead: dana")
}

func TestWhatMayBePassedOver(t *testing.T) {
	t.Parallel()
	for phase, want := range map[escalation.Phase]bool{
		escalation.Waiting: false, escalation.Stepping: true, escalation.Falling: true, escalation.Administrators: false,
	} {
		for run := range 3 {
			if got := escalation.MayPassOver(string(phase), run); got != want {
				t.Errorf("%s, run %d: %v", phase, run, got)
			}
		}
	}
}

func TestAVersionIsKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.policies[41] = escalation.Policy{Steps: []escalation.Step{step(time.Minute, user(dana))}}
	d.begin()
	d.begin(func(r *row) { r.PolicyVersionID = 41 })
	d.advance(time.Hour - time.Second)
	d.tells(t, "+0s step 1 run 1: ana", "+0s #2 step 1 run 1: dana", "+1m #2 exhausted", "+1m #2 administrators, instead: root")
}

func TestLowUrgencyArrivesAsADigest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*desk, *row) // an hour after it began to wait
		until  time.Duration
		story  []string
		digest []bool
	}{
		"in the morning": {func(*desk, *row) {}, 11 * time.Hour,
			[]string{"+10h step 1 run 1: ana", "+11h step 2 run 1, instead: ben"}, []bool{true, false}},
		"past an empty step": {func(d *desk, _ *row) { d.unreachable(ana) }, 11 * time.Hour,
			[]string{"+10h pass over step 1 run 1", "+10h step 2 run 1: ben"}, []bool{true}},
		"raised in the night": {func(d *desk, r *row) { r.raise(d.now, 1) }, 2 * time.Hour,
			[]string{"+1h step 1 run 1: ana", "+2h step 2 run 1, instead: ben"}, []bool{false, false}},
		"escalated in the night": {func(d *desk, r *row) { r.skip(d.now) }, 2 * time.Hour,
			[]string{"+1h step 1 run 1: ana", "+2h step 2 run 1, instead: ben"}, []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, workedExample())
			r := d.begin(func(r *row) {
				r.State.Phase, r.Urgency = escalation.Waiting, incident.Low
				r.wake(d.now.Add(10 * time.Hour))
			})
			d.advance(time.Hour)
			c.change(d, r)
			d.advance(c.until - time.Hour)
			d.tells(t, c.story...)
			var digests []bool
			for _, p := range d.pages {
				digests = append(digests, p.Digest)
			}
			if diff := gocmp.Diff(c.digest, digests); diff != "" {
				t.Errorf("digests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAStormIsDecidedAtOnce has many incidents ask for the same step.
func TestAStormIsDecidedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	for i := range 250 {
		d.begin(func(r *row) {
			if i%2 == 1 {
				r.ServiceID = 0 // without a name
			}
		})
	}
	d.sweep()
	if len(d.pages) != 250 {
		t.Fatalf("%d pages", len(d.pages))
	}
	for i, p := range d.pages {
		rule := "Checkout API's escalation policy"
		if i%2 == 1 {
			rule = ""
		}
		if p.row != int64(i+1) || p.UserID != ana || p.why.Rule != rule {
			t.Fatalf("page %d: %+v", i, p)
		}
	}
}

func TestShadowsGetCopiesAndCountForNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, main_), step(time.Hour, backup)}})
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
	d = newDesk(t, d.policies[paymentsPolicy])
	d.roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Name: "Payments", Schedule: s}
	d.unreachable(ana)
	d.begin()
	d.sweep()
	d.tells(t, "+0s pass over step 1 run 1", "+0s step 2 run 1: ben")
	if d.paged() != "ben" {
		t.Errorf("paged: %s", d.paged())
	}
}

func TestAPageExplainsItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t, workedExample())
	d.begin()
	d.advance(33 * time.Hour)
	until := time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)
	for i, want := range map[int]escalation.Why{
		0: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 1, Steps: 4, Run: 1, Runs: 4,
			Target: "main on call in Payments", Schedule: "payments", ScheduleName: "Payments", Position: "main", Layer: "weekly", Until: &until},
		4: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 3, Steps: 4, Run: 1, Runs: 4,
			Target: "everyone in Payments"},
		11: {Kind: "step", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Step: 4, Steps: 4, Run: 2, Runs: 4,
			Target: "the manager of Payments"},
		24: {Kind: "fallback", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Run: 1, Target: "Dana Levi"},
		25: {Kind: "administrators", Rule: "Checkout API's escalation policy", Policy: "payments", PolicyName: "Payments", Run: 1, Target: "every administrator"},
	} {
		if diff := gocmp.Diff(want, d.pages[i].why); diff != "" {
			t.Errorf("page %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestBegin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		urgency incident.Urgency
		opens   time.Duration
		phase   escalation.Phase
		after   time.Duration
	}{
		{incident.High, 0, escalation.Stepping, 0}, {incident.High, time.Hour, escalation.Stepping, 0},
		{incident.Low, 0, escalation.Stepping, 0}, {incident.Low, time.Hour, escalation.Waiting, time.Hour},
	} {
		phase, at := escalation.Begin(c.urgency, monday, monday.Add(c.opens))
		if phase != c.phase || !at.Equal(monday.Add(c.after)) {
			t.Errorf("%+v: %s at %s", c, phase, at)
		}
	}
}

func ExampleWhy_Sentence() {
	for _, w := range []escalation.Why{
		{Kind: "step", Step: 3, PolicyName: "Payments", Target: "everyone in Payments"},
		{Kind: "step", Schedule: "payments", ScheduleName: "Payments", Position: "main"},
		{Kind: "handover", Schedule: "payments", ScheduleName: "Payments", Position: "main"},
		{Kind: "step", Schedule: "payments", Target: "main on call in Payments", Shadow: true},
		{Kind: "fallback", Schedule: "payments"},
		{Kind: "administrators"},
		{Kind: "raised"},
		{Kind: "still_on_it"},
	} {
		fmt.Println(w.Sentence())
	}
	// Output:
	// Step 3 of Payments pages everyone in Payments
	// You are main on call in Payments
	// You are main on call in Payments now, and nobody has acknowledged yet
	// You shadow main on call in Payments
	// Nobody answered, and you are the fallback
	// Nobody answered, and you are an administrator
	// You acknowledged this, and its priority was raised
	// You acknowledged this some time ago. Are you still on it?
}
