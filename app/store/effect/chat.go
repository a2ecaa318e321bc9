package effect

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/effect/chat"
)

// ChatIncidents implements a part of chat.Store; package paging has the rest.
func (s *Store) ChatIncidents(ctx context.Context, numbers []int64) ([]chat.Incident, error) {
	var all []chat.Incident
	err := s.db.GormRead(ctx).Table("incidents AS i").Select("i.number, t.slack_channel AS channel, i.urgency, i.priority").
		Joins("JOIN services s ON s.id = i.service_id").Joins("JOIN teams t ON t.id = s.team_id").
		Where("t.slack_channel <> '' AND i.number IN ?", numbers).Order("i.number").Scan(&all).Error
	if err != nil {
		return nil, fmt.Errorf("read the channels of incidents: %w", err)
	}
	return all, nil
}
