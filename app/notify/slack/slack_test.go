package slack_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/notify/slack"
)

// exceptCause ignores Failure.Cause, the error of a library, and scopes, which are those of TestFailureMatrix.
var exceptCause = cmpopts.IgnoreFields(notify.Failure{}, "Cause", "Scope")

const token = "xoxb-c0rrect-horse"

// logged is everything that is logged during the tests.
var logged bytes.Buffer

func TestMain(m *testing.M) {
	log.SetOutput(&logged)
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	code := m.Run()
	if strings.Contains(logged.String(), token) {
		fmt.Fprintln(os.Stderr, "the token stands in the log")
		code = 1
	}
	os.Exit(code)
}

func setup(t *testing.T) (*far.Slack, *slack.Bot) {
	t.Helper()
	server, err := far.NewSlack(far.SlackConfig{BotToken: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server, bot(t, server, token)
}

func bot(t *testing.T, server *far.Slack, token string) *slack.Bot {
	t.Helper()
	b, err := slack.New(slack.Config{BotToken: token, BaseURL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func subject() notify.Subject {
	return notify.Subject{
		Number: 17, Title: "Availability of get data API", Service: "Checkout API", Deployment: "prod-eu", Detail: "GET /api/data/{tenant}",
		Priority: "P2", Status: "triggered", Measure: "98.9 % of 99.7 %", Why: "You are main on call in Payments",
		Link: "https://tocsin.example.com/a/k3y?x=1&y=2", Runbook: "https://wiki.example.com/checkout",
		StartedAt: time.Date(2026, 11, 23, 18, 4, 5, 0, time.UTC),
	}
}

func page() notify.Message {
	return notify.Message{ID: 5, Attempt: 9, Kind: notify.KindPage, Medium: notify.Slack, To: "U0ANA", Subjects: []notify.Subject{subject()}}
}

func channel(change func(*notify.Subject)) notify.Message {
	s := subject()
	s.Why = ""
	change(&s)
	return notify.Message{ID: 6, Attempt: 10, Kind: notify.KindChannel, Medium: notify.Slack, To: "#payments", Subjects: []notify.Subject{s}}
}

// delivered sends a message and returns the request and the receipt.
func delivered(t *testing.T, server *far.Slack, b *slack.Bot, m notify.Message) (far.Post, notify.Receipt) {
	t.Helper()
	receipt, failure := b.Deliver(t.Context(), m)
	if failure != nil {
		t.Fatal(failure.Reason)
	}
	posts := server.Posts()
	return posts[len(posts)-1], receipt
}

func TestPage(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	post, receipt := delivered(t, server, b, page())
	if want := (notify.Receipt{ProviderID: "D0ANA:" + post.TS, Delivered: true}); receipt != want {
		t.Errorf("receipt %+v, want %+v", receipt, want)
	}
	if post.Method != "chat.postMessage" || post.Channel != "U0ANA" || post.Color() != "#d92d20" {
		t.Errorf("%s to %s in %s", post.Method, post.Channel, post.Color())
	}
	if want := "#17 P2 triggered: Availability of get data API (GET /api/data/{tenant}, prod-eu)"; post.Text != want {
		t.Errorf("text %q, want %q", post.Text, want)
	}
	words := `#17 P2 Availability of get data API
Triggered
Checkout API in prod-eu · GET /api/data/{tenant} · 98.9 % of 99.7 %
Since <!date^1795457045^{date_short_pretty}, {time}|23 November 2026, 18:04 UTC>
You are main on call in Payments
Acknowledge #17
Runbook`
	if diff := cmp.Diff(words, post.Words()); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"https://tocsin.example.com/a/k3y?x=1&y=2", "https://wiki.example.com/checkout"}, post.Links()); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestChannelMessageIsUpdated(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	first, receipt := delivered(t, server, b, channel(func(*notify.Subject) {}))
	if first.Color() != "#d92d20" || !strings.Contains(first.Words(), "Triggered") || !strings.Contains(first.Words(), "Open #17") {
		t.Errorf("%s: %s", first.Color(), first.Words())
	}
	for _, step := range []struct{ status, by, note, color, words string }{
		{"acknowledged", "Ana", "looking", "#f79009", "Acknowledged by Ana: looking"},
		{"resolved", "Ben", "", "#12b76a", "Resolved by Ben"},
	} {
		m := channel(func(s *notify.Subject) { s.Status, s.By, s.Note = step.status, step.by, step.note })
		m.Update = receipt.ProviderID
		post, updated := delivered(t, server, b, m)
		if post.Method != "chat.update" || updated != receipt {
			t.Errorf("%s of %s, want chat.update of %s", post.Method, updated.ProviderID, receipt.ProviderID)
		}
		if post.Color() != step.color || !strings.Contains(post.Words(), step.words) {
			t.Errorf("%s: %s; want %s and %q", post.Color(), post.Words(), step.color, step.words)
		}
	}
}

func TestDeletedMessageIsPostedAgain(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	first, receipt := delivered(t, server, b, channel(func(*notify.Subject) {}))
	server.DeleteMessage(first.ChannelID, first.TS)
	m := channel(func(s *notify.Subject) { s.Status = "resolved" })
	m.Update = receipt.ProviderID
	post, anew := delivered(t, server, b, m)
	if post.Method != "chat.postMessage" || post.Channel != "#payments" || anew == receipt {
		t.Errorf("%s to %s as %s", post.Method, post.Channel, anew.ProviderID)
	}
}

func TestOtherMessages(t *testing.T) {
	t.Parallel()
	several := page()
	several.Again = true
	for n := int64(18); n <= 40; n++ {
		several.Subjects = append(several.Subjects, notify.Subject{Number: n, Title: "Disk is full", Status: "triggered", Link: "https://tocsin.example.com/a/1"})
	}
	mention := page()
	mention.Subjects[0].Title = "<!channel> & *all*\n" + strings.Repeat("x", 5000)
	mention.Subjects[0].Link = "not a link"
	tests := []struct {
		name    string
		message notify.Message
		has     []string
		hasNot  []string
	}{
		{"several incidents", several, []string{"*24 incidents need you.*", "14 more are not", "Maybe a repeat", "#26"}, []string{"#27"}},
		{"words that would act", mention, []string{"<!channel> & *all* xxx"}, []string{"Acknowledge"}},
		{"a verification", notify.Message{Kind: notify.KindVerify, To: "U0ANA", Text: "481516"}, []string{"*481516*"}, nil},
		{"a notice", notify.Message{Kind: notify.KindNotice, To: "U0ANA", Text: "SMS is off: <STOP>"}, []string{"SMS is off: <STOP>"}, nil},
		{"an incident that is acknowledged", notify.Message{Kind: notify.KindPage, To: "U0ANA", Subjects: []notify.Subject{
			{Number: 3, Title: "Slow", Status: "acknowledged", Link: "https://tocsin.example.com/a/1"},
		}}, []string{"Open #3", "Acknowledged"}, []string{"Acknowledge #3"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, b := setup(t)
			post, _ := delivered(t, server, b, test.message)
			words := post.Words()
			for _, part := range test.has {
				if !strings.Contains(words, part) {
					t.Errorf("%q is missing:\n%s", part, words)
				}
			}
			for _, part := range test.hasNot {
				if strings.Contains(words, part) {
					t.Errorf("%q is there:\n%s", part, words)
				}
			}
			for _, line := range strings.Split(words, "\n") {
				if len(line) > 3000 {
					t.Errorf("a text of %d characters", len(line))
				}
			}
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	permanent := func(reason string) notify.Failure { return notify.Failure{Reason: "Slack: " + reason, Permanent: true} }
	tests := []struct {
		refusal far.SlackRefusal
		want    notify.Failure
	}{
		{far.SlackRefusal{Error: "channel_not_found"}, permanent("channel_not_found, the channel does not exist, or is private and the bot is not in it; invite the bot")},
		{far.SlackRefusal{Error: "not_in_channel"}, permanent("not_in_channel, the bot is not in the channel; invite it with /invite")},
		{far.SlackRefusal{Error: "user_not_found"}, permanent("user_not_found, no such member; correct the member ID in the contact method")},
		{far.SlackRefusal{Error: "is_archived"}, permanent("is_archived, the channel is archived; unarchive it, or set another")},
		{far.SlackRefusal{Error: "something_new"}, permanent("something_new")},
		{far.SlackRefusal{Error: "ratelimited"}, notify.Failure{Reason: "Slack: ratelimited, too many messages"}},
		{far.SlackRefusal{Error: "internal_error"}, notify.Failure{Reason: "Slack: internal_error, an error on Slack's side"}},
		{far.SlackRefusal{Status: 429, Error: "ratelimited", RetryAfter: 30 * time.Second}, notify.Failure{Reason: "Slack: too many messages", RetryAfter: 30 * time.Second}},
		{far.SlackRefusal{Status: 429}, notify.Failure{Reason: "Slack answered 429"}},
		{far.SlackRefusal{Status: 500}, notify.Failure{Reason: "Slack answered 500"}},
		{far.SlackRefusal{Status: 503}, notify.Failure{Reason: "Slack answered 503"}},
		{far.SlackRefusal{Status: 504}, notify.Failure{Reason: "Slack answered 504", Uncertain: true}},
		{far.SlackRefusal{Status: 200}, notify.Failure{Reason: "The answer is not Slack's: it is not JSON; look at what stands between, such as a proxy", Uncertain: true}},
		{far.SlackRefusal{Status: 404}, notify.Failure{Reason: "Slack answered 404", Permanent: true}},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.refusal), func(t *testing.T) {
			t.Parallel()
			server, b := setup(t)
			server.FailNext(test.refusal)
			_, failure := b.Deliver(t.Context(), page())
			if diff := cmp.Diff(&test.want, failure, exceptCause); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, failure := b.Deliver(t.Context(), page()); failure != nil {
				t.Errorf("the next message fails too: %s", failure.Reason)
			}
		})
	}
}

func TestWrongTokenIsPermanent(t *testing.T) {
	t.Parallel()
	server, _ := setup(t)
	b := bot(t, server, "xoxb-wrong")
	_, failure := b.Deliver(t.Context(), page())
	want := &notify.Failure{Reason: "Slack: invalid_auth, the bot token is not valid; set the one from the app's OAuth page", Permanent: true}
	if diff := cmp.Diff(want, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := b.Check(t.Context()); err == nil || err.Error() != want.Reason {
		t.Errorf("Check: %v, want %s", err, want.Reason)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	_, failure := b.Deliver(t.Context(), page())
	if failure == nil || failure.Permanent || failure.Uncertain || !strings.Contains(failure.Reason, "connection refused") || strings.Contains(failure.Reason+failure.Cause, token) {
		t.Errorf("%+v: want a temporary failure that tells of the refused connection", failure)
	}
}

func TestLostConnectionIsUncertain(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	server.DropNext()
	_, failure := b.Deliver(t.Context(), page())
	if failure == nil || failure.Permanent || !failure.Uncertain || strings.Contains(failure.Reason+failure.Cause, token) {
		t.Errorf("%+v: want a temporary failure that is uncertain", failure)
	}
	if n := len(server.Posts()); n != 1 {
		t.Errorf("%d messages were taken, want 1", n)
	}
}

func TestDeadlineAndCancellation(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	defer server.Hold()()

	late, pass := far.Deadline(t.Context())
	go func() {
		_, _ = server.Wait(t.Context(), func(far.Post) bool { return true })
		pass()
	}()
	_, failure := b.Deliver(late, page())
	if diff := cmp.Diff(&notify.Failure{Reason: "Slack took too long to answer", Uncertain: true}, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		seen := 0
		_, _ = server.Wait(ctx, func(far.Post) bool { seen++; return seen == 2 })
		cancel()
	}()
	_, failure = b.Deliver(ctx, page())
	if diff := cmp.Diff(&notify.Failure{Reason: "The call was cancelled before Slack answered", Uncertain: true}, failure, exceptCause); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewRefusesInvalidConfig(t *testing.T) {
	t.Parallel()
	bad := []slack.Config{{}, {BotToken: token, BaseURL: "slack.example.com"}, {BotToken: token, BaseURL: "ftp://slack.example.com/api"}}
	if i := slices.IndexFunc(bad, func(c slack.Config) bool { _, err := slack.New(c); return err == nil }); i >= 0 {
		t.Errorf("%+v: accepted", bad[i])
	}
	if _, err := slack.New(slack.Config{BotToken: token}); err != nil {
		t.Errorf("without a base URL: %v", err)
	}
}

func TestRefusedFormGoesAsText(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	server.FailNext(far.SlackRefusal{Error: "invalid_blocks"})
	post, _ := delivered(t, server, b, page())
	if post.Blocks != "" || !strings.HasPrefix(post.Text, "#17 P2 triggered: Availability of get data API (GET /api/data/{tenant}, prod-eu)\n") || !strings.Contains(post.Text, "https://tocsin.example.com/a/k3y") {
		t.Errorf("sent once more as %+v", post)
	}
	server.FailNext(far.SlackRefusal{Error: "invalid_blocks"}, far.SlackRefusal{Error: "invalid_blocks"})
	if _, failure := b.Deliver(t.Context(), page()); failure == nil || !failure.Permanent {
		t.Errorf("refused twice: %+v", failure)
	}
	if n := len(server.Posts()); n != 1 {
		t.Errorf("%d posts", n)
	}
}
