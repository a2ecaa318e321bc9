package escalation_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

func TestWorkedExample(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.advance(35*time.Hour + 30*time.Minute)
	d.tells(t,
		"+0s step 1 run 1: ana",
		"+1h step 2 run 1, instead: ben",
		"+3h step 3 run 1, instead: ana ben chiara",
		"+7h step 4 run 1, instead: dana",
		"+8h step 1 run 2, instead: ana",
		"+9h step 2 run 2, instead: ben",
		"+11h step 3 run 2, instead: ana ben chiara",
		"+15h step 4 run 2, instead: dana",
		"+16h step 1 run 3, instead: ana",
		"+17h step 2 run 3, instead: ben",
		"+19h step 3 run 3, instead: ana ben chiara",
		"+23h step 4 run 3, instead: dana",
		"+24h step 1 run 4, instead: ana",
		"+25h step 2 run 4, instead: ben",
		"+27h step 3 run 4, instead: ana ben chiara",
		"+31h step 4 run 4, instead: dana",
		"+32h exhausted",
		"+32h fallback, instead: dana",
		"+32h15m administrators, instead: root",
		"+33h15m fallback again, instead: dana",
		"+34h15m fallback again, instead: dana",
		"+35h15m fallback again, instead: dana",
	)
}

// The acknowledgment comes at, just before and just after each instant at which the
// worked example pages somebody, while the escalation is still marked as due.
func TestAckStopsEscalation(t *testing.T) {
	t.Parallel()
	whole := newFixture(t, workedExample())
	whole.begin()
	whole.advance(36 * time.Hour)
	var points []time.Duration
	for _, p := range whole.pages {
		at := p.at.Sub(monday)
		points = append(points, at, at+time.Second)
		if at > 0 {
			points = append(points, at-time.Second)
		}
	}
	for _, status := range []incident.Status{incident.Acknowledged, incident.Resolved} {
		for _, at := range slices.Compact(points) {
			d := newFixture(t, workedExample())
			r := d.begin()
			d.advance(at)
			paged := len(d.pages)
			r.Status = status
			d.advance(72 * time.Hour)
			if len(d.pages) != paged {
				t.Errorf("%s at %s: somebody was paged afterwards: %s", status, at, d.paged())
			}
			if !r.ended {
				t.Errorf("%s at %s: the escalation goes on", status, at)
			}
			if slices.ContainsFunc(d.pages, func(p page) bool { return !p.superseded }) {
				t.Errorf("%s at %s: a page goes on", status, at)
			}
		}
	}
}

func TestAckEndsNoRequest(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	r := d.begin(func(r *row) { r.Purpose, r.Status = escalation.Responder, incident.Acknowledged })
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h step 2 run 1, instead: ben")
	r.Status = incident.Resolved
	d.advance(24 * time.Hour)
	d.tells(t)
}

// A policy that cannot be read for now is read again in the next sweep.
func TestUnreadPolicyBlocksNoOther(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.unread[77] = errors.New("unexpected end of JSON input")
	d.begin(func(r *row) { r.PolicyVersionID = 77 })
	d.begin()
	if _, err := d.engine.Sweep(context.Background()); err == nil || !errors.Is(err, d.unread[77]) {
		t.Errorf("the error is %v", err)
	}
	d.tells(t, "+0s #2 step 1 run 1: ana")
	delete(d.unread, 77)
	d.policies[77] = workedExample()
	d.sweep()
	d.tells(t, "+0s step 1 run 1: ana")
}

// The damaged policies are one that cannot be decoded and one that makes the decision
// panic. Neither blocks another escalation.
func TestDamagedPolicyPagesAdministrators(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.unread[77] = fmt.Errorf("a policy %w", escalation.ErrUnreadable)
	d.begin(func(r *row) { r.PolicyVersionID = 77 })
	d.begin()
	d.begin(func(r *row) { r.State.Step = -1 })
	if _, err := d.engine.Sweep(context.Background()); !errors.Is(err, escalation.ErrUnreadable) {
		t.Errorf("the error is %v", err)
	}
	d.tells(t, "+0s trouble", "+0s administrators: root", "+0s #2 step 1 run 1: ana", "+0s #3 trouble", "+0s #3 administrators: root")
	d.now = d.now.Add(time.Hour)
	_, _ = d.engine.Sweep(context.Background())
	d.tells(t, "+1h administrators again, instead: root", "+1h #2 step 2 run 1, instead: ben", "+1h #3 fallback again, instead: dana")
}

func TestUnreadRosterFiresNothing(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.engine.Directory = brokenDirectory{}
	if _, err := d.engine.Sweep(context.Background()); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("the error is %v", err)
	}
	d.engine.Directory = d
	d.sweep()
	d.tells(t, "+0s step 1 run 1: ana")
}

type brokenDirectory struct{ escalation.Directory }

func (brokenDirectory) Roster(context.Context, int64) (*escalation.Roster, error) {
	return nil, fault.Unavailable("not now")
}

// After an outage one step fires, and its timeout starts when it fires.
func TestOutageFiresOneStep(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.begin()
	d.advance(10 * time.Minute)
	d.now = d.now.Add(17 * time.Hour)
	d.advance(2 * time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+17h10m step 2 run 1, instead: ben", "+19h10m step 3 run 1, instead: ana ben chiara")
}

// An hourly fallback that is overdue is not taken for one that ended early.
func TestOutageOverHourlyFallback(t *testing.T) {
	t.Parallel()
	d := newFixture(t, escalation.Policy{Steps: []escalation.Step{step(time.Hour, mainOnCall)}, Fallback: []escalation.Target{user(dana)}})
	d.begin()
	d.advance(2*time.Hour + 20*time.Minute)
	d.now = d.now.Add(10 * time.Hour)
	d.advance(time.Hour)
	d.tells(t, "+0s step 1 run 1: ana", "+1h exhausted", "+1h fallback, instead: dana", "+1h15m administrators, instead: root",
		"+2h15m fallback again, instead: dana", "+12h20m fallback again, instead: dana", "+13h20m fallback again, instead: dana")
}

func TestPolicyVersionIsKept(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.policies[41] = escalation.Policy{Steps: []escalation.Step{step(time.Minute, user(dana))}}
	d.begin()
	d.begin(func(r *row) { r.PolicyVersionID = 41 })
	d.advance(time.Hour - time.Second)
	d.tells(t, "+0s step 1 run 1: ana", "+0s #2 step 1 run 1: dana", "+1m #2 exhausted", "+1m #2 administrators, instead: root")
}

// Many incidents are due for the same step.
func TestStormIsOneBatch(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	for i := range 250 {
		d.begin(func(r *row) {
			if i%2 == 1 {
				r.ServiceID = 0 // without a name
			}
		})
	}
	d.sweep()
	if len(d.pages) != 250 {
		t.Fatalf("%d pages", len(d.pages))
	}
	for i, p := range d.pages {
		rule := "Checkout API's escalation policy"
		if i%2 == 1 {
			rule = ""
		}
		if p.row != int64(i+1) || p.UserID != ana || p.why.Rule != rule {
			t.Fatalf("page %d: %+v", i, p)
		}
	}
}

// The escalations that are decided together differ in one field each.
func TestBatchKeysAreDistinct(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.policies[41] = workedExample()
	d.begin()
	d.begin(func(r *row) { r.PolicyVersionID = 41 })
	d.begin(func(r *row) { r.State.Run = 2 })
	d.begin(func(r *row) { r.State.Step = 1 })
	d.sweep()
	var got []string
	for _, p := range d.pages {
		got = append(got, fmt.Sprintf("%s %s step %d run %d", first[p.UserID], p.why.Policy, p.why.Step, p.why.Run))
	}
	want := []string{"ana payments step 1 run 1", "ana other step 1 run 1", "ana payments step 1 run 3", "ben payments step 2 run 1"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The error has only the failures of the last try of a retried transaction.
func TestRepeatedTransaction(t *testing.T) {
	t.Parallel()
	d := newFixture(t, workedExample())
	d.unread[paymentsPolicy] = errors.New("the connection broke")
	d.begin()
	d.engine.Store = repeating{d, func() { delete(d.unread, paymentsPolicy) }}
	if _, err := d.engine.Sweep(context.Background()); err != nil {
		t.Errorf("the second try went well: %v", err)
	}
	d.tells(t, "+0s step 1 run 1: ana")
}

// repeating calls decide twice, and between in between, like a retried transaction.
type repeating struct {
	*fixture
	between func()
}

func (r repeating) FireDue(ctx context.Context, now time.Time, limit int, decide func(int64, []escalation.Due) ([]escalation.Change, error)) (int, error) {
	return r.fixture.FireDue(ctx, now, limit, func(version int64, due []escalation.Due) ([]escalation.Change, error) {
		if _, err := decide(version, due); err != nil {
			return nil, err
		}
		r.between()
		return decide(version, due)
	})
}
