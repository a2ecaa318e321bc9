package slack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// What signals and people wrote is shown as typed: it stands only in plain text, without
// the names of emoji.
func TestTextOfSignalsIsPlain(t *testing.T) {
	t.Parallel()
	const typed = ":wave: `code` *b* ~s~ <!channel> "
	server, b := setup(t)
	one, two := page(), page()
	two.Subjects = append(two.Subjects, two.Subjects[0])
	for _, m := range []notify.Message{one, two, channel(func(*notify.Subject) {}), {Kind: notify.KindReply, To: "U0ANA", Text: typed}} {
		for i := range m.Subjects {
			s := &m.Subjects[i]
			s.Title, s.Service, s.Deployment, s.Detail, s.Why, s.By, s.Note = typed+"title", typed+"service", typed+"deployment", typed+"detail", typed+"why", typed+"by", typed+"note"
		}
		post, _ := delivered(t, server, b, m)
		for _, text := range texts(t, post.Blocks, post.Attachments) {
			if strings.Contains(text.Text, "wave") && (text.Type != "plain_text" || text.Emoji) {
				t.Errorf("%+v", text)
			}
		}
		if !strings.Contains(post.Words(), strings.TrimSpace(typed)) {
			t.Errorf("it is not shown as typed: %s", post.Words())
		}
	}
}

type text struct {
	Type, Text string
	Emoji      bool
}

// texts are the text objects within JSON documents.
func texts(t *testing.T, documents ...string) []text {
	t.Helper()
	var all []text
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(element)
			}
		case map[string]any:
			if content, ok := v["text"].(string); ok {
				kind, _ := v["type"].(string)
				emoji, _ := v["emoji"].(bool)
				all = append(all, text{kind, content, emoji})
			}
			for _, member := range v {
				walk(member)
			}
		}
	}
	for _, document := range documents {
		var v any
		if document == "" {
			continue
		}
		if err := json.Unmarshal([]byte(document), &v); err != nil {
			t.Fatal(err)
		}
		walk(v)
	}
	if len(all) == 0 {
		t.Fatal("there is no text")
	}
	return all
}

func TestIncidentsOfOneTitleReadDifferently(t *testing.T) {
	t.Parallel()
	server, b := setup(t)
	var seen []string
	for _, detail := range []string{"GET /x", "GET /y"} {
		m := page()
		m.Subjects[0].Number, m.Subjects[0].Detail = 17, detail
		post, _ := delivered(t, server, b, m)
		seen = append(seen, post.Text+post.Words())
		if !strings.Contains(post.Text, detail) || !strings.Contains(post.Words(), detail) {
			t.Errorf("%q is missing: %s, %s", detail, post.Text, post.Words())
		}
	}
	if seen[0] == seen[1] {
		t.Error("they read alike")
	}
}
