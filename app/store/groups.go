package store

import "github.com/tocsin-oncall/tocsin/app/ingest"

// groupKey names a group of alerts; group is never empty.
type groupKey struct {
	service int64
	group   string
}

// expectGroup has the open incident of a trigger's group read.
func (r *reception) expectGroup(s *ingest.Signal) {
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

// readGroups looks up the open incidents of the batch's groups: incidents_group.
// They are not locked by it: an incident that is resolved in between is found so
// once it is locked, and where another process opens one in between the index has
// this batch lose the race and be repeated. Without groups there is no statement.
func (r *reception) readGroups() []statement {
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
	if r.tx.db.dialect == onPostgres {
		services, groups := make([]int64, len(r.groupKeys)), make([]string, len(r.groupKeys))
		for i, k := range r.groupKeys {
			services[i], groups[i] = k.service, k.group
		}
		return []statement{{
			what: "read open incidents of groups",
			query: `SELECT k.service_id, k.group_key, i.number
				FROM (SELECT unnest($1::bigint[]) AS service_id, unnest($2::text[]) AS group_key) AS k
				JOIN LATERAL (SELECT number FROM incidents WHERE service_id = k.service_id AND group_key = k.group_key
					AND group_key <> '' AND status <> 'resolved' LIMIT 1) i ON true`,
			args: []any{services, groups},
			each: each,
		}}
	}
	queries := make([]statement, 0, len(r.groupKeys))
	for _, k := range r.groupKeys {
		queries = append(queries, statement{what: "read open incidents of groups",
			query: "SELECT service_id, group_key, number FROM incidents WHERE service_id = $1 AND group_key = $2 AND group_key <> '' AND status <> 'resolved'",
			args:  []any{k.service, k.group}, each: each})
	}
	return queries
}
