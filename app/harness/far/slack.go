package far

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Post is a message that Slack took, or a change of one.
type Post struct {
	// Method is "chat.postMessage" or "chat.update".
	Method string
	// Channel is where to, as it was asked for: "#incidents", "C…" or "U…".
	Channel string
	// ChannelID and TS name the message for chat.update.
	ChannelID, TS string
	// Text is the plain text that stands in for the rest.
	Text string
	// Blocks and Attachments are JSON, as sent, or empty.
	Blocks, Attachments string
	// At is when the request arrived.
	At time.Time
}

// Words is every text that a reader of the post sees, one a line, as Slack's
// mrkdwn has it.
func (p Post) Words() string { return strings.Join(p.values("text", "alt_text"), "\n") }

// Links are the addresses behind the buttons, in their order.
func (p Post) Links() []string { return p.values("url") }

// Color is that of the first attachment's bar, or "".
func (p Post) Color() string {
	var attachments []struct{ Color string }
	if json.Unmarshal([]byte(p.Attachments), &attachments) != nil || len(attachments) == 0 {
		return ""
	}
	return attachments[0].Color
}

func (p Post) values(names ...string) []string {
	return append(collect(json.RawMessage(p.Blocks), names), collect(json.RawMessage(p.Attachments), names)...)
}

// collect returns the strings of the fields with these names, at any depth, in
// the order in which they stand.
func collect(document json.RawMessage, names []string) []string {
	var found []string
	decoder := json.NewDecoder(bytes.NewReader(document))
	open, _ := decoder.Token() // of what is no JSON there is nothing to collect
	for decoder.More() {
		var name string
		if open == json.Delim('{') {
			key, _ := decoder.Token()
			name, _ = key.(string)
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			break
		}
		var text string
		if slices.Contains(names, name) && json.Unmarshal(value, &text) == nil {
			found = append(found, text)
			continue
		}
		found = append(found, collect(value, names)...)
	}
	return found
}

// SlackRefusal is an answer that is no success: with a Status of 0, Slack's
// own {"ok":false,"error":Error}, otherwise that HTTP status.
type SlackRefusal struct {
	Status     int
	Error      string
	RetryAfter time.Duration
}

// SlackConfig says whom a Slack serves. An empty token gets a value.
type SlackConfig struct {
	BotToken string
}

// Slack speaks what a bot needs of Slack's Web API. It knows every channel,
// and the people whom AddUser names.
type Slack struct {
	*site
	SlackConfig

	faults faults[SlackRefusal]
	posts  *journal[Post]

	mu     sync.Mutex
	clock  int64             // the last message's place in time, in microseconds
	people map[string]string // ids by email address
	exists map[string]bool   // "channel:ts"
}

// NewSlack starts a Slack. Close it in the end.
func NewSlack(config SlackConfig) (*Slack, error) {
	s := &Slack{
		SlackConfig: SlackConfig{BotToken: cmp.Or(config.BotToken, "xoxb-"+randomHex(24))},
		posts:       newJournal[Post](),
		people:      make(map[string]string),
		exists:      make(map[string]bool),
	}
	mux := http.NewServeMux()
	for method, handle := range map[string]func(*http.Request) (map[string]any, error){
		"auth.test":           s.authTest,
		"chat.postMessage":    s.postMessage,
		"chat.update":         s.updateMessage,
		"users.lookupByEmail": s.lookupByEmail,
		"conversations.open":  s.openConversation,
	} {
		mux.HandleFunc("/api/"+method, s.method(handle))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "unknown_method"})
	})
	site, err := newSite(mux)
	if err != nil {
		return nil, err
	}
	s.site = site
	return s, nil
}

// URL is what stands for https://slack.com/api/, with its last slash.
func (s *Slack) URL() string { return s.address + "/api/" }

// Posts are the messages and changes that were taken so far, in the order of
// arrival.
func (s *Slack) Posts() []Post { return s.posts.all() }

// Wait returns the first post that matches, of those that came and those to
// come. It calls match once a post, in the order of arrival.
func (s *Slack) Wait(ctx context.Context, match func(Post) bool) (Post, error) {
	return s.posts.wait(ctx, match)
}

// AddUser makes a person known to users.lookupByEmail.
func (s *Slack) AddUser(email, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[email] = id
}

// FailNext refuses the next calls, one for each refusal.
func (s *Slack) FailNext(refusals ...SlackRefusal) { s.faults.failNext(refusals) }

// FailFor refuses every message to a channel until SucceedFor.
func (s *Slack) FailFor(channel string, refusal SlackRefusal) { s.faults.failFor(channel, refusal) }

// SucceedFor ends what FailFor began.
func (s *Slack) SucceedFor(channel string) { s.faults.succeedFor(channel) }

// Hold takes messages and does not answer until release is called.
func (s *Slack) Hold() (release func()) { return s.faults.hold() }

// DropNext takes the next call and breaks the connection instead of answering.
func (s *Slack) DropNext() { s.faults.dropNext() }

// slackError is Slack's word for what is wrong.
type slackError string

func (e slackError) Error() string { return string(e) }

// method wraps a handler in what all methods share: the token, refusals, and
// the envelope with "ok".
func (s *Slack) method(handle func(*http.Request) (map[string]any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := readArguments(r); err != nil {
			writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "invalid_form_data"})
			return
		}
		token := strings.TrimPrefix(cmp.Or(r.Header.Get("Authorization"), r.Form.Get("token")), "Bearer ")
		if token != s.BotToken {
			writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": wrongToken(token)})
			return
		}
		if refusal, refused := s.faults.refusal(r.Form.Get("channel")); refused {
			refuseSlack(w, refusal)
			return
		}
		answer, err := handle(r)
		if err != nil {
			writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": err.Error()})
			return
		}
		if s.faults.dropped() || !s.faults.pause(r.Context()) {
			breakOff()
		}
		answer["ok"] = true
		writeJSON(w, http.StatusOK, answer)
	}
}

func wrongToken(token string) string {
	if token == "" {
		return "not_authed"
	}
	return "invalid_auth"
}

// readArguments fills r.Form from a form or, as Slack also takes it, from JSON,
// where nested values stay JSON.
func readArguments(r *http.Request) error {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return r.ParseForm()
	}
	var arguments map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&arguments); err != nil {
		return err
	}
	r.Form = url.Values{}
	for name, raw := range arguments {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		r.Form.Set(name, text)
	}
	return nil
}

func refuseSlack(w http.ResponseWriter, refusal SlackRefusal) {
	if refusal.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(refusal.RetryAfter.Seconds())))
	}
	if refusal.Status == 0 || refusal.Error != "" {
		writeJSON(w, cmp.Or(refusal.Status, http.StatusOK), map[string]any{"ok": false, "error": refusal.Error})
		return
	}
	http.Error(w, "<html>Something went wrong.</html>", refusal.Status)
}

func (s *Slack) authTest(*http.Request) (map[string]any, error) {
	return map[string]any{
		"url": "https://acme.slack.com/", "team": "Acme", "user": "tocsin",
		"team_id": "T0ACME", "user_id": "U0TOCSIN", "bot_id": "B0TOCSIN",
	}, nil
}

func (s *Slack) postMessage(r *http.Request) (map[string]any, error) {
	post := newPost(r, "chat.postMessage")
	if post.Channel == "" {
		return nil, slackError("channel_not_found")
	}
	if post.Text == "" && post.Blocks == "" && post.Attachments == "" {
		return nil, slackError("no_text")
	}
	post.ChannelID = channelID(post.Channel)
	s.mu.Lock()
	s.clock = max(s.clock+1, post.At.UnixMicro())
	post.TS = fmt.Sprintf("%d.%06d", s.clock/1e6, s.clock%1e6)
	s.exists[post.ChannelID+":"+post.TS] = true
	s.mu.Unlock()
	s.posts.add(post)
	return answerTo(post), nil
}

func (s *Slack) updateMessage(r *http.Request) (map[string]any, error) {
	post := newPost(r, "chat.update")
	post.ChannelID, post.TS = post.Channel, r.Form.Get("ts")
	s.mu.Lock()
	exists := s.exists[post.ChannelID+":"+post.TS]
	s.mu.Unlock()
	if !exists {
		return nil, slackError("message_not_found")
	}
	s.posts.add(post)
	return answerTo(post), nil
}

// AddMessage makes a message known that was posted before this Slack began, so
// that it can be changed.
func (s *Slack) AddMessage(channelID, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exists[channelID+":"+ts] = true
}

// DeleteMessage removes a message, as a person in the channel might, so that it
// can no longer be changed.
func (s *Slack) DeleteMessage(channelID, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.exists, channelID+":"+ts)
}

func (s *Slack) lookupByEmail(r *http.Request) (map[string]any, error) {
	s.mu.Lock()
	id, known := s.people[r.Form.Get("email")]
	s.mu.Unlock()
	if !known {
		return nil, slackError("users_not_found")
	}
	return map[string]any{"user": map[string]any{"id": id, "team_id": "T0ACME"}}, nil
}

func (s *Slack) openConversation(r *http.Request) (map[string]any, error) {
	user, _, _ := strings.Cut(r.Form.Get("users"), ",")
	if !strings.HasPrefix(user, "U") {
		return nil, slackError("user_not_found")
	}
	return map[string]any{"channel": map[string]any{"id": channelID(user)}}, nil
}

func newPost(r *http.Request, method string) Post {
	return Post{
		Method:      method,
		Channel:     r.Form.Get("channel"),
		Text:        r.Form.Get("text"),
		Blocks:      r.Form.Get("blocks"),
		Attachments: r.Form.Get("attachments"),
		At:          time.Now(),
	}
}

func answerTo(p Post) map[string]any {
	return map[string]any{
		"channel": p.ChannelID, "ts": p.TS, "text": p.Text,
		"message": map[string]any{"type": "message", "user": "U0TOCSIN", "text": p.Text, "ts": p.TS},
	}
}

// channelID is what Slack calls a channel: "#name" gets an id, and a person is
// written to in the conversation with the bot.
func channelID(channel string) string {
	if name, isName := strings.CutPrefix(channel, "#"); isName {
		return "C0" + strings.ToUpper(strings.ReplaceAll(name, "-", ""))
	}
	if person, isPerson := strings.CutPrefix(channel, "U"); isPerson {
		return "D" + person
	}
	return channel
}
