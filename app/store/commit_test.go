package store

import (
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// failCommits has every transaction that puts a message into a state fail at its
// COMMIT, after all of its statements have succeeded, until the returned function
// is called.
func (p *pipeline) failCommits(state string) (repair func()) {
	p.t.Helper()
	if p.db.Dialect == db.SQLite {
		p.exec(`CREATE TABLE refused (id INTEGER PRIMARY KEY REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`)
		p.exec(`CREATE TABLE parents (id INTEGER PRIMARY KEY)`)
		p.exec(`CREATE TRIGGER refuse AFTER UPDATE ON messages WHEN NEW.state = '` + state + `' BEGIN INSERT OR IGNORE INTO refused VALUES (1); END`)
		return func() { p.exec(`DROP TRIGGER refuse`) }
	}
	p.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '58030'; END $$`)
	p.exec(`CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = '` + state + `') EXECUTE FUNCTION refuse()`)
	return func() { p.exec(`DROP TRIGGER refuse ON messages`) }
}

func TestFailedCommitSendsNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(3)
		p.planned()
		repair := p.failCommits("sending")
		for range 2 { // the second shows that the first left no transaction open
			claims, found, err := st.Paging.Claim(t.Context(), p.now, 10, paging.Choice{})
			if err == nil || !strings.Contains(err.Error(), "commit") {
				t.Fatalf("a claim whose commit failed returned the error %v", err)
			}
			if len(claims) != 0 || found != 0 {
				t.Errorf("a claim whose commit failed handed out %d messages of %d", len(claims), found)
			}
		}
		if n := p.count("SELECT count(*) FROM attempts"); n != 0 {
			t.Errorf("%d attempts are recorded", n)
		}
		repair()
		p.must(p.outbox.Sweep(t.Context()))
		p.outbox.Wait()
		sent := p.sms.taken()
		if len(sent) != 3 {
			t.Fatalf("%d messages were sent after the repair, want 3", len(sent))
		}
		for _, m := range sent {
			if m.Again {
				t.Errorf("message %d is marked as possibly sent before, and was not", m.ID)
			}
		}
	})
}

// A result that cannot be recorded leaves the message to the lease: it is sent
// again, with the mark that it may have been sent before.
func TestFailedResultCommitMarksResend(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.planned()
		repair := p.failCommits("sent")
		p.must(p.outbox.Sweep(t.Context()))
		p.outbox.Wait()
		if sent := p.sms.taken(); len(sent) != 1 || sent[0].Again {
			t.Fatalf("sent %d messages at first, want one without a mark", len(sent))
		}
		repair()
		if _, err := p.outbox.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p.outbox.Wait(); len(p.sms.taken()) != 0 {
			t.Fatal("the message was sent again within its lease")
		}
		p.exec("UPDATE messages SET lease_until = $1", db.LeaseClock().Add(-notify.Lease))
		p.must(p.outbox.Sweep(t.Context()))
		p.outbox.Wait()
		if sent := p.sms.taken(); len(sent) != 1 || !sent[0].Again {
			t.Errorf("after the lease %d messages were sent, want one with the mark", len(sent))
		}
	})
}

// One message after another is claimed where they cannot be claimed together: a
// claim that did not commit is none there either.
func TestFailedCommitSendsNothingOneByOne(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(2)
		p.planned()
		p.failCommits("sending")
		claims, _, _ := st.Paging.ClaimEach(t.Context(), p.now, 10, notify.Busy{})
		for _, c := range claims {
			if !c.Broken {
				t.Errorf("message %d was handed out though its claim did not commit", c.ID)
			}
		}
	})
}
