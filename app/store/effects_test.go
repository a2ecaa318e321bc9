package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// fallsBack has Ana paged by the only step, Ben by the fallback and as the
// administrator.
func (p *pipeline) fallsBack() {
	d := p.engine.Directory.(fixedDirectory)
	d.policy.Steps = d.policy.Steps[:1]
	d.policy.Fallback = []escalation.Target{{User: ben}}
	d.roster.People[ben] = escalation.Person{Name: "Ben Adeyemi", Role: "administrator", Reachable: true}
	p.engine.Directory = d
	p.onlyBySMS(ana)
}

func (p *pipeline) phase() string {
	p.t.Helper()
	var phase string
	if err := p.db.Read.QueryRowContext(p.t.Context(), "SELECT phase FROM escalations").Scan(&phase); err != nil {
		p.t.Fatal(err)
	}
	return phase
}

func TestRaisePagesAtOnceInEveryPhase(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.fallsBack()
		p.write(p.signal("a", withPriority(3)))
		p.settle()
		p.now = p.now.Add(time.Hour)
		p.expect(p.settle(), "sms-2")
		if phase := p.phase(); phase != string(escalation.PhaseFallback) {
			t.Fatalf("the escalation is in phase %s", phase)
		}
		p.write(p.signal("a", withPriority(2)))
		p.expect(p.settle(), "sms-2")
		p.expect(p.advance(15*time.Minute), "sms-2")
		if phase := p.phase(); phase != string(escalation.PhaseAdministrators) {
			t.Fatalf("the escalation is in phase %s", phase)
		}
		p.write(p.signal("a", withPriority(1)))
		p.expect(p.settle(), "sms-2")
	})
}

func TestRaiseAndResolveTogetherPageNobody(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		for _, acknowledged := range []bool{false, true} {
			number := p.write(p.signal("a", withPriority(2)))[0].Number
			p.settle()
			if acknowledged {
				p.acknowledge(number)
			}
			p.write(p.signal("a", withPriority(1)), p.signal("a", resolve))
			p.expect(p.settle())
			if n := p.count("SELECT count(*) FROM pages WHERE state = 'active'"); n != 0 {
				t.Errorf("acknowledged %t: %d pages stand", acknowledged, n)
			}
			p.expect(p.advance(24 * time.Hour))
		}
	})
}

// asked counts the pages that ask an owner, which belong to no escalation.
func (p *pipeline) asked() int {
	p.t.Helper()
	return p.count("SELECT count(*) FROM pages WHERE escalation_id = 0 AND state = 'active'")
}

func TestRepeatedRaiseAsksOwnerOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", withPriority(3)))[0].Number
		p.settle()
		p.acknowledge(number)
		for level := 2; level > 0; level-- {
			p.write(p.signal("a", withPriority(level)))
			p.expect(p.settle(), "sms-1")
			if n := p.asked(); n != 1 {
				t.Errorf("raised to P%d, %d pages ask the owner", level, n)
			}
		}
	})
}

func TestEscalateWithdrawsOwnersPage(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", withPriority(2)))[0].Number
		p.settle()
		p.acknowledge(number)
		p.write(p.signal("a", withPriority(1)))
		p.expect(p.settle(), "sms-1")
		user := ben
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "web"}, Act: incident.ActEscalate{Reassign: true}}); err != nil {
			t.Fatal(err)
		}
		p.expect(p.settle(), "sms-2")
		if n := p.asked(); n != 0 {
			t.Errorf("%d pages still ask the owner before", n)
		}
		for _, m := range p.advance(30 * time.Minute) {
			if m.To != "sms-2" {
				t.Errorf("a message went to %s", m.To)
			}
		}
	})
}

func TestConcurrentEscalateMovesOneStep(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a", withPriority(2)))[0].Number
		p.settle()
		user := ben
		escalate := func() error {
			out, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "web"}, Act: incident.ActEscalate{Reassign: true}})
			return errors.Join(err, out.Err())
		}
		events := func() int {
			return p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvEscalated))
		}
		p.must(0, escalate())
		p.now = p.now.Add(incident.EscalateAgain - time.Second)
		if err := escalate(); err == nil || !strings.Contains(err.Error(), "by Ben Adeyemi a moment ago") {
			t.Errorf("a second time: %v", err)
		}
		if n := events(); n != 1 {
			t.Errorf("it was escalated %d times", n)
		}
		p.acknowledge(number)
		p.must(0, escalate()) // what was answered in the meantime is another matter
		p.now = p.now.Add(incident.EscalateAgain)
		p.must(0, escalate())
		if n := events(); n != 3 {
			t.Errorf("it was escalated %d times, want 3", n)
		}
	})
}

func TestShadowAckStopsNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.storm(1)[0]
		p.planned()
		p.exec(`INSERT INTO pages (incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, notify_at, created_at)
			SELECT incident_number, escalation_id, $1, step, run, urgency, priority, $2, digest, why, state, rule, notify_at, created_at FROM pages`, ben, true)
		user := ben
		for range 3 { // however often it is sent
			out, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "sms"}, Act: incident.ActAcknowledge{}})
			if err != nil || out.Kind != incident.Shadow || out.Incident.Status != incident.Triggered {
				t.Fatalf("a shadow's acknowledgment: %s of %s, %v", out.Kind, out.Incident.Status, err)
			}
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvShadowAck)); n != 1 {
			t.Errorf("the timeline tells of it %d times", n)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE state = 'active' AND user_id = $1", ana); n != 1 {
			t.Errorf("%d pages stand", n)
		}
		if n := p.count("SELECT count(*) FROM escalations WHERE state = 'active'"); n != 1 {
			t.Errorf("%d escalations go on", n)
		}
	})
}

func TestRequestEndsOnlyByAskedPerson(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.storm(1)[0]
		p.settle()
		p.exec(`INSERT INTO escalations (incident_number, purpose, subject, policy_version_id, state, phase, step, run, reached, fired_at, deadline_at, next_action_at, started_at)
			VALUES ($1, $2, 'ben@acme.example', 1, 'active', 'steps', 1, 0, $3, $4, $5, $5, $4)`, number, string(escalation.Responder), true, p.now, p.now.Add(time.Hour))
		p.exec(`INSERT INTO pages (incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, notify_at, created_at)
			SELECT incident_number, id, $1, 1, 0, 'high', 9, $2, $2, '{}', 'active', 0, started_at, started_at FROM escalations WHERE purpose = $3`, ben, false, string(escalation.Responder))
		// Ana is asked too, but as a shadow, which does not count.
		p.exec(`INSERT INTO pages (incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, created_at)
			SELECT incident_number, escalation_id, $1, step, run, urgency, priority, $2, digest, why, state, rule, created_at FROM pages WHERE user_id = $3`, ana, true, ben)
		p.expect(p.settle(), "sms-2")
		p.acknowledge(number) // by Ana
		active := "SELECT count(*) FROM escalations WHERE state = 'active' AND purpose = $1"
		if n := p.count(active, string(escalation.Primary)); n != 0 {
			t.Error("the policy goes on")
		}
		if n := p.count(active, string(escalation.Responder)); n != 1 {
			t.Error("Ana's acknowledgment ended what Ben was asked")
		}
		p.expect(p.advance(10*time.Minute), "sms-2")
		user := ana
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: incident.ActUnacknowledge{}}); err != nil {
			t.Fatal(err)
		}
		user = ben
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "web"}, Act: incident.ActAcknowledge{}}); err != nil {
			t.Fatal(err)
		}
		if n := p.count(active, string(escalation.Responder)); n != 0 {
			t.Error("Ben answered, and the request goes on")
		}
		p.expect(p.advance(24 * time.Hour))
	})
}

func TestAckExpires(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.exec("UPDATE priorities SET ack_expires = 1800 WHERE level = 1")
		number := p.write(p.signal("a", withPriority(1)))[0].Number
		p.expect(p.settle(), "sms-1")
		p.acknowledge(number)
		p.expect(p.advance(30*time.Minute - time.Second))
		p.expect(p.advance(time.Second), "sms-1") // still on it?
		p.acknowledge(number)
		p.expect(p.advance(30*time.Minute - time.Second))
		p.expect(p.advance(time.Second), "sms-1")
		p.now = p.now.Add(incident.AnswerWithin - time.Second)
		if n := p.count("SELECT count(*) FROM incidents WHERE status = 'acknowledged'"); n != 1 {
			t.Fatal("the owner had no time to answer")
		}
		p.settle()
		if n := p.asked(); n != 1 {
			t.Errorf("%d pages ask the owner", n)
		}
		p.expect(p.advance(time.Second), "sms-1") // the policy begins again
		if n := p.asked(); n != 0 {
			t.Errorf("%d pages still ask the owner", n)
		}
		if n := p.count("SELECT count(*) FROM incidents WHERE status = 'triggered' AND owner_id IS NULL"); n != 1 {
			t.Error("the incident still has an owner")
		}
	})
}
