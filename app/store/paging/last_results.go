package paging

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/notify"
)

// recentAttempts bounds how many attempts are looked at, newest first, by the primary
// key.
const recentAttempts = 2000

// LastResults are the latest results of each medium, among the last attempts.
func (s *Store) LastResults(ctx context.Context) (map[notify.Medium]notify.LastResults, error) {
	var rows []struct {
		Medium     notify.Medium
		State      string
		Error      string
		FinishedAt time.Time
	}
	err := s.db.GormRead(ctx).Raw(`SELECT m.medium, a.state, a.error, a.finished_at
		FROM (SELECT id, message_id, state, error, finished_at FROM attempts ORDER BY id DESC LIMIT ?) a JOIN messages m ON m.id = a.message_id
		WHERE a.finished_at IS NOT NULL ORDER BY a.id DESC`, recentAttempts).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read the latest attempts: %w", err)
	}
	results := map[notify.Medium]notify.LastResults{}
	for _, row := range rows {
		r := results[row.Medium]
		switch {
		case row.State == Failed && r.Failed == nil:
			r.Failed, r.Reason = &row.FinishedAt, row.Error
		case row.State != Failed && r.Accepted == nil:
			r.Accepted = &row.FinishedAt
		}
		results[row.Medium] = r
	}
	return results, nil
}
