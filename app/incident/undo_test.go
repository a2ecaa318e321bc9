package incident_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// undo resolves and takes that back, some seconds later.
func undo(t *testing.T, inc incident.Incident, by incident.By, seconds int) (incident.Change, error) {
	t.Helper()
	c, err := incident.ResolveBy(inc, by, "by mistake")
	if err != nil {
		t.Fatal(err)
	}
	var detail incident.Detail
	if err := json.Unmarshal(c.Timeline[0].Data, &detail); err != nil {
		t.Fatal(err)
	}
	var held incident.Held
	if detail.Held != nil {
		held = *detail.Held
	}
	by.At = by.At.Add(time.Duration(seconds) * time.Second)
	return incident.UndoResolve(c.Incident, by, held, time.Hour)
}

func TestUndoLeavesAllAsItWas(t *testing.T) {
	t.Parallel()
	asked, flapping := acknowledged(t), triggered()
	since := at(1)
	asked.AskedAt, flapping.FlappingSince = &since, &since
	for name, before := range map[string]incident.Incident{"acknowledged": acknowledged(t), "triggered": triggered(), "asked": asked, "flapping": flapping} {
		c, err := undo(t, before, person(7, 2), 10)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c.Incident.ChangedAt = before.ChangedAt
		if diff := cmp.Diff(before, c.Incident); diff != "" {
			t.Errorf("%s: taking a resolve back changed (-before +after):\n%s", name, diff)
		}
		expect(t, c.Timeline, incident.EvResolveUndone)
		want := incident.EscalateNone
		if name == "triggered" {
			want = incident.EscalateResume // nobody has it, so that the policy must go on
		}
		if c.Escalate != want || c.ReviveAlerts == nil {
			t.Errorf("%s: the escalation gets %v, alerts are revived from %v", name, c.Escalate, c.ReviveAlerts)
		}
		if timed := len(c.Timers) > 0; timed != (name != "triggered") {
			t.Errorf("%s: the timers are %v", name, c.Timers)
		}
	}
}

func TestUndoIsForAMomentAndForWhoeverResolved(t *testing.T) {
	t.Parallel()
	if _, err := undo(t, acknowledged(t), person(7, 2), int(incident.UndoWithin.Seconds())); err != nil {
		t.Errorf("at the last moment: %v", err)
	}
	if _, err := undo(t, acknowledged(t), person(7, 2), int(incident.UndoWithin.Seconds())+1); err == nil {
		t.Error("it can be taken back too late")
	}
	if _, err := incident.UndoResolve(resolved(t), person(8, 1), incident.Held{}, 0); err == nil {
		t.Error("somebody else can take it back")
	}
	if _, err := incident.UndoResolve(triggered(), person(7, 1), incident.Held{}, 0); err == nil {
		t.Error("what is open can be taken back")
	}
}
