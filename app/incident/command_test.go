package incident_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

var bot = incident.By{Actor: "token:bot", At: at(2)}

// TestOutcomes is every act in every state.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	asked := incident.AckDue(at(61), acknowledged(t), time.Hour).Incident
	byToken := do(t, triggered(), bot, incident.ActAcknowledge{}, incident.Known{}).Incident
	shadow, shadowAgain := incident.Known{Shadow: true}, incident.Known{Shadow: true, ShadowAcked: true}
	justEscalated := incident.Known{LastEscalatedAt: new(at(8.6)), LastEscalatedBy: "Ana Ortiz"}
	longAgo := incident.Known{LastEscalatedAt: new(at(8.5)), LastEscalatedBy: "Ana Ortiz"}
	const person7 = "person7@acme.example"
	for _, test := range []struct {
		name    string
		act     incident.Act
		inc     incident.Incident
		known   incident.Known
		by      incident.By // person 8 where it is empty
		want    incident.Outcome
		refusal string
	}{
		{name: "ack", act: incident.ActAcknowledge{}, inc: triggered(), want: incident.Outcome{Kind: incident.Done}},
		{name: "ack of somebody's", act: incident.ActAcknowledge{}, inc: acknowledged(t), want: incident.Outcome{Kind: incident.Already, By: person7, At: at(1)}},
		{name: "ack of one's own", act: incident.ActAcknowledge{}, inc: acknowledged(t), by: person(7, 9), want: incident.Outcome{Kind: incident.Already, By: person7, At: at(1)}},
		{name: "ack by a token of somebody's", act: incident.ActAcknowledge{}, inc: acknowledged(t), by: bot, want: incident.Outcome{Kind: incident.Already, By: person7, At: at(1)}},
		{name: "ack of a token's", act: incident.ActAcknowledge{}, inc: byToken, want: incident.Outcome{Kind: incident.Done}},
		{name: "ack where the owner is asked", act: incident.ActAcknowledge{}, inc: asked, want: incident.Outcome{Kind: incident.Done}},
		{name: "ack of a resolved", act: incident.ActAcknowledge{}, inc: resolved(t), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonResolved, By: person7, At: at(1)},
			refusal: "Incident 17 was resolved by person7@acme.example on 23 Nov 2026 at 18:01:00 UTC."},
		{name: "ack by a shadow", act: incident.ActAcknowledge{}, inc: triggered(), known: shadow, want: incident.Outcome{Kind: incident.Shadow}},
		{name: "ack by a shadow again", act: incident.ActAcknowledge{}, inc: triggered(), known: shadowAgain, want: incident.Outcome{Kind: incident.Shadow}},
		{name: "ack by a shadow of somebody's", act: incident.ActAcknowledge{}, inc: acknowledged(t), known: shadow, want: incident.Outcome{Kind: incident.Already, By: person7, At: at(1)}},

		{name: "unack", act: incident.ActUnacknowledge{}, inc: acknowledged(t), want: incident.Outcome{Kind: incident.Done}},
		{name: "unack of a triggered", act: incident.ActUnacknowledge{}, inc: triggered(), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonUnacknowledged},
			refusal: "Nobody has acknowledged incident 17."},
		{name: "unack of a resolved", act: incident.ActUnacknowledge{}, inc: resolved(t), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonResolved, By: person7, At: at(1)},
			refusal: "Incident 17 was resolved by person7@acme.example on 23 Nov 2026 at 18:01:00 UTC."},

		{name: "resolve", act: incident.ActResolve{}, inc: acknowledged(t), want: incident.Outcome{Kind: incident.Done}},
		{name: "resolve of a resolved", act: incident.ActResolve{FixedBy: "no, me"}, inc: resolved(t), want: incident.Outcome{Kind: incident.Already, By: person7, At: at(1)}},

		{name: "undo", act: incident.ActUndoResolve{}, inc: resolved(t), by: person(7, 1.1), want: incident.Outcome{Kind: incident.Done}},
		{name: "undo of an open", act: incident.ActUndoResolve{}, inc: triggered(), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonNothingToUndo},
			refusal: "Incident 17 has nothing to undo."},
		{name: "undo of somebody's", act: incident.ActUndoResolve{}, inc: resolved(t), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonResolvedByOther, By: person7, At: at(1)},
			refusal: "Somebody else resolved incident 17. If it is not over, reopen it: that pages whoever is on call."},
		{name: "undo too late", act: incident.ActUndoResolve{}, inc: resolved(t), by: person(7, 9), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonTooLate, By: person7, At: at(1)},
			refusal: "It is too late to take that back in silence. If incident 17 is not over, reopen it: that pages whoever is on call."},

		{name: "reopen", act: incident.ActReopen{}, inc: resolved(t), want: incident.Outcome{Kind: incident.Done}},
		{name: "reopen of an open", act: incident.ActReopen{}, inc: triggered(), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonOpen},
			refusal: "Incident 17 is open, so there is nothing to reopen."},

		{name: "priority", act: incident.ActSetPriority{Level: new(1)}, inc: resolved(t), known: expiring(0), want: incident.Outcome{Kind: incident.Done}},
		{name: "priority as it is", act: incident.ActSetPriority{}, inc: triggered(), want: incident.Outcome{Kind: incident.Already}},

		{name: "escalate with reassign", act: incident.ActEscalate{Reassign: true}, inc: acknowledged(t), known: justEscalated, want: incident.Outcome{Kind: incident.Done}},
		{name: "escalate again", act: incident.ActEscalate{}, inc: triggered(), known: longAgo, want: incident.Outcome{Kind: incident.Done}},
		{name: "escalate again at once", act: incident.ActEscalate{}, inc: triggered(), known: justEscalated,
			want:    incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonJustEscalated, Name: "Ana Ortiz", At: at(8.6)},
			refusal: "Incident 17 was escalated by Ana Ortiz a moment ago; the next step is being paged."},
		{name: "escalate of a resolved", act: incident.ActEscalate{}, inc: resolved(t), want: incident.Outcome{Kind: incident.NotAllowed, Reason: incident.ReasonResolved, By: person7, At: at(1)},
			refusal: "Incident 17 was resolved by person7@acme.example on 23 Nov 2026 at 18:01:00 UTC."},

		{name: "note", act: incident.ActNote{Text: "look"}, inc: resolved(t), want: incident.Outcome{Kind: incident.Done}},
	} {
		if test.by.Actor == "" {
			test.by = person(8, 9)
		}
		c, out, err := try(test.inc, test.by, test.act, test.known)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		test.want.Incident = test.inc
		if c.Changed {
			test.want.Incident = c.Incident
		}
		if diff := cmp.Diff(test.want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		first := out.Kind == incident.Shadow && !test.known.ShadowAcked
		if c.Changed != (out.Kind == incident.Done || first) || len(c.Timeline) > 0 != c.Changed {
			t.Errorf("%s: changed %v, with %d events", test.name, c.Changed, len(c.Timeline))
		}
		if err := out.Err(); out.Refusal() != test.refusal || (err != nil) != (test.refusal != "") || err != nil && (!fault.Is(err, fault.KindConflict) || err.Error() != test.refusal) {
			t.Errorf("%s: refused with %v, want %q", test.name, err, test.refusal)
		}
	}
}

func TestInvalidCommands(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", incident.MaxText+1)
	for field, act := range map[string]incident.Act{
		"note":       incident.ActNote{Text: " \n"},
		"note ":      incident.ActNote{Text: long},
		"resolution": incident.ActResolve{FixedBy: long},
		"reason":     incident.ActSetPriority{Reason: long},
		"priority":   incident.ActSetPriority{Level: new(6)},
	} {
		c, _, err := try(triggered(), person(8, 9), act, expiring(0))
		f, ok := err.(*fault.Error) //nolint:errorlint // it comes as it is
		if !ok || f.Kind != fault.KindInvalid || len(f.Fields) != 1 || f.Fields[0].Path != strings.TrimSpace(field) || c.Changed {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	c := do(t, withPriority(triggered(), 1), person(7, 1), incident.ActAcknowledge{}, expiring(2*time.Hour))
	inc := c.Incident
	if inc.Status != incident.Acknowledged || *inc.OwnerID != 7 || *inc.AcknowledgedAt != at(1) || inc.AcknowledgedBy != "person7@acme.example" {
		t.Errorf("got %+v", inc)
	}
	if c.Escalate != incident.EscalateStop {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff([]incident.Timer{{Kind: incident.TimerAck, Due: at(121)}}, c.Timers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]incident.TimelineEvent{{IncidentNo: 17, At: at(1), Actor: "person7@acme.example", Payload: incident.AcknowledgedPayload{Via: "web"}}}, c.Timeline); diff != "" {
		t.Error(diff)
	}
}

func TestPersonTakesOverFromToken(t *testing.T) {
	t.Parallel()
	c := do(t, triggered(), bot, incident.ActAcknowledge{}, incident.Known{})
	if c.Incident.OwnerID != nil || c.Incident.AcknowledgedBy != "token:bot" {
		t.Fatalf("got %+v", c)
	}
	c = do(t, c.Incident, person(8, 3), incident.ActAcknowledge{}, incident.Known{})
	if *c.Incident.OwnerID != 8 || c.Incident.AcknowledgedBy != "person8@acme.example" {
		t.Errorf("got %+v", c)
	}
}

func TestAnswerToStillOnItMakesTheOwner(t *testing.T) {
	t.Parallel()
	asked := incident.AckDue(at(61), acknowledged(t), time.Hour)
	if !asked.AskOwner || *asked.Incident.AskedAt != at(61) {
		t.Fatalf("got %+v", asked)
	}
	for id, actor := range map[int64]string{7: "person7@acme.example", 8: "person8@acme.example"} {
		c := do(t, asked.Incident, person(id, 63), incident.ActAcknowledge{}, incident.Known{})
		if *c.Incident.OwnerID != id || c.Incident.AcknowledgedBy != actor || c.Incident.AskedAt != nil {
			t.Errorf("got %+v", c)
		}
		// The expiry counts anew.
		if c = incident.AckDue(at(66), c.Incident, time.Hour); c.Changed || c.Timers[0].Due != at(123) {
			t.Errorf("got %+v", c)
		}
	}
	// A token answers for the owner and does not become one.
	c := do(t, asked.Incident, incident.By{Actor: "token:bot", At: at(63)}, incident.ActAcknowledge{}, incident.Known{})
	if *c.Incident.OwnerID != 7 || c.Incident.AcknowledgedBy != "person7@acme.example" {
		t.Errorf("got %+v", c)
	}
}

func TestShadowAckStopsNothing(t *testing.T) {
	t.Parallel()
	c, _, err := try(triggered(), person(7, 1), incident.ActAcknowledge{}, incident.Known{Shadow: true})
	if err != nil || c.Incident.Status != incident.Triggered || c.Escalate != incident.EscalateNone {
		t.Errorf("got %+v, %v", c, err)
	}
	expect(t, c.Timeline, incident.EvShadowAck)
}

func TestEscalateRecordsThatItTookAnAcknowledgmentBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		inc  incident.Incident
		want incident.Status
	}{{acknowledged(t), incident.Acknowledged}, {triggered(), ""}} {
		c := do(t, test.inc, person(8, 9), incident.ActEscalate{Reassign: true}, incident.Known{})
		if p, ok := c.Timeline[0].Payload.(incident.EscalatedPayload); !ok || p.From != test.want {
			t.Errorf("recorded %+v, want %q", c.Timeline[0].Payload, test.want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c := do(t, acknowledged(t), person(8, 9), incident.ActResolve{FixedBy: " restarted "}, incident.Known{})
	if c.Incident.Status != incident.Resolved || c.Incident.Resolution != "restarted" || c.Incident.ResolvedBy != "person8@acme.example" ||
		c.Incident.ChangedAt != at(9) || !c.EndAlerts || c.Escalate != incident.EscalateStop {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvResolved)
}

func TestReopenAndUnacknowledgePageAgain(t *testing.T) {
	t.Parallel()
	c := do(t, resolved(t), person(8, 9), incident.ActReopen{}, incident.Known{})
	if c.Incident.Status != incident.Triggered || c.Incident.ResolvedAt != nil || c.Incident.Resolution != "" || c.Escalate != incident.EscalateStart {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvReopened)
	c = do(t, acknowledged(t), person(8, 9), incident.ActUnacknowledge{}, incident.Known{})
	if c.Incident.Status != incident.Triggered || c.Incident.OwnerID != nil || c.Escalate != incident.EscalateStart {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvUnacknowledged)
}

func TestEscalateTakesTheOwnerAway(t *testing.T) {
	t.Parallel()
	c := do(t, acknowledged(t), person(8, 9), incident.ActEscalate{Reassign: true}, incident.Known{})
	if c.Incident.Status != incident.Triggered || c.Incident.OwnerID != nil || c.Incident.AcknowledgedAt != nil || c.Escalate != incident.EscalateNext {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvEscalated)
}

func TestSetPriority(t *testing.T) {
	t.Parallel()
	c := do(t, triggered(), person(8, 9), incident.ActSetPriority{Level: new(1), Reason: " everybody is affected "}, expiring(0))
	if *c.Incident.Priority != 1 || c.Incident.PrioritySource != "person8@acme.example" || c.Escalate != incident.EscalateRelease {
		t.Errorf("got %+v", c)
	}
	if p := c.Timeline[0].Payload; p != (incident.PriorityPayload{Via: "web", Reason: "everybody is affected", To: "P1"}) {
		t.Errorf("got %+v", p)
	}
	if c = do(t, c.Incident, person(8, 9), incident.ActSetPriority{}, expiring(0)); c.Incident.Priority != nil {
		t.Errorf("no level: %+v", c)
	}
	if c = do(t, c.Incident, person(8, 9), incident.ActSetPriority{Level: new(2)}, expiring(0)); c.Escalate != incident.EscalateNone {
		t.Errorf("a level below the first wakes what is held: %+v", c)
	}
	if c = do(t, acknowledged(t), person(8, 9), incident.ActSetPriority{Level: new(1)}, expiring(0)); c.Escalate != incident.EscalateNone {
		t.Errorf("an acknowledged incident: %+v", c)
	}
	waiting := triggered()
	waiting.Urgency = incident.Low
	if c = do(t, waiting, person(8, 9), incident.ActSetPriority{Level: new(1)}, expiring(0)); c.Escalate != incident.EscalateWake || c.Incident.Urgency != incident.High {
		t.Errorf("what waited for support hours: %+v", c)
	}
	if c = do(t, withPriority(triggered(), 3), person(8, 9), incident.ActSetPriority{Level: new(2)}, expiring(0)); c.Escalate != incident.EscalateNone {
		t.Errorf("a P2 is held on: %+v", c)
	}
	if c = do(t, acknowledged(t), person(8, 9), incident.ActSetPriority{Level: new(1)}, expiring(time.Hour)); len(c.Timers) != 1 || c.Timers[0].Due != at(61) {
		t.Errorf("a level whose acknowledgments expire: %+v", c)
	}
}

func TestEscalateThen(t *testing.T) {
	t.Parallel()
	const none, again, release, wake, refire, begin, stop = incident.EscalateNone, incident.EscalateRefireRunning, incident.EscalateRelease, incident.EscalateWake, incident.EscalateRefire, incident.EscalateStart, incident.EscalateStop
	for _, test := range [][3]incident.Escalate{
		{none, none, none}, {none, refire, refire}, {begin, none, begin},
		{begin, refire, begin}, {begin, stop, stop}, {stop, begin, begin}, {stop, refire, stop},
		{refire, wake, refire}, {wake, refire, refire}, {release, wake, wake}, {wake, release, wake}, {release, again, refire}, {release, stop, stop}, {refire, begin, begin}, {refire, stop, stop},
	} {
		if got := test[0].Then(test[1]); got != test[2] {
			t.Errorf("%d then %d: got %d, want %d", test[0], test[1], got, test[2])
		}
	}
}
