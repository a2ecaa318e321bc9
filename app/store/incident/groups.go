package incident

import (
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// groupKey names a group of alerts; group is never empty.
type groupKey struct {
	service int64
	group   string
}

// addGroup adds a trigger's group to those whose open incident is read.
func (r *ingestBatch) addGroup(s *ingest.Signal) {
	if s.Event.Group == "" {
		return
	}
	key := groupKey{s.ServiceID, s.Event.Group}
	if _, known := r.groups[key]; known {
		return
	}
	if r.groups == nil {
		r.groups = map[groupKey]int64{}
	}
	r.groups[key] = 0
	r.groupKeys = append(r.groupKeys, key)
}

// readGroups reads the open incidents of the batch's groups, without locks. Served by
// incidents_group. An incident that is resolved meanwhile is seen as resolved once it
// is locked; where another process opens one meanwhile, the unique index makes this
// batch fail, and it is run again. Without groups there is no statement.
func (r *ingestBatch) readGroups() []db.Statement {
	if len(r.groupKeys) == 0 {
		return nil
	}
	each := func(scan func(...any) error) error {
		var key groupKey
		var number int64
		if err := scan(&key.service, &key.group, &number); err != nil {
			return err
		}
		r.groups[key] = number
		return nil
	}
	if r.tx.DB.Dialect == db.Postgres {
		services, groups := make([]int64, len(r.groupKeys)), make([]string, len(r.groupKeys))
		for i, k := range r.groupKeys {
			services[i], groups[i] = k.service, k.group
		}
		return []db.Statement{{
			Name: "read open incidents of groups",
			Query: `SELECT k.service_id, k.group_key, i.number
				FROM (SELECT unnest($1::bigint[]) AS service_id, unnest($2::text[]) AS group_key) AS k
				JOIN LATERAL (SELECT number FROM incidents WHERE service_id = k.service_id AND group_key = k.group_key
					AND group_key <> '' AND ` + paging.OpenIncident + ` LIMIT 1) i ON true`,
			Args: []any{services, groups},
			Each: each,
		}}
	}
	queries := make([]db.Statement, 0, len(r.groupKeys))
	for _, k := range r.groupKeys {
		queries = append(queries, db.Statement{Name: "read open incidents of groups",
			Query: "SELECT service_id, group_key, number FROM incidents WHERE service_id = $1 AND group_key = $2 AND group_key <> '' AND " + paging.OpenIncident,
			Args:  []any{k.service, k.group}, Each: each})
	}
	return queries
}

// reopeningInGroups separates the incidents that reopen in a group from the others,
// which are written before them.
func reopeningInGroups(known []*paging.IncidentState) (others, reopening []*paging.IncidentState) {
	reopens := func(s *paging.IncidentState) bool { return s.WasResolved && s.Inc.Group != "" && s.Inc.Open() }
	if !slices.ContainsFunc(known, reopens) {
		return known, nil
	}
	for _, s := range known {
		if reopens(s) {
			reopening = append(reopening, s)
		} else {
			others = append(others, s)
		}
	}
	return others, reopening
}

// openOfGroup is the number of the open incident of an incident's group, 0 for
// none. Served by incidents_group.
func openOfGroup(g *gorm.DB, inc incident.Incident) (int64, error) {
	if inc.Group == "" {
		return 0, nil
	}
	var open []int64
	err := g.Model(&incident.Incident{}).Where("service_id = ? AND group_key = ? AND group_key <> '' AND "+paging.OpenIncident, inc.ServiceID, inc.Group).
		Pluck("number", &open).Error
	if err != nil {
		return 0, fmt.Errorf("read open incident of group: %w", err)
	}
	if len(open) == 0 {
		return 0, nil
	}
	return open[0], nil
}
