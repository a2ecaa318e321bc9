package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// page is a person who is paged.
type page struct {
	id, user   int64
	escalation int64 // 0 for an owner who is asked
	shadow     bool
	digest     bool
	urgency    incident.Urgency
	why        escalation.Why
	state      pageState
	rule       int // how many notifications were started
	notifyAt   *time.Time
	createdAt  time.Time
}

type pageState string

const (
	active     pageState = "active"
	superseded pageState = "superseded" // its step is over; sent messages still arrive
	withdrawn  pageState = "withdrawn"
	failed     pageState = "failed"
)

func (p *page) stands() bool { return p.state == active || p.state == superseded }

func (p *page) end(s pageState) { p.state, p.notifyAt = s, nil }

func (w *world) newPage(escalationID, user int64, urgency incident.Urgency, why escalation.Why) *page {
	at := w.now
	return &page{
		id: int64(len(w.pages) + 1), user: user, escalation: escalationID, urgency: urgency, why: why,
		state: active, notifyAt: &at, createdAt: at,
	}
}

// message is a message to a contact method.
type message struct {
	id        int64
	method    notify.ContactMethod
	pages     []int64
	after     time.Duration // of the rule, for the last of the pages
	gathering bool
	dueAt     *time.Time // nil once sent
	createdAt time.Time
}

// FireDue implements escalation.Store.
func (w *world) FireDue(_ context.Context, now time.Time, _ int, decide func(int64, []escalation.Due) ([]escalation.Change, error)) (int, error) {
	e := w.escalation
	if e == nil || e.NextAction == nil || e.NextAction.After(now) {
		return 0, nil
	}
	due := escalation.Due{
		ID: e.id, Incident: w.incident.Number, Purpose: escalation.Primary, PolicyVersionID: e.version, State: e.State,
		Status: w.incident.Status, Priority: w.incident.Priority, Urgency: w.incident.Urgency, ServiceID: w.signal.ServiceID,
	}
	for _, p := range w.pages {
		if p.escalation == e.id && e.State.FiredAt != nil && !p.createdAt.Before(*e.State.FiredAt) && (p.state == active || p.state == failed) {
			due.Paged = append(due.Paged, p.user)
		}
	}
	changes, err := decide(w.in.Roster.Version, []escalation.Due{due})
	if err != nil {
		return 0, err
	}
	for _, c := range changes {
		if err := w.writeChange(c); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (w *world) writeChange(c escalation.Change) error {
	e := w.escalation
	if e.State, e.NextAction = c.State, &c.NextAction; c.Ended {
		e.Active, e.NextAction = false, nil
	}
	for _, p := range w.pages {
		if c.Supersede && p.escalation == e.id && p.state == active {
			p.end(superseded)
		}
	}
	for _, p := range c.Pages {
		var why escalation.Why
		if err := json.Unmarshal(p.Why, &why); err != nil {
			return fmt.Errorf("read why somebody is paged: %w", err)
		}
		fresh := w.newPage(e.id, p.UserID, c.Urgency, why)
		fresh.shadow, fresh.digest = p.Shadow, p.Digest
		w.pages = append(w.pages, fresh)
	}
	for _, event := range c.Events {
		entry := Entry{Kind: Kind(event.Kind())}
		switch p := event.Payload.(type) {
		case incident.WaitingPayload:
			entry.Until = p.Until
		case incident.HeldPayload:
			entry.Until = p.Until
		}
		if entry.Kind != Waiting {
			var err error
			if entry.Place, err = w.place(event); err != nil {
				return err
			}
		}
		w.tell(entry)
	}
	return nil
}

// place is the place in the policy of an event.
func (w *world) place(e incident.TimelineEvent) (*Place, error) {
	d, _ := incident.PlaceOf(e.Payload)
	p := &Place{Policy: d.Policy, Phase: escalation.Phase(d.Phase), Step: d.Step, Run: d.Run, Targets: d.Targets, People: d.People, Unreached: d.Unreached}
	if d.Step == 0 {
		return p, nil
	}
	p.Phase = escalation.PhaseSteps
	policy, err := w.in.Policy(w.escalation.version)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	p.Steps, p.Runs = len(policy.Policy.Steps), policy.Policy.Repeat+1
	ends := policy.Policy.Steps[d.Step-1].After(w.incident.Priority)
	for _, id := range d.People {
		for _, n := range w.in.Recipients[id].Late(string(w.incident.Urgency), ends, w.in.Works) {
			p.LateRules = append(p.LateRules, LateRule{id, n.Method.Medium, n.After, ends})
		}
	}
	return p, nil
}

// PlanDue implements notify.PlanStore.
func (w *world) PlanDue(_ context.Context, now time.Time, _ int, decide func(int64, []notify.DuePage, map[int64]notify.Recent) (notify.Plan, error)) (int, error) {
	var due []notify.DuePage
	for _, p := range w.pages {
		if p.notifyAt != nil && !p.notifyAt.After(now) {
			due = append(due, notify.DuePage{
				ID: p.id, UserID: p.user, Incident: w.incident.Number, Urgency: string(p.urgency), Priority: w.rank(),
				Digest: p.digest, Rule: p.rule, CreatedAt: p.createdAt, ServiceID: w.signal.ServiceID,
			})
		}
	}
	if due == nil {
		return 0, nil
	}
	plan, err := decide(w.in.Roster.Version, due, w.recent())
	if err != nil {
		return 0, err
	}
	for _, m := range plan.Messages {
		w.writeMessage(m, plan)
	}
	for _, p := range plan.Pages {
		kept := w.pages[p.ID-1]
		if kept.rule, kept.notifyAt = p.Rule, p.NotifyAt; p.Failed {
			kept.end(failed)
			w.passOver(kept)
		}
	}
	return len(due), nil
}

// rank is the incident's priority as in notify.DuePage.
func (w *world) rank() int { return incident.PageRank(w.incident.Priority) }

// recent counts the latest messages of contact methods, and deletes the older ones.
func (w *world) recent() map[int64]notify.Recent {
	w.messages = slices.DeleteFunc(w.messages, func(m *message) bool { return !m.createdAt.After(w.now.Add(-notify.BundleWithin)) })
	recent := map[int64]notify.Recent{}
	for _, m := range w.messages {
		r := recent[m.method.ID]
		r.Messages++
		r.Priority = w.rank()
		if m.gathering && m.dueAt != nil {
			r.Gathering = m.id
		}
		recent[m.method.ID] = r
	}
	return recent
}

func (w *world) writeMessage(planned notify.NewMessage, plan notify.Plan) {
	last := planned.Pages[len(planned.Pages)-1]
	after := w.ruleOf(last, planned.Method.ID, plan)
	if planned.Into != 0 {
		i := slices.IndexFunc(w.messages, func(m *message) bool { return m.id == planned.Into })
		m := w.messages[i]
		m.pages, m.after = append(m.pages, planned.Pages...), after
		return
	}
	w.sent++
	w.messages = append(w.messages, &message{
		id: w.sent, method: planned.Method, pages: planned.Pages, after: after,
		gathering: planned.Gathering, dueAt: &planned.DueAt, createdAt: w.now,
	})
}

// ruleOf is the delay of the rule by which a plan uses a contact method for a page.
func (w *world) ruleOf(pageID, method int64, plan notify.Plan) time.Duration {
	p := w.pages[pageID-1]
	i := slices.IndexFunc(plan.Pages, func(q notify.PagePlan) bool { return q.ID == pageID })
	for rule := p.rule; rule < plan.Pages[i].Rule; rule++ {
		if n, ok := w.in.Recipients[p.user].Notification(rule, string(p.urgency), w.in.Works); ok && n.Method.ID == method {
			return n.After
		}
	}
	return 0
}

// passOver ends a step none of whose people can be reached, as the timer of that name
// does.
func (w *world) passOver(p *page) {
	e := w.escalation
	if p.escalation != e.id {
		return
	}
	reachable := slices.ContainsFunc(w.pages, func(p *page) bool { return p.escalation == e.id && p.state == active && !p.shadow })
	r, _, ok := escalation.PassOver(w.now, e.Running, reachable)
	if !ok {
		return
	}
	e.Running = r
	w.tell(Entry{Kind: PassedOver, Place: &Place{Phase: e.State.Phase, FailedToSend: true}})
}

// send sends what is due.
func (w *world) send() {
	for _, m := range w.messages {
		if m.dueAt != nil && !m.dueAt.After(w.now) {
			m.dueAt = nil
			w.recordSent(m, w.pages[m.pages[len(m.pages)-1]-1])
		}
	}
}

type repeatKey struct{ page, method int64 }

// recordSent adds an entry for a message; a repeat increments the count of the entry of
// the first repeat.
func (w *world) recordSent(m *message, p *page) {
	person := w.in.Recipients[p.user]
	rule := ruleFor(person, string(p.urgency), m.method.ID, m.after)
	key := repeatKey{p.id, m.method.ID}
	if rule == RuleRepeat {
		if i, again := w.repeats[key]; again && w.now.Sub(w.timeline.Entries[i].Message.Last) < 2*notify.RepeatEvery {
			told := w.timeline.Entries[i].Message
			told.Times++
			told.Last, w.timeline.Until = w.now, w.now
			return
		}
		w.repeats[key] = len(w.timeline.Entries)
	}
	w.tell(Entry{Kind: Told, Person: p.user, Message: &Message{
		Medium: m.method.Medium, Address: m.method.Address, Why: p.why, After: m.after, Rule: rule, Gathered: m.gathering,
		Times: 1, Last: w.now,
	}})
}

// ruleFor is why a contact method was used at a delay after the page was made.
func ruleFor(person notify.Recipient, urgency string, method int64, after time.Duration) Rule {
	rules := slices.DeleteFunc(slices.Clone(person.Rules), func(r notify.Rule) bool { return r.Urgency != urgency })
	due := func(r notify.Rule) bool { return time.Duration(r.AfterSeconds)*time.Second == after }
	uses := func(r notify.Rule) bool { return r.ContactMethodID == method }
	switch {
	case slices.ContainsFunc(rules, func(r notify.Rule) bool { return due(r) && uses(r) }):
		return RulePersonal
	case slices.ContainsFunc(rules, due) && !slices.ContainsFunc(rules, uses):
		return RuleInstead
	case after == 0:
		return RuleNone
	default:
		return RuleRepeat
	}
}
