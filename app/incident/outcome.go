package incident

import (
	"fmt"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// OutcomeKind is what came of a command.
type OutcomeKind string

// The kinds of outcome.
const (
	// Done: the command changed the incident.
	Done OutcomeKind = "done"
	// Already: the incident was so already. By and At say since when and by whom,
	// where that is known.
	Already OutcomeKind = "already"
	// Joined: the actor joined an incident that By owns.
	Joined OutcomeKind = "joined"
	// Shadow: a shadow's acknowledgment was recorded. It stops nothing.
	Shadow OutcomeKind = "shadow"
	// NotAllowed: the incident's state does not allow it; Reason says why.
	NotAllowed OutcomeKind = "not_allowed"
)

// Reason is why an incident's state does not allow a command.
type Reason string

// The reasons.
const (
	ReasonResolved        Reason = "resolved"          // By and At say who resolved it and when
	ReasonOpen            Reason = "open"              // there is nothing to reopen
	ReasonNothingToUndo   Reason = "nothing_to_undo"   // it is open
	ReasonUnacknowledged  Reason = "unacknowledged"    // there is no acknowledgment to give back
	ReasonJustEscalated   Reason = "just_escalated"    // within EscalateAgain; By and At say who and when
	ReasonResolvedByOther Reason = "resolved_by_other" // only the resolver can take a resolve back
	ReasonTooLate         Reason = "too_late"          // UndoWithin is over
	ReasonGroupOpen       Reason = "group_open"        // Other is open for the same group of alerts
	ReasonNotAsked        Reason = "not_asked"         // no request asks the actor
	ReasonNoPerson        Reason = "no_person"         // an API token cannot own an incident like this
	ReasonNoNextStep      Reason = "no_next_step"      // every step of the policy is asked already
	// ReasonAcknowledgedByOther: only whoever acknowledged can take it back in silence.
	ReasonAcknowledgedByOther    Reason = "acknowledged_by_other"
	ReasonTooLateToUnacknowledge Reason = "too_late_to_unacknowledge" // UndoWithin is over
)

// Outcome is what came of a command.
type Outcome struct {
	Kind   OutcomeKind
	Reason Reason // of NotAllowed, else empty
	// By is the actor who was faster, empty where there is none; Name is how
	// people know them, where the store knows it.
	By, Name string
	At       time.Time // when they were; zero where that is not known
	Other    int64     // the number of another incident, 0 for none
	// Incident is the incident after the command.
	Incident Incident
}

// Err is a fault of kind conflict where the command was not allowed, else nil.
func (o Outcome) Err() error {
	if o.Kind != NotAllowed {
		return nil
	}
	return fault.Conflict("%s", o.Refusal())
}

// Faster reports whether somebody other than an actor had done it already.
func (o Outcome) Faster(actor string) bool { return o.Kind == Already && o.By != actor }

// Refusal says in words why the command was not allowed, and is empty where it
// was.
func (o Outcome) Refusal() string {
	n := o.Incident.Number
	switch o.Reason {
	case ReasonResolved:
		if o.At.IsZero() {
			return fmt.Sprintf("Incident %d is resolved already.", n)
		}
		return fmt.Sprintf("Incident %d was resolved by %s on %s.", n, o.By, o.At.UTC().Format("2 Jan 2006 at 15:04:05 UTC"))
	case ReasonOpen:
		return fmt.Sprintf("Incident %d is open, so there is nothing to reopen.", n)
	case ReasonNothingToUndo:
		return fmt.Sprintf("Incident %d has nothing to undo.", n)
	case ReasonUnacknowledged:
		return fmt.Sprintf("Nobody has acknowledged incident %d.", n)
	case ReasonJustEscalated:
		return fmt.Sprintf("Incident %d was escalated by %s a moment ago; the next step is being paged.", n, o.who())
	case ReasonResolvedByOther:
		return fmt.Sprintf("Somebody else resolved incident %d. If it is not over, reopen it: that pages whoever is on call.", n)
	case ReasonTooLate:
		return fmt.Sprintf("It is too late to take that back in silence. If incident %d is not over, reopen it: that pages whoever is on call.", n)
	case ReasonNotAsked:
		return fmt.Sprintf("Nobody has asked you to join incident %d.", n)
	case ReasonNoPerson:
		return fmt.Sprintf("Only a person can take over incident %d.", n)
	case ReasonNoNextStep:
		return fmt.Sprintf("The policy has no further step to page for incident %d. Add people by name instead.", n)
	case ReasonAcknowledgedByOther:
		return fmt.Sprintf("Somebody else acknowledged incident %d.", n)
	case ReasonTooLateToUnacknowledge:
		return fmt.Sprintf("It is too late to undo that without paging. To give incident %d back, unacknowledge it: that pages whoever is on call.", n)
	case ReasonGroupOpen:
		return fmt.Sprintf("Incident %d is open for the same group of alerts, so %d stays resolved.", o.Other, n)
	}
	return ""
}

func (o Outcome) who() string {
	if o.Name != "" {
		return o.Name
	}
	return o.By
}

func done() Outcome { return Outcome{Kind: Done} }

func already(by string, at *time.Time) Outcome {
	return Outcome{Kind: Already, By: by, At: instant(at)}
}

func notAllowed(reason Reason) Outcome { return Outcome{Kind: NotAllowed, Reason: reason} }

// isResolved is the refusal of what needs an open incident.
func isResolved(inc Incident) Outcome {
	return Outcome{Kind: NotAllowed, Reason: ReasonResolved, By: inc.ResolvedBy, At: instant(inc.ResolvedAt)}
}

// instant is the zero time for nil.
func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// wholeSecond is an instant as the timeline keeps it.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
