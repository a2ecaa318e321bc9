package store

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// written is all that a result may change.
type written struct {
	State, Failure, Body       string
	Owner, Until, Due          sql.NullString
	Attempts, Messages         int
	Sending, Active, PassOvers int
}

func (p *pipeline) written() written {
	p.t.Helper()
	var w written
	err := p.db.Read.QueryRowContext(p.t.Context(), `SELECT state, failure, body, lease_owner, CAST(lease_until AS text), CAST(due_at AS text), attempts,
		(SELECT count(*) FROM messages), (SELECT count(*) FROM attempts WHERE state = 'sending'), (SELECT count(*) FROM pages WHERE state = 'active'),
		(SELECT count(*) FROM timers WHERE kind = 'pass_over') FROM messages ORDER BY id LIMIT 1`).
		Scan(&w.State, &w.Failure, &w.Body, &w.Owner, &w.Until, &w.Due, &w.Attempts, &w.Messages, &w.Sending, &w.Active, &w.PassOvers)
	if err != nil {
		p.t.Fatal(err)
	}
	return w
}

// lapse ends every lease.
func (p *pipeline) lapse() {
	p.t.Helper()
	p.exec("UPDATE messages SET lease_until = $1", time.Now().Add(-time.Minute).UTC())
}

// TestLateResultChangesNothing has a process tell of an attempt when the message is no
// longer its own, in each of the ways in which it can be lost.
func TestLateResultChangesNothing(t *testing.T) {
	const first, second = "the first process", "the second process"
	losses := map[string]func(p *pipeline, c notify.Claim){
		"another process sends it": func(p *pipeline, _ notify.Claim) {
			p.lapse()
			p.db.Owner = second
			p.claim(1)
		},
		"the same process sends it again": func(p *pipeline, _ notify.Claim) {
			p.lapse()
			p.claim(1)
		},
		"another process has its lease": func(p *pipeline, _ notify.Claim) {
			p.exec("UPDATE messages SET lease_owner = $1", second)
		},
		"it is withdrawn": func(p *pipeline, _ notify.Claim) {
			p.exec("UPDATE messages SET state = 'withdrawn'")
		},
		"it was delivered": func(p *pipeline, c notify.Claim) {
			p.must(0, p.db.Paging.Report(p.t.Context(), c.Attempt, paging.Delivered, "P1", "", nil, p.now))
		},
	}
	results := map[string]func(p *pipeline, c notify.Claim) error{
		"sent": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Sent(p.t.Context(), c, notify.Receipt{ProviderID: "late"}, p.now)
		},
		"delivered": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Sent(p.t.Context(), c, notify.Receipt{ProviderID: "late", Delivered: true}, p.now)
		},
		"failed": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Failed(p.t.Context(), c, notify.Failure{Reason: "late", Permanent: true}, nil, lostTo(2), p.now)
		},
		"failed for want of a method": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Failed(p.t.Context(), c, notify.Failure{Reason: "late", Permanent: true}, nil, lostTo(0), p.now)
		},
		"failed for now": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Failed(p.t.Context(), c, notify.Failure{Reason: "late"}, &p.now, lostTo(2), p.now)
		},
		"broken": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.GiveUp(p.t.Context(), c, lostTo(2), p.now)
		},
	}
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		for loss, lose := range losses {
			for result, tell := range results {
				p.storm(1)
				p.planned()
				st.Owner = first
				c := p.claim(1)[0]
				lose(p, c)
				before, holder := p.written(), st.Owner
				st.Owner = first
				p.must(0, tell(p, c))
				after := p.written()
				if loss == "another process has its lease" || loss == "it is withdrawn" {
					before.Sending, after.Sending = 0, 0 // the attempt is its own, and is over
				}
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("%s, and the first attempt was %s: %s", loss, result, diff)
				}
				st.Owner = holder
				p.exec("DELETE FROM message_pages")
				p.exec("DELETE FROM attempts")
				p.exec("DELETE FROM messages")
				p.exec("DELETE FROM pages")
				p.exec("DELETE FROM timers")
			}
		}
	})
}

// After a late result the holder's own still counts.
func TestHolderRecordsAfterLateResult(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.planned()
		late := p.claim(1)[0]
		p.lapse()
		st.Owner = "the second process"
		mine := p.claim(1)[0]
		st.Owner = "the first process"
		p.sent(late)
		st.Owner = "the second process"
		p.must(0, st.Paging.Sent(t.Context(), mine, notify.Receipt{ProviderID: "mine"}, p.now))
		if n := p.count("SELECT count(*) FROM messages WHERE state = 'sent' AND provider_id = 'mine'"); n != 1 {
			t.Errorf("the message is recorded as %+v", p.written())
		}
		if n := p.count("SELECT count(*) FROM attempts WHERE state = 'sent'"); n != 1 {
			t.Errorf("%d attempts are recorded as sent", n)
		}
	})
}

func TestReportsOnlyMoveForward(t *testing.T) {
	next := func(int64) func([]int64) (notify.ContactMethod, bool) { return lostTo(2) }
	report := func(p *pipeline, c notify.Claim, state string) {
		p.t.Helper()
		p.must(0, p.db.Paging.Report(context.Background(), c.Attempt, state, "P1", "refused", next, p.now))
	}
	for name, c := range map[string]struct {
		tell              func(p *pipeline, c notify.Claim)
		message, attempts string
		messages          int
	}{
		"failed after delivered": {func(p *pipeline, c notify.Claim) {
			report(p, c, paging.Delivered)
			report(p, c, paging.Failed)
		}, "delivered", "delivered", 1},
		"failed after a receipt": {func(p *pipeline, c notify.Claim) {
			p.must(0, p.db.Paging.Sent(context.Background(), c, notify.Receipt{ProviderID: "P1", Delivered: true}, p.now))
			report(p, c, paging.Failed)
		}, "delivered", "delivered", 1},
		"sent after delivered": {func(p *pipeline, c notify.Claim) {
			report(p, c, paging.Delivered)
			report(p, c, paging.Sent)
		}, "delivered", "delivered", 1},
		"delivered after failed": {func(p *pipeline, c notify.Claim) {
			report(p, c, paging.Failed)
			report(p, c, paging.Delivered)
		}, "failed", "failed", 2},
		"failed twice": {func(p *pipeline, c notify.Claim) {
			report(p, c, paging.Failed)
			report(p, c, paging.Failed)
		}, "failed", "failed", 2},
		"failed after an earlier attempt was delivered": {func(p *pipeline, c notify.Claim) {
			p.must(0, p.db.Paging.Failed(context.Background(), c, notify.Failure{Uncertain: true}, &p.now, lostTo(2), p.now))
			again := p.claim(1)[0]
			report(p, c, paging.Delivered)
			report(p, again, paging.Failed)
		}, "delivered", "delivered failed", 1},
	} {
		t.Run(name, func(t *testing.T) {
			ForEachDatabase(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				p.storm(1)
				p.planned()
				c.tell(p, p.claim(1)[0])
				w := p.written()
				if w.State != c.message || w.Messages != c.messages {
					t.Errorf("the message is %s, and there are %d", w.State, w.Messages)
				}
				for state, want := range map[string]int{paging.Delivered: strings.Count(c.attempts, "delivered"), paging.Failed: strings.Count(c.attempts, "failed")} {
					if n := p.count("SELECT count(*) FROM attempts WHERE state = $1", state); n != want {
						t.Errorf("%d attempts are %s, want %d", n, state, want)
					}
				}
			})
		})
	}
}
