package store

import (
	"context"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// expectLockOrder fails the test unless a writer locks one row before another: the
// first holds it up, and meanwhile the second is free. Rows are "TABLE WHERE …".
func (p *pipeline) expectLockOrder(first, second string, write func() error) {
	p.t.Helper()
	ctx := context.Background()
	holder, err := p.db.Pool.Begin(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = holder.Rollback(ctx) }()
	if tag, err := holder.Exec(ctx, "SELECT 1 FROM "+first+" FOR UPDATE"); err != nil || tag.RowsAffected() != 1 {
		p.t.Fatalf("lock %s: %v, %v", first, tag, err)
	}
	done := make(chan struct{})
	var failed error
	go func() {
		defer close(done)
		failed = write()
	}()
	if p.untilBlocked(done) {
		p.t.Errorf("%s is not locked: %v", first, failed)
	}
	if tag, err := holder.Exec(ctx, "SELECT 1 FROM "+second+" FOR UPDATE NOWAIT"); err != nil || tag.RowsAffected() != 1 {
		p.t.Errorf("%s is locked before %s: %v, %v", second, first, tag, err)
	}
	if err := holder.Rollback(ctx); err != nil {
		p.t.Error(err)
	}
	<-done
	if failed != nil {
		p.t.Error(failed)
	}
}

// shuffle moves the row with the lowest id behind the others in the table, so that
// nothing but ORDER BY makes a statement find it first.
func (p *pipeline) shuffle(table string) {
	p.t.Helper()
	// An update that changes no indexed column would leave the indexes as they are.
	p.exec("UPDATE " + table + " SET id = -id WHERE " + lowest(table))
	p.exec("UPDATE " + table + " SET id = -id WHERE id < 0")
}

func lowest(table string) string  { return "id = (SELECT min(id) FROM " + table + ")" }
func highest(table string) string { return "id = (SELECT max(id) FROM " + table + ")" }

// acknowledging acknowledges an incident and returns the error.
func (p *pipeline) acknowledging(number int64) func() error {
	return func() error {
		user := ana
		_, err := p.do(context.Background(), number, incident.ActAcknowledge{}, incident.By{Actor: "ana@acme.example", UserID: &user, Via: "sms"})
		return err
	}
}

func (p *pipeline) deactivateAna() error {
	return p.db.Organization.PeopleEditor().SetActive(context.Background(), auth.Tocsin, "ana@acme.example", false)
}

func TestAckLocksInOrder(t *testing.T) {
	order := []string{"alerts", "incidents", "escalations", "pages", "messages"}
	for i, second := range order[1:] {
		t.Run(second, func(t *testing.T) {
			onPostgresAlone(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				number := p.storm(1)[0]
				p.planned()
				p.expectLockOrder(order[i]+" WHERE true", second+" WHERE true", p.acknowledging(number))
			})
		})
	}
}

func TestAckLocksPagesByID(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.engine.Directory.(fixedDirectory).policy.Steps[0].Targets = []escalation.Target{{User: ana}, {User: ben}}
		number := p.storm(1)[0]
		p.planned()
		p.shuffle("pages")
		p.expectLockOrder("pages WHERE "+lowest("pages"), "pages WHERE "+highest("pages"), p.acknowledging(number))
	})
}

func TestNextStepLocksPagesByID(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(2)
		p.settle()
		p.now = p.now.Add(time.Hour)
		p.shuffle("pages")
		p.expectLockOrder("pages WHERE "+lowest("pages"), "pages WHERE "+highest("pages"), func() error {
			_, err := p.engine.Sweep(context.Background())
			return err
		})
	})
}

func TestDeactivationLocksEscalationsByID(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(2)
		p.settle()
		p.shuffle("escalations")
		p.expectLockOrder("escalations WHERE "+lowest("escalations"), "escalations WHERE "+highest("escalations"), p.deactivateAna)
	})
}

func TestDeactivationLocksEscalationsBeforePages(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.settle()
		p.expectLockOrder("escalations WHERE true", "pages WHERE true", p.deactivateAna)
	})
}

// lostTo is the next contact method of a page that is lost, or none.
func lostTo(method int64) func([]int64) (notify.ContactMethod, bool) {
	return func([]int64) (notify.ContactMethod, bool) {
		return notify.ContactMethod{ID: method, UserID: ana, Medium: notify.Email, Address: "email-1"}, method != 0
	}
}

func TestLossLocksPagesBeforeMessage(t *testing.T) {
	for name, lose := range map[string]func(p *pipeline, c notify.Claim) error{
		"a failure": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Failed(context.Background(), c, notify.Failure{Permanent: true}, nil, lostTo(0), p.now)
		},
		"a failure that is retried": func(p *pipeline, c notify.Claim) error {
			return p.db.Paging.Failed(context.Background(), c, notify.Failure{}, &p.now, lostTo(0), p.now)
		},
		"a report": func(p *pipeline, c notify.Claim) error {
			next := func(int64) func([]int64) (notify.ContactMethod, bool) { return lostTo(0) }
			return p.db.Paging.Report(context.Background(), c.Attempt, paging.Failed, "P1", "", next, p.now)
		},
		"a broken message": func(p *pipeline, c notify.Claim) error {
			p.exec("UPDATE messages SET lease_until = $1", time.Now().Add(-time.Second).UTC())
			return p.db.Paging.GiveUp(context.Background(), c, lostTo(0), p.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onPostgresAlone(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				p.storm(1)
				p.planned()
				c := p.claim(1)[0]
				p.expectLockOrder("pages WHERE true", "messages WHERE true", func() error { return lose(p, c) })
			})
		})
	}
}

// A bundle of which one page is answered is not withdrawn, but locked all the same: a
// claim of it in progress has read the page as unanswered.
func TestAckWaitsForClaimOfBundle(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(notify.BundleAfter)
		p.settle()
		number := p.storm(2)[0]
		p.planned()
		p.now = p.now.Add(notify.GatherFor)
		done := make(chan struct{})
		var failed error
		err := st.Once(t.Context(), func(tx *db.Tx) error {
			due, err := paging.DueMessages(t.Context(), tx, p.now, 8, paging.Choice{})
			if err != nil || len(due) != 1 {
				t.Fatalf("found %v: %v", due, err)
			}
			if err := paging.Subjects(t.Context(), tx, due); err != nil {
				return err
			}
			go func() {
				defer close(done)
				failed = p.acknowledging(number)()
			}()
			if p.untilBlocked(done) {
				t.Error("the acknowledgment did not wait for the claim")
			}
			_, err = paging.Lease(t.Context(), tx, due, p.now)
			return err
		})
		<-done
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	})
}

// Where the collation of the database sorts "a" before "B", alerts are locked in the
// order of their bytes all the same.
func TestAlertsAreLockedInByteOrder(t *testing.T) {
	for name, writer := range map[string]func(p *pipeline, number int64) func() error{
		"by an action": func(p *pipeline, number int64) func() error { return p.acknowledging(number) },
		"by a batch": func(p *pipeline, _ int64) func() error {
			return func() error {
				_, err := p.db.Incidents.WriteSignals(context.Background(), []ingest.Signal{p.signal("a", inGroup), p.signal("B", inGroup)})
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onPostgresAlone(t, func(t *testing.T, st *Store) {
				p := newPipeline(t, st)
				p.exec(`ALTER TABLE alerts ALTER COLUMN dedup_key TYPE text COLLATE "und-x-icu"`)
				number := p.write(p.signal("a", inGroup), p.signal("B", inGroup))[0].Number
				p.expectLockOrder("alerts WHERE dedup_key = 'B'", "alerts WHERE dedup_key = 'a'", writer(p, number))
			})
		})
	}
}
