package escalation_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// everybody resolves every decision to one person.
type everybody struct{}

func (everybody) Resolve(escalation.Decision) []escalation.Reached {
	return []escalation.Reached{{UserID: 1}}
}
func (everybody) NextCover(escalation.Decision) time.Time { return time.Time{} }

// TestRunWaitsForRunBefore lets steps end early, since every attempt failed, and checks
// that a further run begins no sooner than the timeouts of the run before it would have
// ended.
func TestRunWaitsForRunBefore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		policy := escalation.Policy{Repeat: rapid.IntRange(0, 4).Draw(t, "repeat")}
		var whole time.Duration
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			timeout := rapid.Int64Range(1, 7200).Draw(t, "timeout")
			policy.Steps = append(policy.Steps, escalation.Step{Timeout: timeout, Targets: []escalation.Target{{User: 1}}})
			whole += time.Duration(timeout) * time.Second
		}
		now := monday
		r := escalation.Running{State: escalation.State{Phase: escalation.PhaseSteps}, Active: true}
		began, run := now, 0
		for range 4 * len(policy.Steps) * (policy.Repeat + 1) {
			firings, state := policy.Fire(r.State, now, nil, everybody{})
			r.State = state
			for _, f := range firings {
				if f.Phase != escalation.PhaseSteps {
					if run != policy.Repeat {
						t.Fatalf("after run %d of %d came the fallback", run, policy.Repeat)
					}
					return
				}
				if f.Run != run {
					if early := whole - now.Sub(began); early > 0 {
						t.Fatalf("run %d began %s too early", f.Run, early)
					}
					began, run = now, f.Run
				}
			}
			if len(firings) > 0 && rapid.Bool().Draw(t, "fails") {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(r.State.Deadline.Sub(now))-1).Draw(t, "after")))
				r, _, _ = escalation.PassOver(now, r, false)
				continue
			}
			now = *r.State.Deadline
		}
		t.Fatal("the policy does not end")
	})
}

// A timeout that has a weekend in it owes no more than the policy says.
func TestOwedIsBoundedByTheRun(t *testing.T) {
	t.Parallel()
	policy := escalation.Policy{Repeat: 1, Steps: []escalation.Step{{Timeout: 600, Targets: []escalation.Target{{User: 1}}}}}
	friday := monday.Add(-3 * 24 * time.Hour)
	deadline := friday.Add(64 * time.Hour)
	r := escalation.Running{Active: true, State: escalation.State{Phase: escalation.PhaseSteps, Reached: true, FiredAt: &friday, Deadline: &deadline}}
	r, _, ok := escalation.PassOver(friday.Add(time.Minute), r, false)
	if !ok {
		t.Fatal("the step goes on")
	}
	if _, waiting := policy.Fire(r.State, friday.Add(time.Minute), nil, everybody{}); !waiting.Deadline.Equal(friday.Add(11 * time.Minute)) {
		t.Errorf("the next run waits until %s", waiting.Deadline)
	}
}

func TestEscalatingByHandDoesNotWait(t *testing.T) {
	t.Parallel()
	policy := escalation.Policy{Repeat: 1, Steps: []escalation.Step{{Timeout: 600, Targets: []escalation.Target{{User: 1}}}}}
	_, state := policy.Fire(escalation.State{Phase: escalation.PhaseSteps}, monday, nil, everybody{})
	r, _, ok := escalation.PassOver(monday.Add(time.Minute), escalation.Running{State: state, Active: true}, false)
	if !ok || r.State.Owed != 9*time.Minute {
		t.Fatalf("it is owed %s", r.State.Owed)
	}
	if firings, waiting := policy.Fire(r.State, monday.Add(time.Minute), nil, everybody{}); len(firings) > 0 || !waiting.Deadline.Equal(monday.Add(10*time.Minute)) {
		t.Fatalf("%+v fired, and it waits until %s", firings, waiting.Deadline)
	}
	r, _ = escalation.Apply(monday.Add(2*time.Minute), incident.EscalateNext, r, monday)
	if firings, _ := policy.Fire(r.State, monday.Add(2*time.Minute), nil, everybody{}); len(firings) != 1 || firings[0].Run != 1 {
		t.Errorf("by hand %+v fired", firings)
	}
}
