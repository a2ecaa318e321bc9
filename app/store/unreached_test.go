package store

import (
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/provider"
)

// An incident that could page nobody pages as soon as somebody can be reached.
func TestUnreachedIncidentPagesOnceSomebodyIsReachable(t *testing.T) {
	for name, happens := range map[string]func(p *pipeline){
		"a contact method is verified": func(p *pipeline) {
			contacts := &notify.Contacts{Store: p.db.Access, Now: p.db.Now}
			m, err := contacts.Add(p.t.Context(), "ana@acme.example", ana, notify.NewContact{Medium: notify.Email, Address: "ana@acme.example"})
			if err != nil {
				p.t.Fatal(err)
			}
			var body string
			if err := p.db.Read.QueryRowContext(p.t.Context(), "SELECT body FROM messages WHERE kind = 'verify'").Scan(&body); err != nil {
				p.t.Fatal(err)
			}
			p.exec("DELETE FROM messages")
			p.must(0, contacts.Verify(p.t.Context(), "ana@acme.example", ana, m.ID, strings.TrimSpace(body)))
		},
		"a channel is set up": func(p *pipeline) {
			version := int64(p.count("SELECT providers_version FROM organization"))
			p.must(0, p.db.Access.SaveProvider(p.t.Context(), auth.Actor{}, provider.Stored{Provider: "smtp", Sealed: []byte("x")}, version))
		},
		"a channel works again": func(p *pipeline) {
			p.exec("INSERT INTO channel_states (medium, failing_since, failed_at, holds, reason) VALUES ('email', $1, $1, false, '')", p.now)
			p.must(0, p.db.Paging.ChannelWorks(p.t.Context(), notify.Email, p.now))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ForEachDatabase(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				people := p.engine.Directory.(fixedDirectory).roster.People
				people[ana], people[ben] = escalation.Person{Name: "Ana Ortiz"}, escalation.Person{Name: "Ben Adeyemi"}
				p.write(p.signal("a"))
				p.expect(p.settle())
				p.expect(p.advance(time.Minute))
				people[ana] = escalation.Person{Name: "Ana Ortiz", Reachable: true}
				p.expect(p.settle())
				happens(p)
				p.expect(p.settle(), "sms-1")
				if phase := p.phase(); phase != string(escalation.PhaseSteps) {
					t.Errorf("the policy is in phase %s", phase)
				}
			})
		})
	}
}

// Administrators for whom every attempt failed count as not reached.
func TestChannelThatWorksAgainPagesAfterEveryAttemptFailed(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		people := p.engine.Directory.(fixedDirectory).roster.People
		people[ana], people[ben] = escalation.Person{Name: "Ana Ortiz"}, escalation.Person{Name: "Ben Adeyemi", Role: "administrator", Reachable: true}
		p.sms.fail = func(notify.Message) *notify.Failure { return &notify.Failure{Reason: "switched off", Permanent: true} }
		p.write(p.signal("a"))
		p.expect(p.settle())
		p.expect(p.advance(time.Minute))
		p.sms.fail = nil
		p.exec("INSERT INTO channel_states (medium, failing_since, failed_at, holds, reason) VALUES ('sms', $1, $1, false, '')", p.now)
		p.must(0, st.Paging.ChannelWorks(t.Context(), notify.SMS, p.now))
		p.expect(p.settle(), "sms-2")
	})
}
