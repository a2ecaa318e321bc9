package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// OpenIncidents counts the open incidents by service. Served by incidents_urgent, whose
// expressions SQLite reads from it.
func (s *Store) OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error) {
	// SQLite returns a minimum of times as text; the lowest number identifies the
	// oldest row, since numbers rise with time.
	unanswered, level := statusRank("i")+" = 0", incident.LevelSQL(incident.RankSQL("i.priority"))
	byService := s.db.GormRead(ctx).Table("incidents AS i").
		Select(fmt.Sprintf(`i.service_id + 0 AS service_id, count(*) AS open, count(CASE WHEN %[1]s THEN 1 END) AS unanswered,
			min(%[2]s) AS worst, min(CASE WHEN %[1]s THEN i.number END) AS oldest,
			min(%[3]s) AS first`, unanswered, level, urgencyKey("i"))).
		Where(openByUrgency).Group("i.service_id + 0")
	var rows []struct {
		ServiceID        int64
		Open, Unanswered int
		Worst            *int
		First            int64
		CreatedAt        *time.Time // of the oldest that is unanswered
	}
	err := s.db.GormRead(ctx).Table("(?) AS g", byService).Select("g.*, i.created_at").
		Joins("LEFT JOIN incidents i ON i.number = g.oldest").Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("count incidents by service: %w", err)
	}
	counts := make(map[int64]incident.ServiceCounts, len(rows))
	for _, r := range rows {
		counts[r.ServiceID] = incident.ServiceCounts{Open: r.Open, Unanswered: r.Unanswered, Worst: r.Worst, First: r.First % urgencyStep, OldestUnanswered: db.InUTC(r.CreatedAt)}
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
