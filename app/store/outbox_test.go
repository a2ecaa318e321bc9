package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// onPostgresAlone runs a test of locks, of which SQLite with its one writer has
// none.
func onPostgresAlone(t *testing.T, test func(t *testing.T, st *Store)) {
	t.Helper()
	t.Parallel()
	test(t, opened(t, newPostgres(t)))
}

// untilBlocked returns once a statement waits for a lock, or done is closed,
// which it reports.
func (p *pipeline) untilBlocked(done <-chan struct{}) (ended bool) {
	p.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-done:
			return true
		case <-look.C:
		}
		if p.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0 {
			return false
		}
	}
}

func (p *pipeline) count(query string, args ...any) int {
	p.t.Helper()
	var n int
	if err := p.db.Read.QueryRowContext(context.Background(), p.db.Rebind(query), args...).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// storm begins n incidents and returns their numbers.
func (p *pipeline) storm(n int, change ...func(*ingest.Signal)) []int64 {
	p.t.Helper()
	var numbers []int64
	known := p.count("SELECT count(*) FROM incidents")
	for n > 0 {
		var batch []ingest.Signal
		for range min(n, 500) {
			batch = append(batch, p.signal(fmt.Sprintf("storm %d after %d", n, known), change...))
			n--
		}
		for _, r := range p.write(batch...) {
			numbers = append(numbers, r.Number)
		}
	}
	return numbers
}

// planned fires and plans what is due, and sends nothing.
func (p *pipeline) planned() {
	p.t.Helper()
	for _, sweep := range []func(context.Context) (int, error){p.engine.Sweep, p.planner.Sweep, p.effects} {
		for n := 1; n > 0; {
			n = p.must(sweep(context.Background()))
		}
	}
}

func (p *pipeline) claim(limit int, busy ...notify.Medium) []notify.Claim {
	p.t.Helper()
	claims, _, err := p.db.Paging.ClaimMessages(context.Background(), p.now, limit, notify.Busy{Media: busy})
	if err != nil {
		p.t.Fatal(err)
	}
	return claims
}

func (p *pipeline) sent(claims ...notify.Claim) {
	p.t.Helper()
	for _, c := range claims {
		p.must(0, p.db.Paging.Sent(context.Background(), c, notify.Receipt{ProviderID: fmt.Sprint("P", c.ID)}, p.now))
	}
}

// toChat gives the service a team with a chat channel.
func (p *pipeline) toChat() *recorder {
	p.t.Helper()
	p.chat = &effect.Runner{Consumer: &chat.Consumer{Store: p.db.Chat(), Now: p.db.Now}, Store: p.db.Effects, Now: p.db.Now, Log: slog.New(slog.DiscardHandler)}
	if err := p.chat.Register(context.Background()); err != nil {
		p.t.Fatal(err)
	}
	p.exec(`INSERT INTO teams (id, slug, name, slack_channel) VALUES (1, 'payments', 'Payments', '#payments')`)
	p.exec(`UPDATE services SET team_id = 1`)
	posts := &recorder{sent: make(chan notify.Message, 10000)}
	p.outbox.Channels.(notify.FixedChannels)[notify.Slack] = posts
	return posts
}

func (r *recorder) taken() []notify.Message {
	var all []notify.Message
	for len(r.sent) > 0 {
		all = append(all, <-r.sent)
	}
	return all
}

func withPriority(level int) func(*ingest.Signal) {
	return func(s *ingest.Signal) { s.Event.Priority = &level }
}

func TestPostsDelayNoPageAndCoalesce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		numbers := p.storm(2000)
		p.now = p.now.Add(time.Minute) // the posts are due before the pages
		p.planned()
		claims := p.claim(8)
		if len(claims) != 4 {
			t.Fatalf("%d messages were claimed, want three pages and a post", len(claims))
		}
		for _, c := range claims[:3] {
			if c.Kind != notify.KindPage {
				t.Errorf("a %s message was claimed before a page", c.Kind)
			}
		}
		post := claims[3]
		if post.Kind != notify.KindChannel || post.Count() != len(numbers) || len(post.Subjects) != notify.MaxSubjects {
			t.Errorf("the %s message is about %d incidents and names %d", post.Kind, post.Count(), len(post.Subjects))
		}
		if again := p.claim(8); len(again) != 0 {
			t.Errorf("%d more messages were claimed", len(again))
		}
	})
}

func TestChannelGetsOneMessageAtATime(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		number := p.write(p.signal("a"))[0].Number
		first := p.claim(8)
		if len(first) != 1 || first[0].Update != "" {
			t.Fatalf("the first post: %+v", first)
		}
		p.acknowledge(number)
		if second := p.claim(8); len(second) != 0 {
			t.Fatalf("while the post is on its way: %+v", second)
		}
		p.sent(first...)
		second := p.claim(8)
		if len(second) != 1 || second[0].Update != fmt.Sprint("P", first[0].ID) || second[0].Subjects[0].Status != string(incident.Acknowledged) {
			t.Fatalf("the update: %+v", second)
		}
	})
}

func TestStormIsOnePost(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		chat := p.toChat()
		numbers := p.storm(300)
		p.settle()
		p.advance(time.Minute)
		posts := chat.taken()
		if len(posts) != 1 || posts[0].Count() != 300 {
			t.Fatalf("%d posts", len(posts))
		}
		// What told of the storm is kept up to date, with those that changed meanwhile
		// in one update.
		post := fmt.Sprintf("SM%d", posts[0].Attempt)
		expect := func(states map[string]int) {
			t.Helper()
			p.advance(time.Minute)
			updates := chat.taken()
			if len(updates) == 0 || len(updates) > 2 {
				t.Fatalf("%d updates", len(updates))
			}
			last := updates[len(updates)-1]
			if last.Update != post || last.Count() != 300 || len(last.Subjects) != notify.MaxSubjects {
				t.Errorf("%q is updated with %d incidents, %d of them named", last.Update, last.Count(), len(last.Subjects))
			}
			if diff := cmp.Diff(states, last.States); diff != "" {
				t.Error(diff)
			}
		}
		for _, number := range numbers[:10] {
			p.acknowledge(number)
		}
		expect(map[string]int{"acknowledged": 10, "triggered": 290})
		user := ana
		for _, number := range numbers[5:200] {
			if _, err := p.actions.Do(t.Context(), incident.Command{Number: number, By: incident.By{Actor: "ana@acme.example", UserID: &user, Via: "web"}, Act: incident.ActResolve{FixedBy: "restarted"}}); err != nil {
				t.Fatal(err)
			}
		}
		expect(map[string]int{"acknowledged": 5, "triggered": 100, "resolved": 195})
	})
}

func TestClaimHasReadersZone(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.exec("UPDATE organization SET timezone = 'Asia/Tokyo'")
		for zone, want := range map[string]string{"": "Asia/Tokyo", "Europe/Madrid": "Europe/Madrid"} {
			p.exec("UPDATE users SET timezone = $1 WHERE id = 1", zone)
			p.write(p.signal("a" + zone))
			sent := p.settle()
			if len(sent) != 1 || sent[0].Zone != want {
				t.Errorf("%q: sent %+v", zone, sent)
			}
		}
	})
}

func TestResentPostKeepsCarriedIncidents(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		chat := p.toChat()
		tries := 0
		chat.fail = func(notify.Message) *notify.Failure {
			if tries++; tries == 1 {
				return &notify.Failure{Reason: "busy"}
			}
			return nil
		}
		p.storm(300)
		p.settle()
		p.advance(time.Minute)
		p.advance(2 * time.Second)
		if posts := chat.taken(); len(posts) != 1 || posts[0].Count() != 300 || len(posts[0].Subjects) != notify.MaxSubjects {
			t.Errorf("the second try made %d posts: %+v", len(posts), posts)
		}
	})
}

func TestOvertakenPostMovesCarriedMessages(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		p.storm(300)
		p.now = p.now.Add(time.Minute)
		post := p.claim(8)
		if len(post) != 1 || post[0].Count() != 300 {
			t.Fatalf("the post: %+v", post)
		}
		p.acknowledge(post[0].Subjects[0].Number)
		retry := p.now.Add(2 * time.Second)
		if err := st.Paging.Failed(t.Context(), post[0], notify.Failure{Reason: "busy"}, &retry, nil, p.now); err != nil {
			t.Fatal(err)
		}
		p.now = p.now.Add(time.Minute)
		newer := p.claim(8)
		if len(newer) != 1 || newer[0].ID == post[0].ID || newer[0].Count() != 300 || newer[0].Subjects[0].Status != "acknowledged" {
			t.Errorf("the newer post: %+v", newer)
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvChannelFailed)); n != 0 {
			t.Errorf("%d incidents say that the channel could not be told, though it still will be", n)
		}
	})
}

func TestLostPostIsOnEveryTimeline(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		chat := p.toChat()
		chat.fail = func(notify.Message) *notify.Failure {
			return &notify.Failure{Reason: "the channel is archived", Permanent: true}
		}
		p.storm(300)
		p.settle()
		p.advance(time.Minute)
		events, incidents := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvChannelFailed)),
			p.count("SELECT count(DISTINCT incident_number) FROM timeline_events WHERE kind = $1", string(incident.EvChannelFailed))
		if events != 300 || incidents != 300 {
			t.Errorf("%d lines on %d timelines say that the channel could not be told, want 300 on 300", events, incidents)
		}
	})
}

func TestRenewKeepsOnlySendingMessages(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(2)
		p.planned()
		claims := p.claim(8)
		if len(claims) != 2 {
			t.Fatalf("%d messages were claimed", len(claims))
		}
		kept, orphan := claims[0].ID, claims[1].ID
		p.exec("UPDATE messages SET lease_until = $1", time.Now().Add(-time.Second).UTC())
		held, err := st.Paging.Renew(t.Context(), []int64{kept})
		if err != nil || !slices.Equal(held, []int64{kept}) {
			t.Fatalf("the leases of %v were renewed: %v", held, err)
		}
		again := p.claim(8)
		if len(again) != 1 || again[0].ID != orphan || !again[0].Again {
			t.Fatalf("what lapsed: %+v", again)
		}
		st.Owner = "another process"
		if held, err := st.Paging.Renew(t.Context(), []int64{kept, orphan}); err != nil || len(held) != 0 {
			t.Errorf("another process renewed the leases of %v: %v", held, err)
		}
	})
}

func TestBusyMediumIsNotClaimed(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.toChat()
		p.storm(1)
		p.planned()
		if claims := p.claim(8, notify.SMS); len(claims) != 1 || claims[0].Medium != notify.Slack {
			t.Errorf("while SMS is busy: %+v", claims)
		}
		if claims := p.claim(8, notify.Slack, notify.Email); len(claims) != 1 || claims[0].Medium != notify.SMS {
			t.Errorf("while Slack and email are busy: %+v", claims)
		}
	})
}

func TestBundleListsMostUrgent(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(3, withPriority(1)) // what comes next neither leaves at once nor breaks out
		p.settle()
		later, second := p.storm(30), p.storm(30, withPriority(2))
		p.planned()
		// A second page for an incident, such as one for a role, tells nothing new.
		p.exec(`INSERT INTO pages (incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, notify_at, created_at)
			SELECT incident_number, escalation_id, user_id, step, run, urgency, priority, shadow, digest, why, state, rule, NULL, created_at FROM pages WHERE incident_number = $1`, second[0])
		p.exec(`INSERT INTO message_pages (message_id, page_id) SELECT (SELECT min(id) FROM messages WHERE gathering), max(id) FROM pages`)
		gathered := p.advance(time.Minute)
		p.expect(gathered, "sms-1")
		var got []int64
		for _, s := range gathered[0].Subjects {
			got = append(got, s.Number)
		}
		want := slices.Concat(second, later[:20])
		if !slices.Equal(got, want) || gathered[0].More != 10 {
			t.Errorf("the message names %v and counts %d more, want %v and 10", got, gathered[0].More, want)
		}
	})
}

func TestPagesOfBundleFailOverSeparately(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		people := p.engine.Directory.(fixedDirectory).people
		person := people[ana]
		person.Rules = []notify.Rule{{Urgency: "high", ContactMethodID: 1}, {Urgency: "high", AfterSeconds: 30, ContactMethodID: 2}}
		people[ana] = person
		for _, number := range p.storm(3) { // from now on pages gather
			p.settle()
			p.acknowledge(number)
		}
		p.settle()
		p.sms.fail = func(m notify.Message) *notify.Failure {
			if m.To == "sms-1" {
				return &notify.Failure{Reason: "switched off", Permanent: true}
			}
			return nil
		}
		both := p.write(p.signal("a"))[0].Number
		p.expect(p.settle())
		p.expect(p.advance(45*time.Second), "email-1")
		alone := p.write(p.signal("b"))[0].Number
		p.expect(p.settle())
		fallback := p.advance(15 * time.Second) // the SMS that carries both is lost
		p.expect(fallback, "email-1")
		if s := fallback[0].Subjects; len(s) != 1 || s[0].Number != alone {
			t.Errorf("the email is about %+v", s)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE state = 'active' AND incident_number IN ($1, $2)", both, alone); n != 2 {
			t.Errorf("%d of 2 pages still stand", n)
		}
	})
}

func TestLostMessageFailsHundredsOfPages(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		people := p.engine.Directory.(fixedDirectory).people
		person := people[ana]
		person.Methods = person.Methods[:1]
		people[ana] = person
		p.sms.fail = func(m notify.Message) *notify.Failure {
			if m.To == "sms-1" {
				return &notify.Failure{Reason: "no such number", Permanent: true}
			}
			return nil
		}
		p.storm(300)
		p.settle()
		p.advance(time.Minute)
		p.advance(time.Minute)
		if n := p.count("SELECT count(*) FROM pages WHERE user_id = $1 AND state = 'failed'", ana); n != 300 {
			t.Errorf("%d of 300 pages failed", n)
		}
		if n := p.count("SELECT count(*) FROM pages WHERE user_id = $1 AND state = 'active'", ben); n != 300 {
			t.Errorf("%d of 300 incidents page the next step", n)
		}
		events, incidents := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvPassedOver)),
			p.count("SELECT count(DISTINCT incident_number) FROM timeline_events WHERE kind = $1", string(incident.EvPassedOver))
		if events != 300 || incidents != 300 {
			t.Errorf("%d steps of %d incidents were passed over, want 300 of 300", events, incidents)
		}
	})
}

func TestStepIsPassedOverOnce(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.planned()
		p.exec("UPDATE pages SET state = 'failed', notify_at = NULL")
		id := int64(p.count("SELECT id FROM escalations"))
		for range 2 { // two processes find the same timer
			if err := st.Paging.PassOver(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.count("SELECT count(*) FROM timeline_events WHERE kind = $1", string(incident.EvPassedOver)); n != 1 {
			t.Errorf("the timeline tells of it %d times", n)
		}
	})
}

func TestLateDeliveryStopsRetry(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.planned()
		c := p.claim(1)[0]
		retry := p.now.Add(2 * time.Second)
		if err := st.Paging.Failed(t.Context(), c, notify.Failure{Reason: "time ran out", Uncertain: true}, &retry, nil, p.now); err != nil {
			t.Fatal(err)
		}
		if err := st.Paging.Report(t.Context(), c.Attempt, "delivered", "SM1", "", nil, p.now); err != nil {
			t.Fatal(err)
		}
		p.expect(p.advance(time.Minute))
		if n := p.count("SELECT count(*) FROM messages WHERE state = 'delivered'"); n != 1 {
			t.Error("the message does not count as delivered")
		}
	})
}

func TestReportDoesNotStopRetryOfCertainFailure(t *testing.T) {
	ForEachDatabase(t, func(t *testing.T, st *Store) {
		p := newPipeline(t, st)
		p.storm(1)
		p.planned()
		c := p.claim(1)[0]
		retry := p.now.Add(2 * time.Second)
		if err := st.Paging.Failed(t.Context(), c, notify.Failure{Reason: "busy"}, &retry, nil, p.now); err != nil {
			t.Fatal(err)
		}
		if err := st.Paging.Report(t.Context(), c.Attempt, "sent", "SM1", "", nil, p.now); err != nil {
			t.Fatal(err)
		}
		p.expect(p.advance(2*time.Second), "sms-1")
	})
}
