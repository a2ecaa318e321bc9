package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/effect/chat"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// RecentPosts implements chat.Store. Served by messages_channel.
func (s *Store) RecentPosts(ctx context.Context, channels []string, since time.Time) (map[string]int, error) {
	recent := map[string]int{}
	for _, channel := range channels {
		var n int64
		if err := s.db.GormRead(ctx).Table("messages").Where(toChannel+" AND address = ? AND created_at > ?", channel, since).Count(&n).Error; err != nil {
			return nil, fmt.Errorf("count a channel's messages: %w", err)
		}
		recent[channel] = int(n)
	}
	return recent, nil
}

// QueuePosts implements chat.Store. A post that is queued already stays as it is,
// since its text is made when it is claimed. But it is locked, which a plain DO
// NOTHING would not do: a claim in progress may have read the incident before the
// change that this post is about, and then a new post has to follow.
func (s *Store) QueuePosts(ctx context.Context, posts []chat.Post, now time.Time) error {
	return s.db.InAsyncTx(ctx, func(tx *db.Tx) error {
		rows := make([]messageRow, len(posts))
		for i, p := range posts {
			rows[i] = messageRow{kind: notify.KindChannel, medium: notify.Slack, address: p.Channel, incident: p.Number,
				urgency: string(p.Urgency), priority: incident.PageRank(p.Priority), due: p.Due}
		}
		err := tx.InsertRows(ctx, "messages", len(rows), "ON CONFLICT (incident_number, address) WHERE "+toChannel+" AND state = '"+Queued+"' DO UPDATE SET due_at = messages.due_at", messageColumns(now, rows)...)
		if err != nil {
			return fmt.Errorf("queue posts: %w", err)
		}
		return tx.Publish(ctx, db.Wakeup{Work: db.ToSend})
	})
}
