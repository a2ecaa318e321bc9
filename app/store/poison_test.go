package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// poison puts into a column of times what no program can read as one, and into
// whichever row a condition picks.
func (p *pipeline) poison(table, column, where string, args ...any) {
	p.t.Helper()
	value := "'infinity'"
	if p.db.Dialect == db.SQLite {
		value = "'2026-11-23 at night'" // which compares as a time of that day
	}
	p.exec("UPDATE "+table+" SET "+column+" = "+value+" WHERE "+where, args...)
}

// told are the incidents that messages were about, each once.
func (p *pipeline) told(messages []notify.Message) []int64 {
	var numbers []int64
	for _, m := range messages {
		for _, s := range m.Subjects {
			if !slices.Contains(numbers, s.Number) {
				numbers = append(numbers, s.Number)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

func TestUnclaimableMessageFailsOver(t *testing.T) {
	for name, spoil := range map[string]func(p *pipeline, first int64){
		"it cannot be read": func(p *pipeline, first int64) { p.poison("messages", "created_at", "id = $1", first) },
		"its attempt cannot be written": func(p *pipeline, first int64) {
			p.exec(`INSERT INTO attempts (message_id, number, state, again, again_next, provider_id, error, started_at)
				VALUES ($1, 1, 'failed', $2, $2, '', '', $3)`, first, false, p.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ForEachDatabase(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				numbers := p.storm(3)
				p.planned()
				spoil(p, int64(p.count("SELECT min(id) FROM messages")))
				sent := p.settle()
				slices.SortFunc(sent, func(a, b notify.Message) int { return strings.Compare(b.To, a.To) })
				p.expect(sent, "sms-1", "sms-1", "email-1")
				if got := p.told(sent); !slices.Equal(got, numbers) {
					t.Errorf("people were told of %v, want %v", got, numbers)
				}
				records, err := st.Paging.IncidentPages(t.Context(), numbers[0])
				if err != nil {
					t.Fatal(err)
				}
				if name == "it cannot be read" && (records[0].State != incident.AttemptFailed || records[0].Error != paging.BrokenAlone) {
					t.Errorf("the timeline says: %+v", records[0])
				}
				if records[1].InsteadOf != "sms" {
					t.Errorf("the email is there for %q", records[1].InsteadOf)
				}
			})
		})
	}
}

// A waiting message that cannot be claimed keeps no channel from being probed.
func TestUnclaimableMessageBlocksNoProbe(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		mend := p.outage()
		for _, key := range []string{"a", "b"} {
			p.write(p.signal(key))
			p.expect(p.settle())
			p.now = p.now.Add(time.Second)
		}
		p.poison("messages", "created_at", "id = (SELECT min(id) FROM messages)")
		mend()
		p.expect(p.probes(3), "sms-1", "sms-2") // Ana of b, and Ben of a, whose page cannot be sent
	})
}

func TestUnreadableIncidentIsSplitFromBundle(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(3) // from now on pages gather
		p.settle()
		numbers := p.storm(9)
		p.planned()
		p.poison("incidents", "created_at", "number = $1", numbers[4])
		sent := p.advance(time.Minute)
		if got, want := p.told(sent), slices.Concat(numbers[:4], numbers[5:]); !slices.Equal(got, want) {
			t.Errorf("people were told of %v, want %v", got, want)
		}
		if len(sent) > 4 {
			t.Errorf("it took %d messages", len(sent))
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1 AND incident_number = $2", string(incident.EvPassedOver), numbers[4]); n == 0 {
			t.Error("the steps of the incident that cannot be read were not passed over")
		}
		if n := p.count("SELECT count(*) FROM messages WHERE state IN ('queued', 'sending') AND due_at <= $1", p.now); n != 0 {
			t.Errorf("%d messages are still due", n)
		}
	})
}

func TestUnplannablePageFails(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		st.Paging.PlanAtOnce(nil)
		numbers := p.storm(3)
		p.must(p.engine.Sweep(t.Context()))
		p.poison("pages", "created_at", "incident_number = $1", numbers[1])
		sent := p.settle()
		p.expect(sent, "sms-1", "sms-1", "sms-2") // its step is passed over
		if got := p.told(sent); !slices.Equal(got, numbers) {
			t.Errorf("people were told of %v, want %v", got, numbers)
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1 AND incident_number = $2", string(incident.EvTrouble), numbers[1]); n != 1 {
			t.Errorf("the timeline tells of it %d times", n)
		}
	})
}

func TestUnreadableEscalationPagesAdministrators(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		d := p.engine.Directory.(fixedDirectory)
		d.roster.People[ben] = escalation.Person{Name: "Ben Adeyemi", Role: "administrator", Reachable: true}
		numbers := p.storm(3)
		p.poison("escalations", "fired_at", "incident_number = $1", numbers[1])
		sent := p.settle()
		slices.SortStableFunc(sent, func(a, b notify.Message) int { return strings.Compare(a.To, b.To) })
		p.expect(sent, "sms-1", "sms-1", "sms-2")
		if got := sent[2].Subjects[0].Number; got != numbers[1] {
			t.Errorf("the administrator was told of %d", got)
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1 AND incident_number = $2", string(incident.EvTrouble), numbers[1]); n != 1 {
			t.Errorf("the timeline tells of it %d times", n)
		}
	})
}

// TestUnfirableEscalationIsPostponed has one fail whatever it is turned
// into.
func TestUnfirableEscalationIsPostponed(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		numbers := p.storm(2)
		broken := int64(p.count("SELECT id FROM escalations WHERE incident_number = $1", numbers[0]))
		decide := func(_ int64, due []escalation.Due) ([]escalation.Change, error) {
			var changes []escalation.Change
			for _, d := range due {
				c := escalation.Change{Due: d, NextAction: p.now.Add(time.Hour)}
				if d.ID == broken {
					c.State.Step = 1 << 40 // no column holds it on PostgreSQL
				}
				changes = append(changes, c)
			}
			return changes, nil
		}
		if st.Dialect == db.SQLite {
			p.exec("CREATE TRIGGER narrow BEFORE UPDATE OF step ON escalations WHEN NEW.step > 1000 BEGIN SELECT RAISE(ABORT, 'too far'); END")
		}
		for range 3 {
			p.must(st.Paging.FireDue(t.Context(), p.now, 10, decide))
		}
		if n := p.count("SELECT count(*) FROM escalations WHERE next_action_at = $1", p.now.Add(time.Hour)); n != 1 {
			t.Errorf("%d of the others fired", n)
		}
		if n := p.count("SELECT count(*) FROM escalations WHERE next_action_at = $1 AND id = $2", p.now.Add(db.PostponeFor), broken); n != 1 {
			t.Error("what cannot be fired was not put off")
		}
	})
}

func TestDecisionErrorFailsNoRow(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(2)
		unknown := errors.New("nobody knows who is on call")
		_, err := st.Paging.FireDue(t.Context(), p.now, 10, func(int64, []escalation.Due) ([]escalation.Change, error) { return nil, unknown })
		if !errors.Is(err, unknown) {
			t.Errorf("the error is %v", err)
		}
		if n := p.count("SELECT count(*) FROM escalations WHERE phase = 'steps' AND next_action_at <= $1", p.now); n != 2 {
			t.Errorf("%d of 2 escalations are still due", n)
		}
	})
}

// TestDamagedConfigStopsNoSignalOrAck has everything that
// is kept as JSON beside what paging needs be none.
func TestDamagedConfigStopsNoSignalOrAck(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.onlyBySMS(ana)
		p.toChat()
		p.exec(`INSERT INTO services (id, slug, name, policy_id, dashboards) VALUES (2, 'ledger', 'Ledger', 1, 'none')`)
		p.exec(`UPDATE teams SET support_hours = 'none'`)
		p.exec(`UPDATE organization SET support_hours = 'none', config_version = config_version + 1`)
		p.exec(`UPDATE priorities SET criteria = 'none'`)
		p.exec(`INSERT INTO policy_versions (id, policy_id, effective_at, definition, created_at, created_by) VALUES (77, 1, $1, '{}', $1, 'test')`, p.now)
		p.poison("policy_versions", "effective_at", "id = 77")
		snapshot := viewOf(t, st).Catalog()
		if _, ok := snapshot.ServiceNamed("checkout-api"); !ok {
			t.Error("the service that can be read is missing")
		}
		if id, ok := snapshot.PolicyVersionAt(1, p.now); !ok || id != 1 {
			t.Errorf("version %d of the policy is in force, though it cannot be read", id)
		}
		results := p.write(p.signal("a", low, func(s *ingest.Signal) { s.ConfigVersion, s.PolicyVersionID = snapshot.Version(), nil }))
		p.expect(p.settle(), "sms-1")
		p.acknowledge(results[0].Number)
	})
}
