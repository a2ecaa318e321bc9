package incident_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// group plays the signals of alerts of one group, feeding each outcome into the
// next, as the store does.
type group struct {
	alerts    map[string]incident.Alert
	incidents map[int64]incident.Incident
	rules     incident.Rules
}

func newGroup() *group {
	return &group{alerts: map[string]incident.Alert{}, incidents: map[int64]incident.Incident{}, rules: newStory(nil).rules}
}

func (g *group) open() []int64 {
	var numbers []int64
	for n, inc := range g.incidents {
		if inc.Open() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

func (g *group) firing(number int64) int {
	n := 0
	for _, a := range g.alerts {
		if a.Firing && a.IncidentNo == number {
			n++
		}
	}
	return n
}

func (g *group) send(minute float64, key string, action incident.Action, change ...func(*incident.Event)) incident.SignalChange {
	ev := incident.Event{Action: action, DedupKey: key, Group: "g", Title: "Disk " + key}
	for _, c := range change {
		c(&ev)
	}
	ev.Facts.Severity = ev.Severity // as package ingest does
	st := incident.State{}
	if a, known := g.alerts[key]; known {
		st.Alert = &a
		if inc, ok := g.incidents[a.IncidentNo]; ok {
			st.Incident = &inc
			st.OtherFiring = g.firing(a.IncidentNo)
			if a.Firing {
				st.OtherFiring--
			}
		}
	}
	if open := g.open(); len(open) > 0 {
		inc := g.incidents[open[0]]
		st.GroupIncident = &inc
	}
	out := incident.Receive(at(minute), st, ev, g.rules)
	if out.Result == incident.ResultIgnored {
		return out
	}
	if out.NewIncident {
		out.Incident.Number = int64(len(g.incidents)) + 1
		out.Alert.IncidentNo = out.Incident.Number
	}
	g.alerts[key], g.incidents[out.Incident.Number] = out.Alert, *out.Incident
	return out
}

func severity(s string) func(*incident.Event) { return func(ev *incident.Event) { ev.Severity = s } }
func mayWait(ev *incident.Event)              { ev.Low = true }
func level(n int) func(*incident.Event)       { return func(ev *incident.Event) { ev.Priority = &n } }
func startedAt(minute float64) func(*incident.Event) {
	return func(ev *incident.Event) { ev.StartedAt = at(minute) }
}

// acknowledged is the incident once a person, or without one a token, has it.
func (g *group) acknowledged(number int64, owner *int64) {
	inc, acked := g.incidents[number], at(0)
	inc.Status, inc.AcknowledgedAt, inc.AcknowledgedBy, inc.OwnerID = incident.Acknowledged, &acked, "x", owner
	g.incidents[number] = inc
}

func TestWhatPagesAgainInAGroup(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		first    []func(*incident.Event) // of alert a
		then     func(g *group) incident.SignalChange
		escalate incident.Escalate
		urgency  incident.Urgency
	}{
		{"a new alert", nil, func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger) },
			incident.EscalateRefire, incident.High},
		{"a repeat", nil, func(g *group) incident.SignalChange { return g.send(1, "a", incident.Trigger) },
			incident.EscalateNone, incident.High},
		{"one that comes back soon", nil, func(g *group) incident.SignalChange {
			g.send(1, "b", incident.Trigger)
			g.send(2, "b", incident.Resolve)
			return g.send(31, "b", incident.Trigger)
		}, incident.EscalateNone, incident.High},
		{"one that comes back after a silence", nil, func(g *group) incident.SignalChange {
			g.send(1, "b", incident.Trigger)
			g.send(2, "b", incident.Resolve)
			return g.send(32, "b", incident.Trigger)
		}, incident.EscalateRefire, incident.High},
		{"a worse severity", []func(*incident.Event){severity("warning")},
			func(g *group) incident.SignalChange { return g.send(1, "a", incident.Trigger, severity("critical")) },
			incident.EscalateRefire, incident.High},
		{"a severity that was there before", []func(*incident.Event){severity("critical")},
			func(g *group) incident.SignalChange {
				g.send(1, "a", incident.Trigger, severity("warning"))
				return g.send(2, "a", incident.Trigger, severity("critical"))
			}, incident.EscalateNone, incident.High},
		{"a severity where there was none", nil,
			func(g *group) incident.SignalChange { return g.send(1, "a", incident.Trigger, severity("critical")) },
			incident.EscalateNone, incident.High},
		{"a higher priority", []func(*incident.Event){level(2)},
			func(g *group) incident.SignalChange { return g.send(1, "a", incident.Trigger, level(1)) },
			incident.EscalateRefire, incident.High},
		{"a new alert of lower priority", []func(*incident.Event){level(2)},
			func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger, level(4)) },
			incident.EscalateRefire, incident.High},
		{"a new alert without a priority beside one of low urgency", []func(*incident.Event){level(4)},
			func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger) },
			incident.EscalateRefire, incident.High},
		{"a new alert with a low priority beside one without", nil,
			func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger, level(4)) },
			incident.EscalateRefire, incident.High},
		{"a new alert that may wait like the first", []func(*incident.Event){mayWait},
			func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger, mayWait) },
			incident.EscalateRefireRunning, incident.Low},
		{"a new alert that may not wait", []func(*incident.Event){mayWait},
			func(g *group) incident.SignalChange { return g.send(1, "b", incident.Trigger) },
			incident.EscalateRefire, incident.High},
		{"an alert that may wait no longer", []func(*incident.Event){mayWait},
			func(g *group) incident.SignalChange { return g.send(1, "a", incident.Trigger) },
			incident.EscalateRefire, incident.High},
		{"an alert that may wait beside one that may not", nil,
			func(g *group) incident.SignalChange {
				g.send(1, "b", incident.Trigger, mayWait)
				return g.send(2, "b", incident.Trigger, mayWait)
			}, incident.EscalateNone, incident.High},
	} {
		g := newGroup()
		g.send(0, "a", incident.Trigger, c.first...)
		out := c.then(g)
		if out.Escalate != c.escalate || out.Incident.Urgency != c.urgency || out.Incident.Number != 1 || out.Result != incident.ResultDeduplicated {
			t.Errorf("%s: escalates %d, %s, %s", c.name, out.Escalate, out.Incident.Urgency, out.Result)
		}
	}
}

func TestNewAlertAsksTheOwner(t *testing.T) {
	t.Parallel()
	owner := int64(7)
	for _, c := range []struct {
		name     string
		owner    *int64
		change   func(*incident.Event)
		asks     bool
		escalate incident.Escalate
	}{
		{"a person", &owner, severity("critical"), true, incident.EscalateNone},
		{"a token", nil, severity("critical"), false, incident.EscalateStart},
		{"a person, of what may wait", &owner, mayWait, false, incident.EscalateNone},
	} {
		g := newGroup()
		g.send(0, "a", incident.Trigger, c.change)
		g.acknowledged(1, c.owner)
		if out := g.send(1, "b", incident.Trigger, c.change); out.AskOwner != c.asks || out.Escalate != c.escalate {
			t.Errorf("%s: asks %t, escalates %d", c.name, out.AskOwner, out.Escalate)
		}
	}
}

func TestGroupResolvesWithItsLastAlert(t *testing.T) {
	t.Parallel()
	g := newGroup()
	for _, key := range []string{"a", "b", "c"} {
		g.send(0, key, incident.Trigger)
	}
	for i, key := range []string{"b", "a", "c"} {
		out := g.send(1, key, incident.Resolve)
		if open := i < 2; out.Incident.Open() != open || out.Result != incident.ResultResolved || (out.Escalate == incident.EscalateStop) == open {
			t.Errorf("after %s: %s, escalates %d", key, out.Incident.Status, out.Escalate)
		}
	}
	if out := g.send(2, "b", incident.Trigger); out.NewIncident || out.Incident.Number != 1 || out.Escalate != incident.EscalateStart {
		t.Errorf("an alert of it within the window: %+v", out)
	}
	if out := g.send(2, "c", incident.Trigger); out.Escalate != incident.EscalateNone || out.Incident.Number != 1 {
		t.Errorf("the next one of it: escalates %d", out.Escalate)
	}
}

func TestAlertThatChangesItsGroup(t *testing.T) {
	t.Parallel()
	other := func(ev *incident.Event) { ev.Group = "" }
	g := newGroup()
	g.send(0, "a", incident.Trigger)
	if out := g.send(1, "a", incident.Trigger, other); out.NewIncident || out.Incident.Number != 1 {
		t.Error("what fires left its incident")
	}
	g.send(2, "a", incident.Resolve)
	if out := g.send(3, "a", incident.Trigger, other); !out.NewIncident {
		t.Error("it reopened the incident of a group that it is not of")
	}
}

func TestRepeatOfWhatIsOverIsIgnored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		resends float64 // the minute in which it comes
		starts  []func(*incident.Event)
		ignored bool
	}{
		{"the same start", 5.2, []func(*incident.Event){startedAt(-1)}, true},
		{"the same start, 20 seconds later", 5 + 1.0/3, []func(*incident.Event){startedAt(-1)}, true},
		{"the same start, in a group's first notification", 5.5, []func(*incident.Event){startedAt(-1)}, false},
		{"an earlier start", 5.2, []func(*incident.Event){startedAt(-2)}, true},
		{"a later start", 5.2, []func(*incident.Event){startedAt(5.1)}, false},
		{"no start", 5.2, nil, false},
	} {
		for _, others := range []int{0, 1} {
			g := newGroup()
			g.send(0, "a", incident.Trigger, startedAt(-1))
			for range others {
				g.send(0, "b", incident.Trigger)
			}
			g.send(5, "a", incident.Resolve, startedAt(-1))
			out := g.send(c.resends, "a", incident.Trigger, c.starts...)
			if ignored := out.Result == incident.ResultIgnored; ignored != c.ignored || ignored != (out.Warning != "") {
				t.Errorf("%s, beside %d: %s, %q", c.name, others, out.Result, out.Warning)
			}
		}
	}
}

// A person who resolves does not end what the sender sees.
func TestRepeatAfterAResolveByHandReopens(t *testing.T) {
	t.Parallel()
	g := newGroup()
	g.send(0, "a", incident.Trigger, startedAt(-1))
	inc, a, resolved := g.incidents[1], g.alerts["a"], at(5)
	inc.Status, inc.ResolvedAt, inc.ResolvedBy = incident.Resolved, &resolved, "ana@acme.example"
	a.Firing, a.ResolvedAt = false, &resolved
	g.alerts["a"], g.incidents[1] = a, inc
	if out := g.send(6, "a", incident.Trigger, startedAt(-1)); out.Result != incident.ResultDeduplicated || out.Escalate != incident.EscalateStart {
		t.Errorf("%s, escalates %d", out.Result, out.Escalate)
	}
}

func TestSenderAcknowledges(t *testing.T) {
	t.Parallel()
	g := newGroup()
	if out := g.send(0, "a", incident.AcknowledgeAlert); out.Result != incident.ResultIgnored || out.Warning == "" {
		t.Errorf("of nothing: %+v", out)
	}
	g.send(0, "a", incident.Trigger)
	out := g.send(1, "a", incident.AcknowledgeAlert)
	if i := out.Incident; out.Result != incident.ResultAcknowledged || i.Status != incident.Acknowledged || i.OwnerID != nil ||
		i.AcknowledgedBy != "integration:SRE" || out.Escalate != incident.EscalateStop {
		t.Errorf("got %+v", out)
	}
	if due, armed := timerOf(out, incident.TimerAck); !armed || !due.Equal(at(1)) {
		t.Errorf("its expiry is looked at on %v", due)
	}
	owner := int64(7)
	g.incidents[1] = incident.Incident{Number: 1, Status: incident.Acknowledged, OwnerID: &owner, AskedAt: &start, Group: "g"}
	out = g.send(2, "a", incident.AcknowledgeAlert)
	if out.Result != incident.ResultIgnored || out.Warning == "" || *out.Incident.OwnerID != owner || out.Incident.AskedAt == nil {
		t.Errorf("of what a person has: %+v", out)
	}
	g.send(3, "a", incident.Resolve)
	if out := g.send(4, "a", incident.AcknowledgeAlert); out.Result != incident.ResultIgnored {
		t.Errorf("of what is resolved: %s", out.Result)
	}
}

func TestEscalationsOfABatchJoin(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]incident.Escalate{
		{incident.EscalateStart, incident.EscalateRefire, incident.EscalateStart},
		{incident.EscalateStart, incident.EscalateRefireRunning, incident.EscalateStart},
		{incident.EscalateRefireRunning, incident.EscalateWake, incident.EscalateRefire},
		{incident.EscalateWake, incident.EscalateRefireRunning, incident.EscalateRefire},
		{incident.EscalateRefireRunning, incident.EscalateRefire, incident.EscalateRefire},
		{incident.EscalateStop, incident.EscalateRefireRunning, incident.EscalateStop},
		{incident.EscalateRefireRunning, incident.EscalateStop, incident.EscalateStop},
		{incident.EscalateNone, incident.EscalateRefireRunning, incident.EscalateRefireRunning},
	} {
		if got := c[0].Then(c[1]); got != c[2] {
			t.Errorf("%d then %d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

// However signals come, a group has one open incident at most; what fires is part
// of it, and an incident that is not held open is open exactly while something of
// it fires.
func TestGroupInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := newGroup()
		minute := 0.0
		for range rapid.IntRange(1, 60).Draw(t, "signals") {
			minute += rapid.SampledFrom([]float64{0, 0.5, 2, 7, 40}).Draw(t, "gap")
			key := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "alert"))
			action := rapid.SampledFrom([]incident.Action{incident.Trigger, incident.Trigger, incident.Resolve, incident.AcknowledgeAlert}).Draw(t, "action")
			before := len(g.incidents)
			out := g.send(minute, key, action, func(ev *incident.Event) {
				ev.Low = rapid.Bool().Draw(t, "low")
				ev.Severity = rapid.SampledFrom([]string{"", "warning", "critical"}).Draw(t, "severity")
				if n := rapid.IntRange(0, 4).Draw(t, "priority"); n > 0 {
					ev.Priority = &n
				}
			})
			if len(g.incidents) > before && out.Escalate != incident.EscalateStart {
				t.Fatalf("a new incident pages nobody: %+v", out)
			}
			open := g.open()
			if len(open) > 1 {
				t.Fatalf("open at once: %v", open)
			}
			for k, a := range g.alerts {
				if a.Firing && (len(open) == 0 || a.IncidentNo != open[0]) {
					t.Fatalf("alert %s fires outside of the open incident %v: %+v", k, open, a)
				}
			}
			if len(open) > 0 {
				if inc := g.incidents[open[0]]; g.firing(open[0]) == 0 && inc.FlappingSince == nil {
					t.Fatalf("nothing fires in %+v", inc)
				}
			}
			endQuietPeriods(g, at(minute))
		}
	})
}

// endQuietPeriods carries out what the timers of flapping incidents lead to.
func endQuietPeriods(g *group, now time.Time) {
	for n, inc := range g.incidents {
		if c := incident.QuietPeriodDue(now, inc, g.firing(n), false); c.Changed {
			g.incidents[n] = c.Incident
		}
	}
}
