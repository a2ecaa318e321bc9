package incident_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestReceiveKeepsItsArguments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &story{timers: map[string]time.Time{}, rules: newStory(nil).rules}
		minute := 0.0
		for range rapid.IntRange(1, 40).Draw(t, "signals") {
			minute += rapid.SampledFrom([]float64{0, 0.5, 2, 7, 40}).Draw(t, "gap")
			ev := incident.Event{Action: incident.Trigger, DedupKey: "key"}
			if rapid.Bool().Draw(t, "recovered") {
				ev.Action = incident.Resolve
			}
			if level := rapid.IntRange(0, 4).Draw(t, "priority"); level > 0 {
				ev.Priority = &level
			}
			ev.Snooze = rapid.SampledFrom([]time.Duration{0, 0, time.Hour}).Draw(t, "snooze")
			before := clone(s.state)
			out := incident.Receive(at(minute), s.state, ev, s.rules)
			if diff := cmp.Diff(before, clone(s.state)); diff != "" {
				t.Fatalf("the state was changed: %s", diff)
			}
			check(t, s.state, out)
			if out.Result != incident.ResultIgnored {
				alert := out.Alert
				s.state.Alert, s.state.Incident = &alert, out.Incident
			}
			due, armed := timerOf(out, incident.TimerQuietPeriod)
			if armed {
				s.timers[incident.TimerQuietPeriod] = due
			}
			// What stands open in silence is looked at again.
			if inc := s.state.Incident; inc != nil && (inc.FlappingSince != nil || inc.MutedUntil != nil) && s.timers[incident.TimerQuietPeriod].IsZero() {
				t.Fatalf("nobody comes back to %+v", inc)
			}
		}
	})
}

// A batch that is tried twice starts from the same state.
func TestReopensOfOneStateDoNotShareMemory(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.breach(0)
	s.recovered(1)
	s.state.Incident.ReopenedAt = append(make([]time.Time, 0, 8), at(-30))
	ev := incident.Event{Action: incident.Trigger}
	first := incident.Receive(at(2), s.state, ev, s.rules).Incident.ReopenedAt
	second := incident.Receive(at(3), s.state, ev, s.rules).Incident.ReopenedAt
	if diff := cmp.Diff([][]time.Time{{at(-30), at(2)}, {at(-30), at(3)}}, [][]time.Time{first, second}); diff != "" {
		t.Error(diff)
	}
}

// check holds an outcome against what is always true.
func check(t *rapid.T, before incident.State, out incident.SignalChange) {
	inc := out.Incident
	wasOpen := before.Incident != nil && before.Incident.Open()
	switch {
	case out.Result == incident.ResultIgnored:
		if len(out.Timeline)+len(out.Timers) > 0 || out.Escalate != incident.EscalateNone {
			t.Fatalf("ignored, and yet: %+v", out)
		}
	case out.Warning != "" && (out.Result != incident.ResultSuppressed || inc.FlappingSince == nil):
		t.Fatalf("%s, and yet warned: %s", out.Result, out.Warning)
	case out.NewIncident != (out.Result == incident.ResultCreated):
		t.Fatalf("result %s, new %v", out.Result, out.NewIncident)
	case out.Alert.Firing && !inc.Open():
		t.Fatal("an alert fires in a resolved incident")
	case !wasOpen && inc.Open() && out.Escalate != incident.EscalateStart && inc.FlappingSince == nil && inc.MutedUntil == nil:
		t.Fatal("an incident opened in silence, and nobody comes back to it")
	case wasOpen && !inc.Open() && out.Escalate != incident.EscalateStop:
		t.Fatal("a resolved incident goes on escalating")
	case out.Result == incident.ResultSuppressed && (out.Escalate != incident.EscalateNone || out.AskOwner):
		t.Fatal("suppressed, and yet it pages")
	}
}

func timerOf(out incident.SignalChange, kind string) (time.Time, bool) {
	for _, timer := range out.Timers {
		if timer.Kind == kind {
			return timer.Due, true
		}
	}
	return time.Time{}, false
}

// clone copies all that the state points to.
func clone(s incident.State) incident.State {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	var c incident.State
	if err := json.NewDecoder(strings.NewReader(string(text))).Decode(&c); err != nil {
		panic(err)
	}
	return c
}

func BenchmarkReceive(b *testing.B) {
	level := 2
	ev := incident.Event{Action: incident.Trigger, Title: "Fast", DedupKey: "key", Priority: &level, Facts: incident.Facts{Sender: "SRE"}}
	rules := newStory(b).rules
	first := incident.Receive(start, incident.State{}, ev, rules)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			incident.Receive(start, incident.State{}, ev, rules)
		}
	})
	b.Run("repeat", func(b *testing.B) {
		b.ReportAllocs()
		state := incident.State{Alert: &first.Alert, Incident: first.Incident}
		for b.Loop() {
			incident.Receive(start, state, ev, rules)
		}
	})
}
