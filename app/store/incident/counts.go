package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// countOpen counts what is open by service, with the oldest that nobody answered.
const countOpen = `
		SELECT g.service_id, g.open, g.unanswered, g.worst, i.created_at FROM (
			SELECT service_id, count(*) AS open, count(CASE WHEN status = '` + string(incident.Triggered) + `' THEN 1 END) AS unanswered,
				min(priority) AS worst, min(CASE WHEN status = '` + string(incident.Triggered) + `' THEN number END) AS oldest
			FROM incidents WHERE ` + paging.OpenIncident + ` GROUP BY service_id) g
		LEFT JOIN incidents i ON i.number = g.oldest`

// OpenIncidents counts the open incidents by service. Served by incidents_open.
func (s *Store) OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error) {
	// SQLite returns a minimum of times as text; the lowest number identifies the
	// oldest row, since numbers rise with time.
	rows, err := s.db.Read.QueryContext(ctx, countOpen)
	if err != nil {
		return nil, fmt.Errorf("count incidents by service: %w", err)
	}
	defer rows.Close()
	counts := map[int64]incident.ServiceCounts{}
	for rows.Next() {
		var id int64
		var n incident.ServiceCounts
		if err := rows.Scan(&id, &n.Open, &n.Unanswered, &n.Worst, &n.OldestUnanswered); err != nil {
			return nil, fmt.Errorf("count incidents by service: %w", err)
		}
		n.OldestUnanswered = db.InUTC(n.OldestUnanswered)
		counts[id] = n
	}
	return counts, rows.Err()
}

// IncidentTitles are the titles of incidents by number.
func (s *Store) IncidentTitles(ctx context.Context, numbers []int64) (map[int64]string, error) {
	titles := map[int64]string{}
	if len(numbers) == 0 {
		return titles, nil
	}
	where, args := s.db.In("number", 1, numbers)
	rows, err := s.db.Read.QueryContext(ctx, s.db.Rebind("SELECT number, title FROM incidents WHERE "+where), args...)
	if err != nil {
		return nil, fmt.Errorf("read titles: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var title string
		if err := rows.Scan(&number, &title); err != nil {
			return nil, fmt.Errorf("read titles: %w", err)
		}
		titles[number] = title
	}
	return titles, rows.Err()
}

// SignalCounts count the signals of each integration; one without signals is left
// out.
func (s *Store) SignalCounts(ctx context.Context) (map[int64]ingest.SignalCounts, error) {
	counts := map[int64]ingest.SignalCounts{}
	rows, err := s.db.Read.QueryContext(ctx, `
		SELECT DISTINCT a.integration_id, a.last_seen_at FROM alerts a
		JOIN (SELECT integration_id, max(last_seen_at) AS last FROM alerts GROUP BY integration_id) g
			ON g.integration_id = a.integration_id AND g.last = a.last_seen_at`)
	if err != nil {
		return nil, fmt.Errorf("count signals: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var at time.Time
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("count signals: %w", err)
		}
		counts[id] = ingest.SignalCounts{LastAt: db.InUTC(&at)}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count signals: %w", err)
	}
	return counts, s.countRejected(ctx, counts)
}

func (s *Store) countRejected(ctx context.Context, counts map[int64]ingest.SignalCounts) error {
	rows, err := s.db.Read.QueryContext(ctx, "SELECT integration_id, count(*) FROM rejected_signals WHERE replayed_at IS NULL GROUP BY integration_id")
	if err != nil {
		return fmt.Errorf("count rejected signals: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return fmt.Errorf("count rejected signals: %w", err)
		}
		c := counts[id]
		c.Rejected = n
		counts[id] = c
	}
	return rows.Err()
}
