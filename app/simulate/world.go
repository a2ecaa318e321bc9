package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/escalation"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/notify"
)

// world is an in-memory store of one incident for the engines of the server. It
// implements their store interfaces like package store.
type world struct {
	in       Input
	signal   ingest.Signal
	now, end time.Time
	timeline Timeline

	incident   incident.Incident
	escalation *escalating
	timers     map[string]time.Time // by kind
	pages      []*page
	messages   []*message        // lately
	shadowAcks map[int64]bool    // who answered as a shadow
	sent       int64             // the id of the last
	repeats    map[repeatKey]int // the entries that count repeats

	engine    escalation.Engine
	planner   notify.Planner
	incidents incident.Service
}

// escalating is the latest primary escalation.
type escalating struct {
	escalation.Running
	id      int64
	version int64 // of the policy, 0 for none
}

func newWorld(in Input, signal ingest.Signal) *world {
	w := &world{in: in, signal: signal, now: in.At, end: in.At.Add(in.Span), timers: map[string]time.Time{}, repeats: map[repeatKey]int{}, shadowAcks: map[int64]bool{}}
	clock := func() time.Time { return w.now }
	w.engine = escalation.Engine{Store: w, Directory: w, Now: clock, Batch: 1}
	w.planner = notify.Planner{Store: w, People: w, Works: in.Works, Now: clock, Batch: 1000,
		Opens: func(_ context.Context, _, service int64, at time.Time) (time.Time, error) {
			return in.Roster.Opens(service, at), nil
		}}
	w.incidents = incident.Service{Store: w, Now: clock}
	return w
}

// receive applies the signal.
func (w *world) receive() {
	ev := w.signal.Event
	out := incident.Receive(w.now, incident.State{}, ev, w.signal.Rules)
	service, _ := w.in.Snapshot.Service(w.signal.ServiceID)
	told := &Signal{
		Title: ev.Title, Service: service, Deployment: ev.Deployment, DedupKey: ev.DedupKey,
		Priority: ev.Priority, Source: ev.PrioritySource, Warnings: ev.Warnings,
	}
	if ev.Priority != nil {
		told.PriorityName = w.in.Snapshot.PriorityName(*ev.Priority)
	}
	if out.Incident == nil {
		entry := Entry{Kind: Ignored, Signal: told}
		if out.Result == incident.ResultSuppressed {
			entry.Text = "It is recorded and pages nobody."
		}
		w.tell(entry)
		return
	}
	w.incident = *out.Incident
	w.incident.Number = 1
	told.Urgency = w.incident.Urgency
	w.tell(Entry{Kind: Received, Signal: told})
	if out.Escalate == incident.EscalateStart {
		w.start()
	}
}

// run advances the clock from one due instant to the next until nothing is due, or the
// timeline has MaxEntries.
func (w *world) run(ctx context.Context) error {
	for ctx.Err() == nil {
		next := w.next()
		switch {
		case next.IsZero():
			return nil
		case next.After(w.end):
			w.timeline.Cut, w.timeline.Until = true, w.end
			return nil
		case len(w.timeline.Entries) >= MaxEntries:
			w.timeline.Cut = true
			w.leaveOut()
			return nil
		}
		w.now = next
		if err := w.act(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leaveOut adds the entry that says that entries are missing.
func (w *world) leaveOut() {
	text := fmt.Sprintf("What comes after the first %d lines is left out", MaxEntries)
	if n := len(w.in.Answers); n == 1 {
		text += ", an answer with it"
	} else if n > 1 {
		text += fmt.Sprintf(", %d answers with it", n)
	}
	w.tell(Entry{Kind: LeftOut, Text: text + "."})
}

// next is the earliest instant at which something is due, zero for never.
func (w *world) next() time.Time {
	var next time.Time
	consider := func(at *time.Time) {
		if at != nil && (next.IsZero() || at.Before(next)) {
			next = *at
		}
	}
	if len(w.in.Answers) > 0 {
		at := w.in.At.Add(w.in.Answers[0].After)
		consider(&at)
	}
	if w.escalation != nil {
		consider(w.escalation.NextAction)
	}
	for _, at := range w.timers {
		consider(&at)
	}
	for _, p := range w.pages {
		consider(p.notifyAt)
	}
	for _, m := range w.messages {
		consider(m.dueAt)
	}
	return next
}

// act carries out everything that is due now, answers first.
func (w *world) act(ctx context.Context) error {
	for len(w.in.Answers) > 0 && !w.in.At.Add(w.in.Answers[0].After).After(w.now) {
		answer := w.in.Answers[0]
		w.in.Answers = w.in.Answers[1:]
		if err := w.answer(ctx, answer); err != nil {
			return err
		}
	}
	if at, set := w.timers[incident.TimerAck]; set && !at.After(w.now) {
		delete(w.timers, incident.TimerAck)
		if err := w.incidents.AckDue(ctx, w.incident.Number); err != nil {
			return err
		}
	}
	for _, sweep := range []func(context.Context) (int, error){w.engine.Sweep, w.planner.Sweep} {
		if _, err := sweep(ctx); err != nil {
			return err
		}
	}
	w.send()
	return nil
}

// answer applies an answer of a person, or adds an Unchanged entry.
func (w *world) answer(ctx context.Context, a Answer) error {
	if a.Person == 0 {
		if a.Person = w.notifiedLast(); a.Person == 0 {
			words := fmt.Sprintf("Nobody would have been told before %s after the signal, so nobody could answer it then.", short(a.After))
			return fault.Invalid("%s", words).With(fault.Field{Path: a.path + ".after", Message: words})
		}
	}
	if w.incident.Number == 0 {
		w.tell(Entry{Kind: Unchanged, Person: a.Person, Text: "There is no incident."})
		return nil
	}
	by := incident.By{Actor: w.in.Roster.People[a.Person].Email, UserID: &a.Person, Via: "web"}
	told := len(w.timeline.Entries)
	var act incident.Act = incident.ActAcknowledge{}
	if a.Kind == Resolve {
		act = incident.ActResolve{}
	}
	out, err := w.incidents.Do(ctx, incident.Command{Number: w.incident.Number, By: by, Act: act})
	switch {
	case err != nil:
		return err
	case len(w.timeline.Entries) > told: // the incident's own event tells of it
	case out.Kind == incident.Shadow:
		w.tell(Entry{Kind: Unchanged, Person: a.Person, Text: "They acknowledged it as a shadow already, which stops nothing."})
	default:
		w.tell(Entry{Kind: Unchanged, Person: a.Person, Text: "It is " + string(out.Incident.Status) + " already."})
	}
	return nil
}

// notifiedLast is the person notified last, other than as a shadow; 0 for nobody. Since
// answers are applied first, that was before now.
func (w *world) notifiedLast() int64 {
	for _, e := range slices.Backward(w.timeline.Entries) {
		if e.Kind == Told && !e.Message.Why.Shadow {
			return e.Person
		}
	}
	return 0
}

func (w *world) tell(e Entry) {
	e.At, w.timeline.Until = w.now, w.now
	w.timeline.Entries = append(w.timeline.Entries, e)
}

// ChangeIncident implements incident.Store.
func (w *world) ChangeIncident(_ context.Context, _ int64, by incident.By, decide func(incident.Incident, incident.Known) (incident.Change, error)) (incident.Incident, error) {
	known := incident.Known{
		Levels: w.in.Snapshot.Priorities(), DeploymentKnown: w.signal.Rules.DeploymentKnown, Production: w.signal.Rules.Production,
	}
	if by.UserID != nil {
		known.Shadow, known.ShadowAcked = w.onlyShadows(*by.UserID), w.shadowAcks[*by.UserID]
	}
	c, err := decide(w.incident, known)
	if err != nil {
		return w.incident, err
	}
	for _, t := range c.Timers {
		w.timers[t.Kind] = t.Due
	}
	if !c.Changed {
		return w.incident, nil
	}
	w.incident = c.Incident
	for _, e := range c.Timeline {
		w.record(e, by)
	}
	w.escalate(c.Escalate)
	if c.AskOwner && w.incident.OwnerID != nil {
		why := escalation.Why{Kind: "still_on_it", Target: "whoever acknowledged"}
		w.pages = append(w.pages, w.newPage(0, *w.incident.OwnerID, incident.High, why))
	}
	return w.incident, nil
}

// record adds the entries for timeline events of the incident.
func (w *world) record(e incident.TimelineEvent, by incident.By) {
	entry := Entry{Kind: Kind(e.Kind())}
	if by.UserID != nil {
		entry.Person = *by.UserID
		w.shadowAcks[entry.Person] = w.shadowAcks[entry.Person] || e.Kind() == incident.EvShadowAck
	} else if people := peopleOf(e.Payload); len(people) > 0 {
		entry.Person = people[0]
	}
	w.tell(entry)
}

// peopleOf are the people of a timer's event.
func peopleOf(p incident.Payload) []int64 {
	switch p := p.(type) {
	case incident.StillOnItPayload:
		return p.People
	case incident.AckExpiredPayload:
		return p.People
	default:
		return nil
	}
}

// onlyShadows reports whether a person is paged as a shadow and not otherwise.
func (w *world) onlyShadows(person int64) bool {
	shadow := false
	for _, p := range w.pages {
		if p.user == person && p.stands() {
			if !p.shadow {
				return false
			}
			shadow = true
		}
	}
	return shadow
}

// escalate applies a change of the incident to the escalation.
func (w *world) escalate(change incident.Escalate) {
	if w.escalation != nil {
		w.escalation.Running, _ = escalation.Apply(w.now, change, w.escalation.Running, w.in.Roster.Opens(w.signal.ServiceID, w.now))
	}
	switch change {
	case incident.EscalateStop:
		w.withdraw()
	case incident.EscalateStart:
		w.withdraw()
		w.start()
	}
}

// start starts an escalation by the policy in force.
func (w *world) start() {
	service, _ := w.in.Snapshot.Service(w.signal.ServiceID)
	e := &escalating{id: 1}
	if w.escalation != nil {
		e.id = w.escalation.id + 1
	}
	if service.PolicyID != nil {
		e.version, _ = w.in.Snapshot.PolicyVersionAt(*service.PolicyID, w.now)
	}
	var events []incident.TimelineEvent
	e.Running, events = escalation.Start(w.now, w.incident.Urgency, w.in.Roster.Opens(w.signal.ServiceID, w.now))
	for _, event := range events {
		if p, ok := event.Payload.(incident.WaitingPayload); ok {
			w.tell(Entry{Kind: Waiting, Until: p.Until})
		}
	}
	w.escalation = e
}

// withdraw ends all pages, and the messages that were not sent.
func (w *world) withdraw() {
	for _, p := range w.pages {
		if p.stands() {
			p.end(withdrawn)
		}
	}
	// Withdrawn messages do not count for bundling.
	w.messages = slices.DeleteFunc(w.messages, func(m *message) bool { return m.dueAt != nil })
}

// Roster implements escalation.Directory.
func (w *world) Roster(context.Context, int64) (*escalation.Roster, error) { return w.in.Roster, nil }

// Policy implements escalation.Directory.
func (w *world) Policy(_ context.Context, versionID int64) (escalation.NamedPolicy, error) {
	return w.in.Policy(versionID)
}

// Recipients implements notify.People.
func (w *world) Recipients(context.Context, int64) (map[int64]notify.Recipient, error) {
	return w.in.Recipients, nil
}
