package incident_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// undo resolves and takes that back, some seconds later.
func undo(t *testing.T, inc incident.Incident, by incident.By, seconds int) (incident.Change, incident.Outcome) {
	t.Helper()
	c := do(t, inc, by, incident.ActResolve{FixedBy: "by mistake"}, incident.Known{})
	known := expiring(time.Hour)
	stored := incident.EncodePayload(c.Timeline[0].Payload)
	if ended := incident.DecodePayload(incident.EvResolved, []byte(stored)).(incident.ResolvedPayload).Ended; ended != nil {
		known.Ended = *ended
	}
	by.At = by.At.Add(time.Duration(seconds) * time.Second)
	c, out, err := try(c.Incident, by, incident.ActUndoResolve{}, known)
	if err != nil {
		t.Fatal(err)
	}
	return c, out
}

func TestUndoRestoresTheIncident(t *testing.T) {
	t.Parallel()
	asked, flapping := acknowledged(t), triggered()
	since := at(1)
	asked.AskedAt, flapping.FlappingSince = &since, &since
	for name, before := range map[string]incident.Incident{"acknowledged": acknowledged(t), "triggered": triggered(), "asked": asked, "flapping": flapping} {
		before = withPriority(before, 1)
		c, _ := undo(t, before, person(7, 2), 10)
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

func TestUndoIsForAMoment(t *testing.T) {
	t.Parallel()
	last := int(incident.UndoWithin.Seconds())
	if _, out := undo(t, acknowledged(t), person(7, 2), last); out.Kind != incident.Done {
		t.Errorf("at the last moment: %+v", out)
	}
	if _, out := undo(t, acknowledged(t), person(7, 2), last+1); out.Reason != incident.ReasonTooLate {
		t.Errorf("too late: %+v", out)
	}
}
