package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tocsin-oncall/tocsin/app/config"
	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/harness"
	"github.com/tocsin-oncall/tocsin/app/server"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// channel is the chat channel of the team that has checkout-api.
const channel = "#payments-slo-breaches"

func TestChatFollowsTheIncident(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		number := h.PostBreach("checkout-api", harness.Priority(2))
		h.Advance(time.Minute)
		h.API(http.MethodPost, "/incidents/"+fmt.Sprint(number)+"/acknowledge", map[string]any{})
		h.Advance(time.Minute)
		h.API(http.MethodPost, "/incidents/"+fmt.Sprint(number)+"/resolve", map[string]any{"resolution": "restarted"})
		h.Advance(24 * time.Hour)
		posts := h.Slack.Posts()
		if len(posts) != 3 {
			t.Fatalf("the channel got %+v", posts)
		}
		for i, want := range []struct{ method, words string }{{"chat.postMessage", "checkout"}, {"chat.update", "acknowledged"}, {"chat.update", "resolved"}} {
			if p := posts[i]; p.Channel != channel && i == 0 || p.Method != want.method || !strings.Contains(strings.ToLower(p.Words()), want.words) {
				t.Errorf("post %d is %s to %s: %s", i+1, p.Method, p.Channel, p.Words())
			}
		}
	})
}

// TestFailingConsumerDelaysNoPage has the database refuse every post to a
// channel.
func TestFailingConsumerDelaysNoPage(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		refuse, allow := refusePosts(h.Server.DB.Dialect)
		exec := func(statements ...string) {
			for _, s := range statements {
				if _, err := h.Server.DB.Write.ExecContext(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
		}
		exec(refuse...)
		number := h.PostBreach("checkout-api", harness.Priority(2))
		if h.Twilio.Messages() == nil && h.Mail.Messages() == nil {
			t.Fatal("nobody was paged")
		}
		h.Advance(5 * time.Minute)
		status, err := h.Server.DB.Effects.Status(t.Context())
		at := slices.IndexFunc(status, func(s effect.Status) bool { return s.Name == "chat" })
		if err != nil || at < 0 || status[at].Tries < 8 || status[at].Behind != 1 || !strings.Contains(status[at].Error, "channels are broken") {
			t.Fatalf("consumers: %+v, %v", status, err)
		}
		if posts := h.Slack.Posts(); len(posts) != 0 {
			t.Fatalf("the channel got %+v", posts)
		}
		exec(allow...)
		h.Advance(time.Minute)
		if posts := h.Slack.Posts(); len(posts) != 1 || posts[0].Channel != channel {
			t.Errorf("once it works, the channel got %+v", posts)
		}
		if inc := h.Incident(number); inc["status"] != "triggered" {
			t.Errorf("the incident is %v", inc["status"])
		}
	})
}

// TestServerWithoutSlackKeepsCursor starts one just after a server with Slack
// has ended, as where servers are changed one by one.
func TestServerWithoutSlackKeepsCursor(t *testing.T) {
	harness.ForEach(t, "acme.yaml", func(t *testing.T, h *harness.Harness) {
		h.WaitIdle()
		now := h.Now()
		h.Shutdown()
		cfg := h.Server.Config
		cfg.Slack = config.Slack{}
		s, err := server.New(t.Context(), cfg, slog.New(slog.DiscardHandler), server.Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.DB.Close() })
		cursor := func() error {
			t.Helper()
			if err := s.RunUntilIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, err := s.DB.Effects.Cursor(t.Context(), "chat")
			return err
		}
		if err := cursor(); err != nil {
			t.Errorf("another server may use it: %v", err)
		}
		now = now.Add(effect.UnusedAfter + effect.SeenEvery)
		if err := cursor(); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("when nobody has used it for long: %v", err)
		}
	})
}

// refusePosts are statements that have the database refuse posts to channels, and
// that allow them again.
func refusePosts(dialect db.Dialect) (refuse, allow []string) {
	if dialect == db.SQLite {
		return []string{`CREATE TRIGGER refuse_posts BEFORE INSERT ON messages WHEN NEW.kind = 'channel' BEGIN SELECT RAISE(ABORT, 'channels are broken'); END`},
			[]string{"DROP TRIGGER refuse_posts"}
	}
	return []string{
		`CREATE FUNCTION refuse_posts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'channels are broken'; END $$`,
		`CREATE TRIGGER refuse_posts BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.kind = 'channel') EXECUTE FUNCTION refuse_posts()`,
	}, []string{"DROP TRIGGER refuse_posts ON messages"}
}
