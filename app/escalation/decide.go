package escalation

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/oncall"
)

// batch decides many escalations at one instant. In a large batch most are at the same
// step of the same policy, so the results of Resolve are cached.
type batch struct {
	now      time.Time
	roster   *Roster
	resolved map[resolvedKey]resolved
	why      map[whyKey]json.RawMessage
}

// resolved are the people of a decision.
type resolved struct {
	reached   []Reached
	unreached []incident.Unreached
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
	return &batch{now: now, roster: roster, resolved: map[resolvedKey]resolved{}, why: map[whyKey]json.RawMessage{}}
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

// supportHours are those that an escalation keeps to, which those of high urgency do
// not.
func (b *batch) supportHours(d Due) oncall.Hours {
	if d.Urgency != incident.Low {
		return oncall.Hours{}
	}
	return b.roster.SupportHours[d.ServiceID]
}

// decide carries out what is due by the policy of an escalation. A policy without
// steps and fallback leads to the administrators. Outside support hours low urgency
// pages nobody, unless a person escalated: its timeouts count support hours only, and
// what becomes due waits until they begin.
func (b *batch) decide(policy NamedPolicy, d Due) Change {
	c := Change{Due: d}
	hours := b.supportHours(d)
	opens := hours.Next(b.now)
	closed := opens.After(b.now) && !d.State.byHand()
	switch {
	case d.timeoutRuns(b.now) && closed:
		c.NextAction = earlier(opens, *d.State.Deadline)
		return c
	case d.timeoutRuns(b.now) && d.State.NobodyReached():
		if !b.tryAgain(&c, policy) {
			c.NextAction = *d.State.Deadline
			return c
		}
		c.keepHours(hours, b.now)
	case d.timeoutRuns(b.now):
		b.handOver(&c, policy)
	case closed:
		b.pause(&c, policy, opens)
		return c
	default:
		b.fire(&c, policy)
		c.keepHours(hours, b.now)
	}
	b.schedule(&c, policy)
	return c
}

// keepHours has the timeout of a step that has just fired count support hours only.
func (c *Change) keepHours(hours oncall.Hours, now time.Time) {
	if c.State.FiredAt != nil {
		deadline := hours.After(now, c.State.Deadline.Sub(now))
		c.State.Deadline = &deadline
	}
}

// tryAgain goes on with a policy that ended because nobody could be reached, and reports
// whether somebody can be now. It begins with the first step where somebody in the steps
// can be, and else goes on with the fallback, as each hour.
func (b *batch) tryAgain(c *Change, policy NamedPolicy) bool {
	first := State{Phase: PhaseSteps}
	firings, _ := policy.Policy.Fire(first, b.now, c.Priority, changeResolver{b, c})
	last := firings[len(firings)-1]
	if !AnyNonShadow(last.People) {
		return false
	}
	if last.Phase == PhaseSteps {
		c.State = first
	}
	b.fire(c, policy)
	c.Supersede = true
	return true
}

// schedule sets when an escalation is due again: when its step ends, or sooner when a
// schedule hands over.
func (b *batch) schedule(c *Change, policy NamedPolicy) {
	c.NextAction = *c.State.Deadline
	if change := b.roster.NextHandover(policy.Policy.targets(c.State), b.now); !change.IsZero() {
		c.NextAction = earlier(change, c.NextAction)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// pause ends the current step and has the next one wait for support hours.
func (b *batch) pause(c *Change, policy NamedPolicy, opens time.Time) {
	before := c.State
	d, next := policy.Policy.Next(before)
	if d.Phase == PhaseSteps {
		next.Phase = PhaseWaiting
	}
	next.FiredAt, next.Deadline = nil, nil
	c.State, c.NextAction = next, opens
	c.Supersede = before.FiredAt != nil
	if d.exhausts(before) {
		c.Events = append(c.Events, b.event(incident.ExhaustedPayload{PolicyPlace: b.place(policy, d, resolved{})}))
	}
	c.Events = append(c.Events, b.event(incident.WaitingPayload{Until: opens.UTC().Truncate(time.Second)}))
}

// exhausts reports whether a decision is the first after the steps.
func (d Decision) exhausts(before State) bool {
	return d.Phase == PhaseFallback && d.Run == 0 && before.Phase != PhaseFallback
}

// targets are those of the current step; nil for the administrators, who have no
// handovers.
func (p Policy) targets(s State) []Target {
	switch {
	case (s.Phase == PhaseSteps || s.Phase == PhaseWaiting) && s.Step < len(p.Steps):
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
	firings, state := policy.Policy.Fire(before, b.now, c.Priority, changeResolver{b, c})
	c.State = state
	for _, f := range firings {
		people := b.resolve(c, f.Decision)
		switch {
		case f.exhausts(before) && c.Request != nil:
			c.Events = append(c.Events, b.requestEnded(before, *c.Request))
		case f.exhausts(before):
			c.Events = append(c.Events, b.event(incident.ExhaustedPayload{PolicyPlace: b.place(policy, f.Decision, resolved{})}))
		}
		switch {
		case AnyNonShadow(f.People):
			c.Supersede = before.Reached || before.FiredAt != nil
			c.Events = append(c.Events, b.event(b.paged(c, policy, f, people)))
			b.page(c, policy, f.Decision, whyKind(f.Phase), f.People)
		case !f.HeldUntil.IsZero():
			c.Supersede = before.FiredAt != nil
			if before.holds(state) {
				break // looked at again, since the configuration changed
			}
			held := incident.HeldPayload{PolicyPlace: b.place(policy, f.Decision, people), Until: f.HeldUntil.UTC().Truncate(time.Second)}
			c.Events = append(c.Events, b.event(held))
		case len(f.Targets) > 0 && (c.Request == nil || f.Phase != PhaseSteps): // no event for the fallback of a policy that has none
			c.Events = append(c.Events, b.event(incident.PassedOverPayload{PolicyPlace: b.place(policy, f.Decision, people)}))
		}
	}
}

// paged is what the timeline tells of a firing that paged somebody.
func (b *batch) paged(c *Change, policy NamedPolicy, f Firing, people resolved) incident.Payload {
	if c.Request != nil && f.Phase == PhaseSteps {
		return b.asked(f)
	}
	return incident.StepPayload{PolicyPlace: b.place(policy, f.Decision, people)}
}

// holds reports whether a step is held already, and until the same instant.
func (s State) holds(o State) bool {
	return s.Phase == PhaseWaiting && s.Deadline != nil && s.Deadline.Equal(*o.Deadline) && s.Step == o.Step && s.Run == o.Run
}

// handOver pages the people who came on call since the step fired. The timeout of the
// step is not restarted.
func (b *batch) handOver(c *Change, policy NamedPolicy) {
	d := Decision{Phase: c.State.Phase, Step: c.State.Step, Run: c.State.Run, Targets: policy.Policy.targets(c.State)}
	added := slices.DeleteFunc(slices.Clone(b.resolve(c, d).reached), func(r Reached) bool {
		return slices.Contains(c.Paged, r.UserID)
	})
	if AnyNonShadow(added) {
		c.Events = append(c.Events, b.event(incident.HandoverPayload{PolicyPlace: b.place(policy, d, resolved{reached: added})}))
	}
	b.page(c, policy, d, "handover", added)
}

func (b *batch) resolve(c *Change, d Decision) resolved {
	key := keyOf(c, d)
	people, ok := b.resolved[key]
	if !ok {
		people = resolved{b.roster.Resolve(d.Targets, b.now), b.roster.Unreached(d.Targets, b.now)}
		if c.Request != nil {
			people.reached = slices.DeleteFunc(people.reached, func(r Reached) bool { return slices.Contains(c.Request.Declined, r.UserID) })
		}
		b.resolved[key] = people
	}
	return people
}

// changeResolver resolves the decisions of one escalation.
type changeResolver struct {
	*batch
	change *Change
}

// Resolve implements Resolver.
func (r changeResolver) Resolve(d Decision) []Reached { return r.resolve(r.change, d).reached }

// NextCover implements Resolver.
func (r changeResolver) NextCover(d Decision) time.Time { return r.roster.NextCover(d.Targets, r.now) }

// requestResolver is changeResolver for a request: nobody stands in for those who are
// asked.
type requestResolver struct{ changeResolver }

// Resolve implements Resolver.
func (r requestResolver) Resolve(d Decision) []Reached {
	if d.Phase != PhaseSteps {
		return nil
	}
	return r.changeResolver.Resolve(d)
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
// shadows, and those it does not.
func (b *batch) place(policy NamedPolicy, d Decision, people resolved) incident.PolicyPlace {
	place := incident.PolicyPlace{Policy: policy.Name, PolicySlug: policy.Slug, Run: d.Run + 1, Targets: b.roster.Describe(d.Targets),
		Unreached: people.unreached}
	if d.Phase == PhaseSteps {
		place.Step = d.Step + 1
	} else {
		place.Phase = string(d.Phase)
	}
	for _, r := range people.reached {
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
