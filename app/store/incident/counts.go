package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// ranked are the open incidents of one service that are of one status and one priority.
type ranked struct {
	ServiceID    int64
	Status, Rank int // as statusRank and incident.Rank have them
	Open         int
	First        int64     // the lowest number, and so the oldest
	CreatedAt    time.Time // of the first
}

// OpenIncidents counts the open incidents by service. Served by incidents_urgent: SQLite
// reads what the index has from it alone, where that comes before the grouping.
func (s *Store) OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error) {
	materialized := "NOT MATERIALIZED"
	if s.db.Dialect == db.SQLite {
		materialized = "MATERIALIZED"
	}
	query := fmt.Sprintf(`WITH o AS %s (SELECT i.service_id + 0 AS service_id, %s AS status, %s AS rank, i.number FROM incidents i WHERE %s),
		g AS (SELECT service_id, status, rank, count(*) AS open, min(number) AS first FROM o GROUP BY service_id, status, rank)
		SELECT g.*, i.created_at FROM g JOIN incidents i ON i.number = g.first ORDER BY g.status, g.rank, g.first`,
		materialized, statusRank("i"), incident.RankSQL("i.priority"), openByUrgency)
	var groups []ranked
	if err := s.db.GormRead(ctx).Raw(query).Scan(&groups).Error; err != nil {
		return nil, fmt.Errorf("count incidents by service: %w", err)
	}
	counts := map[int64]incident.ServiceCounts{}
	for _, g := range groups {
		n, known := counts[g.ServiceID]
		if !known { // the most urgent come first
			n.First = g.First
		}
		n.Open += g.Open
		if g.Status == 0 {
			n.Unanswered += g.Open
			if n.OldestUnanswered == nil || g.CreatedAt.Before(*n.OldestUnanswered) {
				n.OldestUnanswered = db.InUTC(&g.CreatedAt)
			}
		}
		if level := incident.LevelOf(g.Rank); level != nil && (n.Worst == nil || *level < *n.Worst) {
			n.Worst = level
		}
		counts[g.ServiceID] = n
	}
	return counts, nil
}

// IncidentTitles are the titles of incidents by number.
func (s *Store) IncidentTitles(ctx context.Context, numbers []int64) (map[int64]string, error) {
	titles := map[int64]string{}
	if len(numbers) == 0 {
		return titles, nil
	}
	var found []incident.Incident
	if err := s.db.GormRead(ctx).Select("number, title").Where("number IN ?", numbers).Find(&found).Error; err != nil {
		return nil, fmt.Errorf("read titles: %w", err)
	}
	for _, i := range found {
		titles[i.Number] = i.Title
	}
	return titles, nil
}

// SignalCounts count the signals of each integration; one without signals is left
// out.
func (s *Store) SignalCounts(ctx context.Context) (map[int64]ingest.SignalCounts, error) {
	counts := map[int64]ingest.SignalCounts{}
	latest := s.db.GormRead(ctx).Model(&incident.Alert{}).Select("integration_id, max(last_seen_at) AS last").Group("integration_id")
	var rows []incident.Alert
	err := s.db.GormRead(ctx).Table("alerts AS a").Distinct("a.integration_id", "a.last_seen_at").
		Joins("JOIN (?) AS g ON g.integration_id = a.integration_id AND g.last = a.last_seen_at", latest).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("count signals: %w", err)
	}
	for _, r := range rows {
		counts[r.IntegrationID] = ingest.SignalCounts{LastAt: db.InUTC(&r.LastSeenAt)}
	}
	return counts, s.countRejected(ctx, counts)
}

func (s *Store) countRejected(ctx context.Context, counts map[int64]ingest.SignalCounts) error {
	var rows []struct {
		IntegrationID int64
		Rejected      int
	}
	err := s.db.GormRead(ctx).Model(&ingest.Rejection{}).Select("integration_id, count(*) AS rejected").
		Where("replayed_at IS NULL").Group("integration_id").Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("count rejected signals: %w", err)
	}
	for _, r := range rows {
		c := counts[r.IntegrationID]
		c.Rejected = r.Rejected
		counts[r.IntegrationID] = c
	}
	return nil
}
