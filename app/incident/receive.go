package incident

import (
	"cmp"
	"time"
)

// AnswerWithin is how long an owner who is asked whether they are still on it
// has to answer before the policy starts again.
const AnswerWithin = 5 * time.Minute

// Why an owner is asked, in a SignalChange.
const (
	AskRaised = "raised" // the priority
	AskWorse  = "worse"  // the sender's severity, or it may wait no longer
	AskJoined = "joined" // another alert of the group fires
)

// State is what is known before a signal.
type State struct {
	Alert    *Alert    // nil for a dedup key that was never seen
	Incident *Incident // the alert's incident, nil for none
	// OtherFiring counts the other alerts of that incident that still fire.
	OtherFiring int
	// GroupIncident is the open incident of the event's group, nil for none.
	GroupIncident *Incident
}

// Rules are what a signal's service, key and deployment decide.
type Rules struct {
	ServiceID     int64
	IntegrationID int64
	Actor         string // "integration:NAME"
	// ReopenWindow is how long after a resolve a trigger reopens the same
	// incident; zero never does.
	ReopenWindow time.Duration
	// DeploymentKnown and Production tell what UrgencyOf needs.
	DeploymentKnown bool
	Production      bool
	// RecordOnly says that a trigger is recorded and pages nobody, unless its alert has
	// an open incident.
	RecordOnly bool
}

// SignalChange is what a signal does. The store writes all of it in one
// transaction. Alert and Incident are the state for the next signal of the key,
// also where the incident has yet to get its number: until it has one, 0 stands
// for it in the alert and the timeline.
type SignalChange struct {
	Result Result
	// Warning tells the sender of what is ignored why; else it is empty.
	Warning string
	// Alert is meaningless where the result is ignored and none was known.
	Alert Alert
	// Incident is nil for none: then the signal is ignored, or only its alert changes.
	Incident *Incident
	// NewIncident asks for that number.
	NewIncident bool
	Timeline    []TimelineEvent
	Escalate    Escalate
	// AskOwner pages the owner of an acknowledged incident that got worse; AckDue
	// acts if they do not answer. AskKind says why: AskRaised and the like.
	AskOwner bool
	AskKind  string
	Timers   []Timer
}

// Receive applies one signal. It changes nothing that st points to.
//
// A trigger on an alert that fires raises the counters and pages nobody, unless
// its priority is above all that the alert gave before and above the
// incident's. Where the incident's is unset, any level is taken over, but only
// P1 and P2 page again: it was paged as urgently as they are, and a
// P3 makes it no more urgent than that. A trigger on one that does not fire joins its incident where that
// is open, reopens it within the window, and otherwise begins a new one. An
// incident that a person resolved while the sender still saw the breach follows
// the same rule. A resolve of what does not fire, and one that by the sender's
// own times belongs to an earlier firing, are ignored. One that comes while the
// incident is flapping is suppressed: it is recorded, and resolves nothing.
//
// A trigger of a group whose incident is open joins that one: see joinGroup. A
// sender's severity that gets worse, and urgency that rises with it, page again
// like a raise. A trigger of a firing that the sender has resolved is ignored: see
// isOver. One that is only to be recorded updates its alert, which does not fire by
// it, and is suppressed. An acknowledgment is for an open incident that nobody has acknowledged,
// and else ignored.
func Receive(now time.Time, st State, ev Event, rules Rules) SignalChange {
	r := receiveRun{now: now, ev: ev, rules: rules}
	if st.Alert != nil {
		r.out.Alert = *st.Alert
	}
	if st.Incident != nil {
		inc := *st.Incident
		r.out.Incident = &inc
	}
	open := st.Incident != nil && st.Incident.Open()
	firing := open && st.Alert != nil && st.Alert.Firing
	if ev.Action == Resolve {
		if !firing || r.stale() {
			r.out.Result, r.out.Warning = ResultIgnored, endedNothing(open, firing)
			return r.out
		}
		r.recover(st.OtherFiring)
		return r.out
	}
	if ev.Action == AcknowledgeAlert {
		r.acknowledge(open)
		return r.out
	}
	known := st.Alert != nil
	if known {
		r.recoveredAt = st.Alert.ResolvedAt
	}
	if known && !firing && r.isOver() {
		r.out.Result, r.out.Warning = ResultIgnored, firingIsOver
		return r.out
	}
	r.trigger(known, firing)
	if rules.RecordOnly && !open {
		r.out.Result, r.out.Incident, r.out.Alert.Firing = ResultSuppressed, nil, false
		return r.out
	}
	switch group := st.GroupIncident; {
	case firing:
		r.out.Result = ResultDeduplicated
		r.repeat()
	case group != nil && (st.Incident == nil || st.Incident.Number != group.Number):
		r.joinGroup(*group)
	case open:
		r.join()
	case st.Incident != nil && r.reopens():
		r.reopen()
	default:
		r.begin()
	}
	return r.out
}

// receiveRun is one run of Receive.
type receiveRun struct {
	now   time.Time
	ev    Event
	rules Rules
	out   SignalChange

	recoveredAt *time.Time // of the alert's last firing
	// The severity and MayWait of the incident before.
	severity string
	mayWait  bool
}

func (r *receiveRun) record(p Payload) {
	number := int64(0)
	if r.out.Incident != nil {
		number = r.out.Incident.Number
	}
	r.out.Timeline = append(r.out.Timeline, TimelineEvent{IncidentNo: number, At: r.now, Actor: r.rules.Actor, Payload: p})
}

func (r *receiveRun) timer(kind string, due time.Time) {
	r.out.Timers = append(r.out.Timers, Timer{kind, due})
}

// stale reports whether a resolve is older than the present firing. Only times
// that both come from the sender are compared: its clock is not ours.
func (r *receiveRun) stale() bool {
	return !r.ev.StartedAt.IsZero() && r.out.Alert.StartKnown && r.ev.StartedAt.Before(r.out.Alert.StartedAt)
}

// endedNothing says why a resolve is ignored.
func endedNothing(open, firing bool) string {
	switch {
	case firing: // so it is stale
		return "The recovery started before what is open under this dedup key, so it ended nothing."
	case open:
		return "What is open under this dedup key no longer fires, so the recovery ended nothing."
	}
	return "Nothing is open under this dedup key, so the recovery ended nothing."
}

// trigger brings the alert up to date. A repeat that names a later start than
// the known one tells of a new firing whose resolve was lost.
func (r *receiveRun) trigger(known, firing bool) {
	a, ev := &r.out.Alert, &r.ev
	if !known {
		*a = Alert{ServiceID: r.rules.ServiceID, DedupKey: ev.DedupKey, FirstSeenAt: r.now}
	}
	sent := !ev.StartedAt.IsZero()
	switch {
	case !firing:
		a.StartedAt, a.StartKnown = r.now, false
		if sent {
			a.StartedAt, a.StartKnown = ev.StartedAt, true
		}
	case sent && (!a.StartKnown || ev.StartedAt.After(a.StartedAt)):
		a.StartedAt, a.StartKnown = ev.StartedAt, true
	}
	a.Firing = true
	a.ResolvedAt = nil
	a.LastSeenAt = r.now
	a.Occurrences++
	a.IntegrationID = r.rules.IntegrationID
	a.Title = ev.Title
	a.Body = ev.Body
}

// snooze keeps until when the sender wants quiet. It comes last, so that a
// signal does not mute itself.
func (r *receiveRun) snooze() {
	if r.ev.Snooze > 0 {
		until := r.now.Add(r.ev.Snooze)
		r.out.Alert.SnoozedUntil = &until
	}
}

// seen brings the incident up to date with a trigger.
func (r *receiveRun) seen() {
	inc := r.out.Incident
	inc.LastSeenAt = r.now
	inc.Occurrences++
	r.severity, r.mayWait = inc.Facts.Severity, inc.Facts.MayWait
	inc.Facts = r.ev.Facts
	inc.Facts.MayWait = r.mayWait && r.ev.Low
	if WorseSeverity(r.severity, inc.Facts.Severity) {
		inc.Facts.Severity = r.severity
	}
}

// raises reports whether the priority is above all that the alert gave before
// and above the incident's.
func (r *receiveRun) raises() bool {
	return moreUrgent(r.ev.Priority, r.out.Alert.Priority) && moreUrgent(r.ev.Priority, r.out.Incident.Priority)
}

// pagesAgain reports whether the priority raises the incident's to what has to be
// told: see Receive.
func (r *receiveRun) pagesAgain() bool {
	return r.raises() && (r.out.Incident.Priority != nil || urgent(r.ev.Priority))
}

// raise takes over a higher priority and a worse severity, and reports whether it
// pages again.
func (r *receiveRun) raise() bool {
	if prioritised, worse := r.raisePriority(), r.worsen(); prioritised || !worse {
		return prioritised
	}
	r.out.AskKind = AskWorse
	return true
}

func (r *receiveRun) raisePriority() bool {
	a, inc := &r.out.Alert, r.out.Incident
	raises, pages := r.raises(), r.pagesAgain()
	if moreUrgent(r.ev.Priority, a.Priority) {
		a.Priority = r.ev.Priority
	}
	if !raises {
		return false
	}
	r.record(RaisedPayload{From: levelName(inc.Priority), To: levelName(r.ev.Priority), Sender: r.ev.Facts.Sender})
	inc.Priority, inc.PrioritySource = r.ev.Priority, r.ev.PrioritySource
	inc.Urgency = r.urgencyOf(inc.Priority)
	return pages
}

func (r *receiveRun) urgencyOf(priority *int) Urgency {
	return UrgencyOf(priority, r.rules.DeploymentKnown, r.rules.Production, r.ev.Low)
}

// worsen takes over what the sender says of severity and urgency, and reports
// whether it got worse than all that it said of the incident before.
func (r *receiveRun) worsen() bool {
	inc := r.out.Incident
	worse := r.severity != "" && WorseSeverity(r.ev.Severity, r.severity)
	if worse {
		r.record(WorsePayload{From: r.severity, To: r.ev.Severity, Sender: r.ev.Facts.Sender})
	}
	if r.mayWait && !r.ev.Low && inc.Urgency == Low {
		inc.Urgency = r.urgencyOf(inc.Priority)
		worse = worse || inc.Urgency == High
	}
	return worse
}

// repeat is a trigger on what fires.
func (r *receiveRun) repeat() {
	r.seen()
	if r.raise() {
		r.pageRaise()
	}
	r.snooze()
}

// pageRaise pages because of a raise: whoever is on it, or else whoever was
// paged before.
func (r *receiveRun) pageRaise() {
	inc := r.out.Incident
	r.endSnooze()
	switch {
	case inc.Status == Acknowledged && inc.OwnerID != nil:
		r.out.AskOwner, r.out.AskKind = true, cmp.Or(r.out.AskKind, AskRaised)
		if inc.AskedAt == nil {
			asked := r.now
			inc.AskedAt = &asked
			r.record(StillOnItPayload{People: []int64{*inc.OwnerID}})
			r.timer(TimerAck, r.now.Add(AnswerWithin))
		}
	case inc.Status == Acknowledged: // by a token: there is nobody to ask
		r.record(AckExpiredPayload{})
		inc.unacknowledge()
		r.start()
	case inc.FlappingSince != nil || inc.MutedUntil != nil: // nobody was paged
		r.start()
	default:
		r.out.Escalate = EscalateRefire
	}
}

// endSnooze ends a snooze because of a raise or another alert. The owner stays.
func (r *receiveRun) endSnooze() {
	if inc := r.out.Incident; inc.SnoozedUntil != nil {
		inc.SnoozedUntil = nil
		r.record(SnoozeOverPayload{Early: true})
	}
}

func (r *receiveRun) start() {
	r.out.Incident.MutedUntil = nil
	r.out.Escalate = EscalateStart
}

// join is a trigger on what does not fire, in an incident that is open all the
// same: it is flapping, or a person reopened it.
func (r *receiveRun) join() {
	inc := r.out.Incident
	isNews := r.fellSilent()
	r.seen()
	inc.ChangedAt = r.now
	r.record(RepeatedPayload{Sender: r.ev.Facts.Sender, Occurrences: r.out.Alert.Occurrences})
	r.out.Result = ResultDeduplicated
	if inc.FlappingSince != nil {
		r.out.Result = ResultSuppressed
		r.flaps()
	}
	switch {
	case r.raise():
		r.out.Result, r.out.Warning = ResultDeduplicated, ""
		r.pageRaise()
	case isNews:
		r.out.Result, r.out.Warning = ResultDeduplicated, ""
		r.pageChild()
	}
	r.snooze()
}

func (r *receiveRun) begin() {
	ev := &r.ev
	r.out.Result = ResultCreated
	r.out.NewIncident = true
	r.out.Alert.IncidentNo = 0
	r.out.Alert.Priority = ev.Priority
	r.out.Incident = &Incident{
		Title: ev.Title, Status: Triggered,
		Urgency:   r.urgencyOf(ev.Priority),
		ServiceID: r.rules.ServiceID, Deployment: ev.Deployment, DedupKey: ev.DedupKey, Group: ev.Group,
		Priority: ev.Priority, PrioritySource: ev.PrioritySource,
		Occurrences: 1, Facts: ev.Facts,
		CreatedAt: r.now, LastSeenAt: r.now, ChangedAt: r.now,
	}
	r.out.Incident.Facts.MayWait = ev.Low
	r.record(ReceivedPayload{Sender: ev.Facts.Sender, Warnings: ev.Warnings})
	r.out.Escalate = EscalateStart
	r.snooze()
}

// recover is a resolve of what fires.
func (r *receiveRun) recover(otherFiring int) {
	a, inc := &r.out.Alert, r.out.Incident
	at := r.now
	a.Firing = false
	a.ResolvedAt = &at
	a.LastSeenAt = r.now
	a.Body = r.ev.Body
	inc.LastSeenAt = r.now
	inc.ChangedAt = r.now
	r.out.Result = ResultResolved
	r.record(RecoveredPayload{Sender: r.ev.Facts.Sender})
	if inc.FlappingSince != nil {
		r.out.Result = ResultSuppressed
		return
	}
	if otherFiring > 0 {
		return
	}
	inc.resolve(r.now, r.rules.Actor, "")
	r.record(ResolvedPayload{})
	r.out.Escalate = EscalateStop
}

func (i *Incident) resolve(at time.Time, actor, resolution string) {
	i.Status = Resolved
	i.ResolvedAt = &at
	i.ResolvedBy = actor
	i.Resolution = resolution
	i.AskedAt = nil
	i.MutedUntil = nil
	i.FlappingSince = nil
	i.SnoozedUntil = nil
}

func (i *Incident) unacknowledge() {
	i.Status = Triggered
	i.AcknowledgedAt = nil
	i.AcknowledgedBy = ""
	i.OwnerID = nil
	i.AskedAt = nil
	i.SnoozedUntil = nil
}

func (i *Incident) reopened() {
	i.unacknowledge()
	i.ResolvedAt = nil
	i.ResolvedBy = ""
	i.Resolution = ""
}
