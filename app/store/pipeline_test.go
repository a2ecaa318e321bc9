package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// pipeline is the way of a page without the web: everything real but the
// providers, and a clock that stands still.
type pipeline struct {
	t       testing.TB
	db      *Store
	now     time.Time
	engine  *escalation.Engine
	planner *notify.Planner
	outbox  *notify.Outbox
	sms     *recorder
	service int64
	policy  int64
	actions *incident.Service
	timers  *effect.Timers
	chat    *effect.Runner // nil where the team has no channel
}

// The people of the pipeline.
const (
	ana = int64(1)
	ben = int64(2)
)

// recorder is a channel that keeps what it is given and fails as it is told.
type recorder struct {
	sent chan notify.Message
	fail func(notify.Message) *notify.Failure
}

func (r *recorder) Deliver(_ context.Context, m notify.Message) (notify.Receipt, *notify.Failure) {
	if r.fail != nil {
		if f := r.fail(m); f != nil {
			return notify.Receipt{}, f
		}
	}
	r.sent <- m
	if m.Update != "" {
		return notify.Receipt{ProviderID: m.Update}, nil
	}
	return notify.Receipt{ProviderID: fmt.Sprintf("SM%d", m.Attempt)}, nil
}

type fixedDirectory struct {
	roster *escalation.Roster
	policy escalation.Policy
	people map[int64]notify.Recipient
}

func (d fixedDirectory) Roster(context.Context, int64) (*escalation.Roster, error) {
	return d.roster, nil
}

func (d fixedDirectory) Policy(context.Context, int64) (escalation.NamedPolicy, error) {
	return escalation.NamedPolicy{Slug: "payments", Name: "Payments", Policy: d.policy}, nil
}

func (d fixedDirectory) Recipients(context.Context, int64) (map[int64]notify.Recipient, error) {
	return d.people, nil
}

func (d fixedDirectory) Compose(*notify.Claim) error { return nil }

// newPipeline pages Ana by SMS, then by email after five minutes, and after an
// hour Ben.
func newPipeline(t testing.TB, st *Store) *pipeline {
	t.Helper()
	p := &pipeline{t: t, db: st, now: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), sms: &recorder{sent: make(chan notify.Message, 10000)}}
	st.Clock.Fixed = func() time.Time { return p.now }
	p.exec(`INSERT INTO users (id, email, name, role, created_at) VALUES (1, 'ana@acme.example', 'Ana Ortiz', 'responder', $1), (2, 'ben@acme.example', 'Ben Adeyemi', 'responder', $1)`, p.now)
	p.exec(`INSERT INTO policies (id, slug, name) VALUES (1, 'payments', 'Payments')`)
	p.exec(`INSERT INTO policy_versions (id, policy_id, effective_at, definition, created_at, created_by) VALUES (1, 1, $1, '{}', $1, 'test')`, p.now.Add(-time.Hour))
	p.exec(`INSERT INTO services (id, slug, name, policy_id) VALUES (1, 'checkout-api', 'Checkout API', 1)`)
	verified := p.now.Add(-time.Hour)
	method := func(id, user int64, medium notify.Medium) notify.ContactMethod {
		return notify.ContactMethod{ID: id, UserID: user, Medium: medium, Address: fmt.Sprintf("%s-%d", medium, user), VerifiedAt: &verified}
	}
	d := fixedDirectory{
		policy: escalation.Policy{Steps: []escalation.Step{
			{Targets: []escalation.Target{{User: ana}}, Timeout: 3600},
			{Targets: []escalation.Target{{User: ben}}, Timeout: 7200},
		}},
		roster: &escalation.Roster{People: map[int64]escalation.Person{
			ana: {Name: "Ana Ortiz", Reachable: true}, ben: {Name: "Ben Adeyemi", Reachable: true},
		}},
		people: map[int64]notify.Recipient{
			ana: {UserID: ana, Name: "Ana Ortiz", Methods: []notify.ContactMethod{method(1, ana, notify.SMS), method(2, ana, notify.Email)},
				Rules: []notify.Rule{{Urgency: "high", ContactMethodID: 1}, {Urgency: "high", AfterSeconds: 300, ContactMethodID: 2}}},
			ben: {UserID: ben, Name: "Ben Adeyemi", Methods: []notify.ContactMethod{method(3, ben, notify.SMS)}},
		},
	}
	clock := func() time.Time { return p.now }
	p.service, p.policy = 1, 1
	p.engine = &escalation.Engine{Store: st.Paging, Directory: d, Now: clock, Batch: 500}
	p.outbox = &notify.Outbox{Store: st.Paging, Channels: notify.FixedChannels{notify.SMS: p.sms, notify.Email: p.sms}, Composer: d, People: d, Now: clock, RealNow: time.Now, Workers: 8, Log: slog.New(slog.DiscardHandler)}
	p.planner = &notify.Planner{Store: st.Paging, People: d, Works: p.outbox.Works, Now: clock, Batch: 500}
	st.Paging.PlanAtOnce(p.planner.Decide)
	p.actions = &incident.Service{Store: st.Incidents, Now: clock}
	p.timers = &effect.Timers{Store: st.Effects, Now: clock, Log: slog.New(slog.DiscardHandler)}
	p.timers.Register(incident.TimerAck, p.actions.AckDue)
	p.timers.Register(incident.TimerQuietPeriod, p.actions.QuietPeriodDue)
	p.timers.Register(paging.TimerPassOver, st.Paging.PassOver)
	return p
}

func (p *pipeline) exec(query string, args ...any) {
	p.t.Helper()
	if _, err := p.db.Write.ExecContext(context.Background(), p.db.Rebind(query), args...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) signal(dedup string, change ...func(*ingest.Signal)) ingest.Signal {
	policy := p.policy
	s := ingest.Signal{
		ServiceID: p.service, ConfigVersion: 1, PolicyVersionID: &policy, ReceivedAt: p.now,
		Event: incident.Event{Action: incident.Trigger, DedupKey: dedup, Title: "Availability of " + dedup, Body: []byte(`{"service":"checkout-api"}`)},
		Rules: incident.Rules{ServiceID: p.service, IntegrationID: 1, Actor: "integration:SRE", ReopenWindow: 5 * time.Minute, DeploymentKnown: true, Production: true},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func resolve(s *ingest.Signal) { s.Event.Action = incident.Resolve }

func (p *pipeline) write(signals ...ingest.Signal) []ingest.Result {
	p.t.Helper()
	written, err := p.db.Incidents.WriteSignals(context.Background(), signals)
	if err != nil {
		p.t.Fatal(err)
	}
	if written.Mark != ingest.Durable {
		if err := p.db.Incidents.WaitForFlush(context.Background(), written.Mark); err != nil {
			p.t.Fatal(err)
		}
	}
	p.follow()
	return written.Results
}

// settle runs everything that is due and returns what was sent, in order.
func (p *pipeline) settle() []notify.Message {
	p.t.Helper()
	ctx := context.Background()
	for {
		total := 0
		for _, sweep := range []func(context.Context) (int, error){p.timers.Sweep, p.engine.Sweep, p.planner.Sweep, p.effects, p.outbox.Sweep} {
			n, err := sweep(ctx)
			if err != nil {
				p.t.Fatal(err)
			}
			total += n
			p.outbox.Wait()
		}
		if total == 0 {
			break
		}
	}
	var sent []notify.Message
	for len(p.sms.sent) > 0 {
		sent = append(sent, <-p.sms.sent)
	}
	return sent
}

// effects hands to the chat consumer what happened; toChat makes it.
func (p *pipeline) effects(ctx context.Context) (int, error) {
	if p.chat == nil {
		return 0, nil
	}
	return p.chat.Sweep(ctx)
}

// follow hands what was committed to the consumers, as a server does at once.
func (p *pipeline) follow() {
	p.t.Helper()
	for n := 1; n > 0; {
		n = p.must(p.effects(context.Background()))
	}
}

func (p *pipeline) advance(d time.Duration) []notify.Message {
	p.t.Helper()
	p.follow()
	p.now = p.now.Add(d)
	return p.settle()
}

func to(messages []notify.Message) []string {
	all := []string{}
	for _, m := range messages {
		all = append(all, m.To)
	}
	return all
}

func (p *pipeline) expect(messages []notify.Message, want ...string) {
	p.t.Helper()
	if got := to(messages); fmt.Sprint(got) != fmt.Sprint(append([]string{}, want...)) {
		p.t.Fatalf("at %s messages went to %v, want %v", p.now.Format(time.TimeOnly), got, want)
	}
}

func TestBreachEscalatesUntilAck(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		results := p.write(p.signal("a"), p.signal("a"))
		if results[0].Status != incident.ResultCreated || results[1].Status != incident.ResultDeduplicated || results[0].Number != results[1].Number {
			t.Fatalf("two signals of one key: %+v", results)
		}
		p.expect(p.settle(), "sms-1")
		p.expect(p.settle())
		p.expect(p.advance(5*time.Minute), "email-1")
		p.expect(p.advance(10*time.Minute), "email-1") // the last rule repeats
		p.expect(p.advance(45*time.Minute), "sms-2")   // the step is over, and its rules with it
		user := ben
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: results[0].Number, By: incident.By{Actor: "ben@acme.example", UserID: &user, Via: "sms"}, Act: incident.ActAcknowledge{}}); err != nil {
			t.Fatal(err)
		}
		p.expect(p.advance(24 * time.Hour))
		if r := p.write(p.signal("a", resolve)); r[0].Status != incident.ResultResolved {
			t.Fatalf("resolve: %+v", r)
		}
		for _, key := range []string{"a", "never seen"} {
			if r := p.write(p.signal(key, resolve)); r[0].Status != incident.ResultIgnored || !strings.HasPrefix(r[0].Warning, "Nothing is open") {
				t.Fatalf("resolve of what is not open: %+v", r)
			}
		}
	})
}

func TestAckBeforeClaimSendsNothing(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		number := p.write(p.signal("a"))[0].Number
		for _, sweep := range []func(context.Context) (int, error){p.engine.Sweep, p.planner.Sweep} {
			if _, err := sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "token:x", Via: "api"}, Act: incident.ActAcknowledge{}}); err != nil {
			t.Fatal(err)
		}
		p.expect(p.settle())
	})
}

func TestFailedMessageRetriesFailsOverPassesOver(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.sms.fail = func(m notify.Message) *notify.Failure {
			switch m.To {
			case "sms-1":
				return &notify.Failure{Reason: "busy"}
			case "email-1":
				return &notify.Failure{Reason: "no such mailbox", Permanent: true}
			}
			return nil
		}
		p.write(p.signal("a"))
		p.expect(p.settle())
		for _, wait := range []time.Duration{2 * time.Second, 5 * time.Second} {
			p.expect(p.advance(wait))
		}
		p.expect(p.advance(15*time.Second), "sms-2")
	})
}

func TestOtherProcessSendsAfterCrash(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.write(p.signal("a"))
		for _, sweep := range []func(context.Context) (int, error){p.engine.Sweep, p.planner.Sweep} {
			if _, err := sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		claims, _, err := st.Paging.ClaimMessages(t.Context(), p.now, 10, notify.Busy{})
		if err != nil || len(claims) != 1 {
			t.Fatalf("claims: %v, %v", claims, err)
		}
		st.Owner = "another process"
		p.now = p.now.Add(time.Hour / 2) // the clock of due times moves no lease
		if again, _, err := st.Paging.ClaimMessages(t.Context(), p.now.Add(-time.Hour/2), 10, notify.Busy{}); err != nil || len(again) != 0 {
			t.Fatalf("while the lease holds: %v, %v", again, err)
		}
		p.now = p.now.Add(-time.Hour / 2)
		p.exec("UPDATE messages SET lease_until = $1", time.Now().Add(-time.Second).UTC())
		sent := p.settle()
		p.expect(sent, "sms-1")
		if !sent[0].Again {
			t.Error("the second send of a message is not marked")
		}
		// The first process wakes up late: what it says changes nothing.
		late := claims[0]
		st.Owner = "the dead one"
		if err := st.Paging.Failed(t.Context(), late, notify.Failure{Permanent: true}, nil, nil, p.now); err != nil {
			t.Fatal(err)
		}
		p.expect(p.settle())
	})
}

func TestStormIsFewMessages(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		var signals []ingest.Signal
		for i := range 300 {
			signals = append(signals, p.signal(fmt.Sprint("k", i)))
		}
		p.write(signals...)
		p.expect(p.settle(), "sms-1", "sms-1", "sms-1")
		level := 1
		urgent := p.signal("urgent", func(s *ingest.Signal) { s.Event.Priority = &level })
		p.write(urgent)
		p.expect(p.settle(), "sms-1") // a higher priority breaks out
		gathered := p.advance(time.Minute)
		p.expect(gathered, "sms-1")
		if m := gathered[0]; m.Count() != 297 || len(m.Subjects) != notify.MaxSubjects {
			t.Errorf("the gathered message is about %d incidents and names %d", m.Count(), len(m.Subjects))
		}
	})
}
