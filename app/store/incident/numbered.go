package incident

import (
	"context"
	"fmt"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// IncidentsNumbered are the incidents with some numbers, in the order of the numbers.
func (s *Store) IncidentsNumbered(ctx context.Context, numbers []int64) ([]incident.Row, error) {
	var rows []incident.Row
	if err := s.incidentRows(ctx).Where("i.number IN ?", numbers).Order("i.number").Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	return rows, s.addPaged(ctx, rows)
}
