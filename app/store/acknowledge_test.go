package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// TestAckAtEveryPoint acknowledges one incident after another,
// each a transaction later than the one before, through two runs of a policy of
// four steps, the fallback and the administrators. What is sent afterwards was
// claimed before.
func TestAckAtEveryPoint(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.engine.Directory = fourSteps(p)
		points := 0
		for reached := true; reached; points++ {
			// A day later, nothing of the incident before counts any more.
			p.now = p.now.Add(24 * time.Hour)
			reached = p.acknowledgeAt(fmt.Sprint("point ", points), points)
			if t.Failed() {
				return
			}
		}
		if points < 60 {
			t.Errorf("the policy had only %d points at which to acknowledge", points)
		}
	})
}

// fourSteps is the worked example in minutes instead of tens of minutes, so
// that it has all of its steps but few repeats.
func fourSteps(p *pipeline) fixedDirectory {
	d := p.engine.Directory.(fixedDirectory)
	step := func(timeout time.Duration, users ...int64) escalation.Step {
		s := escalation.Step{Timeout: int64(timeout.Seconds())}
		for _, u := range users {
			s.Targets = append(s.Targets, escalation.Target{User: u})
		}
		return s
	}
	d.policy = escalation.Policy{Repeat: 1, Fallback: []escalation.Target{{User: ben}}, Steps: []escalation.Step{
		step(6*time.Minute, ana), step(12*time.Minute, ben), step(24*time.Minute, ana, ben), step(6*time.Minute, ben),
	}}
	d.roster.People[ben] = escalation.Person{Name: "Ben Adeyemi", Role: "administrator", Reachable: true}
	return d
}

// acknowledgeAt opens an incident, acknowledges it before the n-th transaction
// of its way, and reports whether the way was that long.
func (p *pipeline) acknowledgeAt(key string, n int) bool {
	ctx := context.Background()
	number := p.write(p.signal(key))[0].Number
	var claimed []notify.Claim
	acknowledged, point := false, 0
	stages := []func() int{
		func() int { return p.must(p.engine.Sweep(ctx)) },
		func() int { return p.must(p.planner.Sweep(ctx)) },
		func() int {
			claims, _, err := p.db.Paging.ClaimMessages(ctx, p.now, 10, notify.Busy{})
			claimed = append(claimed, claims...)
			return p.must(len(claims), err)
		},
		func() int {
			sent := claimed
			claimed = nil
			for _, c := range sent {
				p.must(0, p.db.Paging.Sent(ctx, c, notify.Receipt{ProviderID: "SM"}, p.now))
			}
			return len(sent)
		},
	}
	for end := p.now.Add(3 * time.Hour); p.now.Before(end) && !acknowledged; {
		for _, stage := range stages {
			if point == n {
				p.acknowledge(number)
				acknowledged = true
				break
			}
			if stage() > 0 {
				point++
			}
		}
		if acknowledged || len(claimed) > 0 {
			continue
		}
		if next, ok, err := p.db.NextDue(ctx, p.timers.Kinds(), nil); err != nil || !ok {
			p.t.Fatalf("an incident that nobody acknowledged waits for nothing: %v", err)
		} else if next.After(p.now) {
			p.now = next
		}
	}
	if !acknowledged {
		p.acknowledge(number)
	}
	// What was claimed may still go out; nothing else may, now or ever.
	for _, c := range claimed {
		p.must(0, p.db.Paging.Failed(ctx, c, notify.Failure{Reason: "no answer"}, &p.now, nil, p.now))
	}
	for range 3 {
		if sent := p.settle(); len(sent) > 0 {
			p.t.Errorf("acknowledged before transaction %d, and yet a message to %v was claimed", n, to(sent))
		}
		p.now = p.now.Add(90 * time.Minute)
	}
	return acknowledged
}

func (p *pipeline) acknowledge(number int64) {
	p.t.Helper()
	user := ana
	out, err := p.actions.Do(context.Background(), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "sms"}, Act: incident.ActAcknowledge{}})
	if err != nil || out.Incident.Status != incident.Acknowledged {
		p.t.Fatalf("acknowledge: %+v, %v", out, err)
	}
	p.follow()
}

func (p *pipeline) must(n int, err error) int {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}
