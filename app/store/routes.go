package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
)

// routes is what a write needs to know of the configuration: where a service's
// incidents go. A copy is kept and compared with the version in each
// transaction.
type routes struct {
	version    int64
	zone       string
	services   map[int64]route
	ackExpires map[int]time.Duration // by priority level
}

type route struct {
	policies []policyFrom // oldest first
	hours    *catalog.Hours
}

type policyFrom struct {
	id   int64
	from time.Time
}

// policyAt is the version of the policy in force, nil for none.
func (r route) policyAt(at time.Time) *int64 {
	var id *int64
	for i := range r.policies {
		if !r.policies[i].from.After(at) {
			id = &r.policies[i].id
		}
	}
	return id
}

// routes reads the configuration's version inside the transaction, and the
// rest only when it has changed.
func (tx *Tx) routes(ctx context.Context) (*routes, error) {
	var version int64
	if err := tx.reads(ctx, configVersion(&version)); err != nil {
		return nil, err
	}
	return tx.routesAt(ctx, version)
}

// configVersion reads the version of the configuration.
func configVersion(into *int64) statement {
	return statement{what: "read the version of the configuration", query: "SELECT config_version FROM organization",
		each: func(scan func(...any) error) error { return scan(into) }}
}

// routesAt is the copy at hand where it is of this version, which was just read
// in this transaction.
func (tx *Tx) routesAt(ctx context.Context, version int64) (*routes, error) {
	if kept := tx.db.kept.Load(); kept != nil && kept.version == version {
		return kept, nil
	}
	r := &routes{version: version, services: map[int64]route{}, ackExpires: map[int]time.Duration{}}
	if err := tx.readRoutes(ctx, r); err != nil {
		return nil, fmt.Errorf("read where incidents go: %w", err)
	}
	tx.after = append(tx.after, func() { tx.db.kept.Store(r) })
	return r, nil
}

func (tx *Tx) readRoutes(ctx context.Context, r *routes) error {
	var organizationHours *string
	if err := tx.QueryRowContext(ctx, "SELECT timezone, support_hours FROM organization").Scan(&r.zone, &organizationHours); err != nil {
		return err
	}
	policies, err := tx.policiesFrom(ctx)
	if err != nil {
		return err
	}
	if err := tx.readServices(ctx, r, policies, organizationHours); err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, "SELECT level, ack_expires FROM priorities")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var level int
		var seconds int64
		if err := rows.Scan(&level, &seconds); err != nil {
			return err
		}
		r.ackExpires[level] = time.Duration(seconds) * time.Second
	}
	return rows.Err()
}

// policiesFrom leaves out a version whose beginning cannot be read: the one
// before it counts.
func (tx *Tx) policiesFrom(ctx context.Context) (map[int64][]policyFrom, error) {
	rows, err := tx.QueryContext(ctx, "SELECT policy_id, id, effective_at FROM policy_versions ORDER BY policy_id, effective_at, id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	policies := map[int64][]policyFrom{}
	for rows.Next() {
		var policy int64
		var p policyFrom
		if err := rows.Scan(&policy, &p.id, &p.from); err != nil {
			tx.db.log.ErrorContext(ctx, "a policy's version cannot be read; the one before it counts", "policy", policy, "error", err)
			continue
		}
		policies[policy] = append(policies[policy], p)
	}
	return policies, rows.Err()
}

func (tx *Tx) readServices(ctx context.Context, r *routes, policies map[int64][]policyFrom, organizationHours *string) error {
	rows, err := tx.QueryContext(ctx, `SELECT s.id, COALESCE(s.policy_id, 0), t.support_hours
		FROM services s LEFT JOIN teams t ON t.id = s.team_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, policy int64
		var hours *string
		var v route
		if err := rows.Scan(&id, &policy, &hours); err != nil {
			return err
		}
		if hours == nil || *hours == "" || *hours == "null" {
			hours = organizationHours
		}
		if hours != nil && *hours != "" {
			if err := json.Unmarshal([]byte(*hours), &v.hours); err != nil {
				// Without hours everything pages at once, which is better than nothing.
				tx.db.log.ErrorContext(ctx, "support hours cannot be read; what is not urgent does not wait for them", "service", id, "error", err)
				v.hours = nil
			}
		}
		v.policies = policies[policy]
		r.services[id] = v
	}
	return rows.Err()
}
