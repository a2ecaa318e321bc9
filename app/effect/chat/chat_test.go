package chat

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

var now = time.Date(2026, 11, 23, 9, 0, 30, 0, time.UTC)

// memory is a Store in which incidents with odd numbers have a channel.
type memory struct {
	recent  map[string]int
	posts   []Post
	asked   []string // channels
	since   time.Time
	failing error
}

func (m *memory) ChatIncidents(_ context.Context, numbers []int64) ([]Incident, error) {
	var found []Incident
	for _, n := range numbers {
		if n%2 == 1 {
			found = append(found, Incident{Number: n, Channel: "#payments", Urgency: incident.High})
		}
	}
	return found, nil
}

func (m *memory) RecentPosts(_ context.Context, channels []string, since time.Time) (map[string]int, error) {
	m.asked, m.since = channels, since
	return m.recent, nil
}

func (m *memory) QueuePosts(_ context.Context, posts []Post, _ time.Time) error {
	m.posts = append(m.posts, posts...)
	return m.failing
}

func numbers(posts []Post) []int64 {
	var all []int64
	for _, p := range posts {
		all = append(all, p.Number)
	}
	return all
}

func event(number int64, p incident.Payload) effect.Event {
	return effect.Event{IncidentNo: number, Payload: p}
}

func TestConsumerPostsEachIncidentOnce(t *testing.T) {
	t.Parallel()
	m := &memory{}
	c := &Consumer{Store: m, Now: func() time.Time { return now }}
	err := c.Consume(t.Context(), []effect.Event{
		event(3, incident.ReceivedPayload{}),
		event(2, incident.ReceivedPayload{}), // has no channel
		event(1, incident.AcknowledgedPayload{}),
		event(3, incident.ResolvedPayload{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(m.posts), []int64{3, 1}) {
		t.Errorf("posts %v", numbers(m.posts))
	}
	if !slices.Equal(m.asked, []string{"#payments"}) || !m.since.Equal(now.Add(-notify.BundleWithin)) {
		t.Errorf("counted %v since %s", m.asked, m.since)
	}
}

func TestConsumerPostsNothing(t *testing.T) {
	t.Parallel()
	m := &memory{failing: errors.New("broken")}
	c := &Consumer{Store: m, Now: func() time.Time { return now }}
	for _, events := range [][]effect.Event{
		{event(2, incident.ReceivedPayload{})},  // has no channel
		{event(1, incident.EscalatedPayload{})}, // was triggered already
	} {
		if err := c.Consume(t.Context(), events); err != nil || m.posts != nil {
			t.Errorf("%v: posts %v, error %v", events, m.posts, err)
		}
	}
	if err := c.Consume(t.Context(), []effect.Event{event(1, incident.ReceivedPayload{})}); !errors.Is(err, m.failing) {
		t.Errorf("error %v", err)
	}
}

// TestKindsThatAChannelShows goes by what the timeline itself records of status
// and priority.
func TestKindsThatAChannelShows(t *testing.T) {
	t.Parallel()
	shown := (&Consumer{}).Kinds()
	for kind, want := range map[incident.EventKind]bool{
		incident.EvReceived: true, incident.EvReopened: true, incident.EvAcknowledged: true, incident.EvResolved: true,
		incident.EvResolveUndone: true, incident.EvUnacknowledged: true, incident.EvAckExpired: true, incident.EvRaised: true,
		incident.EvPriority: true, incident.EvEscalated: true, incident.EvAcknowledgeUndone: true, incident.EvTakenOver: true,
		incident.EvSnoozed: true, incident.EvSnoozeOver: true, incident.EvRequested: false, incident.EvResponderJoined: false,
		incident.EvRepeated: false, incident.EvRecovered: false, incident.EvStep: false, incident.EvNote: false,
		incident.EvShadowAck: false, incident.EvStillOnIt: false, incident.EvChannelFailed: false,
	} {
		if got := slices.Contains(shown, kind); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
	if !shows(event(1, incident.EscalatedPayload{From: incident.Acknowledged})) {
		t.Error("the escalation of an acknowledged incident is not shown")
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	in := func(channel string, n int) []Incident {
		all := make([]Incident, n)
		for i := range all {
			all[i] = Incident{Number: int64(i + 1), Channel: channel}
		}
		return all
	}
	full := time.Date(2026, 11, 23, 9, 1, 0, 0, time.UTC)
	for _, test := range []struct {
		name      string
		incidents []Incident
		recent    map[string]int
		want      map[string]time.Time // due, by channel
	}{
		{"none", nil, nil, map[string]time.Time{}},
		{"one", in("#a", 1), nil, map[string]time.Time{"#a": now}},
		{"as many as go one by one", in("#a", maxAtOnce), nil, map[string]time.Time{"#a": now}},
		{"one too many", in("#a", maxAtOnce+1), nil, map[string]time.Time{"#a": full}},
		{"too many with those before", in("#a", 2), map[string]int{"#a": maxAtOnce - 1}, map[string]time.Time{"#a": full}},
		{"another channel is busy", append(in("#a", 2), in("#b", 1)...), map[string]int{"#b": maxAtOnce}, map[string]time.Time{"#a": now, "#b": full}},
	} {
		posts := Plan(now, test.incidents, test.recent)
		got := map[string]time.Time{}
		for i, p := range posts {
			if p.Incident != test.incidents[i] {
				t.Errorf("%s: post %d is about %+v", test.name, i, p.Incident)
			}
			if at, ok := got[p.Channel]; ok && !at.Equal(p.Due) {
				t.Errorf("%s: posts in %s are due at %s and %s", test.name, p.Channel, at, p.Due)
			}
			got[p.Channel] = p.Due
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: due (-want +got):\n%s", test.name, diff)
		}
	}
}
