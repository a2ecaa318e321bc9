package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// OpenIncidents counts what is open, by service. Served by incidents_open.
func (db *DB) OpenIncidents(ctx context.Context) (map[int64]incident.ServiceCounts, error) {
	// A minimum over times would come back from SQLite as text: the number finds
	// the row, since numbers rise with time.
	rows, err := db.read.QueryContext(ctx, `
		SELECT g.service_id, g.open, g.unanswered, g.worst, i.created_at FROM (
			SELECT service_id, count(*) AS open, count(CASE WHEN status = 'triggered' THEN 1 END) AS unanswered,
				min(priority) AS worst, min(CASE WHEN status = 'triggered' THEN number END) AS oldest
			FROM incidents WHERE status <> 'resolved' GROUP BY service_id) g
		LEFT JOIN incidents i ON i.number = g.oldest`)
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
		n.OldestUnanswered = inUTC(n.OldestUnanswered)
		counts[id] = n
	}
	return counts, rows.Err()
}

// IncidentTitles are by number.
func (db *DB) IncidentTitles(ctx context.Context, numbers []int64) (map[int64]string, error) {
	titles := map[int64]string{}
	if len(numbers) == 0 {
		return titles, nil
	}
	where, args := db.in("number", 1, numbers)
	rows, err := db.read.QueryContext(ctx, db.rebind("SELECT number, title FROM incidents WHERE "+where), args...)
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

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// SignalCounts tell what came in by each integration, and of none that nothing
// came by.
func (db *DB) SignalCounts(ctx context.Context) (map[int64]ingest.SignalCounts, error) {
	counts := map[int64]ingest.SignalCounts{}
	rows, err := db.read.QueryContext(ctx, `
		SELECT DISTINCT a.integration_id, a.last_seen_at FROM alerts a
		JOIN (SELECT integration_id, max(last_seen_at) AS last FROM alerts GROUP BY integration_id) g
			ON g.integration_id = a.integration_id AND g.last = a.last_seen_at`)
	if err != nil {
		return nil, fmt.Errorf("read when integrations were heard of: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var at time.Time
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("read when integrations were heard of: %w", err)
		}
		counts[id] = ingest.SignalCounts{LastAt: inUTC(&at)}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read when integrations were heard of: %w", err)
	}
	return counts, db.countRejected(ctx, counts)
}

func (db *DB) countRejected(ctx context.Context, counts map[int64]ingest.SignalCounts) error {
	rows, err := db.read.QueryContext(ctx, "SELECT integration_id, count(*) FROM rejected_signals WHERE replayed_at IS NULL GROUP BY integration_id")
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

// RevealKey opens an integration's key, and writes down that the actor saw it.
func (db *DB) RevealKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error) {
	return db.reveal(ctx, by, keys, slug, func(*Tx, auth.Entry) (bool, error) { return false, nil })
}

// ShowKey is RevealKey for a page that shows the key whenever it is looked at:
// it is written down the first time that the actor sees the integration's key
// since the integration was last changed.
func (db *DB) ShowKey(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string) (string, error) {
	return db.reveal(ctx, by, keys, slug, func(tx *Tx, e auth.Entry) (bool, error) {
		var known bool
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_log WHERE subject = $1 AND action = $2 AND actor = $3
			AND id > COALESCE((SELECT max(c.id) FROM audit_log c WHERE c.subject = $1 AND c.action IN ('integration.create', 'integration.update')), 0))`,
			e.Subject, e.Action, e.Actor).Scan(&known)
		if err != nil {
			return false, fmt.Errorf("look who has seen a key: %w", err)
		}
		return known, nil
	})
}

func (db *DB) reveal(ctx context.Context, by auth.Actor, keys *auth.Keyring, slug string, known func(*Tx, auth.Entry) (bool, error)) (string, error) {
	key, err := db.IntegrationKey(ctx, keys, slug)
	if err != nil {
		return "", err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		e := auth.Entry{Actor: by.String(), Action: "integration.reveal_key", Subject: "integration:" + slug}
		if seen, err := known(tx, e); err != nil || seen {
			return err
		}
		return tx.audit(ctx, e)
	})
	if err != nil {
		return "", err
	}
	return key, nil
}
