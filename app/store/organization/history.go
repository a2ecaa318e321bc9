package organization

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/organization"
)

// History is what incidents refer to.
func (s *Store) History(ctx context.Context) (organization.History, error) {
	h := organization.History{}
	err := s.db.Snapshot(ctx, func(g *gorm.DB) error {
		for _, k := range kinds {
			if k.open == "" {
				continue
			}
			uses, err := usesOf(g, k)
			if err != nil {
				return err
			}
			h[k.kind] = uses
		}
		return nil
	})
	return h, err
}

// usesOf is how incidents refer to the things of a kind, or to those of some ids.
func usesOf(g *gorm.DB, k kind, ids ...int64) (map[int64]organization.Use, error) {
	var counts []struct {
		ID        int64
		Incidents int
	}
	var open []struct{ ID, Number int64 }
	read := func(query string, rows any) error {
		if query == "" {
			return nil
		}
		found := g.Raw(query)
		if len(ids) > 0 {
			found = g.Raw("SELECT * FROM ("+query+") AS used WHERE used.id IN ?", ids)
		}
		if err := found.Scan(rows).Error; err != nil {
			return fmt.Errorf("read the %s that incidents refer to: %w", k.table, err)
		}
		return nil
	}
	if err := read(k.counts, &counts); err != nil {
		return nil, err
	}
	if err := read(k.open, &open); err != nil {
		return nil, err
	}
	uses := make(map[int64]organization.Use, len(counts))
	for _, c := range counts {
		uses[c.ID] = organization.Use{Incidents: c.Incidents}
	}
	for _, o := range open {
		u := uses[o.ID]
		u.Open = append(u.Open, o.Number)
		uses[o.ID] = u
	}
	for _, u := range uses {
		slices.Sort(u.Open)
	}
	return uses, nil
}

// stillUnused refuses to remove what incidents began to refer to after the plan was
// made. Fault: Conflict.
func (a *applier) stillUnused(k kind, c organization.Change, id int64) error {
	uses, err := usesOf(a.tx.Gorm, k, id)
	if err != nil {
		return err
	}
	if u := uses[id]; len(u.Open) > 0 || c.Op == organization.Delete && u.Incidents > 0 {
		return fault.Conflict("Incidents began to use the %s %s in the meantime. Look at what is to be changed again.", c.Kind, c.Key)
	}
	return nil
}
