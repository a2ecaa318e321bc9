package incident

import (
	"encoding/json"
	"time"

	"strconv"
)

// Result is what became of a signal, as its sender is told.
type Result string

// The results. A reopened incident counts as deduplicated where it pages
// again, and as suppressed where it does so in silence; a recovery counts as
// suppressed where the incident is held open all the same.
const (
	ResultCreated      Result = "created"      // a new incident
	ResultDeduplicated Result = "deduplicated" // joined the incident that there was
	ResultAcknowledged Result = "acknowledged" // the sender acknowledged the incident
	ResultResolved     Result = "resolved"     // the alert no longer fires
	ResultSuppressed   Result = "suppressed"   // recorded: it pages nobody, and resolves nothing
	ResultIgnored      Result = "ignored"      // changed nothing
)

// Escalate is what happens to the incident's primary escalation.
type Escalate int

// What can happen to it.
const (
	EscalateNone Escalate = iota
	// EscalateRefireRunning pages the people of the step that is running again, and
	// leaves alone what waits for support hours.
	EscalateRefireRunning
	// EscalateWake begins at once what waits for support hours, and leaves alone
	// what runs already.
	EscalateWake
	// EscalateRefire pages the people of the step that is running again, with
	// the new priority; what waits for support hours begins at once.
	EscalateRefire
	// EscalateNext goes to the next step at once; an escalation that was stopped
	// goes on from where it was.
	EscalateNext
	// EscalateStart begins a new escalation from the top, and ends one that runs.
	EscalateStart
	// EscalateResume goes on with the step at which it was stopped.
	EscalateResume
	// EscalateStop ends it and withdraws what waits to be sent.
	EscalateStop
)

// Then joins two changes in the order in which they came, so that a batch acts
// once.
func (e Escalate) Then(next Escalate) Escalate {
	switch {
	case next == EscalateNone:
		return e
	case next == EscalateStop || next == EscalateStart || next == EscalateNext || e == EscalateNone:
		return next
	case e == EscalateStart: // what has yet to begin pages with the latest priority anyway
		return e
	case e == EscalateStop: // nothing is left to page again
		return e
	case e+next == EscalateRefireRunning+EscalateWake:
		return EscalateRefire
	}
	return max(e, next)
}

// The kinds of timer that the state machine sets. There is one of a kind per
// incident: a later one replaces an earlier. One that fires too early does no
// harm, since the function that it leads to says when to come again.
const (
	TimerSettle = "settle" // leads to Settle
	TimerAck    = "ack"    // leads to AckDue
)

// Timer asks to be called back about the incident.
type Timer struct {
	Kind string
	Due  time.Time
}

// Change is what an action or a timer does to an incident. The store writes
// all of it in one transaction.
type Change struct {
	Incident Incident
	// Changed is false where everything was so already; then there is nothing
	// to write but Timers.
	Changed  bool
	Timeline []TimelineEvent
	Escalate Escalate
	// AskOwner pages the owner: are you still on it? They answer by
	// acknowledging; AckDue acts if they do not.
	AskOwner bool
	// EndAlerts marks the incident's alerts as no longer firing.
	EndAlerts bool
	// ReviveAlerts has those fire again that EndAlerts ended at that instant.
	ReviveAlerts *time.Time
	Timers       []Timer
}

func (c *Change) note(at time.Time, kind EventKind, actor string, d Detail) {
	c.Timeline = append(c.Timeline, timelineEvent(c.Incident.Number, at, kind, actor, d))
}

func (c *Change) timer(kind string, due time.Time) {
	c.Timers = append(c.Timers, Timer{kind, due})
}

func timelineEvent(number int64, at time.Time, kind EventKind, actor string, d Detail) TimelineEvent {
	data, err := json.Marshal(d)
	if err != nil { // strings, numbers and lists of them always marshal
		panic(err)
	}
	return TimelineEvent{IncidentNo: number, At: at, Kind: kind, Actor: actor, Data: data}
}

// UrgencyOf is the default rule: no priority, P1 and P2 are high and the rest
// low; what is known not to be production is low, and so is what its sender lets
// wait, whatever its priority. A deployment that nobody knows may be production.
func UrgencyOf(priority *int, deploymentKnown, production, mayWait bool) Urgency {
	if mayWait || deploymentKnown && !production {
		return Low
	}
	if priority == nil || urgent(priority) {
		return High
	}
	return Low
}

// urgent reports whether a level, which must not be nil, is P1 or P2.
func urgent(level *int) bool { return *level <= 2 }

// moreUrgent reports whether a is more urgent than b: a lower level, or any
// level where b is none.
func moreUrgent(a, b *int) bool {
	return a != nil && (b == nil || *a < *b)
}

// levelName is how a level is written on the timeline: "P2", or empty for none.
func levelName(level *int) string {
	if level == nil {
		return ""
	}
	return "P" + strconv.Itoa(*level)
}
