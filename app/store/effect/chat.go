package effect

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/effect/chat"
)

// ChatIncidents implements a part of chat.Store; package paging has the rest.
func (s *Store) ChatIncidents(ctx context.Context, numbers []int64) ([]chat.Incident, error) {
	where, args := s.db.In("i.number", 1, numbers)
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind(`SELECT i.number, t.slack_channel, i.urgency, i.priority FROM incidents i
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
