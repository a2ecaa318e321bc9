package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// Purpose is what an escalation is for.
type Purpose string

// The purposes. Every incident has one primary escalation; a role that is
// called and each responder who is asked in have one of their own.
const (
	Primary   Purpose = "primary"
	ForRole   Purpose = "role"
	Responder Purpose = "responder"
)

// Due is an escalation that has something to do, with what the decision needs
// of its incident. Both rows are locked while it is decided.
type Due struct {
	ID              int64
	Incident        int64
	Purpose         Purpose
	PolicyVersionID int64 // 0: straight to the administrators
	State           State
	Status          incident.Status
	Priority        *int
	Urgency         incident.Urgency
	ServiceID       int64
	// Paged are the people paged by the present step in this run.
	Paged []int64
}

// Change is what becomes of an escalation that was due.
type Change struct {
	Due
	// Ended says that it has nothing to do any more.
	Ended bool
	// NextAction is when it is due again.
	NextAction time.Time
	// Supersede ends the pages of the steps before.
	Supersede bool
	Pages     []Page
	Events    []incident.TimelineEvent
}

// Page is a person to be paged, and why.
type Page struct {
	UserID int64
	Shadow bool
	Digest bool
	Why    json.RawMessage
}

// NamedPolicy is a policy at one version with what people call it.
type NamedPolicy struct {
	Slug, Name string
	Policy     Policy
}

// Store claims what is due and keeps what was decided, in one transaction: a
// process that dies inside it has done nothing.
type Store interface {
	// FireDue locks at most limit escalations due at now, those locked by
	// others excepted, has them decided and writes the changes, of which there
	// may be fewer. It returns how many were due.
	FireDue(ctx context.Context, now time.Time, limit int, decide func(configVersion int64, due []Due) ([]Change, error)) (int, error)
}

// Directory is the configuration as the engine needs it.
type Directory interface {
	// Roster is a picture no older than the version.
	Roster(ctx context.Context, version int64) (*Roster, error)
	// Policy is the policy of a version's id, which never changes. Fault:
	// NotFound once it was deleted.
	Policy(ctx context.Context, versionID int64) (NamedPolicy, error)
}

// Engine carries escalations out.
type Engine struct {
	Store     Store
	Directory Directory
	Now       func() time.Time
	// Batch bounds how many escalations one transaction takes.
	Batch int
}

// Sweep fires what is due once, and returns how much there was. An escalation
// whose policy cannot be read is left for the next sweep, holds up no other,
// and is told of in the error.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	now := e.Now()
	var unread error
	n, err := e.Store.FireDue(ctx, now, e.Batch, func(version int64, due []Due) ([]Change, error) {
		unread = nil
		roster, err := e.Directory.Roster(ctx, version)
		if err != nil {
			return nil, fmt.Errorf("read who is on call: %w", err)
		}
		b := newBatch(now, roster)
		changes := make([]Change, 0, len(due))
		for _, d := range due {
			if d.ended() {
				changes = append(changes, Change{Due: d, Ended: true})
				continue
			}
			policy, err := e.policy(ctx, d)
			if err != nil {
				unread = errors.Join(unread, fmt.Errorf("escalation %d: %w", d.ID, err))
				continue
			}
			changes = append(changes, b.decide(policy, d))
		}
		return changes, nil
	})
	return n, errors.Join(err, unread)
}

// policy is the one that an escalation began with. One that was deleted since,
// or that there never was, leads to the administrators.
func (e *Engine) policy(ctx context.Context, d Due) (NamedPolicy, error) {
	if d.PolicyVersionID == 0 {
		return NamedPolicy{}, nil
	}
	policy, err := e.Directory.Policy(ctx, d.PolicyVersionID)
	switch {
	case fault.Is(err, fault.KindNotFound):
		return NamedPolicy{}, nil
	case err != nil:
		return NamedPolicy{}, fmt.Errorf("read policy version %d: %w", d.PolicyVersionID, err)
	}
	return policy, nil
}
