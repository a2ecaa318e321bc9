package escalation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// TestEscalationInvariants simulates weeks of random acknowledgments, outages, raises
// and edits, and checks the invariants of every escalation after each decision.
func TestEscalationInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := drawPolicy(t)
		d := newFixture(t, policy)
		d.roster = drawRoster(t)
		ledger := &ledger{policy: policy, last: map[int64]int{}, empty: map[int64]int{}}
		d.check = func(before escalation.Due, after escalation.Change) { ledger.check(t, d.now, before, after) }
		d.begin()
		for range rapid.IntRange(5, 60).Draw(t, "happenings") {
			happen(t, d, ledger)
			d.sweep()
			for _, r := range d.rows {
				if !r.ended && (r.next == nil || !r.next.After(d.now)) {
					t.Fatalf("escalation %d is stuck: %+v", r.ID, r)
				}
			}
		}
		reachesSomebody(t, d)
	})
}

// happen applies one random action to the newest escalation.
func happen(t *rapid.T, d *fixture, l *ledger) {
	r := d.rows[len(d.rows)-1]
	switch rapid.SampledFrom([]string{"time", "time", "time", "outage", "clock back", "answer", "raise", "escalate", "edit"}).Draw(t, "what") {
	case "time":
		d.advance(time.Duration(rapid.IntRange(1, 60*12).Draw(t, "minutes")) * time.Minute)
	case "outage":
		d.now = d.now.Add(time.Duration(rapid.IntRange(1, 60*48).Draw(t, "minutes")) * time.Minute)
		fired := l.fired
		if n, err := d.engine.Sweep(t.Context()); err != nil || n > 1 || l.fired > fired+1 {
			t.Fatalf("after an outage %d fired, and %d steps: %v", n, l.fired-fired, err)
		}
	case "clock back":
		d.now = d.now.Add(-time.Duration(rapid.IntRange(1, 30).Draw(t, "minutes")) * time.Minute)
	case "answer":
		r.Status = rapid.SampledFrom([]incident.Status{incident.Acknowledged, incident.Resolved}).Draw(t, "status")
		paged := len(d.pages)
		d.advance(8 * 24 * time.Hour) // longer than anything waits
		if len(d.pages) > paged || !r.ended {
			t.Fatalf("the escalation goes on after an answer: %+v", r)
		}
		d.begin()
	case "raise":
		if !r.ended {
			l.jump = true
			r.raise(d.now, rapid.IntRange(1, 3).Draw(t, "priority"))
		}
	case "escalate":
		if !r.ended {
			l.jump = true
			r.skip(d.now)
		}
	case "edit":
		d.roster = drawRoster(t)
		if r.State.FiredAt != nil && !r.ended {
			r.wake(d.now)
		}
	}
}

// ledger numbers the places of a policy: the steps of all runs in order, then
// fallback and administrators alternately.
type ledger struct {
	policy escalation.Policy
	last   map[int64]int // by escalation, the place that was told of last
	empty  map[int64]int // by escalation, how many places in a row found nobody
	fired  int           // steps that paged somebody
	jump   bool          // the present step was asked to fire again, or to end
}

func (l *ledger) check(t *rapid.T, now time.Time, before escalation.Due, after escalation.Change) {
	if after.Ended {
		if len(after.Pages) > 0 || before.Status == incident.Triggered {
			t.Fatalf("it ended wrongly: %+v", after)
		}
		return
	}
	if !after.NextAction.After(now) {
		t.Fatalf("at %s it is due again at %s", now, after.NextAction)
	}
	if after.State.FiredAt == nil {
		l.checkWaiting(t, now, before, after)
		return
	}
	if after.State.Deadline == nil || after.NextAction.After(*after.State.Deadline) {
		t.Fatalf("nothing ends the step: %+v", after)
	}
	for _, p := range after.Pages {
		if p.UserID == stranger {
			t.Fatalf("somebody without a contact was paged")
		}
	}
	if s := before.State; s.FiredAt != nil && s.Deadline != nil && now.Before(*s.Deadline) {
		if !s.NobodyReached() || len(after.Pages) == 0 {
			l.checkHandover(t, before, after)
			return
		}
		if after.State.Phase == escalation.PhaseSteps { // it begins with the first step
			delete(l.last, before.ID)
			l.empty[before.ID] = 0
		}
	}
	l.checkFiring(t, now, before, after)
}

// checkWaiting checks a step that waits for support hours or required cover.
func (l *ledger) checkWaiting(t *rapid.T, now time.Time, before escalation.Due, after escalation.Change) {
	one := before.Priority != nil && *before.Priority == 1
	if len(after.Pages) > 0 || one || before.Urgency != incident.Low && after.State.Deadline == nil {
		t.Fatalf("it waits wrongly: %+v", after)
	}
	for _, e := range after.Events {
		if e.Kind() == incident.EvPassedOver {
			_, place := l.place(t, e)
			l.follow(t, before, place)
			l.empty[before.ID]++
			l.last[before.ID] = place
		}
	}
}

func (l *ledger) checkHandover(t *rapid.T, before escalation.Due, after escalation.Change) {
	if *after.State.Deadline != *before.State.Deadline || after.State.Step != before.State.Step || after.Supersede {
		t.Fatalf("the step changed before its deadline: %+v, then %+v", before.State, after.State)
	}
	for _, p := range after.Pages {
		if slices.Contains(before.Paged, p.UserID) {
			t.Fatalf("%s was paged twice in one step", first[p.UserID])
		}
	}
}

// checkFiring follows the decisions through the script.
func (l *ledger) checkFiring(t *rapid.T, now time.Time, before escalation.Due, after escalation.Change) {
	if !after.State.FiredAt.Equal(now) {
		t.Fatalf("it fired at %s, and the timeout runs from %s", now, after.State.FiredAt)
	}
	if len(after.Events) > 2*len(l.policy.Steps)+4 {
		t.Fatalf("%d decisions at once", len(after.Events))
	}
	reached := false
	for _, e := range after.Events {
		kind, place := l.place(t, e)
		if kind == incident.EvExhausted {
			continue
		}
		if reached {
			t.Fatalf("it went on after it had reached somebody")
		}
		l.follow(t, before, place)
		if reached = kind == incident.EvStep; reached {
			l.empty[before.ID] = 0
			l.fired++
		} else {
			l.empty[before.ID]++
		}
		l.last[before.ID] = place
	}
	if reached != (len(after.Pages) > 0) {
		t.Fatalf("reached somebody is %v with %d pages", reached, len(after.Pages))
	}
	l.jump = false
}

// follow checks that a place may come after the one before it.
func (l *ledger) follow(t *rapid.T, before escalation.Due, place int) {
	steps, end := len(l.policy.Steps), len(l.policy.Steps)*(l.policy.Repeat+1)
	noFallback := len(l.policy.Fallback) == 0
	last, begun := l.last[before.ID]
	if !begun {
		last = -1
	}
	switch {
	case place == last+1:
	case place == last && l.jump: // raised
	case place == last+2 && last > end && (last-end)%2 == 0: // the fallback again, after an hour
	case place == last+2 && last >= end-1 && noFallback:
	case last < end && (last+1)%steps == 0 && l.empty[before.ID] >= steps && (place == end || noFallback && place == end+1): // a run for nobody
	default:
		t.Fatalf("from place %d to %d, of %d steps in %d places", last, place, steps, end)
	}
}

func (l *ledger) place(t *rapid.T, e incident.TimelineEvent) (incident.EventKind, int) {
	d, ok := incident.PlaceOf(e.Payload)
	if !ok {
		t.Fatalf("%s has no place in a policy", e.Kind())
	}
	end := len(l.policy.Steps) * (l.policy.Repeat + 1)
	switch d.Phase {
	case string(escalation.PhaseFallback):
		if d.Run == 1 {
			return e.Kind(), end
		}
		return e.Kind(), end + 2*(d.Run-1)
	case string(escalation.PhaseAdministrators):
		return e.Kind(), end + 2*(d.Run-1) + 1
	}
	return e.Kind(), (d.Run-1)*len(l.policy.Steps) + d.Step - 1
}

// reachesSomebody runs an escalation to the end of its policy without any action.
func reachesSomebody(t *rapid.T, d *fixture) {
	whole := 2 * time.Hour
	anybody := d.roster.Resolve([]escalation.Target{{Role: "administrator"}}, d.now)
	p := d.policies[paymentsPolicy]
	for i := range p.Steps { // what is held may outlast the run
		p.Steps[i].OutsideCover = escalation.Pass
	}
	for _, s := range p.Steps {
		whole += s.After(nil) * time.Duration(p.Repeat+1)
		anybody = append(anybody, d.roster.Resolve(withoutSchedules(s.Targets), d.now)...)
	}
	anybody = append(anybody, d.roster.Resolve(withoutSchedules(p.Fallback), d.now)...)
	d.rows[len(d.rows)-1].Status = incident.Resolved
	d.advance(8 * 24 * time.Hour)
	paged := len(d.pages)
	d.began = d.now
	d.begin()
	d.advance(whole)
	if len(anybody) > 0 && len(d.pages) == paged {
		t.Fatalf("%d people could be reached, and nobody was", len(anybody))
	}
}

func withoutSchedules(targets []escalation.Target) []escalation.Target {
	return slices.DeleteFunc(slices.Clone(targets), func(t escalation.Target) bool { return t.Schedule != 0 })
}

func drawPolicy(t *rapid.T) escalation.Policy {
	target := rapid.SampledFrom([]escalation.Target{mainOnCall, backup, team, manager, nobody, user(ana), user(dana), {Role: "responder"}})
	p := escalation.Policy{
		Repeat:   rapid.IntRange(0, 3).Draw(t, "repeat"),
		Fallback: rapid.SliceOfN(target, 0, 2).Draw(t, "fallback"),
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := escalation.Step{
			Timeout: int64(rapid.IntRange(1, 6*3600).Draw(t, fmt.Sprintf("timeout %d", i))),
			Targets: rapid.SliceOfN(target, 1, 3).Draw(t, fmt.Sprintf("targets %d", i)),
		}
		if rapid.Bool().Draw(t, "hold") {
			s.OutsideCover = escalation.Hold
		}
		if rapid.Bool().Draw(t, "timeout for P1") {
			s.TimeoutFor = map[int]int64{1: 300}
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// drawRoster has gaps, shadows, short turns, and people who cannot be reached.
func drawRoster(t *rapid.T) *escalation.Roster {
	roster := newRoster()
	l := weekly(rapid.SliceOfNDistinct(rapid.SampledFrom([]oncall.Person{1, 2, 3, 6}), 0, 4, rapid.ID).Draw(t, "members")...)
	l.Rotate = &oncall.Rotate{Every: rapid.IntRange(1, 30).Draw(t, "hours"), Unit: oncall.Hour}
	if rapid.Bool().Draw(t, "restricted") {
		l.Restrictions = []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Wednesday}, From: 9 * 60, To: 17 * 60}}
	}
	s := schedule(l)
	if rapid.Bool().Draw(t, "shadowed") {
		s.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(chiara), Position: "main"}}
	}
	if rapid.Bool().Draw(t, "required cover") {
		s.Versions[0].RequiredCover = []oncall.Window{{Days: []oncall.Weekday{oncall.Monday, oncall.Thursday}, From: 8 * 60, To: 18 * 60}}
	}
	if rapid.Bool().Draw(t, "support hours") {
		roster.SupportHours = officeHours()
	}
	roster.Schedules[paymentsSchedule] = escalation.NamedSchedule{Slug: "payments", Name: "Payments", Schedule: s}
	for _, id := range rapid.SliceOfDistinct(rapid.SampledFrom([]int64{ana, ben, chiara, dana, root}), rapid.ID).Draw(t, "unreachable") {
		p := roster.People[id]
		p.Reachable = false
		roster.People[id] = p
	}
	return roster
}
