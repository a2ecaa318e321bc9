package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// WriteSignals implements ingest.Writer: one transaction of a few statements,
// each over all rows. The state of every key is read and locked once, the signals
// are applied to it in memory in their order, and the final state is written, so that
// repeats of a batch cost one write. On PostgreSQL a batch of new
// keys takes two round trips: one reads, one writes and commits.
func (s *Store) WriteSignals(ctx context.Context, signals []ingest.Signal) (ingest.Written, error) {
	mark, first := s.db.BatchCommit(ctx, len(signals))
	began := s.db.Flusher.Clock() // the time to open a flush connection is not part of the measurement
	var results []ingest.Result
	err := s.db.Pipelined(ctx, func(tx *db.Tx) error {
		r := ingestBatch{store: s, tx: tx, now: s.db.Now(), alerts: map[alertKey]*alertState{}, incidents: map[int64]*paging.IncidentState{}}
		var err error
		if results, err = r.receive(ctx, signals); err != nil {
			return err
		}
		return r.write(ctx)
	}, first...)
	switch {
	case err == nil:
		if mark != db.Durable {
			s.db.Flusher.Latency.Wrote(len(signals), s.db.Flusher.Clock().Sub(began))
		}
		return ingest.Written{Results: results, Mark: ingest.Mark(mark)}, nil
	case db.IsRace(err):
		return ingest.Written{}, fmt.Errorf("%w: %w", ingest.ErrRetry, err)
	case db.IsUnavailable(err):
		s.db.CheckConnections(err)
		return ingest.Written{}, fmt.Errorf("%w: %w", ingest.ErrUnavailable, err)
	default:
		return ingest.Written{}, err
	}
}

// WaitForFlush implements ingest.Writer.
func (s *Store) WaitForFlush(ctx context.Context, mark ingest.Mark) error {
	if err := s.db.Flusher.WaitForFlush(ctx, db.Mark(mark)); err != nil {
		return fmt.Errorf("%w: %w", ingest.ErrUnavailable, err)
	}
	return nil
}

type alertKey struct {
	service int64
	dedup   string
}

type alertState struct {
	alert    incident.Alert
	known    bool // it is in the database
	changed  bool
	triggers bool // the batch has a trigger without a group for it
}

// ingestBatch is one batch in progress. New incidents have negative numbers until
// their numbers are allocated.
type ingestBatch struct {
	store     *Store
	tx        *db.Tx
	routes    *organization.Routes
	now       time.Time
	resolves  bool               // the batch has a recovery
	groups    map[groupKey]int64 // the open incident of each, 0 for none
	groupKeys []groupKey
	keys      []alertKey // in the order of locks
	alerts    map[alertKey]*alertState
	incidents map[int64]*paging.IncidentState
	order     []int64 // incidents as they came
	numbers   []int64 // allocated for incidents that may be new
	events    []incident.TimelineEvent
}

func (r *ingestBatch) receive(ctx context.Context, signals []ingest.Signal) ([]ingest.Result, error) {
	for i := range signals {
		r.addKey(&signals[i])
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
		results[i].Stale = signals[i].ConfigVersion != r.routes.Version
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
			results[i].Number = r.incidents[n].Inc.Number
		}
	}
	return results, nil
}

// addKey adds a signal's key, and its group, to those that are read.
func (r *ingestBatch) addKey(s *ingest.Signal) {
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
		// A trigger of a group seldom opens an incident of its own.
		state.triggers = state.triggers || s.Event.Group == ""
		r.addGroup(s)
	}
}

// apply applies one signal to the state of its key.
func (r *ingestBatch) apply(s *ingest.Signal) ingest.Result {
	state := r.alerts[alertKey{s.ServiceID, s.Event.DedupKey}]
	st := incident.State{}
	firingBefore := false
	var before *paging.IncidentState
	if state.known || state.changed {
		a := state.alert
		st.Alert = &a
		firingBefore = a.Firing
		if before = r.incidents[a.IncidentNo]; before != nil {
			st.Incident = &before.Inc
			st.OtherFiring = before.Firing
			if firingBefore {
				st.OtherFiring--
			}
		}
	}
	if g := r.incidents[r.groups[groupKey{s.ServiceID, s.Event.Group}]]; g != nil && g.Inc.Open() {
		st.GroupIncident = &g.Inc
	}
	out := incident.Receive(r.now, st, s.Event, s.Rules)
	if out.Incident == nil {
		return ingest.Result{Status: out.Result, Warning: out.Warning}
	}
	number := out.Incident.Number
	target := r.incidents[number]
	if out.NewIncident {
		number = -int64(len(r.order)) - 1
		target = &paging.IncidentState{IsNew: true}
		r.incidents[number] = target
		r.order = append(r.order, number)
		out.Alert.IncidentNo = number
		out.Incident.Number = number
		target.PolicyVersion, target.Request = s.PolicyVersionID, s.Request
	}
	if target != before {
		if before != nil && firingBefore {
			before.Firing--
		}
		firingBefore = false
	}
	if out.Incident.Group != "" && out.Incident.Open() && r.groups != nil {
		r.groups[groupKey{out.Incident.ServiceID, out.Incident.Group}] = number
	}
	if out.Alert.Firing != firingBefore {
		if out.Alert.Firing {
			target.Firing++
		} else {
			target.Firing--
		}
	}
	target.Inc = *out.Incident
	target.Changed = target.Changed || out.Result != incident.ResultIgnored
	target.Escalate = target.Escalate.Then(out.Escalate)
	if out.AskOwner {
		target.AskOwner, target.AskKind = true, out.AskKind
	}
	target.Timers = append(target.Timers, out.Timers...)
	for _, e := range out.Timeline {
		e.IncidentNo = number
		r.events = append(r.events, e)
	}
	if out.Result != incident.ResultIgnored {
		state.alert, state.changed = out.Alert, true
	}
	return ingest.Result{Status: out.Result, Number: number, Warning: out.Warning}
}

// number gives new incidents their numbers: those that were allocated for new keys,
// and further ones where a known key opens a new incident.
func (r *ingestBatch) number(ctx context.Context) error {
	numbers := r.numbers
	if missing := len(r.order) - len(numbers); missing > 0 {
		more, err := nextNumbers(ctx, r.tx, missing)
		if err != nil {
			return err
		}
		numbers = append(numbers, more...)
	}
	numbered := make(map[int64]int64, len(numbers))
	for i, temporary := range r.order {
		numbered[temporary] = numbers[i]
		r.incidents[temporary].Inc.Number = numbers[i]
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

// nextNumbers allocates numbers for incidents; a transaction that fails leaves a
// gap.
func nextNumbers(ctx context.Context, tx *db.Tx, n int) ([]int64, error) {
	if tx.DB.Dialect == db.Postgres {
		return tx.Ints(ctx, "SELECT nextval('incidents_number_seq') FROM generate_series(1, $1)", n)
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

func (r *ingestBatch) write(ctx context.Context) error {
	if err := r.writeAlerts(ctx); err != nil {
		return err
	}
	states := make([]*paging.IncidentState, 0, len(r.incidents))
	for _, s := range r.incidents {
		if s.Changed || s.IsNew {
			states = append(states, s)
		}
	}
	if len(states) == 0 {
		return nil
	}
	slices.SortFunc(states, func(a, b *paging.IncidentState) int { return int(a.Inc.Number - b.Inc.Number) })
	return r.store.writeIncidents(ctx, r.tx, r.routes, r.now, states, r.events)
}

func (r *ingestBatch) writeAlerts(ctx context.Context) error {
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
	identity := []db.Column{
		db.ColOf("service_id", "bigint", fresh, func(a *incident.Alert) int64 { return a.ServiceID }),
		db.ColOf("dedup_key", "text", fresh, func(a *incident.Alert) string { return a.DedupKey }),
		db.ColOf("first_seen_at", "timestamptz", fresh, func(a *incident.Alert) time.Time { return a.FirstSeenAt }),
	}
	if err := r.tx.InsertRows(ctx, "alerts", len(fresh), "", append(identity, cols...)...); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	err := r.tx.UpdateRows(ctx, "alerts", len(known),
		db.ColOf("id", "bigint", known, func(a *incident.Alert) int64 { return a.ID }), alertColumns(known)...)
	if err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

// alertColumns are the columns of alerts that change.
func alertColumns(rows []incident.Alert) []db.Column {
	return []db.Column{
		db.ColOf("firing", "bool", rows, func(a *incident.Alert) bool { return a.Firing }),
		db.ColOf("started_at", "timestamptz", rows, func(a *incident.Alert) time.Time { return a.StartedAt }),
		db.ColOf("start_known", "bool", rows, func(a *incident.Alert) bool { return a.StartKnown }),
		db.ColOf("priority", "int", rows, func(a *incident.Alert) *int { return a.Priority }),
		db.ColOf("last_seen_at", "timestamptz", rows, func(a *incident.Alert) time.Time { return a.LastSeenAt }),
		db.ColOf("resolved_at", "timestamptz", rows, func(a *incident.Alert) *time.Time { return a.ResolvedAt }),
		db.ColOf("occurrences", "bigint", rows, func(a *incident.Alert) int64 { return a.Occurrences }),
		db.ColOf("incident_number", "bigint", rows, func(a *incident.Alert) int64 { return a.IncidentNo }),
		db.ColOf("integration_id", "bigint", rows, func(a *incident.Alert) int64 { return a.IntegrationID }),
		db.ColOf("snoozed_until", "timestamptz", rows, func(a *incident.Alert) *time.Time { return a.SnoozedUntil }),
		db.ColOf("body", "bytea", rows, func(a *incident.Alert) []byte { return a.Body }),
	}
}
