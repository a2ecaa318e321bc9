package incident_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func levels(n int) []catalog.Priority {
	var list []catalog.Priority
	for level := 1; level <= n; level++ {
		list = append(list, catalog.Priority{Level: level})
	}
	return list
}

func triggered() incident.Incident {
	return incident.Incident{Number: 17, Status: incident.Triggered, Urgency: incident.High, CreatedAt: at(0), ChangedAt: at(0)}
}

func acknowledged(t *testing.T) incident.Incident {
	t.Helper()
	c, err := incident.Acknowledge(triggered(), person(7, 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	return c.Incident
}

func resolved(t *testing.T) incident.Incident {
	t.Helper()
	c, err := incident.ResolveBy(triggered(), person(7, 1), " restarted ")
	if err != nil {
		t.Fatal(err)
	}
	return c.Incident
}

func TestAcknowledge(t *testing.T) {
	t.Parallel()
	c, err := incident.Acknowledge(triggered(), person(7, 1), 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	inc := c.Incident
	if inc.Status != incident.Acknowledged || *inc.OwnerID != 7 || *inc.AcknowledgedAt != at(1) || inc.AcknowledgedBy != "person7@acme.example" {
		t.Errorf("got %+v", inc)
	}
	if !c.Changed || c.Escalate != incident.EscalateStop {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff([]incident.Timer{{Kind: incident.TimerAck, Due: at(121)}}, c.Timers); diff != "" {
		t.Error(diff)
	}
	expect(t, c.Timeline, incident.EvAcknowledged)
}

func TestASecondAcknowledgmentKeepsTheOwner(t *testing.T) {
	t.Parallel()
	first := acknowledged(t)
	c, err := incident.Acknowledge(first, person(8, 2), time.Hour)
	if err != nil || c.Changed || len(c.Timeline)+len(c.Timers) > 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if diff := cmp.Diff(first, c.Incident); diff != "" {
		t.Error(diff)
	}
	if c, err = incident.Acknowledge(first, incident.By{Actor: "token:bot", At: at(2)}, 0); err != nil || c.Changed {
		t.Errorf("a token took over: %+v, %v", c, err)
	}
}

func TestAPersonTakesOverFromAToken(t *testing.T) {
	t.Parallel()
	c, err := incident.Acknowledge(triggered(), incident.By{Actor: "token:bot", At: at(1)}, 0)
	if err != nil || c.Incident.OwnerID != nil || c.Incident.AcknowledgedBy != "token:bot" {
		t.Fatalf("got %+v, %v", c, err)
	}
	c, err = incident.Acknowledge(c.Incident, person(8, 2), 0)
	if err != nil || !c.Changed || *c.Incident.OwnerID != 8 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestWhoeverAnswersIsTheOwner(t *testing.T) {
	t.Parallel()
	asked := incident.AckDue(at(61), acknowledged(t), time.Hour)
	if !asked.AskOwner || *asked.Incident.AskedAt != at(61) {
		t.Fatalf("got %+v", asked)
	}
	for id, actor := range map[int64]string{7: "person7@acme.example", 8: "person8@acme.example"} {
		c, err := incident.Acknowledge(asked.Incident, person(id, 63), time.Hour)
		if err != nil || !c.Changed || *c.Incident.OwnerID != id || c.Incident.AcknowledgedBy != actor || c.Incident.AskedAt != nil {
			t.Errorf("got %+v, %v", c, err)
		}
		// The expiry counts anew.
		if c = incident.AckDue(at(66), c.Incident, time.Hour); c.Changed || c.Timers[0].Due != at(123) {
			t.Errorf("got %+v", c)
		}
	}
	// A token answers for the owner and does not become one.
	c, err := incident.Acknowledge(asked.Incident, incident.By{Actor: "token:bot", At: at(63)}, 0)
	if err != nil || *c.Incident.OwnerID != 7 || c.Incident.AcknowledgedBy != "person7@acme.example" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestAckDue(t *testing.T) {
	t.Parallel()
	inc := acknowledged(t)
	for _, test := range []struct {
		name    string
		minute  float64
		inc     incident.Incident
		expires time.Duration
		again   float64 // when to come again, 0 for never
	}{
		{"never expires", 999, inc, 0, 0},
		{"too early", 60, inc, time.Hour, 61},
		{"not acknowledged", 999, triggered(), time.Hour, 0},
		{"resolved", 999, resolved(t), time.Hour, 0},
		{"asked, too early", 65, incident.AckDue(at(61), inc, time.Hour).Incident, 0, 66},
	} {
		c := incident.AckDue(at(test.minute), test.inc, test.expires)
		if c.Changed || c.AskOwner || c.Escalate != incident.EscalateNone || (test.again != 0) != (len(c.Timers) == 1) ||
			test.again != 0 && c.Timers[0].Due != at(test.again) {
			t.Errorf("%s: %+v", test.name, c)
		}
	}
	asked := incident.AckDue(at(61), inc, time.Hour)
	expect(t, asked.Timeline, incident.EvStillOnIt)
	if asked.Timers[0].Due != at(66) {
		t.Errorf("got %+v", asked.Timers)
	}
	expired := incident.AckDue(at(66), asked.Incident, time.Hour)
	if expired.Escalate != incident.EscalateStart || expired.Incident.Status != incident.Triggered || expired.Incident.AskedAt != nil {
		t.Errorf("got %+v", expired)
	}
	token, _ := incident.Acknowledge(triggered(), incident.By{Actor: "token:bot", At: at(1)}, 0)
	if c := incident.AckDue(at(61), token.Incident, time.Hour); c.Escalate != incident.EscalateStart || c.AskOwner {
		t.Errorf("a token cannot be asked: %+v", c)
	}
}

func TestResolveBy(t *testing.T) {
	t.Parallel()
	c, err := incident.ResolveBy(acknowledged(t), person(8, 9), " restarted ")
	if err != nil || c.Incident.Status != incident.Resolved || c.Incident.Resolution != "restarted" || c.Incident.ResolvedBy != "person8@acme.example" ||
		c.Incident.ChangedAt != at(9) || !c.EndAlerts || c.Escalate != incident.EscalateStop {
		t.Errorf("got %+v, %v", c, err)
	}
	expect(t, c.Timeline, incident.EvResolved)
	again, err := incident.ResolveBy(c.Incident, person(7, 10), "no, me")
	if err != nil || again.Changed || again.EndAlerts || again.Incident.Resolution != "restarted" {
		t.Errorf("got %+v, %v", again, err)
	}
}

func TestReopenAndUnacknowledgePageAgain(t *testing.T) {
	t.Parallel()
	c, err := incident.Reopen(resolved(t), person(8, 9))
	if err != nil || c.Incident.Status != incident.Triggered || c.Incident.ResolvedAt != nil || c.Incident.Resolution != "" || c.Escalate != incident.EscalateStart {
		t.Errorf("got %+v, %v", c, err)
	}
	expect(t, c.Timeline, incident.EvReopened)
	c, err = incident.Unacknowledge(acknowledged(t), person(8, 9))
	if err != nil || c.Incident.Status != incident.Triggered || c.Incident.OwnerID != nil || c.Escalate != incident.EscalateStart {
		t.Errorf("got %+v, %v", c, err)
	}
	expect(t, c.Timeline, incident.EvUnacknowledged)
}

func TestWhatTheStateForbids(t *testing.T) {
	t.Parallel()
	_, ackErr := incident.Acknowledge(resolved(t), person(8, 9), 0)
	_, reopenErr := incident.Reopen(triggered(), person(8, 9))
	_, unackErr := incident.Unacknowledge(triggered(), person(8, 9))
	_, unackResolvedErr := incident.Unacknowledge(resolved(t), person(8, 9))
	for want, err := range map[string]error{
		"Incident 17 was resolved by person7@acme.example on 23 Nov 2026 at 18:01:00 UTC.": ackErr,
		"Incident 17 is open, so there is nothing to reopen.":                              reopenErr,
		"Nobody has acknowledged incident 17.":                                             unackErr,
	} {
		if !fault.Is(err, fault.KindConflict) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if !fault.Is(unackResolvedErr, fault.KindConflict) {
		t.Errorf("got %v", unackResolvedErr)
	}
}

func TestSetPriority(t *testing.T) {
	t.Parallel()
	one, six := 1, 6
	c, err := incident.SetPriority(triggered(), person(8, 9), &one, " everybody is affected ", levels(3), incident.High)
	if err != nil || *c.Incident.Priority != 1 || c.Incident.PrioritySource != "person8@acme.example" || c.Escalate != incident.EscalateNone {
		t.Errorf("got %+v, %v", c, err)
	}
	expect(t, c.Timeline, incident.EvPriority)
	if again, err := incident.SetPriority(c.Incident, person(7, 9), &one, "", levels(3), incident.High); err != nil || again.Changed {
		t.Errorf("the same level: %+v, %v", again, err)
	}
	if c, err = incident.SetPriority(c.Incident, person(8, 9), nil, "", levels(3), incident.High); err != nil || c.Incident.Priority != nil {
		t.Errorf("no level: %+v, %v", c, err)
	}
	if _, err := incident.SetPriority(triggered(), person(8, 9), &six, "", levels(3), incident.High); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a level that does not exist: %v", err)
	}
	waiting := triggered()
	waiting.Urgency = incident.Low
	if c, err = incident.SetPriority(waiting, person(8, 9), &one, "", levels(3), incident.High); err != nil || c.Escalate != incident.EscalateWake {
		t.Errorf("what waited for the morning: %+v, %v", c, err)
	}
	expiring := levels(1)
	expiring[0].AckExpires = 3600
	if c, err = incident.SetPriority(acknowledged(t), person(8, 9), &one, "", expiring, incident.High); err != nil || len(c.Timers) != 1 || c.Timers[0].Due != at(61) {
		t.Errorf("a level whose acknowledgments expire: %+v, %v", c, err)
	}
}

func TestUrgencyOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		priority          int // 0 for none
		known, production bool
		want              incident.Urgency
	}{
		{0, true, true, incident.High}, {1, true, true, incident.High}, {2, true, true, incident.High},
		{3, true, true, incident.Low}, {5, true, true, incident.Low},
		{0, true, false, incident.Low}, {1, true, false, incident.Low},
		{1, false, false, incident.High}, {0, false, false, incident.High}, {3, false, false, incident.Low},
	} {
		priority := &test.priority
		if test.priority == 0 {
			priority = nil
		}
		if got := incident.UrgencyOf(priority, test.known, test.production, false); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestEscalateThen(t *testing.T) {
	t.Parallel()
	const none, wake, refire, begin, stop = incident.EscalateNone, incident.EscalateWake, incident.EscalateRefire, incident.EscalateStart, incident.EscalateStop
	for _, test := range [][3]incident.Escalate{
		{none, none, none}, {none, refire, refire}, {begin, none, begin},
		{begin, refire, begin}, {begin, stop, stop}, {stop, begin, begin}, {stop, refire, stop},
		{refire, wake, refire}, {wake, refire, refire}, {refire, begin, begin}, {refire, stop, stop},
	} {
		if got := test[0].Then(test[1]); got != test[2] {
			t.Errorf("%d then %d: got %d, want %d", test[0], test[1], got, test[2])
		}
	}
}
