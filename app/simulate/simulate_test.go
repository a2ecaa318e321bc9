package simulate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/oncall"
	"github.com/tocsin-oncall/tocsin/app/simulate"
)

// TestWorkedExample follows the policy over all four runs, to the minute.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.Span = 34 * time.Hour
	var got []string
	for _, e := range a.run(t).Entries {
		at := fmt.Sprintf("%dm ", e.At.Sub(evening)/time.Minute)
		switch e.Kind {
		case simulate.Fired:
			got = append(got, fmt.Sprintf("%s%s %d.%d %v", at, e.Place.Phase, e.Place.Run, e.Place.Step, e.Place.People))
		case simulate.PassedOver, simulate.Exhausted, simulate.HandedOver:
			got = append(got, at+string(e.Kind))
		}
	}
	var want []string
	for run := range 4 {
		at := run * 480
		want = append(want, fmt.Sprintf("%dm steps %d.1 [2]", at, run+1), fmt.Sprintf("%dm steps %d.2 [3]", at+60, run+1),
			fmt.Sprintf("%dm steps %d.3 [1 2 3]", at+180, run+1), fmt.Sprintf("%dm steps %d.4 [4]", at+420, run+1))
	}
	want = append(want, "1920m exhausted", "1920m fallback 1.0 [4]", "1935m administrators 1.0 [5]", "1995m fallback 2.0 [4]")
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An acknowledgment at any time ends all pages.
func TestAckStopsPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := newAcme()
		after := time.Duration(rapid.IntRange(0, 40*60).Draw(t, "minutes")) * time.Minute
		a.Span = 48 * time.Hour
		kind := rapid.SampledFrom([]simulate.AnswerKind{simulate.Acknowledge, simulate.Resolve}).Draw(t, "kind")
		a.answers(simulate.Answer{After: after, Person: rapid.Int64Range(ana, admin).Draw(t, "who"), Kind: kind})
		timeline, err := a.try()
		if err != nil {
			t.Fatal(err)
		}
		last := timeline.Entries[len(timeline.Entries)-1]
		if timeline.Cut || string(last.Kind) != string(kind)+"d" && string(last.Kind) != string(kind)+"ed" || !last.At.Equal(evening.Add(after)) {
			t.Fatalf("after an answer at %s comes %+v", after, last)
		}
		if !slices.IsSortedFunc(timeline.Entries, func(x, y simulate.Entry) int { return x.At.Compare(y.At) }) {
			t.Fatal("the entries are not in the order of time")
		}
		for _, e := range timeline.Entries {
			if e.Message != nil && !e.Message.Last.Before(last.At) {
				t.Fatalf("somebody is told at %s, the moment of the answer or later", e.Message.Last)
			}
		}
	})
}

// An answer at the instant of a step is applied before the step.
func TestAnswerIsBeforeDueStep(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.answers(simulate.Answer{After: time.Hour, Person: ben, Kind: simulate.Acknowledge})
	if got := kinds(a.run(t)); got != "received step told told acknowledged" {
		t.Errorf("got %s", got)
	}
}

func TestAnswersInAnyOrder(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.answers(simulate.Answer{After: 3 * time.Minute, Person: ben, Kind: simulate.Resolve},
		simulate.Answer{After: 4 * time.Minute, Person: ben, Kind: simulate.Acknowledge},
		simulate.Answer{After: time.Minute, Person: ben, Kind: simulate.Acknowledge})
	if got := kinds(a.run(t)); got != "received step told acknowledged resolved unchanged" {
		t.Errorf("got %s", got)
	}
	if a.Answers[0].Kind != simulate.Resolve {
		t.Error("the caller's answers were put in another order")
	}
}

// With a step every second, the messages to one address are bundled from the fourth on.
func TestPagesAreBundled(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.policy = escalation.Policy{Repeat: 9, Steps: []escalation.Step{{Timeout: 1, Targets: []escalation.Target{{User: ana}}}}, Fallback: []escalation.Target{{User: ben}}}
	a.Span = 2 * time.Minute
	var got []string
	for _, e := range a.run(t).Entries {
		if e.Kind == simulate.Told && e.Person == ana {
			got = append(got, fmt.Sprintf("%s %v", e.At.Sub(evening), e.Message.Gathered))
		}
	}
	if diff := gocmp.Diff([]string{"0s false", "1s false", "2s false", "1m3s true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A gathering message is withdrawn by an acknowledgment.
func TestGatheringMessageIsWithdrawn(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.policy = escalation.Policy{Repeat: 9, Steps: []escalation.Step{{Timeout: 1, Targets: []escalation.Target{{User: ana}}}}}
	a.answers(simulate.Answer{After: 30 * time.Second, Person: ana, Kind: simulate.Acknowledge})
	timeline := a.run(t)
	told := slices.DeleteFunc(slices.Clone(timeline.Entries), func(e simulate.Entry) bool { return e.Kind != simulate.Told || e.Person != ana })
	if len(told) != 3 || timeline.Cut {
		t.Errorf("%s", kinds(timeline))
	}
}

// Ben is asked three times whether he is still on it, each time in a gathering message
// that his answer withdraws. The fourth is sent at once, since nothing was sent to him
// for five minutes.
func TestWithdrawnMessagesDoNotCount(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.contents.Priorities[1].AckExpires = 60
	a.policy = escalation.Policy{Repeat: 9, Steps: []escalation.Step{{Timeout: 1, Targets: []escalation.Target{{User: ben}}}}}
	for _, seconds := range []float64{2.5, 100, 200, 300} {
		a.Answers = append(a.Answers, simulate.Answer{After: time.Duration(seconds * float64(time.Second)), Person: ben, Kind: simulate.Acknowledge})
	}
	a.Span = 10 * time.Minute
	var got []string
	for _, e := range a.run(t).Entries {
		if e.Kind == simulate.Told {
			got = append(got, fmt.Sprint(e.At.Sub(evening)))
		}
	}
	if diff := gocmp.Diff([]string{"0s", "1s", "2s", "6m0s"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A shadow's acknowledgment is recorded once, as in the server.
func TestShadowAnswersOnce(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.schedule.Versions[0].Shadows = []oncall.Shadow{{Person: oncall.Person(dana), Position: "main"}}
	a.answers(simulate.Answer{After: time.Minute, Person: dana, Kind: simulate.Acknowledge}, simulate.Answer{After: 2 * time.Minute, Person: dana, Kind: simulate.Acknowledge})
	a.Span = 3 * time.Minute
	timeline := a.run(t)
	if got := kinds(timeline); got != "received step told told shadow_ack unchanged" {
		t.Fatalf("got %s", got)
	}
	if text := timeline.Entries[5].Text; !strings.Contains(text, "as a shadow already") {
		t.Errorf("the second answer is told as %q", text)
	}
}

// A timer that has nothing to do does not extend Until.
func TestUntilIsLastEntry(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.contents.Priorities[1].AckExpires = 3600
	a.answers(simulate.Answer{After: time.Minute, Person: ben, Kind: simulate.Acknowledge},
		simulate.Answer{After: 2 * time.Minute, Person: ben, Kind: simulate.Resolve})
	if got := a.run(t); got.Cut || !got.Until.Equal(evening.Add(2*time.Minute)) {
		t.Errorf("followed until %s, cut is %v", got.Until, got.Cut)
	}
}

// The person is reachable according to the roster, but has no method: the step is
// passed
// over at once.
func TestNobodyReachable(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.Policy = func(int64) (escalation.NamedPolicy, error) {
		// By now the roster is made, from which on Ben is gone.
		a.Recipients[ben] = notify.Recipient{UserID: ben}
		return escalation.NamedPolicy{Name: "Payments", Policy: a.policy}, nil
	}
	a.Span = time.Minute
	timeline := a.run(t)
	if got := kinds(timeline); got != "received step passed_over step told" {
		t.Errorf("got %s", got)
	}
	if !timeline.Entries[2].Place.FailedToSend || timeline.Entries[4].Person != chiara {
		t.Errorf("got %+v", timeline.Entries)
	}
}

// All steps are passed over once, and the fallback again after an hour.
func TestNoAdministratorReachable(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.policy = escalation.Policy{Steps: a.policy.Steps[:1], Fallback: a.policy.Fallback}
	a.Policy = func(int64) (escalation.NamedPolicy, error) {
		clear(a.Recipients)
		return escalation.NamedPolicy{Name: "Payments", Policy: a.policy}, nil
	}
	a.Span = 90 * time.Minute
	timeline := a.run(t)
	if got, want := kinds(timeline), "received step passed_over exhausted step passed_over step step passed_over step"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if at := timeline.Entries[7].At.Sub(evening); at != time.Hour {
		t.Errorf("the next try comes after %s", at)
	}
}

func TestServiceOfIntegration(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.Integration = catalog.Integration{Name: "any"}
	if got := a.run(t).Entries[0].Signal; got.Service.ID != 1 || got.Priority == nil || *got.Priority != 2 || got.DedupKey != "get-data" {
		t.Errorf("by name: %+v", got)
	}
	a = newAcme()
	a.Payload = []byte(strings.Replace(breach, "checkout-api", "ledger", 1))
	if got := a.run(t).Entries[0].Signal; got.Service.ID != 1 || len(got.Warnings) != 1 {
		t.Errorf("by key: %+v", got)
	}
}

// The dedup rule applies as in the server.
func TestDedupRule(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.Integration.Dedup = `event.service + "/" + event.slo.name`
	a.contents.Integrations = []catalog.Integration{a.Integration}
	if got := a.run(t).Entries[0].Signal; got.DedupKey != "checkout-api/Availability of get data API" || got.Warnings != nil {
		t.Errorf("the key is %q with %q", got.DedupKey, got.Warnings)
	}
	a = newAcme()
	a.Integration.Dedup = `event.cluster`
	if got := a.run(t).Entries[0].Signal; got.DedupKey != "get-data" || len(got.Warnings) != 1 {
		t.Errorf("where the rule fails the key is %q with %q", got.DedupKey, got.Warnings)
	}
}

func TestInvalidInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*acme)
		kind   fault.Kind
		fields []string
	}{
		"no JSON":        {func(a *acme) { a.Payload = []byte("breach") }, fault.KindMalformed, nil},
		"no service":     {func(a *acme) { a.Payload = []byte(`{"sli": "availability", "slo": {"name": "a"}}`) }, fault.KindInvalid, []string{"service"}},
		"no such":        {func(a *acme) { a.Integration.ServiceID = nil; a.contents.Services = nil }, fault.KindInvalid, []string{"service"}},
		"too long":       {func(a *acme) { a.Span = simulate.MaxSpan + 1 }, fault.KindInvalid, []string{"for"}},
		"backwards":      {func(a *acme) { a.Span = -1 }, fault.KindInvalid, []string{"for"}},
		"wrong answers":  {func(a *acme) { a.answers(simulate.Answer{}, simulate.Answer{Person: 99, Kind: "sleep", After: -1}) }, fault.KindInvalid, []string{"answers[0].kind", "answers[1].user", "answers[1].kind", "answers[1].after"}},
		"a right answer": {func(a *acme) { a.answers(simulate.Answer{Person: ana, Kind: simulate.Resolve}) }, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAcme()
			c.change(a)
			_, err := a.try()
			var f *fault.Error
			var kind fault.Kind
			var fields []string
			if errors.As(err, &f) {
				kind = f.Kind
				for _, field := range f.Fields {
					fields = append(fields, field.Path)
				}
			}
			if kind != c.kind || !slices.Equal(fields, c.fields) {
				t.Errorf("got %v with %v", err, fields)
			}
		})
	}
}

// With a policy that cannot be read, Run fails.
func TestUnreadablePolicy(t *testing.T) {
	t.Parallel()
	a := newAcme()
	broken := errors.New("unexpected end of JSON input")
	a.Policy = func(int64) (escalation.NamedPolicy, error) { return escalation.NamedPolicy{}, broken }
	if _, err := a.try(); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

// The timeline is cut after MaxEntries and after the span.
func TestMaxEntries(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.policy = escalation.Policy{Repeat: 100, Steps: slices.Repeat([]escalation.Step{{Timeout: 1, Targets: []escalation.Target{{Team: 1}}}}, 10)}
	a.answers(simulate.Answer{After: 71 * time.Hour, Kind: simulate.Acknowledge}, simulate.Answer{After: 70 * time.Hour, Person: ana, Kind: simulate.Resolve})
	timeline := a.run(t)
	if n := len(timeline.Entries); !timeline.Cut || n < simulate.MaxEntries || n > simulate.MaxEntries+10 {
		t.Errorf("%d entries, cut is %v", n, timeline.Cut)
	}
	last := timeline.Entries[len(timeline.Entries)-1]
	if last.Kind != simulate.LeftOut || last.Text != "What comes after the first 1000 lines is left out, 2 answers with it." {
		t.Errorf("it ends with %+v", last)
	}
	if !timeline.Until.Equal(last.At) {
		t.Errorf("followed until %s, with a last entry at %s", timeline.Until, last.At)
	}
	a = newAcme()
	if timeline = a.run(t); !timeline.Cut || !timeline.Until.Equal(evening.Add(simulate.DefaultSpan)) {
		t.Errorf("cut is %v, until %s", timeline.Cut, timeline.Until)
	}
}

// kinds are those of the entries, in order.
func kinds(t simulate.Timeline) string {
	all := make([]string, len(t.Entries))
	for i, e := range t.Entries {
		all[i] = string(e.Kind)
	}
	return strings.Join(all, " ")
}

// An answer without a person is by the one who was notified last before it.
func TestAnswerWithoutPerson(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{
		1: "Ben Adeyemi", time.Hour: "Ben Adeyemi", time.Hour + 1: "Chiara Conti", 2 * time.Hour: "Chiara Conti",
	} {
		a := newAcme()
		a.answers(simulate.Answer{After: after + time.Minute, Kind: simulate.Resolve}, simulate.Answer{After: after, Kind: simulate.Acknowledge})
		var got []string
		for _, e := range a.run(t).Entries {
			if e.Kind == simulate.Acknowledged || e.Kind == simulate.ResolvedBy || e.Kind == simulate.Unchanged {
				got = append(got, fmt.Sprintf("%s %s", e.Kind, nameOf(e.Person)))
			}
		}
		if diff := gocmp.Diff([]string{"acknowledged " + want, "resolved " + want}, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
}

// An answer that changes nothing has an entry, is counted in LeftOut, or is refused
// with
// its field.
func TestUselessAnswerIsReported(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*acme)
		answer simulate.Answer
	}{
		"before anybody is told": {func(*acme) {}, simulate.Answer{Kind: simulate.Acknowledge}},
		"after the span":         {func(*acme) {}, simulate.Answer{After: 100 * time.Hour, Person: ana, Kind: simulate.Acknowledge}},
		"after the span asked for": {func(a *acme) { a.Span = time.Hour },
			simulate.Answer{After: 61 * time.Minute, Kind: simulate.Resolve}},
	} {
		a := newAcme()
		test.change(a)
		a.answers(simulate.Answer{After: time.Minute, Kind: simulate.Acknowledge}, test.answer)
		_, err := a.try()
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.KindInvalid || len(f.Fields) != 1 || f.Fields[0].Path != "answers[1].after" {
			t.Errorf("an answer %s is answered %v", name, err)
		}
	}

	a := newAcme()
	a.Payload = []byte(strings.Replace(breach, "breached", "recovered", 1))
	a.answers(simulate.Answer{After: time.Minute, Person: ana, Kind: simulate.Acknowledge})
	if entries := a.run(t).Entries; len(entries) != 2 || entries[1].Text != "There is no incident." {
		t.Errorf("an answer to nothing is told as %+v", entries)
	}
}

func TestContextEndsSimulation(t *testing.T) {
	t.Parallel()
	a := newAcme()
	a.run(t) // which makes the picture
	ctx, cancel := context.WithCancel(t.Context())
	policy := a.Policy
	a.Policy = func(version int64) (escalation.NamedPolicy, error) {
		cancel()
		return policy(version)
	}
	if _, err := simulate.Run(ctx, a.Input); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}
