package incident

import (
	"context"
	"time"
)

// Store changes an incident: it locks it, has the change decided, and writes it
// with all that follows from it in one transaction. decide may be called again
// for a transaction that lost a race. Fault: NotFound.
type Store interface {
	ChangeIncident(ctx context.Context, number int64, by By, decide func(Incident, Known) (Change, error)) (Incident, error)
}

// Service carries out what people and timers do to incidents.
type Service struct {
	Store Store
	Now   func() time.Time
}

// Do carries out a command. What the incident's state does not allow is an
// outcome; errors are for what is not found, invalid or unavailable.
func (s *Service) Do(ctx context.Context, c Command) (Outcome, error) {
	if err := c.Act.validate(); err != nil {
		return Outcome{}, err
	}
	var out Outcome
	after, err := s.Store.ChangeIncident(ctx, c.Number, c.By, func(inc Incident, known Known) (Change, error) {
		by := c.By
		by.At = s.Now()
		var change Change
		var err error
		change, out, err = c.Act.decide(inc, known, by)
		return change, err
	})
	if err != nil {
		return Outcome{}, err
	}
	out.Incident = after
	return out, nil
}

// FiringDue carries out the timer of that kind.
func (s *Service) FiringDue(ctx context.Context, number int64) error {
	return s.due(ctx, number, func(now time.Time, inc Incident, k Known) Change {
		return FiringDue(now, inc, k.Firing, k.Escalating)
	})
}

// QuietPeriodDue carries out the timer of that kind.
func (s *Service) QuietPeriodDue(ctx context.Context, number int64) error {
	return s.due(ctx, number, func(now time.Time, inc Incident, k Known) Change {
		return QuietPeriodDue(now, inc, k.Firing, k.Escalating)
	})
}

// AckDue carries out the timer of that kind: it asks the owner whether they are
// still on it, or starts the policy again.
func (s *Service) AckDue(ctx context.Context, number int64) error {
	return s.due(ctx, number, func(now time.Time, inc Incident, k Known) Change {
		return AckDue(now, inc, k.expires(inc.Priority))
	})
}

// SnoozeDue carries out the timer of that kind.
func (s *Service) SnoozeDue(ctx context.Context, number int64) error {
	return s.due(ctx, number, func(now time.Time, inc Incident, _ Known) Change { return SnoozeDue(now, inc) })
}

func (s *Service) due(ctx context.Context, number int64, decide func(time.Time, Incident, Known) Change) error {
	_, err := s.Store.ChangeIncident(ctx, number, By{Actor: Tocsin}, func(inc Incident, k Known) (Change, error) {
		return decide(s.Now(), inc, k), nil
	})
	return err
}
