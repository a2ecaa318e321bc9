package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// load reads and locks the alerts of the batch in the order of their keys, and
// then their incidents in the order of their numbers.
func (r *ingestBatch) load(ctx context.Context) error {
	var version int64
	if err := r.tx.Query(ctx, append(append(r.readAlerts(), r.readGroups()...), db.ReadConfigVersion(&version))...); err != nil {
		return err
	}
	var err error
	if r.routes, err = r.store.configuration.RoutesAt(ctx, r.tx, version); err != nil {
		return err
	}
	var numbers []int64
	for _, s := range r.alerts {
		if s.known && !slices.Contains(numbers, s.alert.IncidentNo) {
			numbers = append(numbers, s.alert.IncidentNo)
		}
	}
	for _, number := range r.groups {
		if number != 0 && !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	if numbers == nil {
		return nil
	}
	incidents, err := lockIncidents(ctx, r.tx, numbers)
	if err != nil {
		return err
	}
	for _, inc := range incidents {
		r.incidents[inc.Number] = &paging.IncidentState{Inc: inc, WasResolved: !inc.Open()}
	}
	if !r.resolves {
		return nil // only a recovery asks how many alerts fire
	}
	return r.countFiring(ctx, numbers)
}

func (r *ingestBatch) countFiring(ctx context.Context, numbers []int64) error {
	where, args := r.tx.DB.In("incident_number", 1, numbers)
	rows, err := r.tx.QueryContext(ctx, "SELECT incident_number, count(*) FROM alerts WHERE firing AND "+where+" GROUP BY incident_number", args...)
	if err != nil {
		return fmt.Errorf("count firing alerts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var n int
		if err := rows.Scan(&number, &n); err != nil {
			return fmt.Errorf("count firing alerts: %w", err)
		}
		if s := r.incidents[number]; s != nil {
			s.Firing = n
		}
	}
	return rows.Err()
}

const alertColumnsRead = `a.id, a.service_id, a.dedup_key, a.firing, a.started_at, a.start_known, a.priority, a.first_seen_at, a.last_seen_at,
	a.resolved_at, a.occurrences, a.incident_number, a.integration_id, a.snoozed_until`

// readAlerts locks the alerts of the batch's keys, which come sorted. It is
// served by the unique index on service and dedup key.
func (r *ingestBatch) readAlerts() []db.Statement {
	if r.tx.DB.Dialect == db.Postgres {
		return []db.Statement{r.readAlertsTogether()}
	}
	each := func(scan func(...any) error) error {
		var a incident.Alert
		if err := scan(&a.ID, &a.ServiceID, &a.DedupKey, &a.Firing, &a.StartedAt, &a.StartKnown, &a.Priority, &a.FirstSeenAt, &a.LastSeenAt,
			&a.ResolvedAt, &a.Occurrences, &a.IncidentNo, &a.IntegrationID, &a.SnoozedUntil); err != nil {
			return err
		}
		r.addAlert(a)
		return nil
	}
	queries := make([]db.Statement, len(r.keys))
	for i, k := range r.keys {
		queries[i] = db.Statement{Name: "read alerts", Query: "SELECT " + alertColumnsRead + " FROM alerts a WHERE a.service_id = $1 AND a.dedup_key = $2",
			Args: []any{k.service, k.dedup}, Each: each}
	}
	return queries
}

func (r *ingestBatch) addAlert(a incident.Alert) {
	s := r.alerts[alertKey{a.ServiceID, a.DedupKey}]
	s.alert, s.known = a, true
}

// readAlertsTogether reads the index once per key, since the planner cannot reorder
// the lateral join. For a new key with a trigger it also allocates a number for the
// incident.
func (r *ingestBatch) readAlertsTogether() db.Statement {
	services, dedups, triggers := make([]int64, len(r.keys)), make([]string, len(r.keys)), make([]bool, len(r.keys))
	for i, k := range r.keys {
		services[i], dedups[i], triggers[i] = k.service, k.dedup, r.alerts[k].triggers
	}
	return db.Statement{
		Name: "read alerts",
		Query: `SELECT ` + alertColumnsRead + `, CASE WHEN a.id IS NULL AND k.triggers THEN nextval('incidents_number_seq') END
			FROM (SELECT unnest($1::bigint[]) AS service_id, unnest($2::text[]) AS dedup_key, unnest($3::bool[]) AS triggers) AS k
			LEFT JOIN LATERAL (SELECT * FROM alerts WHERE service_id = k.service_id AND dedup_key = k.dedup_key LIMIT 1 FOR UPDATE) a ON true`,
		Args: []any{services, dedups, triggers},
		Each: r.takeAlert,
	}
}

// takeAlert scans an alert or, where there is none, an allocated number.
func (r *ingestBatch) takeAlert(scan func(...any) error) error {
	var id, service, occurrences, number, integration, fresh *int64
	var dedup *string
	var firing, known *bool
	var started, first, last *time.Time
	var a incident.Alert
	if err := scan(&id, &service, &dedup, &firing, &started, &known, &a.Priority, &first, &last,
		&a.ResolvedAt, &occurrences, &number, &integration, &a.SnoozedUntil, &fresh); err != nil {
		return err
	}
	if id == nil {
		if fresh != nil {
			r.numbers = append(r.numbers, *fresh)
		}
		return nil
	}
	a.ID, a.ServiceID, a.DedupKey, a.Firing, a.StartedAt, a.StartKnown = *id, *service, *dedup, *firing, *started, *known
	a.FirstSeenAt, a.LastSeenAt, a.Occurrences, a.IncidentNo, a.IntegrationID = *first, *last, *occurrences, *number, *integration
	r.addAlert(a)
	return nil
}

// lockIncidents reads incidents in the order of their numbers and locks them.
func lockIncidents(ctx context.Context, tx *db.Tx, numbers []int64) ([]incident.Incident, error) {
	where, args := tx.DB.In("number", 1, numbers)
	rows, err := tx.QueryContext(ctx, `SELECT number, version, title, status, urgency, service_id, deployment, dedup_key, priority, priority_source,
		severity, occurrences, facts, group_key, created_at, last_seen_at, acknowledged_at, acknowledged_by, owner_id, asked_at, resolved_at, resolved_by,
		resolution, reopened_at, flapping_since, muted_until, snoozed_until, changed_at FROM incidents WHERE `+where+" ORDER BY number"+tx.DB.ForUpdate(false), args...)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	defer rows.Close()
	var all []incident.Incident
	for rows.Next() {
		var i incident.Incident
		var facts, reopened string
		if err := rows.Scan(&i.Number, &i.Version, &i.Title, &i.Status, &i.Urgency, &i.ServiceID, &i.Deployment, &i.DedupKey, &i.Priority, &i.PrioritySource,
			&i.Severity, &i.Occurrences, &facts, &i.Group, &i.CreatedAt, &i.LastSeenAt, &i.AcknowledgedAt, &i.AcknowledgedBy, &i.OwnerID, &i.AskedAt, &i.ResolvedAt, &i.ResolvedBy,
			&i.Resolution, &reopened, &i.FlappingSince, &i.MutedUntil, &i.SnoozedUntil, &i.ChangedAt); err != nil {
			return nil, fmt.Errorf("read incidents: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(facts), &i.Facts), json.Unmarshal([]byte(reopened), &i.ReopenedAt)); err != nil {
			return nil, fmt.Errorf("read incident %d: %w", i.Number, err)
		}
		all = append(all, i)
	}
	return all, rows.Err()
}
