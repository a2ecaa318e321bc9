package organization

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/auth"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Store keeps the configuration.
type Store interface {
	Loader
	// History is what incidents refer to.
	History(ctx context.Context) (History, error)
	// Apply carries a plan out in one transaction, raises the versions, and writes
	// each change to the audit log. It is a conflict where the configuration is not
	// the one for which the plan was made.
	Apply(ctx context.Context, by auth.Actor, plan *Plan) (Applied, error)
}

// Applied is what came of a plan.
type Applied struct {
	Plan *Plan
	// Overrides are the ids of the overrides that were made, in the order of the
	// plan.
	Overrides []int64
}

// Editor makes edits.
type Editor struct {
	Store Store
	// Unseal opens the key of an integration.
	Unseal func(sealed []byte) (string, error)
	Now    func() time.Time
}

// maxAttempts bounds how often edits are planned again because the configuration
// was changed meanwhile.
const maxAttempts = 3

// State is the configuration as of now, for plans and exports: with the keys of
// integrations opened, and with what incidents refer to.
func (e *Editor) State(ctx context.Context) (*State, error) { return e.state(ctx, true) }

// state is State, without the History unless it is asked for: that takes long to
// read.
func (e *Editor) state(ctx context.Context, history bool) (*State, error) {
	s, err := e.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	if s = s.AsOf(e.Now()).WithKeys(e.Unseal); !history {
		return s, nil
	}
	if s.History, err = e.Store.History(ctx); err != nil {
		return nil, fmt.Errorf("read references of incidents: %w", err)
	}
	return s, nil
}

// Plan says what edits would change, and changes nothing.
func (e *Editor) Plan(ctx context.Context, edits ...Edit) (*Plan, error) {
	s, err := e.state(ctx, slices.ContainsFunc(edits, removes))
	if err != nil {
		return nil, err
	}
	return MakePlan(s, edits, Options{})
}

// Edit plans edits and carries the plan out. Where somebody else changes the
// configuration at the same time, the edits are planned again on what that led to.
// Nothing is written where there is nothing to change.
func (e *Editor) Edit(ctx context.Context, by auth.Actor, edits ...Edit) (Applied, error) {
	for attempt := 1; ; attempt++ {
		s, err := e.state(ctx, slices.ContainsFunc(edits, removes))
		if err != nil {
			return Applied{}, err
		}
		plan, err := MakePlan(s, edits, Options{})
		if err != nil {
			return Applied{}, err
		}
		if plan.Empty() {
			return Applied{Plan: plan}, nil
		}
		applied, err := e.Store.Apply(ctx, by, plan)
		if err == nil || attempt == maxAttempts || !fault.Is(err, fault.KindConflict) {
			return applied, err
		}
	}
}
