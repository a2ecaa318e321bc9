package main

import (
	"context"
	"database/sql"
)

// perFill is how many incidents a statement inserts.
const perFill = 50_000

// fillLists makes two teams of the services, and so many incidents. Half of them are of
// the first service; the very first are of the service of team rare and of priority 5.
func fillLists(ctx context.Context, db *sql.DB, incidents int) error {
	for _, statement := range []string{
		"INSERT INTO teams (id, slug, name) VALUES (1001, 'common', 'Common'), (1002, 'rare', 'Rare')",
		"UPDATE services SET team_id = CASE WHEN slug = 'load-200' THEN 1002 WHEN id % 10 = 1 THEN 1001 END",
		"UPDATE organization SET config_version = config_version + 1",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for from := 0; from < incidents; from += perFill {
		if _, err := db.ExecContext(ctx, `
			INSERT INTO incidents (number, version, title, status, urgency, service_id, deployment, dedup_key, priority, priority_source, severity,
				occurrences, facts, created_at, last_seen_at, acknowledged_by, resolved_at, resolved_by, resolution, reopened_at, changed_at)
			WITH RECURSIVE n (i) AS (SELECT CAST($1 AS integer) + 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST($2 AS integer)),
				bounds AS (SELECT min(id) AS first, max(CASE WHEN slug = 'load-200' THEN id END) AS rare FROM services)
			SELECT i, 1, 'Availability of API ' || (i % 997), 'resolved', 'high',
				CASE WHEN i <= 100 THEN rare WHEN i % 2 = 0 THEN first ELSE first + 1 + i % 190 END,
				'prod-eu', 'prod-eu|GET /api/' || i || '|availability|Availability of API',
				CASE WHEN i <= 100 THEN 5 WHEN i % 10 = 0 THEN NULL ELSE 1 + i % 4 END, 'signal', '',
				1, '{"sender":"SRE infrastructure","service":"checkout-api","endpoint":"GET /api/data/{tenant}","sli":"availability","slo_name":"Availability of get data API","window":"28d","objective":99.7,"observed":98.9,"broken_by_percent":366,"budget_remaining":41.5,"links":[{"text":"Event logs","href":"https://logs.example.com/q/1"}]}',
				CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, '', CURRENT_TIMESTAMP, 'integration:Load', '', '[]', CURRENT_TIMESTAMP
			FROM n CROSS JOIN bounds`, from, min(from+perFill, incidents)); err != nil {
			return err
		}
	}
	return nil
}

// setOpen opens manyOpen of the incidents, or resolves all.
func (p plan) setOpen(ctx context.Context, db *sql.DB, open bool) error {
	statement := "UPDATE incidents SET status = 'resolved', resolved_at = CURRENT_TIMESTAMP WHERE status <> 'resolved'"
	args := []any{}
	if open {
		statement, args = "UPDATE incidents SET status = 'triggered', resolved_at = NULL WHERE number % $1 = 1", []any{max(2, p.incidents/manyOpen)}
	}
	_, err := db.ExecContext(ctx, statement, args...)
	return err
}
