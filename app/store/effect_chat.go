package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

var _ chat.Store = (*Effects)(nil)

// ChatIncidents implements chat.Store.
func (e *Effects) ChatIncidents(ctx context.Context, numbers []int64) ([]chat.Incident, error) {
	where, args := e.db.in("i.number", 1, numbers)
	rows, err := e.db.read.QueryContext(ctx, e.db.rebind(`SELECT i.number, t.slack_channel, i.urgency, i.priority FROM incidents i
		JOIN services s ON s.id = i.service_id JOIN teams t ON t.id = s.team_id WHERE t.slack_channel <> '' AND `+where+" ORDER BY i.number"), args...)
	if err != nil {
		return nil, fmt.Errorf("read the channels of incidents: %w", err)
	}
	defer rows.Close()
	var all []chat.Incident
	for rows.Next() {
		var i chat.Incident
		if err := rows.Scan(&i.Number, &i.Channel, &i.Urgency, &i.Priority); err != nil {
			return nil, fmt.Errorf("read the channels of incidents: %w", err)
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// RecentPosts implements chat.Store. Served by messages_channel.
func (e *Effects) RecentPosts(ctx context.Context, channels []string, since time.Time) (map[string]int, error) {
	recent := map[string]int{}
	for _, channel := range channels {
		var n int
		if err := e.db.read.QueryRowContext(ctx, e.db.rebind("SELECT count(*) FROM messages WHERE kind = 'channel' AND address = $1 AND created_at > $2"), channel, since).Scan(&n); err != nil {
			return nil, fmt.Errorf("count a channel's messages: %w", err)
		}
		recent[channel] = n
	}
	return recent, nil
}

// QueuePosts implements chat.Store. What waits already stays as it is, since it
// says what is true when it is claimed. But it is locked, which a plain DO NOTHING
// would not do: a claim under way may have read the incident before the change
// that this post is about, and then a new post has to follow.
func (e *Effects) QueuePosts(ctx context.Context, posts []chat.Post, now time.Time) error {
	return e.db.derived(ctx, func(tx *Tx) error {
		err := tx.insertRows(ctx, "messages", len(posts), "ON CONFLICT (incident_number, address) WHERE kind = 'channel' AND state = 'queued' DO UPDATE SET due_at = messages.due_at",
			colOf("kind", "text", posts, func(*chat.Post) string { return string(notify.KindChannel) }),
			colOf("medium", "text", posts, func(*chat.Post) string { return string(notify.Slack) }),
			colOf("address", "text", posts, func(p *chat.Post) string { return p.Channel }),
			colOf("incident_number", "bigint", posts, func(p *chat.Post) int64 { return p.Number }),
			colOf("body", "text", posts, func(*chat.Post) string { return "" }),
			colOf("urgency", "text", posts, func(p *chat.Post) string { return string(p.Urgency) }),
			colOf("priority", "int", posts, func(p *chat.Post) int { return rank(p.Priority) }),
			colOf("gathering", "bool", posts, func(*chat.Post) bool { return false }),
			colOf("state", "text", posts, func(*chat.Post) string { return "queued" }),
			colOf("due_at", "timestamptz", posts, func(p *chat.Post) time.Time { return p.Due }),
			colOf("attempts", "int", posts, func(*chat.Post) int { return 0 }),
			colOf("provider_id", "text", posts, func(*chat.Post) string { return "" }),
			colOf("failure", "text", posts, func(*chat.Post) string { return "" }),
			colOf("created_at", "timestamptz", posts, func(*chat.Post) time.Time { return now }))
		if err != nil {
			return fmt.Errorf("queue posts: %w", err)
		}
		return tx.tell(ctx, News{Work: ToSend})
	})
}
