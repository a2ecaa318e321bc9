package organization

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/organization"
	"github.com/tocsin-oncall/tocsin/app/store/access"
	"github.com/tocsin-oncall/tocsin/app/store/db"
	"github.com/tocsin-oncall/tocsin/app/store/paging"
)

// Apply carries out a plan in one transaction, and writes each of its changes to the
// audit log. Fault: Conflict where the configuration has changed since the plan was
// made. The keys of integrations are sealed with keys.
func (s *Store) Apply(ctx context.Context, by auth.Actor, keys *auth.Keyring, plan *organization.Plan) (organization.Applied, error) {
	if plan.Empty() {
		return organization.Applied{Plan: plan}, nil
	}
	return db.Returning(ctx, s.db, func(tx *db.Tx) (organization.Applied, error) {
		applied := organization.Applied{Plan: plan}
		if err := tx.ClaimRevision(ctx, plan.Revision); err != nil {
			return applied, err
		}
		a := &applier{tx: tx, by: by, keys: keys, now: s.db.Now(), origin: plan.Origin, applied: &applied}
		if err := a.readNumbers(); err != nil {
			return applied, err
		}
		if err := paging.WakeEscalations(ctx, tx, a.now); err != nil {
			return applied, err
		}
		for rest := plan.Changes; len(rest) > 0; {
			n, err := a.applyNext(ctx, rest)
			if err != nil {
				return applied, fmt.Errorf("%s %s %s: %w", rest[0].Op, rest[0].Kind, rest[0].Key, err)
			}
			for _, c := range rest[:n] {
				a.entries = append(a.entries, a.entry(c))
			}
			rest = rest[n:]
		}
		return applied, access.Audit(ctx, tx, a.entries...)
	})
}

// applyNext carries out the next change, or all new things of its kind that follow it
// where the kind takes them together. It returns how many it was.
func (a *applier) applyNext(ctx context.Context, rest []organization.Change) (int, error) {
	first := rest[0]
	k, known := kindOf(first.Kind)
	if !known || k.createAll == nil || first.Op != organization.Create {
		return 1, a.apply(ctx, first)
	}
	n := 1
	for n < len(rest) && rest[n].Kind == first.Kind && rest[n].Op == organization.Create {
		n++
	}
	return n, k.createAll(a, rest[:n])
}

// applier carries out the changes of one plan.
type applier struct {
	tx   *db.Tx
	by   auth.Actor
	keys *auth.Keyring
	now  time.Time
	// origin is that of the plan.
	origin  string
	applied *organization.Applied
	// entries are for the audit log, in the order of what they tell.
	entries []auth.Entry
	// numbers are the ids of rows by their names in a document, by kind; of
	// priorities, levels. Those of new rows are added.
	numbers map[organization.Kind]map[string]int64
}

func (a *applier) readNumbers() error {
	a.numbers = map[organization.Kind]map[string]int64{}
	for _, k := range kinds {
		if k.id == "" {
			continue
		}
		var rows []struct {
			ID   int64
			Name string
		}
		if err := a.tx.Gorm.Table(k.table).Select(k.id+" AS id", k.name+" AS name").Scan(&rows).Error; err != nil {
			return fmt.Errorf("read the ids of %s: %w", k.table, err)
		}
		numbers := make(map[string]int64, len(rows))
		for _, r := range rows {
			numbers[r.Name] = r.ID
		}
		a.numbers[k.kind] = numbers
	}
	return nil
}

// id is the id of a name, also of a row that the plan's state left out as
// unreadable; 0 for a name that nothing has.
func (a *applier) id(of organization.Kind, name string) int64 {
	if id, ok := organization.IDOf(name); ok {
		return id
	}
	return a.numbers[of][name]
}

// reference is nil for a name that nothing has.
func (a *applier) reference(of organization.Kind, name string) *int64 {
	return reference(a.id(of, name))
}

// reference is nil for 0, which stands for nothing.
func reference[T ~int64](id T) *int64 {
	if id == 0 {
		return nil
	}
	n := int64(id)
	return &n
}

// person is the id of the user with an email address.
func (a *applier) person(email string) int64 { return a.id(organization.KindUser, email) }

func (a *applier) apply(ctx context.Context, c organization.Change) error {
	k, known := kindOf(c.Kind)
	switch {
	case !known:
		return fmt.Errorf("there is no kind %s", c.Kind)
	case c.Op == organization.Create || c.Op == organization.Update:
		return k.apply(ctx, a, c)
	case k.permanent:
		return fmt.Errorf("kind %s cannot be deleted", c.Kind)
	case c.Op == organization.Archive && k.archive == nil:
		return fmt.Errorf("kind %s cannot be archived", c.Kind)
	}
	return a.remove(k, c)
}

// remove deletes or archives a row.
func (a *applier) remove(k kind, c organization.Change) error {
	id := a.id(c.Kind, c.Key)
	if k.archive != nil {
		if err := a.stillUnused(k, c, id); err != nil {
			return err
		}
	}
	if c.Op == organization.Archive {
		return k.archive(a, id)
	}
	if k.release != nil {
		if err := k.release(a, id); err != nil {
			return err
		}
	}
	// The schema deletes dependent rows too, and refuses a deletion that other rows
	// refer to.
	return a.tx.Gorm.Exec(fmt.Sprintf("DELETE FROM %s WHERE CAST(%s AS text) = ?", k.table, k.key), c.Key).Error
}

// save inserts or updates a row that a document calls name.
func (a *applier) save(row any, id *int64, of organization.Kind, name string) error {
	if err := insertOrUpdate(a.tx.Gorm, row, *id); err != nil {
		return err
	}
	a.numbers[of][name] = *id
	return nil
}

// insertOrUpdate inserts a row without an id, and sets the id.
func insertOrUpdate(g *gorm.DB, row any, id int64) error {
	if id == 0 {
		return g.Create(row).Error
	}
	return g.Save(row).Error
}

func seconds(d organization.Duration) int64 { return int64(time.Duration(d) / time.Second) }

// entry is that of a change in the audit log.
func (a *applier) entry(c organization.Change) auth.Entry {
	kind := string(c.Kind)
	if k, known := kindOf(c.Kind); known && k.auditName != "" {
		kind = k.auditName
	}
	e := auth.Entry{At: a.now, Actor: a.by.String(), Action: kind + "." + string(c.Op), Subject: strings.TrimSuffix(kind+":"+c.Key, ":"),
		Detail: map[string]any{}}
	if a.origin != "" {
		e.Detail["by"] = a.origin
	}
	if len(c.Words) > 0 {
		e.Detail["changes"] = c.Words
	}
	return e
}
