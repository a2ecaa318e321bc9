package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness"
)

// stopped is when the first build was stopped: see testdata/first_build.
var stopped = time.Date(2026, 11, 23, 9, 39, 20, 0, time.UTC)

// pageLink is the path of the personal link in the first text to Ben, about
// checkout-api/get.
const pageLink = "/a/AXtgy-iiWE5LaZpfNFI1VloBAgLRuR4"

func forEachFilled(t *testing.T, test func(t *testing.T, f filled)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, restoreSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, restorePostgres(t))
	})
}

// TestMigrationsKeepRows compares what the first build left with what stands
// there after the migrations, before anything runs. A migration that moves rows
// to another table belongs into this test by name.
func TestMigrationsKeepRows(t *testing.T) {
	forEachFilled(t, func(t *testing.T, f filled) {
		tables := f.tables(t)
		before := f.counts(t, tables)
		waiting := f.rows(t, "SELECT id, state FROM messages")
		open := f.rows(t, "SELECT number, version, status, dedup_key FROM incidents")
		due := f.rows(t, "SELECT kind, subject, occurrence FROM timers")
		next := f.rows(t, "SELECT id, state, phase, step, run FROM escalations")
		f.migrate(t)
		for what, diff := range map[string]string{
			"tables":      cmp.Diff(before, f.counts(t, tables)),
			"messages":    cmp.Diff(waiting, f.rows(t, "SELECT id, state FROM messages")),
			"incidents":   cmp.Diff(open, f.rows(t, "SELECT number, version, status, dedup_key FROM incidents")),
			"timers":      cmp.Diff(due, f.rows(t, "SELECT kind, subject, occurrence FROM timers")),
			"escalations": cmp.Diff(next, f.rows(t, "SELECT id, state, phase, step, run FROM escalations")),
		} {
			if diff != "" {
				t.Errorf("%s (-before +after):\n%s", what, diff)
			}
		}
	})
}

// TestUpgradeLosesNothing starts the present build on the database of the first
// and lets hours pass. Everything that anybody is sent is listed here.
func TestUpgradeLosesNothing(t *testing.T) {
	forEachFilled(t, func(t *testing.T, f filled) {
		u := upgrade(t, f)
		// What waited, and what a process that died was sending.
		u.until("09:39:20",
			"fred@acme.example reports/queued",
			"sms ben again parcels/lost",
			"sms ben parcels/unfired",
			"sms dana vendor/bounced", // step 1 reached nobody
			"slack #payments post again parcels/lost",
			"slack #payments post parcels/unfired",
			"slack #platform post reports/queued")
		u.act("acknowledge", "parcels/unfired", "reports/queued", "vendor/bounced")
		u.act("resolve", "parcels/lost")
		u.until("09:40:00",
			"hugo@acme.example mailer/queue-3", // it gathered for a minute
			"sms ben checkout-api/get",         // his last rule repeats every ten minutes
			"slack C0PAYMENTS update parcels/lost",
			"slack C0PAYMENTS update parcels/unfired",
			"slack C0PLATFORM update reports/queued")
		u.act("acknowledge", "mailer/queue-0", "mailer/queue-1", "mailer/queue-2", "mailer/queue-3")
		u.until("09:44:59", // the posts are the first build's
			"slack C0PLATFORM update mailer/queue-0",
			"slack C0PLATFORM update mailer/queue-1",
			"slack C0PLATFORM update mailer/queue-2",
			"slack C0PLATFORM update mailer/queue-3")

		u.reopenWindowHolds()
		u.until("09:45:00", "gina@acme.example billing/recent", "gina@acme.example login/old")
		u.act("acknowledge", "billing/recent", "login/old")

		u.until("09:49:59")
		u.until("09:50:00", "dana@acme.example ledger/sums", "sms ben checkout-api/get") // her second rule, half an hour after the page
		u.act("acknowledge", "ledger/sums")

		u.until("09:51:59")
		u.status("images/flaps", "triggered")
		u.until("09:54:00")
		u.status("images/flaps", "resolved")

		u.until("09:59:59")
		u.until("10:00:00", "sms ana checkout-api/get") // step 2, by the override
		u.acknowledgeByLink()
		u.status("checkout-api/get", "acknowledged")
		u.until("10:05:59", "slack C0PAYMENTS update checkout-api/get")

		u.until("10:06:00", "sms eve search/slow") // still on it?
		u.until("10:10:59")
		u.until("10:11:00", "sms eve search/slow") // no answer: the policy starts again
		u.act("acknowledge", "search/slow")
		u.act("resolve", "search/slow")

		u.until("13:00:59")                                   // support hours begin at 13:00
		u.until("13:01:00", "fred@acme.example reports/late") // and what waited for them gathers for a minute
		u.act("acknowledge", "reports/late")
		u.until("16:00:00", "slack C0PLATFORM update reports/late")
	})
}

// upgraded is the present build on the first build's database.
type upgraded struct {
	*harness.Harness
	t    *testing.T
	f    filled
	seen map[string]int // how much of each journal was looked at
}

func upgrade(t *testing.T, f filled) upgraded {
	t.Helper()
	posted := f.rows(t, "SELECT provider_id FROM messages WHERE kind = 'channel' AND provider_id <> ''")
	u := upgraded{harness.NewAt(t, f.address, stopped), t, f, map[string]int{}}
	for _, id := range posted {
		channel, ts, _ := strings.Cut(id, ":")
		u.Slack.AddMessage(channel, ts)
	}
	return u
}

// until lets time pass until a time of the day and compares what was sent
// meanwhile, in any order.
func (u upgraded) until(clock string, want ...string) {
	u.t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", stopped.Format("2006-01-02 ")+clock)
	if err != nil {
		u.t.Fatal(err)
	}
	u.AdvanceTo(at)
	slices.Sort(want)
	if diff := cmp.Diff(want, u.sent()); diff != "" {
		u.t.Errorf("sent until %s (-want +got):\n%s", clock, diff)
	}
}

// sent is what was sent since the last look: to whom, about what.
func (u upgraded) sent() []string {
	var all []string
	about := u.names()
	texts, mails, posts := u.Twilio.Messages(), u.Mail.Messages(), u.Slack.Posts()
	for _, m := range texts[u.seen["texts"]:] {
		all = append(all, "sms "+phones[m.To]+about(m.Body))
	}
	for _, m := range mails[u.seen["mails"]:] {
		all = append(all, strings.Join(m.To, " ")+about(m.Subject+" "+m.Text))
	}
	for _, p := range posts[u.seen["posts"]:] {
		way := " post"
		if p.Method == "chat.update" {
			way = " update"
		}
		all = append(all, "slack "+p.Channel+way+about(p.Text+" "+p.Words()))
	}
	u.seen["texts"], u.seen["mails"], u.seen["posts"] = len(texts), len(mails), len(posts)
	slices.Sort(all)
	return all
}

var (
	phones = map[string]string{"+34600000001": "ana", "+447700900002": "ben", "+12025550103": "chiara", "+4915100000004": "dana", "+4915100000005": "eve"}
	number = regexp.MustCompile(`#(\d+)`)
)

// names returns what a text is about: the incidents by service and dedup key, and
// whether it says that it may be a repeat.
func (u upgraded) names() func(text string) string {
	incidents := u.incidents()
	return func(text string) string {
		words := ""
		if strings.Contains(text, "repeat") {
			words = " again"
		}
		var about []string
		for _, found := range number.FindAllStringSubmatch(text, -1) {
			for name, n := range incidents {
				if found[1] == fmt.Sprint(n) && !slices.Contains(about, name) {
					about = append(about, name)
				}
			}
		}
		slices.Sort(about)
		return words + " " + strings.Join(about, " ")
	}
}

// incidents are the newest incident of each dedup key, "SERVICE/KEY".
func (u upgraded) incidents() map[string]int64 {
	all := map[string]int64{}
	for _, row := range u.f.rows(u.t, "SELECT i.number, s.slug, i.dedup_key FROM incidents i JOIN services s ON s.id = i.service_id") {
		var n int64
		var service, key string
		if _, err := fmt.Sscan(row, &n, &service, &key); err != nil {
			u.t.Fatal(err)
		}
		all[service+"/"+key] = max(n, all[service+"/"+key])
	}
	return all
}

// act has the API acknowledge or resolve incidents.
func (u upgraded) act(action string, names ...string) {
	u.t.Helper()
	for _, name := range names {
		u.API(http.MethodPost, fmt.Sprintf("/incidents/%d/%s", u.incidents()[name], action), map[string]any{})
	}
}

func (u upgraded) status(name, want string) {
	u.t.Helper()
	if got := u.Incident(u.incidents()[name])["status"]; got != want {
		u.t.Errorf("%s is %v, want %s", name, got, want)
	}
}

// reopenWindowHolds posts what was resolved nine and forty minutes ago, of which
// the window is fifteen.
func (u upgraded) reopenWindowHolds() {
	u.t.Helper()
	before := u.incidents()
	if n := u.breach("billing", "recent"); n != before["billing/recent"] {
		u.t.Errorf("within its window #%d was not reopened: #%d was opened", before["billing/recent"], n)
	}
	if n := u.breach("login", "old"); n == before["login/old"] {
		u.t.Errorf("#%d was reopened after its window", n)
	}
}

// acknowledgeByLink uses the link in a text that the first build sent.
func (u upgraded) acknowledgeByLink() {
	u.t.Helper()
	status, page := u.Post(pageLink, "application/x-www-form-urlencoded", []byte("action=acknowledge"))
	if status/100 != 2 && status/100 != 3 {
		u.t.Fatalf("the link was answered %d: %s", status, page)
	}
	u.WaitIdle()
	n := u.incidents()["checkout-api/get"]
	if by := u.Incident(n)["acknowledged_by"]; by != "ben@acme.example" {
		u.t.Errorf("#%d was acknowledged by %v", n, by)
	}
}

// breach posts a breach with the key of an integration of the first build and
// returns the number of its incident.
func (u upgraded) breach(service, key string) int64 {
	u.t.Helper()
	body := fmt.Sprintf(`{"service":%q,"deployment":"prod-eu","sli":"availability","slo":{"name":"Availability"},"incident_priority":2,"dedup_key":%q}`, service, key)
	status, answer := u.Post("/webhooks/slo/sre00000000000000000000000000000", "application/json", []byte(body))
	var got struct{ Incident struct{ Number int64 } }
	if err := json.Unmarshal(answer, &got); err != nil || status != http.StatusAccepted {
		u.t.Fatalf("the breach was answered %d: %s", status, answer)
	}
	u.WaitIdle()
	return got.Incident.Number
}
