package escalation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

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
	// others excepted, has them decided and writes the changes. It returns how
	// many there were.
	FireDue(ctx context.Context, now time.Time, limit int, decide func(configVersion int64, due []Due) ([]Change, error)) (int, error)
}

// Directory is the configuration as the engine needs it.
type Directory interface {
	// Roster is a picture no older than the version.
	Roster(ctx context.Context, version int64) (*Roster, error)
	// Policy is the policy of a version's id, which never changes.
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

// Sweep fires what is due once, and returns how much there was.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	now := e.Now()
	return e.Store.FireDue(ctx, now, e.Batch, func(version int64, due []Due) ([]Change, error) {
		roster, err := e.Directory.Roster(ctx, version)
		if err != nil {
			return nil, fmt.Errorf("read who is on call: %w", err)
		}
		b := batch{ctx: ctx, now: now, directory: e.Directory, roster: roster, resolved: map[resolvedKey][]Reached{}, why: map[whyKey]json.RawMessage{}}
		changes := make([]Change, len(due))
		for i, d := range due {
			if changes[i], err = b.decide(d); err != nil {
				return nil, err
			}
		}
		return changes, nil
	})
}

// batch decides many escalations at one instant. In a storm most of them ask
// for the same step of the same policy, which is answered once.
type batch struct {
	ctx       context.Context
	now       time.Time
	directory Directory
	roster    *Roster
	resolved  map[resolvedKey][]Reached
	why       map[whyKey]json.RawMessage
}

type resolvedKey struct {
	policy int64
	phase  Phase
	step   int
}

type whyKey struct {
	resolvedKey
	kind    string
	run     int
	service int64
	user    int64
}

func (b *batch) decide(d Due) (Change, error) {
	c := Change{Due: d}
	if d.Status == incident.Resolved || d.Status == incident.Acknowledged && d.Purpose == Primary {
		c.Ended = true // it was stopped and the wake-up came late
		return c, nil
	}
	var policy NamedPolicy
	if d.PolicyVersionID != 0 {
		var err error
		if policy, err = b.directory.Policy(b.ctx, d.PolicyVersionID); err != nil {
			return c, fmt.Errorf("read policy version %d: %w", d.PolicyVersionID, err)
		}
	}
	if d.State.FiredAt != nil && d.State.Deadline != nil && b.now.Before(*d.State.Deadline) {
		b.handOver(&c, policy)
	} else {
		b.fire(&c, policy)
	}
	c.NextAction = *c.State.Deadline
	if change := b.roster.Changes(targetsOf(policy.Policy, c.State), b.now); !change.IsZero() && change.Before(c.NextAction) {
		c.NextAction = change
	}
	return c, nil
}

// targetsOf are those of the present step.
func targetsOf(p Policy, s State) []Target {
	switch {
	case s.Phase == Stepping && s.Step < len(p.Steps):
		return p.Steps[s.Step].Targets
	case s.Phase == Falling:
		return p.Fallback
	default:
		return nil
	}
}

// fire carries out the next step, and records each that was passed over.
func (b *batch) fire(c *Change, policy NamedPolicy) {
	c.Supersede = c.State.Reached || c.State.FiredAt != nil
	firings, state := policy.Policy.Fire(c.State, b.now, c.Priority, func(d Decision) []Reached {
		return b.resolve(c.PolicyVersionID, d)
	})
	c.State = state
	for _, f := range firings {
		kind := whyKind(f.Phase)
		if f.Phase == Falling && f.Run == 0 {
			c.Events = append(c.Events, b.event(incident.EvExhausted, policy, f.Decision, nil))
		}
		if !Covered(f.People) {
			c.Events = append(c.Events, b.event(incident.EvPassedOver, policy, f.Decision, nil))
		} else {
			c.Events = append(c.Events, b.event(incident.EvStep, policy, f.Decision, f.People))
		}
		for _, r := range f.People {
			c.Pages = append(c.Pages, b.page(c, policy, f.Decision, kind, r))
		}
	}
}

// handOver pages whoever came on call since the step fired; the timer goes on.
func (b *batch) handOver(c *Change, policy NamedPolicy) {
	d := Decision{Phase: c.State.Phase, Step: c.State.Step, Run: c.State.Run, Targets: targetsOf(policy.Policy, c.State)}
	var fresh []Reached
	for _, r := range b.resolve(c.PolicyVersionID, d) {
		if !slices.Contains(c.Paged, r.UserID) {
			fresh = append(fresh, r)
			c.Pages = append(c.Pages, b.page(c, policy, d, "handover", r))
		}
	}
	if fresh != nil {
		c.Events = append(c.Events, b.event(incident.EvHandover, policy, d, fresh))
	}
}

func (b *batch) resolve(version int64, d Decision) []Reached {
	key := resolvedKey{version, d.Phase, d.Step}
	people, ok := b.resolved[key]
	if !ok {
		people = b.roster.Resolve(d.Targets, b.now)
		b.resolved[key] = people
	}
	return people
}

func (b *batch) page(c *Change, policy NamedPolicy, d Decision, kind string, r Reached) Page {
	key := whyKey{resolvedKey{c.PolicyVersionID, d.Phase, d.Step}, kind, d.Run, c.ServiceID, r.UserID}
	why, ok := b.why[key]
	if !ok {
		w := r.Why
		w.Kind, w.Run, w.Policy, w.PolicyName = kind, d.Run+1, policy.Slug, policy.Name
		if d.Phase == Stepping {
			w.Step, w.Steps, w.Runs = d.Step+1, len(policy.Policy.Steps), policy.Policy.Repeat+1
		}
		if name := b.roster.Services[c.ServiceID]; name != "" {
			w.Rule = name + "'s escalation policy"
		}
		why, _ = json.Marshal(w)
		b.why[key] = why
	}
	return Page{UserID: r.UserID, Shadow: r.Shadow, Digest: d.Digest, Why: why}
}

func (b *batch) event(kind incident.EventKind, policy NamedPolicy, d Decision, people []Reached) incident.TimelineEvent {
	detail := incident.Detail{Policy: policy.Name, Via: policy.Slug, Run: d.Run + 1, Targets: b.roster.Describe(d.Targets)}
	if d.Phase == Stepping {
		detail.Step = d.Step + 1
	} else {
		detail.To = string(d.Phase)
	}
	for _, r := range people {
		detail.People = append(detail.People, r.UserID)
	}
	data, _ := json.Marshal(detail)
	return incident.TimelineEvent{At: b.now, Kind: kind, Actor: incident.Tocsin, Data: data}
}

func whyKind(p Phase) string {
	if p == Stepping {
		return "step"
	}
	return string(p)
}
