package escalation_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

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
			d := newFixture(t, p)
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

func TestRaisePagesStepAgain(t *testing.T) {
	t.Parallel()
	p := workedExample()
	p.Steps[1].TimeoutFor = map[int]int64{1: 300}
	d := newFixture(t, p)
	r := d.begin()
	d.advance(90 * time.Minute)
	r.raise(d.now, 1)
	d.advance(5 * time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben",
		"+1h30m step 2 run 1, instead: ben", "+1h35m step 3 run 1, instead: ana ben chiara")
}

// TestRaiseInEmptyStep is a raise in a step that has become empty.
func TestRaiseInEmptyStep(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	r := d.begin()
	d.advance(90 * time.Minute)
	d.unreachable(ben)
	r.raise(d.now, 1)
	d.advance(time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben",
		"+1h30m pass over step 2 run 1", "+1h30m step 3 run 1, instead: ana chiara")
}

func TestRaiseAfterExhaustion(t *testing.T) {
	t.Parallel()
	p := escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}}
	d := newFixture(t, p)
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

func TestLowUrgencyIsDigest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fixture, *row) // an hour after it began to wait
		until  time.Duration
		story  []string
		digest []bool
	}{
		"in the morning": {func(*fixture, *row) {}, 11 * time.Hour,
			[]string{"+10h step 1 run 1: ana", "+11h step 2 run 1, instead: ben"}, []bool{true, false}},
		"past an empty step": {func(d *fixture, _ *row) { d.unreachable(ana) }, 11 * time.Hour,
			[]string{"+10h pass over step 1 run 1", "+10h step 2 run 1: ben"}, []bool{true}},
		"raised in the night": {func(d *fixture, r *row) { r.raise(d.now, 1) }, 2 * time.Hour,
			[]string{"+1h step 1 run 1: ana", "+2h step 2 run 1, instead: ben"}, []bool{false, false}},
		"escalated in the night": {func(d *fixture, r *row) { r.skip(d.now) }, 2 * time.Hour,
			[]string{"+1h step 1 run 1: ana", "+2h step 2 run 1, instead: ben"}, []bool{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newFixture(t, workedExample())
			r := d.begin(func(r *row) {
				r.State.Phase, r.Urgency = escalation.PhaseWaiting, incident.Low
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
