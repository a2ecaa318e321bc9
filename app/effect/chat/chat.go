// Package chat tells a team's chat channel of its incidents: it follows the
// timeline and queues a post where something changed that a channel shows. A
// post says what is true when it is sent, so that one that waits stands for all
// that happens meanwhile.
package chat

import (
	"context"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// Name is the consumer's.
const Name = "chat"

// Incident is an incident as a post needs it.
type Incident struct {
	Number int64
	// Channel is that of the team whose service it is.
	Channel  string
	Urgency  incident.Urgency
	Priority *int // as incident.Incident has it
}

// Post is a message to be queued.
type Post struct {
	Incident
	Due time.Time
}

// Store reads what posts are about, and queues them.
type Store interface {
	// ChatIncidents reads incidents, those left out whose team has no channel.
	ChatIncidents(ctx context.Context, numbers []int64) ([]Incident, error)
	// RecentPosts counts the posts that each channel was made since an instant.
	RecentPosts(ctx context.Context, channels []string, since time.Time) (map[string]int, error)
	// QueuePosts queues posts. An incident has one that waits in a channel at most:
	// a further one changes nothing.
	QueuePosts(ctx context.Context, posts []Post, now time.Time) error
}

// Consumer is the consumer of the timeline.
type Consumer struct {
	Store Store
	Now   func() time.Time
}

// Name implements effect.Consumer.
func (c *Consumer) Name() string { return Name }

// Kinds implements effect.Consumer: what may change the status, the priority or
// the owner of an incident.
func (c *Consumer) Kinds() []incident.EventKind {
	return []incident.EventKind{
		incident.EvReceived, incident.EvRaised, incident.EvJoined, incident.EvWorse, incident.EvReopened,
		incident.EvAcknowledged, incident.EvAcknowledgeUndone, incident.EvUnacknowledged, incident.EvAckExpired,
		incident.EvTakenOver, incident.EvSnoozed, incident.EvSnoozeOver,
		incident.EvResolved, incident.EvResolveUndone, incident.EvEscalated, incident.EvPriority,
	}
}

// Consume implements effect.Consumer.
func (c *Consumer) Consume(ctx context.Context, events []effect.Event) error {
	numbers := changed(events)
	if len(numbers) == 0 {
		return nil
	}
	incidents, err := c.Store.ChatIncidents(ctx, numbers)
	if err != nil || len(incidents) == 0 {
		return err
	}
	var channels []string
	for _, i := range incidents {
		if !slices.Contains(channels, i.Channel) {
			channels = append(channels, i.Channel)
		}
	}
	now := c.Now()
	recent, err := c.Store.RecentPosts(ctx, channels, now.Add(-notify.BundleWithin))
	if err != nil {
		return err
	}
	return c.Store.QueuePosts(ctx, Plan(now, incidents, recent), now)
}

// changed are the incidents of events that change what a channel shows, each
// once.
func changed(events []effect.Event) []int64 {
	var numbers []int64
	for _, e := range events {
		if shows(e) && !slices.Contains(numbers, e.IncidentNo) {
			numbers = append(numbers, e.IncidentNo)
		}
	}
	return numbers
}

// shows reports whether an event changes what a channel shows. Of an escalation
// by hand it shows only that an acknowledged incident is triggered again.
func shows(e effect.Event) bool {
	escalated, ok := e.Payload.(incident.EscalatedPayload)
	return !ok || escalated.From == incident.Acknowledged
}

// maxAtOnce is how many posts within notify.BundleWithin a channel gets one by
// one: more than a person, since nobody is woken by them.
const maxAtOnce = 4 * notify.BundleAfter

// Plan says when incidents are posted: at once or, where a channel had many
// posts lately, at the next full notify.GatherFor, so that they go out as one.
// recent are the posts that each channel was made within notify.BundleWithin.
func Plan(now time.Time, incidents []Incident, recent map[string]int) []Post {
	inBatch := map[string]int{}
	for _, i := range incidents {
		inBatch[i.Channel]++
	}
	posts := make([]Post, len(incidents))
	for n, i := range incidents {
		posts[n] = Post{Incident: i, Due: now}
		if recent[i.Channel]+inBatch[i.Channel] > maxAtOnce {
			posts[n].Due = now.Truncate(notify.GatherFor).Add(notify.GatherFor)
		}
	}
	return posts
}
