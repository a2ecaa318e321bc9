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
		if err := tx.InsertRows(ctx, "messages", len(list), "ON CONFLICT (incident_number, address) WHERE kind = 'channel' AND state = 'queued' DO UPDATE SET due_at = messages.due_at",
			db.ColOf("kind", "text", list, func(**IncidentState) string { return string(notify.KindChannel) }),
			db.ColOf("medium", "text", list, func(**IncidentState) string { return string(notify.Slack) }),
			db.ColOf("address", "text", list, func(**IncidentState) string { return chat }),
			db.ColOf("incident_number", "bigint", list, func(s **IncidentState) int64 { return (*s).Inc.Number }),
			db.ColOf("body", "text", list, func(**IncidentState) string { return "" }),
			db.ColOf("urgency", "text", list, func(s **IncidentState) string { return string((*s).Inc.Urgency) }),
			db.ColOf("priority", "int", list, func(s **IncidentState) int { return Rank((*s).Inc.Priority) }),
			db.ColOf("gathering", "bool", list, func(**IncidentState) bool { return false }),
			db.ColOf("state", "text", list, func(**IncidentState) string { return "queued" }),
			db.ColOf("due_at", "timestamptz", list, func(**IncidentState) time.Time { return due }),
			db.ColOf("attempts", "int", list, func(**IncidentState) int { return 0 }),
			db.ColOf("provider_id", "text", list, func(**IncidentState) string { return "" }),
			db.ColOf("failure", "text", list, func(**IncidentState) string { return "" }),
			db.ColOf("created_at", "timestamptz", list, func(**IncidentState) time.Time { return now })); err != nil {
			return 0, fmt.Errorf("tell a channel: %w", err)
		}
	}
	if len(byChannel) == 0 {
		return 0, nil
	}
	return db.ToSend, nil
}
