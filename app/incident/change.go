package incident

import "time"

// Result is what a signal did, as its sender is told.
type Result string

// The results. A reopened incident counts as deduplicated where it pages
// again, and as suppressed where it does so in silence; a recovery counts as
// suppressed where the incident is flapping and stays open.
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
	// EscalateRelease begins at once what waits for support hours or required cover,
	// and leaves alone what runs.
	EscalateRelease
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
	// EscalateContinue goes on from exactly where it was stopped, with the pages that
	// were withdrawn by that.
	EscalateContinue
	// EscalateStop ends it and withdraws what waits to be sent.
	EscalateStop
)

// Then joins two changes in the order in which they came, so that a batch applies
// one.
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
	case e+next == EscalateRefireRunning+EscalateWake || e+next == EscalateRefireRunning+EscalateRelease:
		return EscalateRefire
	}
	return max(e, next)
}

// The kinds of timer that the state machine sets. There is one of a kind per
// incident: a later one replaces an earlier. One that fires too early does no
// harm: the function that it leads to sets it again.
const (
	TimerQuietPeriod = "settle" // leads to QuietPeriodDue
	TimerFiring      = "firing" // leads to FiringDue
	TimerAck         = "ack"    // leads to AckDue
	TimerSnooze      = "snooze" // leads to SnoozeDue
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
	// Requests start; EndRequests end; DeclineRequests go on without a person.
	Requests        []Request
	EndRequests     []RequestEnd
	DeclineRequests []RequestDecline
}

func (c *Change) record(at time.Time, actor string, p Payload) {
	c.Timeline = append(c.Timeline, TimelineEvent{IncidentNo: c.Incident.Number, At: at, Actor: actor, Payload: p})
}

func (c *Change) timer(kind string, due time.Time) {
	c.Timers = append(c.Timers, Timer{kind, due})
}
