package incident

import (
	"context"
	"strings"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Known is what an action needs to know beside the incident itself.
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
	// Held is what the last resolve ended, of an incident that is resolved.
	Held Held
}

// EscalateAgain is how long one escalation by hand stands for every other. It is
// what two people do at once, or one twice, when a click or a text went unanswered.
const EscalateAgain = 30 * time.Second

// escalated is a conflict where the incident was escalated a moment ago and
// nobody has answered since.
func (k Known) escalated(inc *Incident, now time.Time) error {
	if inc.Status != Triggered || k.LastEscalatedAt == nil || now.Sub(*k.LastEscalatedAt) >= EscalateAgain {
		return nil
	}
	return fault.Conflict("Incident %d was escalated by %s a moment ago; the next step is being paged.", inc.Number, k.LastEscalatedBy)
}

// expires is after how long an acknowledgment at a level is asked for again.
func (k Known) expires(level *int) time.Duration {
	for _, p := range k.Levels {
		if level != nil && p.Level == *level {
			return time.Duration(p.AckExpires) * time.Second
		}
	}
	return 0
}

// Store changes an incident: it locks it, has the change decided, and writes it
// with all that follows from it in one transaction.
type Store interface {
	ChangeIncident(ctx context.Context, number int64, by By, decide func(Incident, Known) (Change, error)) (Incident, error)
}

// Service carries out what people and timers do to incidents.
type Service struct {
	Store Store
	Now   func() time.Time
}

func (s *Service) change(ctx context.Context, number int64, by By, decide func(Incident, Known, By) (Change, error)) (Incident, error) {
	return s.Store.ChangeIncident(ctx, number, by, func(inc Incident, known Known) (Change, error) {
		by.At = s.Now()
		return decide(inc, known, by)
	})
}

// Acknowledge takes an incident in hand: see the function of that name. A
// shadow's acknowledgment is recorded and stops nothing.
func (s *Service) Acknowledge(ctx context.Context, number int64, by By) (Incident, error) {
	return s.change(ctx, number, by, func(inc Incident, k Known, by By) (Change, error) {
		if k.Shadow && inc.Status == Triggered {
			c := Change{Incident: inc}
			if k.ShadowAcked {
				return c, nil
			}
			c.Changed = true
			c.note(by.At, EvShadowAck, by.Actor, Detail{Via: by.Via})
			return c, nil
		}
		return Acknowledge(inc, by, k.expires(inc.Priority))
	})
}

// Unacknowledge gives it back: the policy starts again.
func (s *Service) Unacknowledge(ctx context.Context, number int64, by By) (Incident, error) {
	return s.change(ctx, number, by, func(inc Incident, _ Known, by By) (Change, error) { return Unacknowledge(inc, by) })
}

// Resolve ends it, with what fixed it, which may be empty.
func (s *Service) Resolve(ctx context.Context, number int64, by By, fixedBy string) (Incident, error) {
	if err := tooLong("resolution", fixedBy); err != nil {
		return Incident{}, err
	}
	return s.change(ctx, number, by, func(inc Incident, _ Known, by By) (Change, error) { return ResolveBy(inc, by, fixedBy) })
}

// UndoResolve takes a resolve back: see the function of that name.
func (s *Service) UndoResolve(ctx context.Context, number int64, by By) (Incident, error) {
	return s.change(ctx, number, by, func(inc Incident, k Known, by By) (Change, error) {
		return UndoResolve(inc, by, k.Held, k.expires(inc.Priority))
	})
}

// Reopen opens it again, and pages again.
func (s *Service) Reopen(ctx context.Context, number int64, by By) (Incident, error) {
	return s.change(ctx, number, by, func(inc Incident, _ Known, by By) (Change, error) { return Reopen(inc, by) })
}

// SetPriority sets its level, nil for none, with a reason.
func (s *Service) SetPriority(ctx context.Context, number int64, by By, level *int, reason string) (Incident, error) {
	if err := tooLong("reason", reason); err != nil {
		return Incident{}, err
	}
	return s.change(ctx, number, by, func(inc Incident, k Known, by By) (Change, error) {
		return SetPriority(inc, by, level, reason, k.Levels, UrgencyOf(level, k.DeploymentKnown, k.Production, false))
	})
}

// Escalate goes to the next step at once, but not twice within EscalateAgain. One that was acknowledged is taken
// out of its owner's hands: it is triggered again, and the next step is paged.
func (s *Service) Escalate(ctx context.Context, number int64, by By) (Incident, error) {
	return s.change(ctx, number, by, func(inc Incident, k Known, by By) (Change, error) {
		c := Change{Incident: inc}
		if inc.Status == Resolved {
			return c, resolvedAlready(&inc)
		}
		if err := k.escalated(&inc, by.At); err != nil {
			return c, err
		}
		i := &c.Incident
		if i.Status == Acknowledged {
			i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.OwnerID, i.AskedAt = Triggered, nil, "", nil, nil
		}
		c.Changed, c.Escalate = true, EscalateNext
		c.note(by.At, EvEscalated, by.Actor, Detail{Via: by.Via})
		return c, nil
	})
}

// Note adds a note to the timeline.
func (s *Service) Note(ctx context.Context, number int64, by By, text string) (Incident, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Incident{}, fault.Invalid("The note is empty.").With(fault.Field{Path: "note", Message: "Write what others should know."})
	}
	if err := tooLong("note", text); err != nil {
		return Incident{}, err
	}
	return s.change(ctx, number, by, func(inc Incident, _ Known, by By) (Change, error) {
		c := Change{Incident: inc, Changed: true}
		c.note(by.At, EvNote, by.Actor, Detail{Via: by.Via, Text: text})
		return c, nil
	})
}

// Settle and AckDue are what the timers of those kinds lead to.

// Settle looks again at an incident that stands open in silence.
func (s *Service) Settle(ctx context.Context, number int64) error {
	_, err := s.change(ctx, number, By{Actor: Tocsin}, func(inc Incident, k Known, by By) (Change, error) {
		return Settle(by.At, inc, k.Firing), nil
	})
	return err
}

// AckDue asks the owner whether they are still on it, or starts the policy
// again.
func (s *Service) AckDue(ctx context.Context, number int64) error {
	_, err := s.change(ctx, number, By{Actor: Tocsin}, func(inc Incident, k Known, by By) (Change, error) {
		return AckDue(by.At, inc, k.expires(inc.Priority)), nil
	})
	return err
}

// MostText bounds what a person may write at once, in bytes.
const MostText = 20_000

func tooLong(field, text string) error {
	if len(text) <= MostText {
		return nil
	}
	return fault.Invalid("The text is too long.").With(fault.Field{Path: field, Message: "At most 20,000 characters."})
}
