package escalation

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// batch decides many escalations at one instant. In a large batch most are at the same
// step of the same policy, so the results of Resolve are cached.
type batch struct {
	now      time.Time
	roster   *Roster
	resolved map[resolvedKey][]Reached
	why      map[whyKey]json.RawMessage
}

type resolvedKey struct {
	policy  int64
	request int64 // the escalation's id, where it goes by a request
	phase   Phase
	step    int
}

func keyOf(c *Change, d Decision) resolvedKey {
	key := resolvedKey{policy: c.PolicyVersionID, phase: d.Phase, step: d.Step}
	if c.Request != nil {
		key.request = c.ID
	}
	return key
}

type whyKey struct {
	resolvedKey
	kind    string
	run     int
	service int64
	user    int64
}

func newBatch(now time.Time, roster *Roster) *batch {
	return &batch{now: now, roster: roster, resolved: map[resolvedKey][]Reached{}, why: map[whyKey]json.RawMessage{}}
}

// ended reports whether a due escalation is over, since its incident was acknowledged
// or resolved after it became due.
func (d Due) ended() bool {
	return d.Status == incident.Resolved || d.Status == incident.Acknowledged && d.Purpose == Primary
}

// timeoutRuns reports whether the timeout of the current step is not over yet.
func (d Due) timeoutRuns(now time.Time) bool {
	return d.State.FiredAt != nil && d.State.Deadline != nil && now.Before(*d.State.Deadline)
}

// decide carries out what is due by the policy of an escalation. A policy without
// steps and fallback leads to the administrators.
func (b *batch) decide(policy NamedPolicy, d Due) Change {
	c := Change{Due: d}
	if d.timeoutRuns(b.now) {
		b.handOver(&c, policy)
	} else {
		b.fire(&c, policy)
	}
	b.schedule(&c, policy)
	return c
}

// schedule sets when an escalation is due again: when its step ends, or sooner when a
// schedule hands over.
func (b *batch) schedule(c *Change, policy NamedPolicy) {
	c.NextAction = *c.State.Deadline
	if change := b.roster.NextHandover(policy.Policy.targets(c.State), b.now); !change.IsZero() && change.Before(c.NextAction) {
		c.NextAction = change
	}
}

// targets are those of the current step; nil for the administrators, who have no
// handovers.
func (p Policy) targets(s State) []Target {
	switch {
	case s.Phase == PhaseSteps && s.Step < len(p.Steps):
		return p.Steps[s.Step].Targets
	case s.Phase == PhaseFallback:
		return p.Fallback
	default:
		return nil
	}
}

// fire carries out the next step, and records each step that was passed over. Where
// nobody can be reached, the pages of the step before are not superseded.
func (b *batch) fire(c *Change, policy NamedPolicy) {
	before := c.State
	firings, state := policy.Policy.Fire(before, b.now, c.Priority, func(d Decision) []Reached {
		return b.resolve(c, d)
	})
	c.State = state
	for _, f := range firings {
		if f.Phase == PhaseFallback && f.Run == 0 && before.Phase != PhaseFallback && c.Request != nil {
			c.Events = append(c.Events, b.requestEnded(before, *c.Request))
		} else if f.Phase == PhaseFallback && f.Run == 0 && before.Phase != PhaseFallback {
			c.Events = append(c.Events, b.event(incident.ExhaustedPayload{PolicyPlace: b.place(policy, f.Decision, nil)}))
		}
		switch {
		case AnyNonShadow(f.People):
			c.Supersede = before.Reached || before.FiredAt != nil
			c.Events = append(c.Events, b.event(b.paged(c, policy, f)))
			b.page(c, policy, f.Decision, whyKind(f.Phase), f.People)
		case len(f.Targets) > 0 && (c.Request == nil || f.Phase != PhaseSteps): // no event for the fallback of a policy that has none
			c.Events = append(c.Events, b.event(incident.PassedOverPayload{PolicyPlace: b.place(policy, f.Decision, nil)}))
		}
	}
}

// paged is what the timeline tells of a firing that paged somebody.
func (b *batch) paged(c *Change, policy NamedPolicy, f Firing) incident.Payload {
	if c.Request != nil && f.Phase == PhaseSteps {
		return b.asked(f)
	}
	return incident.StepPayload{PolicyPlace: b.place(policy, f.Decision, f.People)}
}

// handOver pages the people who came on call since the step fired. The timeout of the
// step is not restarted.
func (b *batch) handOver(c *Change, policy NamedPolicy) {
	d := Decision{Phase: c.State.Phase, Step: c.State.Step, Run: c.State.Run, Targets: policy.Policy.targets(c.State)}
	added := slices.DeleteFunc(slices.Clone(b.resolve(c, d)), func(r Reached) bool {
		return slices.Contains(c.Paged, r.UserID)
	})
	if AnyNonShadow(added) {
		c.Events = append(c.Events, b.event(incident.HandoverPayload{PolicyPlace: b.place(policy, d, added)}))
	}
	b.page(c, policy, d, "handover", added)
}

func (b *batch) resolve(c *Change, d Decision) []Reached {
	key := keyOf(c, d)
	people, ok := b.resolved[key]
	if !ok {
		people = b.roster.Resolve(d.Targets, b.now)
		if c.Request != nil {
			people = slices.DeleteFunc(people, func(r Reached) bool { return slices.Contains(c.Request.Declined, r.UserID) })
		}
		b.resolved[key] = people
	}
	return people
}

// page adds a page for each person. The page is part of a digest only while the
// urgency is still low.
func (b *batch) page(c *Change, policy NamedPolicy, d Decision, kind string, people []Reached) {
	for _, r := range people {
		c.Pages = append(c.Pages, Page{
			UserID: r.UserID, Shadow: r.Shadow, Digest: d.Digest && c.Urgency == incident.Low,
			Why: b.explain(c, policy, d, kind, r),
		})
	}
}

func (b *batch) explain(c *Change, policy NamedPolicy, d Decision, kind string, r Reached) json.RawMessage {
	key := whyKey{keyOf(c, d), kind, d.Run, c.ServiceID, r.UserID}
	why, ok := b.why[key]
	if !ok {
		w := r.Why
		w.Kind, w.Run, w.Policy, w.PolicyName = kind, d.Run+1, policy.Slug, policy.Name
		if d.Phase == PhaseSteps {
			w.Step, w.Steps, w.Runs = d.Step+1, len(policy.Policy.Steps), policy.Policy.Repeat+1
		}
		if c.Request != nil && d.Phase == PhaseSteps {
			b.explainRequest(&w, *c.Request)
		} else if name := b.roster.Services[c.ServiceID]; name != "" {
			w.Rule = name + "'s escalation policy"
		}
		why = asJSON(w)
		b.why[key] = why
	}
	return why
}

// event is a timeline event; the store sets the incident.
func (b *batch) event(p incident.Payload) incident.TimelineEvent {
	return incident.TimelineEvent{At: b.now, Actor: incident.Tocsin, Payload: p}
}

// place is where a decision is in its policy, with the people it reaches except
// shadows.
func (b *batch) place(policy NamedPolicy, d Decision, people []Reached) incident.PolicyPlace {
	place := incident.PolicyPlace{Policy: policy.Name, PolicySlug: policy.Slug, Run: d.Run + 1, Targets: b.roster.Describe(d.Targets)}
	if d.Phase == PhaseSteps {
		place.Step = d.Step + 1
	} else {
		place.Phase = string(d.Phase)
	}
	for _, r := range people {
		if !r.Shadow {
			place.People = append(place.People, r.UserID)
		}
	}
	return place
}

func whyKind(p Phase) string {
	if p == PhaseSteps {
		return "step"
	}
	return string(p)
}

func asJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil { // texts, numbers, times and lists of them always marshal
		panic(err)
	}
	return data
}
