package store

import (
	"slices"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// leavings are the ways in which Ana is deactivated.
var leavings = map[string]func(p *pipeline) error{
	"in the app": func(p *pipeline) error { return p.db.Access.SetActive(p.t.Context(), auth.Tocsin, ana, false) },
	"by a file": func(p *pipeline) error {
		versions, err := p.db.Organization.Versions(p.t.Context())
		if err != nil {
			return err
		}
		gone := organization.User{Email: "ana@acme.example", Name: "Ana Ortiz", Role: "responder", Deactivated: true}
		_, err = p.db.Organization.Apply(p.t.Context(), auth.Tocsin, nil, &organization.Plan{Revision: versions.Revision(),
			Changes: []organization.Change{{Kind: organization.KindUser, Op: organization.Update, Key: gone.Email, Value: gone}}})
		return err
	},
}

// leaves deactivates Ana, whom the directory leaves out from then on.
func (p *pipeline) leaves(how func(p *pipeline) error) {
	p.t.Helper()
	if err := how(p); err != nil {
		p.t.Fatal(err)
	}
	d := p.engine.Directory.(fixedDirectory)
	delete(d.people, ana)
	delete(d.roster.People, ana)
}

func TestDeactivationWithdrawsAndPagesNext(t *testing.T) {
	for name, how := range leavings {
		t.Run(name, func(t *testing.T) {
			ForEachDatabase(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				number := p.storm(1)[0]
				p.planned()
				if err := st.Access.Notice(t.Context(), notify.ContactMethod{ID: 1, UserID: ana, Medium: notify.SMS, Address: "sms-1"}, "Your number was replaced."); err != nil {
					t.Fatal(err)
				}
				p.leaves(how)
				p.expect(p.settle(), "sms-2")
				if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1 AND incident_number = $2", string(incident.EvLeft), number); n != 1 {
					t.Errorf("the timeline tells of it %d times", n)
				}
				records, err := st.Paging.IncidentPages(t.Context(), number)
				if err != nil || records[0].UserID != ana || records[0].State != incident.AttemptWithdrawn {
					t.Errorf("her page: %+v, %v", records[0], err)
				}
			})
		})
	}
}

func TestDeactivationKeepsStepOfOthers(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		d := p.engine.Directory.(fixedDirectory)
		d.policy.Steps[0].Targets = []escalation.Target{{User: ana}, {User: ben}}
		d.policy.Steps[1].Targets = []escalation.Target{{User: ana}}
		p.storm(1)
		p.planned()
		p.leaves(leavings["in the app"])
		p.expect(p.settle(), "sms-2")
		p.expect(p.advance(10*time.Minute), "sms-2") // his rule repeats: the step goes on
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvPassedOver)); n != 0 {
			t.Error("the step was passed over")
		}
	})
}

func TestDeactivationStopsRetry(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		tries := 0
		p.sms.fail = func(m notify.Message) *notify.Failure {
			if tries++; tries == 1 {
				return &notify.Failure{Reason: "busy"}
			}
			return nil
		}
		p.storm(1)
		p.expect(p.settle())
		p.leaves(leavings["in the app"])
		sent := to(p.advance(2 * time.Second))
		if !slices.Equal(sent, []string{"sms-2"}) {
			t.Errorf("messages went to %v", sent)
		}
		// A call that was under way when she left falls over to nobody.
		if n := p.count("SELECT count(*) FROM messages WHERE user_id = $1 AND state IN ('queued', 'sending')", ana); n != 0 {
			t.Errorf("%d messages to her wait", n)
		}
	})
}
