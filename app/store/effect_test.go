package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/timeline"
)

// testConsumer remembers the events that it got.
type testConsumer struct {
	name  string
	kinds []incident.EventKind
	got   []int64
	fail  error
}

func (c *testConsumer) Name() string                { return c.name }
func (c *testConsumer) Kinds() []incident.EventKind { return c.kinds }

func (c *testConsumer) Consume(_ context.Context, events []effect.Event) error {
	if c.fail != nil {
		return c.fail
	}
	for _, e := range events {
		c.got = append(c.got, e.ID)
	}
	return nil
}

// register makes a consumer known at the present end of the timeline.
func (p *pipeline) register(c *testConsumer) *effect.Runner {
	p.t.Helper()
	r := &effect.Runner{Consumer: c, Store: p.db.Effects, Now: p.db.Now, Log: slog.New(slog.DiscardHandler)}
	p.must(0, r.Register(context.Background()))
	return r
}

// ids are those of the whole timeline.
func (p *pipeline) ids() []int64 {
	p.t.Helper()
	ids, err := p.db.Ints(context.Background(), "SELECT id FROM timeline_events ORDER BY id")
	p.must(0, err)
	return ids
}

func (p *pipeline) status(name string) effect.Status {
	p.t.Helper()
	all, err := p.db.Effects.Status(context.Background())
	p.must(0, err)
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	p.t.Fatalf("no consumer %s among %+v", name, all)
	return effect.Status{}
}

func TestConsumerStartsAtRegistration(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(3)
		before := len(p.ids())
		c := &testConsumer{name: "all"}
		r := p.register(c)
		if n := p.must(r.Sweep(t.Context())); n != 0 {
			t.Fatalf("%d events from before", n)
		}
		number := p.storm(1)[0]
		p.acknowledge(number)
		p.register(c) // a second start keeps the cursor
		for n := 1; n > 0; {
			n = p.must(r.Sweep(t.Context()))
		}
		if want := p.ids()[before:]; !slices.Equal(c.got, want) || len(want) < 2 {
			t.Errorf("got events %v, want %v", c.got, want)
		}
		if s := p.status("all"); s.Behind != 0 || s.Oldest != nil || s.Tries != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestConsumerOfEmptyTimeline(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		p.storm(1)
		if p.must(r.Sweep(t.Context())); !slices.Equal(c.got, p.ids()) {
			t.Errorf("got events %v, want %v", c.got, p.ids())
		}
	})
}

func TestUnregisterDropsCursor(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		p.register(c)
		p.now = p.now.Add(time.Second)
		p.must(0, st.Effects.Unregister(t.Context(), "all", p.now))
		if _, err := st.Effects.Cursor(t.Context(), "all"); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("error %v", err)
		}
		p.storm(2)
		r := p.register(c)
		if n := p.must(r.Sweep(t.Context())); n != 0 {
			t.Errorf("%d events from the time between", n)
		}
	})
}

func TestUsedConsumerIsNotUnregistered(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		kept := func(how string, before time.Time) {
			t.Helper()
			p.must(0, st.Effects.Unregister(t.Context(), "all", before))
			if _, err := st.Effects.Cursor(t.Context(), "all"); err != nil {
				t.Fatalf("%s: %v", how, err)
			}
		}
		kept("registered just now", p.now)
		p.now = p.now.Add(effect.SeenEvery)
		p.must(r.Sweep(t.Context()))
		kept("seen by a sweep", p.now)
		p.now = p.now.Add(2 * effect.UnusedAfter)
		p.register(c)
		kept("registered again", p.now)
		cursor, err := st.Effects.Cursor(t.Context(), "all")
		p.must(0, err)
		if !cursor.SeenAt.Equal(p.now) {
			t.Errorf("seen at %v, registered at %v", cursor.SeenAt, p.now)
		}
		if _, ok, err := st.Effects.Claim(t.Context(), "all", cursor.Position); !ok || err != nil {
			t.Fatal(ok, err)
		}
		kept("leased", p.now.Add(effect.UnusedAfter))
	})
}

func TestConsumerGetsItsKindsOnly(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "acks", kinds: []incident.EventKind{incident.EvAcknowledged, incident.EvUnacknowledged}}
		r := p.register(c)
		p.acknowledge(p.storm(5)[2])
		if s := p.status("acks"); s.Behind != 1 || s.Oldest == nil || !s.Oldest.Equal(p.now) {
			t.Errorf("status %+v", s)
		}
		p.must(r.Sweep(t.Context()))
		if want := p.ids(); !slices.Equal(c.got, want[len(want)-1:]) {
			t.Errorf("got events %v of %v", c.got, want)
		}
	})
}

// TestEventsCommittedOutOfOrder has one transaction take a lower id and commit
// after another that took a higher one.
func TestEventsCommittedOutOfOrder(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		event := func(number int64) []incident.TimelineEvent {
			return []incident.TimelineEvent{{IncidentNo: number, At: p.now, Actor: incident.Tocsin, Payload: incident.NotePayload{Text: "x"}}}
		}
		inserted, finish := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- st.Once(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
				err := timeline.Insert(t.Context(), tx, event(1))
				close(inserted)
				<-finish
				return err
			})
		}()
		<-inserted
		if err := st.Once(t.Context(), func(tx *db.Tx) error { return timeline.Insert(t.Context(), tx, event(2)) }); err != nil {
			t.Fatal(err)
		}
		if ids := p.ids(); len(ids) != 1 || ids[0] != 2 {
			t.Fatalf("events %v are visible, want the second alone", ids)
		}
		if n := p.must(r.Sweep(t.Context())); n != 0 {
			t.Fatalf("got events %v while a lower one may still come", c.got)
		}
		close(finish)
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		if p.must(r.Sweep(t.Context())); !slices.Equal(c.got, []int64{1, 2}) {
			t.Errorf("got events %v", c.got)
		}
	})
}

func TestLongTransactionDoesNotDelayConsumer(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		tx, err := st.Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
		if _, err := tx.Exec(t.Context(), "CREATE TABLE something_else (id int)"); err != nil {
			t.Fatal(err)
		}
		p.storm(1)
		if p.must(r.Sweep(t.Context())); len(c.got) == 0 {
			t.Error("got no event")
		}
	})
}

func TestGapsInTheTimeline(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		want := []int64{7, 15_000, 15_001, 200_000}
		for _, id := range want {
			p.exec("INSERT INTO timeline_events (id, incident_number, at, kind, actor, data) VALUES ($1, 1, $2, 'note', 'tocsin', '{}')", id, p.now)
		}
		for range want {
			p.must(r.Sweep(t.Context()))
		}
		if !slices.Equal(c.got, want) {
			t.Errorf("got events %v, want %v", c.got, want)
		}
	})
}

func TestExpiredLeaseIsTakenOver(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		c := &testConsumer{name: "all"}
		r := p.register(c)
		p.storm(1)
		effects := st.Effects
		claim, ok, err := effects.Claim(t.Context(), "all", 0)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		dead := st.Owner
		st.Owner = "another process"
		if _, ok, err := effects.Claim(t.Context(), "all", 0); err != nil || ok {
			t.Fatalf("claimed twice: %v", err)
		}
		p.now = p.now.Add(time.Hour) // the clock of due times moves no lease
		if n := p.must(r.Sweep(t.Context())); n != 0 {
			t.Fatalf("got %d events while the lease holds", n)
		}
		p.exec("UPDATE effect_consumers SET lease_until = $1", time.Now().Add(-time.Second).UTC())
		if n := p.must(r.Sweep(t.Context())); n == 0 {
			t.Fatal("nobody took over")
		}
		// The first process wakes up late: what it says changes nothing.
		st.Owner = dead
		if ok, err := effects.Renew(t.Context(), claim); err != nil || ok {
			t.Errorf("renewed a lost lease: %v", err)
		}
		if ok, err := effects.Advance(t.Context(), claim, 99, []effect.SetAside{{EventID: 1, Error: "x"}}); err != nil || ok {
			t.Errorf("advanced without the lease: %v", err)
		}
		if err := effects.Fail(t.Context(), claim, effect.Failure{Tries: 5, RetryAt: p.now, Error: "late"}); err != nil {
			t.Fatal(err)
		}
		if s := p.status("all"); s.Tries != 0 || s.SetAside != 0 || s.Behind != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestFailingConsumerDelaysNoOther(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		broken, works := &testConsumer{name: "broken", fail: errors.New("no such channel\x00")}, &testConsumer{name: "works"}
		bad, good := p.register(broken), p.register(works)
		p.storm(2)
		n := len(p.ids())
		if p.must(bad.Sweep(t.Context())) != 0 || p.must(good.Sweep(t.Context())) != n {
			t.Fatalf("got %d events", len(works.got))
		}
		s := p.status("broken")
		if s.Tries != 1 || s.Behind != int64(n) || !strings.HasPrefix(s.Error, "no such channel") || s.RetryAt == nil || !s.RetryAt.Equal(p.now.Add(time.Second)) {
			t.Errorf("status %+v", s)
		}
		if at, ok, err := st.NextDue(t.Context(), nil, []string{"broken"}); err != nil || !ok || at.After(*s.RetryAt) {
			t.Errorf("next due at %s: %v", at, err)
		}
		p.expect(p.settle(), "sms-1", "sms-1") // pages do not know of it
		p.now = p.now.Add(time.Second)
		broken.fail = nil
		if p.must(bad.Sweep(t.Context())) == 0 {
			t.Error("it was not tried again")
		}
		if s := p.status("broken"); s.Tries != 0 || s.RetryAt != nil || s.Error != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestSetAsideEventIsRecorded(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.register(&testConsumer{name: "all"})
		p.storm(2)
		effects := st.Effects
		claim, _, err := effects.Claim(t.Context(), "all", 0)
		p.must(0, err)
		if ok, err := effects.Advance(t.Context(), claim, 2, []effect.SetAside{{EventID: 1, Tries: 8, Error: strings.Repeat("é", 2000)}}); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if s := p.status("all"); s.SetAside != 1 {
			t.Errorf("status %+v", s)
		}
		if n := p.count("SELECT count(*) FROM effect_failures WHERE consumer = 'all' AND event_id = 1 AND tries = 8 AND at = $1", p.now); n != 1 {
			t.Error("the event is not recorded")
		}
	})
}

func TestUnreadableEventIsLeftOut(t *testing.T) {
	t.Parallel()
	st := opened(t, newSQLite(t)) // PostgreSQL refuses such a row
	p := newPipeline(t, st)
	c := &testConsumer{name: "all"}
	r := p.register(c)
	p.storm(3)
	p.exec("UPDATE timeline_events SET at = 'yesterday' WHERE id = 2")
	p.must(r.Sweep(t.Context()))
	if slices.Contains(c.got, 2) || len(c.got) != len(p.ids())-1 {
		t.Errorf("got events %v", c.got)
	}
}

// TestTimelineEndUsesIndex counts the pages of the table that
// are read.
func TestTimelineEndUsesIndex(t *testing.T) {
	onPostgresAlone(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.exec("INSERT INTO timeline_events (incident_number, at, kind, actor, data) SELECT n % 1000, $1, 'note', 'tocsin', repeat('x', 200) FROM generate_series(1, 50000) n", p.now)
		if _, err := st.Effects.Read(t.Context(), 49_990, nil, 100); err != nil {
			t.Fatal(err)
		}
		pages := p.count("SELECT pg_relation_size('timeline_events') / 8192")
		for _, query := range []string{
			"SELECT max(id) FROM timeline_events WHERE id > $1 AND id <= $1 + 5000",
			"SELECT min(id) FROM timeline_events WHERE id > $1",
			"SELECT id, data FROM timeline_events WHERE id > $1 AND kind IN ('note') ORDER BY id LIMIT 100",
		} {
			rows, err := st.Read.QueryContext(t.Context(), "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "+strings.ReplaceAll(query, "$1", "49990"))
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var plan strings.Builder
			for rows.Next() {
				var line string
				if err := rows.Scan(&line); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&plan, line)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile(`Heap Blocks: lossy=(\d+)`).FindStringSubmatch(plan.String())
			if found == nil {
				t.Fatalf("%s\n%s", query, plan.String())
			}
			if read, _ := strconv.Atoi(found[1]); read > 64 {
				t.Errorf("%s reads %d of %d pages:\n%s", query, read, pages, plan.String())
			}
		}
	})
}

func TestChatIncidents(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		numbers := p.storm(2, withPriority(2))
		if got, err := st.Effects.ChatIncidents(t.Context(), numbers); err != nil || len(got) != 0 {
			t.Fatalf("without a team: %+v, %v", got, err)
		}
		p.toChat()
		got, err := st.Effects.ChatIncidents(t.Context(), numbers)
		if err != nil || len(got) != 2 || got[0].Number != numbers[0] || got[0].Channel != "#payments" || *got[1].Priority != 2 || got[1].Urgency != incident.High {
			t.Fatalf("with a team: %+v, %v", got, err)
		}
		posts := chat.Plan(p.now, got, nil)
		for range 2 { // the second finds the first waiting
			p.must(0, st.Paging.QueuePosts(t.Context(), posts, p.now))
		}
		if recent, err := st.Paging.RecentPosts(t.Context(), []string{"#payments", "#other"}, p.now.Add(-time.Second)); err != nil || recent["#payments"] != 2 || recent["#other"] != 0 {
			t.Errorf("recent %v, %v", recent, err)
		}
	})
}
