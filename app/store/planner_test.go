package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

func TestPlanningDoesNotLockOtherMessages(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		st.Paging.PlanAtOnce(nil)
		p.storm(2)
		p.planned()
		p.storm(1)
		for n := 1; n > 0; {
			n = p.must(p.engine.Sweep(t.Context()))
		}
		var claims []notify.Claim
		planned, err := st.Paging.PlanDue(t.Context(), p.now, 10, func(_ int64, due []notify.DuePage, recent map[int64]notify.Recent) (notify.Plan, error) {
			if recent[1].Messages != 2 {
				t.Errorf("recent: %+v", recent)
			}
			claims = p.claim(8)
			return notify.Plan{}, nil
		})
		if err != nil || planned != 1 {
			t.Fatalf("%d pages were planned: %v", planned, err)
		}
		if len(claims) != 2 {
			t.Errorf("%d of 2 messages could be claimed while another page of the person was planned", len(claims))
		}
	})
}

func TestWithdrawnUnsentMessageDoesNotGather(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		numbers := p.storm(notify.BundleAfter)
		p.planned()
		for _, number := range numbers {
			p.acknowledge(number)
		}
		p.storm(1)
		p.expect(p.settle(), "sms-1")
	})
}

// weekdays are Monday to Friday from nine to five; it is Monday at three.
func (p *pipeline) supportHours() {
	p.t.Helper()
	p.exec(`UPDATE organization SET support_hours = '{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}'`)
}

func low(s *ingest.Signal) { withPriority(3)(s) }

func TestLowUrgencyIsOneDigestInSupportHours(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.supportHours()
		p.storm(5, low)
		p.expect(p.settle())
		p.expect(p.advance(6*time.Hour - time.Second))
		p.expect(p.advance(time.Second))
		digest := p.advance(notify.GatherFor)
		p.expect(digest, "sms-1")
		if digest[0].Count() != 5 {
			t.Errorf("the digest is about %d incidents", digest[0].Count())
		}
	})
}

func TestRaiseEndsWaitForSupportHours(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.supportHours()
		p.write(p.signal("a", low))
		p.expect(p.settle())
		p.write(p.signal("a", withPriority(1)))
		p.expect(p.settle(), "sms-1")
	})
}

func TestLowUrgencyInSupportHoursPagesAtOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.supportHours()
		p.now = p.now.Add(6 * time.Hour)
		p.write(p.signal("a", low))
		p.expect(p.settle(), "sms-1")
	})
}

func (p *pipeline) onlyBySMS(user int64) {
	people := p.engine.Directory.(fixedDirectory).people
	person := people[user]
	person.Methods = person.Methods[:1]
	people[user] = person
}

// TestRuleDueAtStepEndSendsNothing has the planner look before the
// engine does: the repeat at the end of the hour is the next step's to prevent.
func TestRuleDueAtStepEndSendsNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.write(p.signal("a"))
		p.expect(p.settle(), "sms-1")
		p.exec("UPDATE pages SET notify_at = $1", p.now.Add(time.Hour))
		p.now = p.now.Add(time.Hour)
		if n := p.must(p.planner.Sweep(t.Context())); n != 0 {
			t.Errorf("%d pages were planned before the step ended", n)
		}
		p.expect(p.settle(), "sms-2")
	})
}

// TestRuleContinuesWithoutEngine tells Ana again, though late.
func TestRuleContinuesWithoutEngine(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.write(p.signal("a"))
		p.expect(p.settle(), "sms-1")
		p.exec("UPDATE pages SET notify_at = $1", p.now.Add(time.Hour))
		p.now = p.now.Add(time.Hour + paging.StepEnds - time.Second)
		if n := p.must(p.planner.Sweep(t.Context())); n != 0 {
			t.Errorf("%d pages were planned", n)
		}
		p.now = p.now.Add(time.Second)
		if n := p.must(p.planner.Sweep(t.Context())); n != 1 {
			t.Errorf("%d pages were planned once the engine was late", n)
		}
	})
}

// TestDeactivatedPersonIsNotPaged has the directory leave Ana out, as it
// leaves out everybody who is not active, while her page repeats.
func TestDeactivatedPersonIsNotPaged(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.expect(p.settle(), "sms-1")
		delete(p.engine.Directory.(fixedDirectory).people, ana)
		p.expect(p.advance(5*time.Minute), "sms-2") // nobody of the step is left
		if n := p.count("SELECT count(*) FROM pages WHERE user_id = $1 AND state = 'failed'", ana); n != 1 {
			t.Errorf("%d of her pages failed", n)
		}
	})
}

func TestLockedIncidentIsEscalatedLater(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.storm(1)[0]
		busy, err := st.Write.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = busy.Rollback() }()
		if _, err := busy.ExecContext(t.Context(), "SELECT 1 FROM incidents WHERE number = $1 FOR UPDATE", number); err != nil {
			t.Fatal(err)
		}
		if n := p.must(p.engine.Sweep(t.Context())); n != 0 {
			t.Fatalf("%d escalations of a busy incident fired", n)
		}
		p.now = p.now.Add(paging.OverdueAfter)
		done := make(chan struct{})
		var fired int
		go func() {
			defer close(done)
			fired, err = p.engine.Sweep(context.WithoutCancel(t.Context()))
		}()
		if p.untilBlocked(done) {
			t.Fatalf("the sweep passed the overdue escalation by: %d, %v", fired, err)
		}
		if err := busy.Rollback(); err != nil {
			t.Fatal(err)
		}
		<-done
		if err != nil || fired != 1 {
			t.Errorf("%d escalations fired once the incident was free: %v", fired, err)
		}
		p.expect(p.settle(), "sms-1")
	})
}

func TestChangeDuringClaimQueuesNextPost(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		number := p.storm(1)[0]
		done := make(chan struct{})
		var first []notify.Claim
		var failed error
		err := st.Once(t.Context(), func(tx *db.Tx) error {
			found, err := paging.DueMessages(t.Context(), tx, p.now, 8, paging.Choice{})
			if err != nil || len(found) != 1 {
				t.Fatalf("found %v: %v", found, err)
			}
			if err := paging.Subjects(t.Context(), tx, found); err != nil {
				return err
			}
			go func() {
				defer close(done)
				user := ana
				_, failed = p.actions.Do(context.WithoutCancel(t.Context()), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: incident.ActAcknowledge{}})
				p.follow()
			}()
			if p.untilBlocked(done) {
				t.Error("the next post was not held up by the claim")
			}
			first, err = paging.Lease(t.Context(), tx, found, p.now)
			return err
		})
		<-done
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		if s := first[0].Subjects[0].Status; s != string(incident.Triggered) {
			t.Fatalf("the claim saw the incident %s", s)
		}
		p.sent(first...)
		if next := p.claim(8); len(next) != 1 || next[0].Subjects[0].Status != string(incident.Acknowledged) {
			t.Errorf("what the channel is told next: %+v", next)
		}
	})
}

// TestFailedMessagesDoNotGather: after an outage of the provider the first page
// leaves at once. What the provider may have taken counts.
func TestFailedMessagesDoNotGather(t *testing.T) {
	for name, uncertain := range map[string]bool{"refused": false, "unanswered": true} {
		t.Run(name, func(t *testing.T) {
			ForEachDatabase(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				p.onlyBySMS(ana)
				p.sms.fail = func(m notify.Message) *notify.Failure {
					if m.To == "sms-1" {
						return &notify.Failure{Reason: "account suspended", Permanent: true, Uncertain: uncertain}
					}
					return nil
				}
				p.storm(notify.BundleAfter)
				p.settle()
				p.sms.fail = nil
				p.storm(1)
				if atOnce := slices.Contains(to(p.settle()), "sms-1"); atOnce == uncertain {
					t.Errorf("the next page left at once: %t", atOnce)
				}
			})
		})
	}
}

// TestStoppedMethodIsReplacedAtOnce: the rule of the next method is five minutes later
// than that of the one that its owner has switched off.
func TestStoppedMethodIsReplacedAtOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		people := p.engine.Directory.(fixedDirectory).people
		person, stopped := people[ana], p.now
		person.Methods = slices.Clone(person.Methods)
		person.Methods[0].DisabledAt = &stopped
		people[ana] = person
		p.write(p.signal("a"))
		p.expect(p.settle(), "email-1")
		p.expect(p.advance(5 * time.Minute))
		p.expect(p.advance(5*time.Minute), "email-1")
	})
}
