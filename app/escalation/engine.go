package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// Due is an escalation that is due, with the fields of its incident that the decision
// needs. Both rows are locked while it is decided.
type Due struct {
	ID              int64
	Incident        int64
	Purpose         Purpose
	PolicyVersionID int64 // 0 pages the administrators
	State           State
	Status          incident.Status
	Priority        *int
	Urgency         incident.Urgency
	ServiceID       int64
	// Paged are the people paged by the current step in this run.
	Paged []int64
	// Request names whom to page instead of a policy; nil for the policy.
	Request *incident.Request
}

// Change is the decision on an escalation that was due.
type Change struct {
	Due
	// Ended says that the escalation is over.
	Ended bool
	// Outcome is how a request ended.
	Outcome incident.RequestOutcome
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

// NamedPolicy is a policy at one version with its slug and name.
type NamedPolicy struct {
	Slug, Name string
	Policy     Policy
}

// Store claims what is due and writes what was decided, in one transaction.
type Store interface {
	// FireDue locks at most limit escalations due at now, skips those that others have
	// locked, calls decide and writes the changes it returns, which may be fewer. It
	// returns how many were due.
	FireDue(ctx context.Context, now time.Time, limit int, decide func(configVersion int64, due []Due) ([]Change, error)) (int, error)
}

// Directory is the configuration as the engine needs it.
type Directory interface {
	// Roster is of the version of the configuration, or of a later one.
	Roster(ctx context.Context, version int64) (*Roster, error)
	// Policy is the policy by the id of one version, which never changes. Fault:
	// NotFound once it was deleted.
	Policy(ctx context.Context, versionID int64) (NamedPolicy, error)
}

// Engine fires the steps of escalations.
type Engine struct {
	Store     Store
	Directory Directory
	Now       func() time.Time
	// Batch is the maximum number of escalations in one transaction.
	Batch int
}

// ErrUnreadable is wrapped by the error of a stored policy version that is damaged, so
// that reading it again is no use.
var ErrUnreadable = errors.New("cannot be read")

// Sweep fires what is due once, and returns how many escalations were due. An
// escalation whose policy cannot be read for now is left for the next sweep; one
// whose policy is damaged, or panics, pages the administrators. Neither blocks the
// other escalations; the error joins those of all.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	now := e.Now()
	failed := map[int64]error{} // by escalation
	n, err := e.Store.FireDue(ctx, now, e.Batch, func(version int64, due []Due) ([]Change, error) {
		roster, err := e.Directory.Roster(ctx, version)
		if err != nil {
			return nil, fmt.Errorf("read roster: %w", err)
		}
		b := newBatch(now, roster)
		changes := make([]Change, 0, len(due))
		for _, d := range due {
			delete(failed, d.ID) // from a transaction that was retried
			c, ok, err := e.change(ctx, b, d)
			if err != nil {
				failed[d.ID] = fmt.Errorf("escalation %d: %w", d.ID, err)
			}
			if ok {
				changes = append(changes, c)
			}
		}
		return changes, nil
	})
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		err = errors.Join(err, failed[id])
	}
	return n, err
}

// change decides one escalation. Where ok is false it stays unchanged; an error may
// also come with a change.
func (e *Engine) change(ctx context.Context, b *batch, d Due) (c Change, ok bool, err error) {
	if d.ended() {
		return Change{Due: d, Ended: true}, true, nil
	}
	if d.Request != nil {
		d.Urgency = incident.High // a person asks
	}
	if d.Request != nil && d.Purpose == Responder {
		c, err = attempt(func() Change { return b.request(d) })
		return c, err == nil, err
	}
	policy, err := e.policy(ctx, d)
	if d.Request != nil {
		policy, err = b.requestPolicy(*d.Request), nil
	}
	if err != nil && !errors.Is(err, ErrUnreadable) {
		return c, false, err
	}
	if err == nil {
		if c, err = b.attempt(policy, d); err == nil {
			return c, true, nil
		}
	}
	c, again := b.withoutPolicy(d)
	return c, again == nil, errors.Join(err, again)
}

// withoutPolicy pages the administrators, and again every FallbackInterval.
func (b *batch) withoutPolicy(d Due) (Change, error) {
	if d.State.Phase == PhaseAdministrators {
		return b.attempt(NamedPolicy{}, d)
	}
	fired := d.State.FiredAt != nil
	d.State = State{Phase: PhaseAdministrators}
	c, err := b.attempt(NamedPolicy{}, d)
	if err != nil {
		return c, err
	}
	trouble := incident.TroublePayload{Text: "The escalation policy could not be carried out, so the administrators are paged. Tocsin’s log says why."}
	c.Events = append([]incident.TimelineEvent{b.event(trouble)}, c.Events...)
	c.Supersede = c.Supersede || fired && len(c.Pages) > 0
	return c, nil
}

// attempt decides an escalation, and turns a panic into an error, so that one policy
// does not block other escalations.
func (b *batch) attempt(policy NamedPolicy, d Due) (c Change, err error) {
	return attempt(func() Change { return b.decide(policy, d) })
}

func attempt(decide func() Change) (c Change, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in escalation decision: %v", r)
		}
	}()
	return decide(), nil
}

// policy is the one that the escalation started with. Where there is none, or it was
// deleted since, the empty policy leads to the administrators.
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
