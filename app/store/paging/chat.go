package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// channelAtOnce is how many messages within notify.BundleWithin a chat channel
// gets one by one: more than a person, since nobody is woken by them.
const channelAtOnce = 4 * notify.BundleAfter

// TellChannels has the teams' chat channels say where incidents stand. One
// message a change at most waits for a channel; it says what is true when it is
// sent. In a storm they wait for one another and go out as one.
func TellChannels(ctx context.Context, tx *db.Tx, now time.Time, states []*IncidentState) (db.Work, error) {
	byChannel := map[string][]*IncidentState{}
	for _, s := range states {
		if s.Chat != "" && s.TellChat {
			byChannel[s.Chat] = append(byChannel[s.Chat], s)
		}
	}
	for chat, list := range byChannel {
		due := now
		var recent int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM messages WHERE kind = 'channel' AND address = $1 AND created_at > $2", chat, now.Add(-notify.BundleWithin)).Scan(&recent); err != nil {
			return 0, fmt.Errorf("count a channel's messages: %w", err)
		}
		if recent+len(list) > channelAtOnce {
			due = now.Truncate(notify.GatherFor).Add(notify.GatherFor)
		}
		rows := make([]messageRow, len(list))
		for i, m := range list {
			rows[i] = messageRow{kind: notify.KindChannel, medium: notify.Slack, address: chat, incident: m.Inc.Number,
				urgency: string(m.Inc.Urgency), priority: Rank(m.Inc.Priority), due: due}
		}
		err := tx.InsertRows(ctx, "messages", len(rows), "ON CONFLICT (incident_number, address) WHERE kind = 'channel' AND state = 'queued' DO UPDATE SET due_at = messages.due_at", messageColumns(now, rows)...)
		if err != nil {
			return 0, fmt.Errorf("tell a channel: %w", err)
		}
	}
	if len(byChannel) == 0 {
		return 0, nil
	}
	return db.ToSend, nil
}
