package incident_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// ben is person 8 as a target.
var ben = incident.NamedTarget{Target: incident.Target{User: 8}, Name: "Ben Adeyemi"}

// asked has a request, whose escalation is 5, that has paged people.
func asked(kind incident.RequestKind, people ...int64) incident.Known {
	return incident.Known{Requests: []incident.ActiveRequest{{
		ID: 5, Request: incident.Request{Kind: kind, Targets: []incident.Target{ben.Target}}, Asked: people, Waiting: people,
	}}}
}

func TestRequestAsksEachTargetAndKeepsTheOwner(t *testing.T) {
	t.Parallel()
	payments := incident.NamedTarget{Target: incident.Target{Team: 2}, Name: "everyone in Payments"}
	act := incident.ActRequest{Targets: []incident.NamedTarget{ben, payments}, Message: " look at the ledger "}
	c := do(t, acknowledged(t), person(7, 9), act, incident.Known{})
	by := int64(7)
	want := []incident.Request{
		{Kind: incident.AskToJoin, Targets: []incident.Target{{User: 8}}, By: "person7@acme.example", ByID: &by, Message: "look at the ledger"},
		{Kind: incident.AskToJoin, Targets: []incident.Target{{Team: 2}}, By: "person7@acme.example", ByID: &by, Message: "look at the ledger"},
	}
	if diff := cmp.Diff(want, c.Requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if *c.Incident.OwnerID != 7 || c.Escalate != incident.EscalateNone {
		t.Errorf("got owner %d, escalate %d", *c.Incident.OwnerID, c.Escalate)
	}
	expect(t, c.Timeline, incident.EvRequested)
	if _, out, err := try(acknowledged(t), person(7, 9), incident.ActRequest{Targets: []incident.NamedTarget{ben}}, asked(incident.AskToJoin, 8)); err != nil || out.Kind != incident.Already {
		t.Errorf("asked twice: %+v, %v", out, err)
	}
}

func TestInvalidRequests(t *testing.T) {
	t.Parallel()
	for field, act := range map[string]incident.Act{
		"users":    incident.ActRequest{},
		"users ":   incident.ActRequest{Targets: make([]incident.NamedTarget, incident.MaxTargets+1)},
		"message":  incident.ActRequest{Targets: []incident.NamedTarget{ben}, Message: strings.Repeat("x", incident.MaxMessage+1)},
		"message ": incident.ActHandOver{To: ben, Message: strings.Repeat("x", incident.MaxMessage+1)},
		"kind":     incident.ActDecline{Kind: "dance"},
		"until":    incident.ActSnooze{Until: at(1)},
		"until ":   incident.ActSnooze{For: incident.MaxSnooze + time.Second},
	} {
		c, _, err := try(triggered(), person(8, 9), act, incident.Known{})
		f, ok := err.(*fault.Error) //nolint:errorlint // it comes as it is
		if !ok || f.Kind != fault.KindInvalid || f.Fields[0].Path != strings.TrimSpace(field) || c.Changed {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAcknowledgmentByAskedPersonJoins(t *testing.T) {
	t.Parallel()
	c, out, err := try(acknowledged(t), person(8, 9), incident.ActAcknowledge{}, asked(incident.AskToJoin, 8))
	if err != nil || out.Kind != incident.Joined || out.By != "person7@acme.example" {
		t.Fatalf("got %+v, %v", out, err)
	}
	if *c.Incident.OwnerID != 7 || len(c.EndRequests) != 1 || c.EndRequests[0] != (incident.RequestEnd{ID: 5, Outcome: incident.RequestJoined}) || c.Escalate != incident.EscalateNone {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvResponderJoined)
	if c, out, err = try(acknowledged(t), person(9, 9), incident.ActAcknowledge{}, asked(incident.AskToJoin, 8)); err != nil || out.Kind != incident.Already || c.Changed {
		t.Errorf("of a person who was not asked: %+v, %v", out, err)
	}
}

func TestAcknowledgmentByAskedPersonTakesOver(t *testing.T) {
	t.Parallel()
	c := do(t, acknowledged(t), person(8, 9), incident.ActAcknowledge{}, asked(incident.AskToTakeOver, 8))
	if *c.Incident.OwnerID != 8 || *c.Incident.AcknowledgedAt != at(9) || len(c.EndRequests) != 1 {
		t.Errorf("got %+v", c)
	}
	want := incident.TakenOverPayload{Via: "web", From: []int64{7}, Accepted: true}
	if diff := cmp.Diff(want, c.Timeline[0].Payload); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestDeclineMovesRequestOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		asked []int64
		next  bool
	}{{"alone", []int64{8}, true}, {"another is asked", []int64{8, 9}, false}} {
		c := do(t, acknowledged(t), person(8, 9), incident.ActDecline{Reason: " ill "}, asked(incident.AskToJoin, test.asked...))
		if len(c.DeclineRequests) != 1 || c.DeclineRequests[0] != (incident.RequestDecline{ID: 5, UserID: 8, Next: test.next}) {
			t.Errorf("%s: %+v", test.name, c.DeclineRequests)
		}
		if diff := cmp.Diff(incident.Payload(incident.DeclinedPayload{Via: "web", Reason: "ill"}), c.Timeline[0].Payload); diff != "" {
			t.Errorf("%s: recorded (-want +got):\n%s", test.name, diff)
		}
	}
	if _, out, _ := try(acknowledged(t), person(9, 9), incident.ActDecline{}, asked(incident.AskToJoin, 8)); out.Reason != incident.ReasonNotAsked {
		t.Errorf("of a person who was not asked: %+v", out)
	}
}

func TestDeclineAnswersOneKindOfRequest(t *testing.T) {
	t.Parallel()
	known := asked(incident.AskToJoin, 8)
	known.Requests = append(known.Requests, incident.ActiveRequest{ID: 6, Request: incident.Request{Kind: incident.AskToTakeOver}, Asked: []int64{8}, Waiting: []int64{8}})
	for kind, want := range map[incident.RequestKind][]int64{incident.AskToJoin: {5}, incident.AskToTakeOver: {6}, "": {5, 6}} {
		c := do(t, acknowledged(t), person(8, 9), incident.ActDecline{Kind: kind}, known)
		var got []int64
		for _, d := range c.DeclineRequests {
			got = append(got, d.ID)
		}
		if !cmp.Equal(want, got) {
			t.Errorf("%q declines %v, want %v", kind, got, want)
		}
		expect(t, c.Timeline, incident.EvDeclined)
	}
	if _, out, _ := try(acknowledged(t), person(8, 9), incident.ActDecline{Kind: incident.AskToTakeOver}, asked(incident.AskToJoin, 8)); out.Reason != incident.ReasonNotAsked {
		t.Errorf("of a kind that nobody asks for: %+v", out)
	}
}

func TestHandOverEndsRequestToJoinBySameAsker(t *testing.T) {
	t.Parallel()
	for asker, want := range map[string][]incident.RequestEnd{"person7@acme.example": {{ID: 5}}, "person9@acme.example": nil} {
		known := asked(incident.AskToJoin, 8)
		known.Requests[0].By = asker
		c := do(t, acknowledged(t), person(7, 9), incident.ActHandOver{To: ben}, known)
		if diff := cmp.Diff(want, c.EndRequests); diff != "" || len(c.Requests) != 1 {
			t.Errorf("asked to join by %s, %d requests start and end (-want +got):\n%s", asker, len(c.Requests), diff)
		}
	}
}

func TestHandOverKeepsTheOwnerUntilAccepted(t *testing.T) {
	t.Parallel()
	c := do(t, acknowledged(t), person(7, 9), incident.ActHandOver{To: ben, Message: "shift ends"}, incident.Known{})
	if *c.Incident.OwnerID != 7 || len(c.Requests) != 1 || c.Requests[0].Kind != incident.AskToTakeOver || c.Requests[0].Message != "shift ends" {
		t.Errorf("got %+v", c)
	}
	c = do(t, acknowledged(t), person(8, 9), incident.ActHandOver{To: ben}, incident.Known{})
	if *c.Incident.OwnerID != 8 || len(c.Requests) != 0 {
		t.Errorf("to oneself: %+v", c)
	}
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	c := do(t, acknowledged(t), person(8, 9), incident.ActTakeOver{}, expiring(0))
	if *c.Incident.OwnerID != 8 || c.Incident.AcknowledgedBy != "person8@acme.example" || c.Escalate != incident.EscalateStop {
		t.Errorf("got %+v", c)
	}
	expect(t, c.Timeline, incident.EvTakenOver)
	expect(t, do(t, triggered(), person(8, 9), incident.ActTakeOver{}, incident.Known{}).Timeline, incident.EvAcknowledged)
	if _, out, _ := try(acknowledged(t), person(7, 9), incident.ActTakeOver{}, incident.Known{}); out.Kind != incident.Already {
		t.Errorf("of the owner: %+v", out)
	}
	if _, out, _ := try(acknowledged(t), incident.By{Actor: "token:lab", At: at(9)}, incident.ActTakeOver{}, incident.Known{}); out.Reason != incident.ReasonNoPerson {
		t.Errorf("by a token: %+v", out)
	}
}

func TestEscalateKeepsTheOwnerAndAsksTheNextStep(t *testing.T) {
	t.Parallel()
	second, third := []incident.Target{{Schedule: 1, Position: "backup 1"}}, []incident.Target{{Team: 2}}
	known := incident.Known{NextSteps: []incident.NextStep{{Step: 2, Targets: second}, {Step: 3, Targets: third}}}
	c := do(t, acknowledged(t), person(8, 9), incident.ActEscalate{}, known)
	if c.Incident.Status != incident.Acknowledged || *c.Incident.OwnerID != 7 || c.Escalate != incident.EscalateNone || len(c.Requests) != 1 {
		t.Fatalf("got %+v", c)
	}
	if diff := cmp.Diff(second, c.Requests[0].Targets); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	known.Requests = []incident.ActiveRequest{{Request: incident.Request{Kind: incident.AskToJoin, Targets: second}}}
	if c = do(t, acknowledged(t), person(8, 9), incident.ActEscalate{}, known); !cmp.Equal(third, c.Requests[0].Targets) {
		t.Errorf("the second time asked %+v", c.Requests)
	}
	if _, out, _ := try(acknowledged(t), person(8, 9), incident.ActEscalate{}, incident.Known{}); out.Reason != incident.ReasonNoNextStep {
		t.Errorf("without a further step: %+v", out)
	}
	c = do(t, acknowledged(t), person(8, 9), incident.ActEscalate{Reassign: true}, known)
	if p := c.Timeline[0].Payload.(incident.EscalatedPayload); !cmp.Equal(p.Owner, []int64{7}) {
		t.Errorf("recorded %+v", p)
	}
}

func TestUndoAcknowledge(t *testing.T) {
	t.Parallel()
	muted := triggered()
	until := at(30)
	muted.MutedUntil = &until
	for name, before := range map[string]incident.Incident{"triggered": triggered(), "muted": muted} {
		c := do(t, before, person(7, 1), incident.ActAcknowledge{}, incident.Known{})
		known := incident.Known{Acknowledgment: &incident.LastAcknowledgment{At: at(1)}}
		if ended := c.Timeline[0].Payload.(incident.AcknowledgedPayload).Ended; ended != nil {
			known.Acknowledgment.Ended = *ended
		}
		undone := do(t, c.Incident, person(7, 1.1), incident.ActUndoAcknowledge{}, known)
		if diff := cmp.Diff(before, undone.Incident); diff != "" {
			t.Errorf("%s: undoing changed (-before +after):\n%s", name, diff)
		}
		if undone.Escalate != incident.EscalateContinue {
			t.Errorf("%s: escalate %d", name, undone.Escalate)
		}
		expect(t, undone.Timeline, incident.EvAcknowledgeUndone)

		for reason, by := range map[incident.Reason]incident.By{
			incident.ReasonAcknowledgedByOther: person(8, 1.1), incident.ReasonTooLateToUnacknowledge: person(7, 1.3),
		} {
			if _, out, _ := try(c.Incident, by, incident.ActUndoAcknowledge{}, known); out.Reason != reason {
				t.Errorf("%s: %+v, want %s", name, out, reason)
			}
		}
	}
	if _, out, _ := try(triggered(), person(7, 1), incident.ActUndoAcknowledge{}, incident.Known{}); out.Reason != incident.ReasonNothingToUndo {
		t.Errorf("of a triggered: %+v", out)
	}
}

func TestUndoAcknowledgeAfterRaisePagesAgain(t *testing.T) {
	t.Parallel()
	raised, when := acknowledged(t), at(1.05)
	raised.AskedAt = &when
	c := do(t, raised, person(7, 1.1), incident.ActUndoAcknowledge{}, incident.Known{Acknowledgment: &incident.LastAcknowledgment{At: at(1)}})
	if c.Escalate != incident.EscalateStart || c.Incident.Status != incident.Triggered {
		t.Errorf("got %+v", c)
	}
}

func TestConfirmedPriorityKeepsTheReason(t *testing.T) {
	t.Parallel()
	inc := withPriority(triggered(), 1)
	c := do(t, inc, person(8, 9), incident.ActSetPriority{Level: new(1), Reason: " still everybody "}, expiring(0))
	if p := c.Timeline[0].Payload; p != (incident.PriorityPayload{Via: "web", Reason: "still everybody", From: "P1", To: "P1"}) {
		t.Errorf("recorded %+v", p)
	}
	if diff := cmp.Diff(inc, c.Incident); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}
