package far_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/harness/far"
)

// TestSlackTakesRecordedRequest posts what slack-go sent to a recorder: the
// stand-in must take the bytes of a real client, not only those of our own tests.
func TestSlackTakesRecordedRequest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/slack-go-0.35.0-chat.postMessage.json")
	if err != nil {
		t.Fatal(err)
	}
	var capture struct {
		Method, Body string
		Headers      map[string]string
	}
	if err := json.Unmarshal(text, &capture); err != nil {
		t.Fatal(err)
	}
	server, err := far.NewSlack(far.SlackConfig{BotToken: "xoxb-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r, err := http.NewRequestWithContext(t.Context(), capture.Method, server.URL()+"chat.postMessage", strings.NewReader(capture.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", capture.Headers["Content-Type"])
	r.Header.Set("User-Agent", capture.Headers["User-Agent"])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		OK bool
		TS string
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || !answer.OK || answer.TS == "" {
		t.Fatalf("answered %+v, %v", answer, err)
	}
	posts := server.Posts()
	if len(posts) != 1 {
		t.Fatalf("%d posts were taken, want 1", len(posts))
	}
	got := []string{posts[0].Channel, posts[0].Text, posts[0].Color()}
	if diff := cmp.Diff([]string{"C123", "hello <@U1> incident", "danger"}, got); diff != "" {
		t.Error(diff)
	}
}
