package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// WriteSignals implements ingest.Writer: one transaction of a few statements,
// each over all rows. The state of every key is read and locked once, the
// signals are applied to it in their order in memory, and what it ends as is
// written, so that repeats fold by themselves. On PostgreSQL a batch of new
// keys takes two round trips: one reads, one writes and commits.
func (db *DB) WriteSignals(ctx context.Context, signals []ingest.Signal) (ingest.Written, error) {
	mark, first := db.settleLater(ctx, len(signals))
	began := db.settler.clock() // a connection to wait with is no part of writing
	var results []ingest.Result
	err := db.piped(ctx, func(tx *Tx) error {
		r := reception{tx: tx, now: db.Now(), alerts: map[alertKey]*alertState{}, incidents: map[int64]*incidentState{}}
		var err error
		if results, err = r.receive(ctx, signals); err != nil {
			return err
		}
		return r.write(ctx)
	}, first...)
	switch {
	case err == nil:
		if mark != ingest.Durable {
			db.settler.pace.wrote(len(signals), db.settler.clock().Sub(began))
		}
		return ingest.Written{Results: results, Mark: mark}, nil
	case isRace(err):
		return ingest.Written{}, fmt.Errorf("%w: %w", ingest.ErrRetry, err)
	case isUnavailable(err):
		db.doubtConnections(err)
		return ingest.Written{}, fmt.Errorf("%w: %w", ingest.ErrUnavailable, err)
	default:
		return ingest.Written{}, err
	}
}

// Settle implements ingest.Writer.
func (db *DB) Settle(ctx context.Context, mark ingest.Mark) error {
	return db.settler.settle(ctx, mark)
}

type alertKey struct {
	service int64
	dedup   string
}

type alertState struct {
	alert    incident.Alert
	known    bool // it stands in the database
	changed  bool
	triggers bool // the batch has a trigger for it that is of no group
}

// reception is one batch in the making. Incidents that have no number yet go
// by negative ones.
type reception struct {
	tx        *Tx
	routes    *routes
	now       time.Time
	resolves  bool               // the batch has a recovery
	groups    map[groupKey]int64 // the open incident of each, 0 for none
	groupKeys []groupKey         // in the order of locks
	keys      []alertKey         // in the order of locks
	alerts    map[alertKey]*alertState
	incidents map[int64]*incidentState
	order     []int64 // incidents as they came
	numbers   []int64 // taken for incidents that may be new
	events    []incident.TimelineEvent
}

func (r *reception) receive(ctx context.Context, signals []ingest.Signal) ([]ingest.Result, error) {
	for i := range signals {
		r.expect(&signals[i])
	}
	slices.SortFunc(r.keys, func(a, b alertKey) int {
		if a.service != b.service {
			return int(a.service - b.service)
		}
		return strings.Compare(a.dedup, b.dedup)
	})
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	results := make([]ingest.Result, len(signals))
	for i := range signals {
		results[i].Stale = signals[i].ConfigVersion != r.routes.version
	}
	for i := range signals {
		if !results[i].Stale {
			results[i] = r.apply(&signals[i])
		}
	}
	if err := r.number(ctx); err != nil {
		return nil, err
	}
	for i := range results {
		if n := results[i].Number; n < 0 {
			results[i].Number = r.incidents[n].inc.Number
		}
	}
	return results, nil
}

// expect has the state of a signal's key read.
func (r *reception) expect(s *ingest.Signal) {
	key := alertKey{s.ServiceID, s.Event.DedupKey}
	state := r.alerts[key]
	if state == nil {
		state = &alertState{}
		r.alerts[key] = state
		r.keys = append(r.keys, key)
	}
	switch s.Event.Action {
	case incident.Resolve:
		r.resolves = true
	case incident.Trigger:
		// One of a group seldom needs a number of its own.
		state.triggers = state.triggers || s.Event.Group == ""
		r.expectGroup(s)
	}
}

// apply feeds one signal to the state of its key.
func (r *reception) apply(s *ingest.Signal) ingest.Result {
	state := r.alerts[alertKey{s.ServiceID, s.Event.DedupKey}]
	st := incident.State{}
	firingBefore := false
	var before *incidentState
	if state.known || state.changed {
		a := state.alert
		st.Alert = &a
		firingBefore = a.Firing
		if before = r.incidents[a.IncidentNo]; before != nil {
			st.Incident = &before.inc
			st.OtherFiring = before.firing
			if firingBefore {
				st.OtherFiring--
			}
		}
	}
	group := groupKey{s.ServiceID, s.Event.Group}
	if g := r.incidents[r.groups[group]]; g != nil && g.inc.Open() {
		st.GroupIncident = &g.inc
	}
	out := incident.Receive(r.now, st, s.Event, s.Rules)
	if out.Incident == nil {
		return ingest.Result{Status: out.Result, Warning: out.Warning}
	}
	number := out.Incident.Number
	target := r.incidents[number]
	if out.NewIncident {
		number = -int64(len(r.order)) - 1
		target = &incidentState{isNew: true}
		r.incidents[number] = target
		r.order = append(r.order, number)
		out.Alert.IncidentNo = number
		out.Incident.Number = number
		target.policyVersion = s.PolicyVersionID
	}
	if target != before {
		if before != nil && firingBefore {
			before.firing--
		}
		firingBefore = false
	}
	if out.Incident.Group != "" && out.Incident.Open() && r.groups != nil {
		r.groups[groupKey{out.Incident.ServiceID, out.Incident.Group}] = number
	}
	if out.Alert.Firing != firingBefore {
		if out.Alert.Firing {
			target.firing++
		} else {
			target.firing--
		}
	}
	statusBefore := target.inc.Status
	target.inc = *out.Incident
	target.changed = target.changed || out.Result != incident.ResultIgnored
	target.escalate = target.escalate.Then(out.Escalate)
	if out.AskOwner {
		target.askOwner, target.askKind = true, out.AskKind
	}
	target.timers = append(target.timers, out.Timers...)
	target.tellChat = target.tellChat || statusBefore != target.inc.Status || out.AskOwner || out.Escalate == incident.EscalateRefire || out.Escalate == incident.EscalateRefireRunning
	for _, e := range out.Timeline {
		e.IncidentNo = number
		r.events = append(r.events, e)
	}
	if out.Result != incident.ResultIgnored {
		state.alert, state.changed = out.Alert, true
	}
	return ingest.Result{Status: out.Result, Number: number, Warning: out.Warning}
}

// number gives new incidents their numbers: those that were taken for keys that
// nobody has seen, and more where a known key begins anew.
func (r *reception) number(ctx context.Context) error {
	numbers := r.numbers
	if missing := len(r.order) - len(numbers); missing > 0 {
		more, err := r.tx.nextNumbers(ctx, missing)
		if err != nil {
			return err
		}
		numbers = append(numbers, more...)
	}
	numbered := make(map[int64]int64, len(numbers))
	for i, temporary := range r.order {
		numbered[temporary] = numbers[i]
		r.incidents[temporary].inc.Number = numbers[i]
	}
	for i := range r.events {
		if n, ok := numbered[r.events[i].IncidentNo]; ok {
			r.events[i].IncidentNo = n
		}
	}
	for _, key := range r.keys {
		if n, ok := numbered[r.alerts[key].alert.IncidentNo]; ok {
			r.alerts[key].alert.IncidentNo = n
		}
	}
	return nil
}

// nextNumbers takes numbers for incidents; those of a transaction that fails
// are lost, and leave a gap.
func (tx *Tx) nextNumbers(ctx context.Context, n int) ([]int64, error) {
	if tx.db.dialect == onPostgres {
		return scanInts(tx.QueryContext(ctx, "SELECT nextval('incidents_number_seq') FROM generate_series(1, $1)", n))
	}
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'incidents'), 0)").Scan(&last); err != nil {
		return nil, err
	}
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = last + int64(i) + 1
	}
	return numbers, nil
}

func (r *reception) write(ctx context.Context) error {
	if err := r.writeAlerts(ctx); err != nil {
		return err
	}
	states := make([]*incidentState, 0, len(r.incidents))
	for _, s := range r.incidents {
		if s.changed || s.isNew {
			states = append(states, s)
		}
	}
	if len(states) == 0 {
		return nil
	}
	slices.SortFunc(states, func(a, b *incidentState) int { return int(a.inc.Number - b.inc.Number) })
	return r.tx.writeIncidents(ctx, r.routes, r.now, states, r.events)
}

func (r *reception) writeAlerts(ctx context.Context) error {
	var fresh, known []incident.Alert
	for _, key := range r.keys {
		switch s := r.alerts[key]; {
		case !s.changed:
		case s.known:
			known = append(known, s.alert)
		default:
			fresh = append(fresh, s.alert)
		}
	}
	cols := alertColumns(fresh)
	identity := []column{
		colOf("service_id", "bigint", fresh, func(a *incident.Alert) int64 { return a.ServiceID }),
		colOf("dedup_key", "text", fresh, func(a *incident.Alert) string { return a.DedupKey }),
		colOf("first_seen_at", "timestamptz", fresh, func(a *incident.Alert) time.Time { return a.FirstSeenAt }),
	}
	if err := r.tx.insertRows(ctx, "alerts", len(fresh), "", append(identity, cols...)...); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	err := r.tx.updateRows(ctx, "alerts", len(known),
		colOf("id", "bigint", known, func(a *incident.Alert) int64 { return a.ID }), alertColumns(known)...)
	if err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

// alertColumns are those that change.
func alertColumns(rows []incident.Alert) []column {
	return []column{
		colOf("firing", "bool", rows, func(a *incident.Alert) bool { return a.Firing }),
		colOf("started_at", "timestamptz", rows, func(a *incident.Alert) time.Time { return a.StartedAt }),
		colOf("start_known", "bool", rows, func(a *incident.Alert) bool { return a.StartKnown }),
		colOf("priority", "int", rows, func(a *incident.Alert) *int { return a.Priority }),
		colOf("last_seen_at", "timestamptz", rows, func(a *incident.Alert) time.Time { return a.LastSeenAt }),
		colOf("resolved_at", "timestamptz", rows, func(a *incident.Alert) *time.Time { return a.ResolvedAt }),
		colOf("occurrences", "bigint", rows, func(a *incident.Alert) int64 { return a.Occurrences }),
		colOf("incident_number", "bigint", rows, func(a *incident.Alert) int64 { return a.IncidentNo }),
		colOf("integration_id", "bigint", rows, func(a *incident.Alert) int64 { return a.IntegrationID }),
		colOf("snoozed_until", "timestamptz", rows, func(a *incident.Alert) *time.Time { return a.SnoozedUntil }),
		colOf("body", "bytea", rows, func(a *incident.Alert) []byte { return a.Body }),
	}
}

// load reads and locks the alerts of the batch in the order of their keys, and
// then their incidents in the order of their numbers.
func (r *reception) load(ctx context.Context) error {
	var version int64
	if err := r.tx.reads(ctx, append(append(r.readAlerts(), r.readGroups()...), configVersion(&version))...); err != nil {
		return err
	}
	var err error
	if r.routes, err = r.tx.routesAt(ctx, version); err != nil {
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
	incidents, err := r.tx.lockIncidents(ctx, numbers)
	if err != nil {
		return err
	}
	for _, inc := range incidents {
		r.incidents[inc.Number] = &incidentState{inc: inc, wasResolved: !inc.Open()}
	}
	if !r.resolves {
		// Only a recovery asks how many others fire; that this one does counts.
		for _, s := range r.alerts {
			if s.known && s.alert.Firing && r.incidents[s.alert.IncidentNo] != nil {
				r.incidents[s.alert.IncidentNo].firing++
			}
		}
		return nil
	}
	return r.countFiring(ctx, numbers)
}

func (r *reception) countFiring(ctx context.Context, numbers []int64) error {
	where, args := r.tx.db.in("incident_number", 1, numbers)
	rows, err := r.tx.QueryContext(ctx, "SELECT incident_number, count(*) FROM alerts WHERE firing AND "+where+" GROUP BY incident_number", args...)
	if err != nil {
		return fmt.Errorf("count what fires: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number int64
		var n int
		if err := rows.Scan(&number, &n); err != nil {
			return fmt.Errorf("count what fires: %w", err)
		}
		if s := r.incidents[number]; s != nil {
			s.firing = n
		}
	}
	return rows.Err()
}

const alertColumnsRead = `a.id, a.service_id, a.dedup_key, a.firing, a.started_at, a.start_known, a.priority, a.first_seen_at, a.last_seen_at,
	a.resolved_at, a.occurrences, a.incident_number, a.integration_id, a.snoozed_until`

// readAlerts locks the alerts of the batch's keys, which come sorted. It is
// served by the unique index on service and dedup key.
func (r *reception) readAlerts() []statement {
	if r.tx.db.dialect == onPostgres {
		return []statement{r.readAlertsTogether()}
	}
	each := func(scan func(...any) error) error {
		var a incident.Alert
		if err := scan(&a.ID, &a.ServiceID, &a.DedupKey, &a.Firing, &a.StartedAt, &a.StartKnown, &a.Priority, &a.FirstSeenAt, &a.LastSeenAt,
			&a.ResolvedAt, &a.Occurrences, &a.IncidentNo, &a.IntegrationID, &a.SnoozedUntil); err != nil {
			return err
		}
		r.found(a)
		return nil
	}
	queries := make([]statement, len(r.keys))
	for i, k := range r.keys {
		queries[i] = statement{what: "read alerts", query: "SELECT " + alertColumnsRead + " FROM alerts a WHERE a.service_id = $1 AND a.dedup_key = $2",
			args: []any{k.service, k.dedup}, each: each}
	}
	return queries
}

func (r *reception) found(a incident.Alert) {
	s := r.alerts[alertKey{a.ServiceID, a.DedupKey}]
	s.alert, s.known = a, true
}

// readAlertsTogether is one look into the index a key, since the inner query
// cannot be joined in any other order. A key that nobody has seen and that has
// a trigger takes a number for its incident with it.
func (r *reception) readAlertsTogether() statement {
	services, dedups, triggers := make([]int64, len(r.keys)), make([]string, len(r.keys)), make([]bool, len(r.keys))
	for i, k := range r.keys {
		services[i], dedups[i], triggers[i] = k.service, k.dedup, r.alerts[k].triggers
	}
	return statement{
		what: "read alerts",
		query: `SELECT ` + alertColumnsRead + `, CASE WHEN a.id IS NULL AND k.triggers THEN nextval('incidents_number_seq') END
			FROM (SELECT unnest($1::bigint[]) AS service_id, unnest($2::text[]) AS dedup_key, unnest($3::bool[]) AS triggers) AS k
			LEFT JOIN LATERAL (SELECT * FROM alerts WHERE service_id = k.service_id AND dedup_key = k.dedup_key LIMIT 1 FOR UPDATE) a ON true`,
		args: []any{services, dedups, triggers},
		each: r.takeAlert,
	}
}

// takeAlert reads an alert or, where there is none, a number.
func (r *reception) takeAlert(scan func(...any) error) error {
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
	r.found(a)
	return nil
}

// lockIncidents reads incidents in the order of their numbers and locks them.
func (tx *Tx) lockIncidents(ctx context.Context, numbers []int64) ([]incident.Incident, error) {
	where, args := tx.db.in("number", 1, numbers)
	rows, err := tx.QueryContext(ctx, `SELECT number, version, title, status, urgency, service_id, deployment, dedup_key, priority, priority_source,
		severity, occurrences, facts, group_key, created_at, last_seen_at, acknowledged_at, acknowledged_by, owner_id, asked_at, resolved_at, resolved_by,
		resolution, reopened_at, flapping_since, muted_until, changed_at FROM incidents WHERE `+where+" ORDER BY number"+tx.db.forUpdate(false), args...)
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
			&i.Resolution, &reopened, &i.FlappingSince, &i.MutedUntil, &i.ChangedAt); err != nil {
			return nil, fmt.Errorf("read incidents: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(facts), &i.Facts), json.Unmarshal([]byte(reopened), &i.ReopenedAt)); err != nil {
			return nil, fmt.Errorf("read incident %d: %w", i.Number, err)
		}
		all = append(all, i)
	}
	return all, rows.Err()
}
