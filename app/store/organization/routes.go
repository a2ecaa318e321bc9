package organization

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/store/db"
)

// Routes is what a write needs to know of the configuration: where a service's
// incidents go. A copy is kept and compared with the version in each
// transaction.
type Routes struct {
	Version    int64
	Zone       string
	Services   map[int64]route
	ackExpires map[int]time.Duration // by priority level
}

type route struct {
	policies []policyFrom // oldest first
	Hours    *catalog.Hours
}

type policyFrom struct {
	id   int64
	from time.Time
}

// PolicyAt is the version of the policy in force, nil for none.
func (r route) PolicyAt(at time.Time) *int64 {
	var id *int64
	for i := range r.policies {
		if !r.policies[i].from.After(at) {
			id = &r.policies[i].id
		}
	}
	return id
}

// Routes reads the configuration's version inside the transaction, and the
// rest only when it has changed.
func (s *Store) Routes(ctx context.Context, tx *db.Tx) (*Routes, error) {
	var version int64
	if err := tx.Query(ctx, db.ReadConfigVersion(&version)); err != nil {
		return nil, err
	}
	return s.RoutesAt(ctx, tx, version)
}

// RoutesAt is the copy at hand where it is of this version, which was just read
// in this transaction.
func (s *Store) RoutesAt(ctx context.Context, tx *db.Tx, version int64) (*Routes, error) {
	if kept := s.routes.Load(); kept != nil && kept.Version == version {
		return kept, nil
	}
	r := &Routes{Version: version, Services: map[int64]route{}, ackExpires: map[int]time.Duration{}}
	if err := readRoutes(ctx, tx, r); err != nil {
		return nil, fmt.Errorf("read where incidents go: %w", err)
	}
	tx.After = append(tx.After, func() { s.routes.Store(r) })
	return r, nil
}

func readRoutes(ctx context.Context, tx *db.Tx, r *Routes) error {
	var organizationHours *string
	if err := tx.QueryRowContext(ctx, "SELECT timezone, support_hours FROM organization").Scan(&r.Zone, &organizationHours); err != nil {
		return err
	}
	policies, err := policiesFrom(ctx, tx)
	if err != nil {
		return err
	}
	if err := readServices(ctx, tx, r, policies, organizationHours); err != nil {
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
func policiesFrom(ctx context.Context, tx *db.Tx) (map[int64][]policyFrom, error) {
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
			tx.DB.Log.ErrorContext(ctx, "a policy's version cannot be read; the one before it counts", "policy", policy, "error", err)
			continue
		}
		policies[policy] = append(policies[policy], p)
	}
	return policies, rows.Err()
}

func readServices(ctx context.Context, tx *db.Tx, r *Routes, policies map[int64][]policyFrom, organizationHours *string) error {
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
			if err := json.Unmarshal([]byte(*hours), &v.Hours); err != nil {
				// Without hours everything pages at once, which is better than nothing.
				tx.DB.Log.ErrorContext(ctx, "support hours cannot be read; what is not urgent does not wait for them", "service", id, "error", err)
				v.Hours = nil
			}
		}
		v.policies = policies[policy]
		r.Services[id] = v
	}
	return rows.Err()
}
