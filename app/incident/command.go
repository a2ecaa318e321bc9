package incident

import (
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// By says who acts, how and when.
type By struct {
	Actor  string // a person's email or "token:NAME"
	UserID *int64 // the person, nil where it is not one
	Via    string // "web", "sms", "link", "api"
	At     time.Time
}

// Command is what somebody wants done to an incident. By.At is the service's to
// fill in.
type Command struct {
	Number int64
	By     By
	Act    Act
}

// Act is one of the things that can be done to an incident: ActAcknowledge,
// ActUnacknowledge, ActResolve, ActUndoResolve, ActReopen, ActSetPriority,
// ActEscalate and ActNote.
type Act interface {
	// validate refuses what is invalid whatever the incident's state.
	validate() error
	// decide is what the act does to an incident. An outcome that is not Done
	// comes with a Change that changes nothing, but that of a shadow's first
	// acknowledgment. Fault: Invalid.
	decide(inc Incident, k Known, by By) (Change, Outcome, error)
}

// EscalateAgain is how long one escalation by hand stands for every other. It is
// what two people do at once, or one twice, when a click or a text went unanswered.
const EscalateAgain = 30 * time.Second

// MaxText bounds what a person may write at once, in bytes.
const MaxText = 20_000

// ActAcknowledge makes the actor the owner and stops the escalation. A shadow's
// acknowledgment is recorded and stops nothing.
//
// What is acknowledged already keeps its owner. Two exceptions: where the owner
// was asked whether they are still on it, any acknowledgment is the answer, and
// another person's makes them the owner; and a person takes over from a token.
// AcknowledgedAt is then the later time, so that an expiry counts anew.
type ActAcknowledge struct{}

func (ActAcknowledge) validate() error { return nil }

func (ActAcknowledge) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	switch {
	case i.Status == Resolved:
		return c, isResolved(inc), nil
	case i.Status == Triggered && k.Shadow:
		if !k.ShadowAcked {
			c.Changed = true
			c.record(by.At, by.Actor, ShadowAckPayload{Via: by.Via})
		}
		return c, Outcome{Kind: Shadow}, nil
	case i.Status == Acknowledged && i.AskedAt == nil && (i.OwnerID != nil || by.UserID == nil):
		return c, already(i.AcknowledgedBy, i.AcknowledgedAt), nil
	}
	at := by.At
	i.Status = Acknowledged
	i.AcknowledgedAt = &at
	i.AskedAt = nil
	i.MutedUntil = nil
	if by.UserID != nil || i.OwnerID == nil {
		i.AcknowledgedBy = by.Actor
		i.OwnerID = by.UserID
	}
	c.Changed = true
	c.Escalate = EscalateStop
	c.record(by.At, by.Actor, AcknowledgedPayload{Via: by.Via})
	if expires := k.expires(i.Priority); expires > 0 {
		c.timer(TimerAck, at.Add(expires))
	}
	return c, done(), nil
}

// ActUnacknowledge gives an incident back: the policy starts again.
type ActUnacknowledge struct{}

func (ActUnacknowledge) validate() error { return nil }

func (ActUnacknowledge) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch inc.Status {
	case Resolved:
		return c, isResolved(inc), nil
	case Triggered:
		return c, notAllowed(ReasonUnacknowledged), nil
	}
	c.giveBack()
	c.record(by.At, by.Actor, UnacknowledgedPayload{Via: by.Via})
	return c, done(), nil
}

// ActResolve ends an incident by hand. Its alerts count as no longer firing,
// even if the sender still sees them.
type ActResolve struct {
	// FixedBy is what fixed it, in the actor's words; it may be empty.
	FixedBy string
}

func (a ActResolve) validate() error { return tooLong("resolution", a.FixedBy) }

func (a ActResolve) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if !inc.Open() {
		return c, already(inc.ResolvedBy, inc.ResolvedAt), nil
	}
	fixedBy := strings.TrimSpace(a.FixedBy)
	c.Incident.resolve(by.At, by.Actor, fixedBy)
	c.Incident.ChangedAt = by.At
	c.Changed = true
	c.EndAlerts = true
	c.Escalate = EscalateStop
	c.record(by.At, by.Actor, ResolvedPayload{Via: by.Via, Resolution: fixedBy, Ended: inc.endedByResolve()})
	return c, done(), nil
}

// ActReopen opens a resolved incident again, and pages again. It counts as no
// flapping.
type ActReopen struct{}

func (ActReopen) validate() error { return nil }

func (ActReopen) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	switch {
	case inc.Open():
		return c, notAllowed(ReasonOpen), nil
	case k.GroupOpen != 0:
		return c, Outcome{Kind: NotAllowed, Reason: ReasonGroupOpen, Other: k.GroupOpen}, nil
	}
	c.Incident.reopened()
	c.Changed = true
	c.Escalate = EscalateStart
	c.record(by.At, by.Actor, ReopenedPayload{Via: by.Via})
	return c, done(), nil
}

// ActSetPriority sets the level by hand. It pages nobody: at most, what waited
// for support hours because its urgency was low begins at once.
type ActSetPriority struct {
	Level  *int // nil for none
	Reason string
}

func (a ActSetPriority) validate() error { return tooLong("reason", a.Reason) }

func (a ActSetPriority) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	i := &c.Incident
	if a.Level != nil {
		if _, ok := levelNamed(k.Levels, *a.Level); !ok {
			return c, Outcome{}, fault.Invalid("There is no priority P%d.", *a.Level).
				With(fault.Field{Path: "priority", Message: "must be " + oneOf(k.Levels)})
		}
	}
	if levelName(a.Level) == levelName(i.Priority) {
		return c, already(i.PrioritySource, nil), nil
	}
	c.record(by.At, by.Actor, PriorityPayload{
		Via: by.Via, Reason: strings.TrimSpace(a.Reason), From: levelName(i.Priority), To: levelName(a.Level),
	})
	urgency := UrgencyOf(a.Level, k.DeploymentKnown, k.Production, false)
	if i.Status == Triggered && i.Urgency == Low && urgency == High {
		c.Escalate = EscalateWake
	}
	i.Priority, i.PrioritySource, i.Urgency = a.Level, by.Actor, urgency
	c.Changed = true
	if expires := k.expires(a.Level); i.Status == Acknowledged && i.AskedAt == nil && i.AcknowledgedAt != nil && expires > 0 {
		c.timer(TimerAck, i.AcknowledgedAt.Add(expires))
	}
	return c, done(), nil
}

// ActEscalate goes to the next step at once, but not twice within EscalateAgain.
// An incident that was acknowledged is triggered again and loses its owner.
type ActEscalate struct{}

func (ActEscalate) validate() error { return nil }

func (ActEscalate) decide(inc Incident, k Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc}
	if inc.Status == Resolved {
		return c, isResolved(inc), nil
	}
	if inc.Status == Triggered && k.LastEscalatedAt != nil && by.At.Sub(*k.LastEscalatedAt) < EscalateAgain {
		return c, Outcome{Kind: NotAllowed, Reason: ReasonJustEscalated, Name: k.LastEscalatedBy, At: *k.LastEscalatedAt}, nil
	}
	escalated := EscalatedPayload{Via: by.Via}
	if inc.Status == Acknowledged {
		escalated.From = Acknowledged
		c.Incident.unacknowledge()
	}
	c.Changed, c.Escalate = true, EscalateNext
	c.record(by.At, by.Actor, escalated)
	return c, done(), nil
}

// ActNote adds a note to the timeline.
type ActNote struct {
	Text string // must not be blank
}

func (a ActNote) validate() error {
	if strings.TrimSpace(a.Text) == "" {
		return fault.Invalid("The note is empty.").With(fault.Field{Path: "note", Message: "Write what others should know."})
	}
	return tooLong("note", strings.TrimSpace(a.Text))
}

func (a ActNote) decide(inc Incident, _ Known, by By) (Change, Outcome, error) {
	c := Change{Incident: inc, Changed: true}
	c.record(by.At, by.Actor, NotePayload{Via: by.Via, Text: strings.TrimSpace(a.Text)})
	return c, done(), nil
}

func tooLong(field, text string) error {
	if len(text) <= MaxText {
		return nil
	}
	return fault.Invalid("The text is too long.").With(fault.Field{Path: field, Message: "At most 20,000 characters."})
}

// Known is what a decision needs to know beside the incident itself.
type Known struct {
	Levels []catalog.Priority
	// DeploymentKnown and Production are of the incident's deployment.
	DeploymentKnown, Production bool
	// Firing counts the incident's alerts that fire.
	Firing int
	// Shadow says that whoever acts is paged for this incident as a shadow, and
	// not otherwise.
	Shadow bool
	// ShadowAcked says that they acknowledged it as one already, since it was
	// opened or reopened.
	ShadowAcked bool
	// LastEscalatedAt is when it was last escalated by hand, nil for never, and
	// LastEscalatedBy who did, by their name.
	LastEscalatedAt *time.Time
	LastEscalatedBy string
	// Ended is what the last resolve ended, of an incident that is resolved.
	Ended Ended
	// GroupOpen is the number of the open incident of its group, of an incident
	// that is resolved; 0 for none.
	GroupOpen int64
}

// expires is after how long an acknowledgment at a level is asked for again; 0
// for never.
func (k Known) expires(level *int) time.Duration {
	if level == nil {
		return 0
	}
	p, _ := levelNamed(k.Levels, *level)
	return time.Duration(p.AckExpires) * time.Second
}
