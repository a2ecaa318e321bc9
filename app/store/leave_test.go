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
	"in the app": func(p *pipeline) error {
		return p.db.Organization.PeopleEditor().SetActive(p.t.Context(), auth.Tocsin, "ana@acme.example", false)
	},
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

func TestPersonWithUnreadableRowsCanBeDeactivated(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.exec(`INSERT INTO contact_methods (id, user_id, slug, medium, address, verified_at, created_at)
			VALUES (1, 1, 'sms', 'sms', '+4912345', $1, $1), (2, 1, 'mail', 'email', 'ana@acme.example', $1, $1)`, p.now)
		p.exec("UPDATE priorities SET criteria = 'none'")
		p.poison("contact_methods", "created_at", "id = 1")
		p.leaves(leavings["in the app"])
		if n := p.count("SELECT count(*) FROM users WHERE id = $1 AND NOT active AND session_epoch = 1", ana); n != 1 {
			t.Error("she is still active, or signed in")
		}
		if n := p.count("SELECT count(*) FROM contact_methods WHERE user_id = $1", ana); n != 2 {
			t.Errorf("she has %d contacts, want both", n)
		}
	})
}
