package escalation

import (
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/incident"
)

// A request pages everyone it names, RequestTimeout apart, RequestRuns times. A schedule
// that is asked as a whole is asked one position after the other.
const (
	RequestTimeout = 10 * time.Minute
	RequestRuns    = 3
)

// requestPolicy is the policy that a request goes by. It has no fallback.
func (b *batch) requestPolicy(r incident.Request) NamedPolicy {
	p := Policy{Repeat: RequestRuns - 1}
	for _, t := range r.Targets {
		for i, part := range b.roster.inAllPositions(t, b.now) {
			if i == len(p.Steps) {
				p.Steps = append(p.Steps, Step{Timeout: int64(RequestTimeout / time.Second)})
			}
			p.Steps[i].Targets = append(p.Steps[i].Targets, part)
		}
	}
	if p.Steps == nil { // the schedule has no version in force
		p.Steps = []Step{{Targets: r.Targets, Timeout: int64(RequestTimeout / time.Second)}}
	}
	return NamedPolicy{Policy: p}
}

// request carries out what is due of a request beside the primary escalation. It ends
// after its last page; the asker hears of it by the timeline.
func (b *batch) request(d Due) Change {
	c := Change{Due: d}
	policy := b.requestPolicy(*d.Request)
	if d.timeoutRuns(b.now) {
		b.askIncoming(&c, policy)
	} else {
		b.ask(&c, policy)
	}
	if !c.Ended {
		b.schedule(&c, policy)
	}
	return c
}

// ask pages the next people of a request, or ends it.
func (b *batch) ask(c *Change, policy NamedPolicy) {
	before := c.State
	firings, state := policy.Policy.Fire(before, b.now, c.Priority, requestResolver{changeResolver{b, c}})
	if len(firings) == 0 { // the next run has to wait
		c.State = state
		return
	}
	last := firings[len(firings)-1]
	if last.Phase != PhaseSteps {
		c.Ended, c.Outcome = true, outcomeOf(before, *c.Request)
		c.Events = append(c.Events, b.requestEnded(before, *c.Request))
		return
	}
	c.State, c.Supersede = state, before.FiredAt != nil
	c.Events = append(c.Events, b.event(b.asked(last)))
	b.page(c, policy, last.Decision, whyRequest, last.People)
}

// outcomeOf is how a request ends that has nobody left to page.
func outcomeOf(s State, r incident.Request) incident.RequestOutcome {
	switch {
	case s.FiredAt == nil:
		return incident.RequestNobody
	case len(r.Declined) > 0:
		return incident.RequestDeclined
	}
	return incident.RequestUnanswered
}

// requestEnded is the event of a request that nobody accepted.
func (b *batch) requestEnded(s State, r incident.Request) incident.TimelineEvent {
	ended := incident.RequestEndedPayload{Outcome: outcomeOf(s, r), Targets: b.roster.Describe(r.Targets)}
	if r.ByID != nil {
		ended.Asker = []int64{*r.ByID}
	}
	return b.event(ended)
}

// askIncoming pages the people of a request who came on call since it was made.
func (b *batch) askIncoming(c *Change, policy NamedPolicy) {
	d := Decision{Phase: c.State.Phase, Step: c.State.Step, Run: c.State.Run, Targets: policy.Policy.targets(c.State)}
	added := slices.DeleteFunc(slices.Clone(b.resolve(c, d).reached), func(r Reached) bool { return slices.Contains(c.Paged, r.UserID) })
	if AnyNonShadow(added) {
		c.Events = append(c.Events, b.event(b.asked(Firing{Decision: d, People: added})))
	}
	b.page(c, policy, d, whyRequest, added)
}

// asked is what the timeline tells of people whom a request paged.
func (b *batch) asked(f Firing) incident.AskedPayload {
	return incident.AskedPayload{Targets: b.roster.Describe(f.Targets), People: nonShadows(f.People), Run: f.Run + 1}
}

func nonShadows(people []Reached) []int64 {
	var ids []int64
	for _, r := range people {
		if !r.Shadow {
			ids = append(ids, r.UserID)
		}
	}
	return ids
}

// whyRequest is the kind of Why of a page that a person asked for.
const whyRequest = "request"

// explainRequest adds to a Why who asks for what.
func (b *batch) explainRequest(w *Why, r incident.Request) {
	w.Kind, w.Request, w.Message = whyRequest, string(r.Kind), r.Message
	w.Asker = incident.ActorInWords(r.By)
	if r.ByID != nil {
		w.Asker = b.roster.People[*r.ByID].Name
	}
}

// Headline is who asks for what, of a page that a person asked for: "Ana Ortiz asks you
// to take over". It is empty for another.
func (w Why) Headline() string {
	switch {
	case w.Asker == "":
		return ""
	case w.Request == string(incident.AskToTakeOver):
		return w.Asker + " asks you to take over"
	case w.Request == string(incident.AskToAnswer):
		return w.Asker + " pages you"
	}
	return w.Asker + " asks you to join"
}

// requestSentence is the reason of a page that a person asked for.
func (w Why) requestSentence() string {
	sentence := w.Asker + " asks you to join"
	switch incident.RequestKind(w.Request) {
	case incident.AskToTakeOver:
		sentence = w.Asker + " asks you to take this over"
	case incident.AskToAnswer:
		return w.Asker + " pages you"
	}
	if w.Message != "" {
		sentence += ": “" + w.Message + "”"
	}
	return sentence
}
