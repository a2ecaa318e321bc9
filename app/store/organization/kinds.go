package organization

import (
	"context"
	"fmt"
	"slices"

	"github.com/tocsin-oncall/tocsin/app/organization"
)

// kinds are how all kinds of configuration are kept. A new one is a file such as
// deployment.go, and a line here.
var kinds = []kind{
	organizationKind(),
	priorityKind(),
	userKind(),
	teamKind(),
	deploymentKind(),
	scheduleKind(),
	policyKind(),
	serviceKind(),
	integrationKind(),
}

// kind is how the things of one kind are kept.
type kind struct {
	kind organization.Kind
	// table has a row a thing; key is the column of the key of a change.
	table, key string
	// id and name are the columns by which other kinds refer to the rows, and by
	// which a document does. Empty where nothing refers to them.
	id, name string
	// permanent rows are never deleted.
	permanent bool
	// routing reads the part that routes are made of, load the rest; either may be
	// nil.
	routing, load func(*stateLoad)
	// apply carries out a change that is no deletion.
	apply func(context.Context, *applier, organization.Change) error
	// createAll makes new things together, for a kind of which there are thousands. It
	// does what apply does, and may be nil.
	createAll func(*applier, []organization.Change) error
	// open is the query for the open incidents that refer to things, rows of id and
	// number; empty where incidents refer to none.
	open string
	// counts is the query for how many incidents refer to things, rows of id and
	// incidents, and archive is done to a row instead of its deletion where some do.
	// Both are for kinds that can be archived.
	counts  string
	archive func(a *applier, id int64) error
	// release clears what archived rows refer to by a row that is deleted; it may be
	// nil.
	release func(a *applier, id int64) error
	// auditName stands for the kind in the audit log, if it is another name.
	auditName string
}

// slugged is a kind whose rows have an id and a slug, by which others refer to
// them.
func slugged(of organization.Kind, table string) kind {
	return kind{kind: of, table: table, key: "slug", id: "id", name: "slug"}
}

// simple is a kind whose things are rows of one table with an id and a slug. fill
// makes the row of a value, and returns where its id is.
func simple[T, R any](of organization.Kind, table string, rows func(*organization.State) *[]R, fill func(a *applier, v T, row *R) (id *int64)) kind {
	k := slugged(of, table)
	k.load = func(l *stateLoad) { load(l, rows(l.s), "id", "id") }
	k.apply = func(_ context.Context, a *applier, c organization.Change) error {
		v, err := valueOf[T](c)
		if err != nil {
			return err
		}
		var row R
		id := fill(a, v, &row)
		*id = a.id(of, c.Key)
		return a.save(&row, id, of, c.Key)
	}
	return k
}

// applying is an apply of values of a type.
func applying[T any](apply func(ctx context.Context, a *applier, v T, isNew bool) error) func(context.Context, *applier, organization.Change) error {
	return func(ctx context.Context, a *applier, c organization.Change) error {
		v, err := valueOf[T](c)
		if err != nil {
			return err
		}
		return apply(ctx, a, v, c.Op == organization.Create)
	}
}

func valueOf[T any](c organization.Change) (T, error) {
	v, ok := c.Value.(T)
	if !ok {
		return v, fmt.Errorf("the value is a %T and not a %T", c.Value, v)
	}
	return v, nil
}

func kindOf(of organization.Kind) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.kind == of })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}
