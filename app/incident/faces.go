package incident

import "context"

func (s *Service) act(ctx context.Context, number int64, by By, a Act) (Incident, error) {
	out, err := s.Do(ctx, Command{Number: number, By: by, Act: a})
	if err == nil {
		err = out.Err()
	}
	return out.Incident, err
}

// Acknowledge is Do of ActAcknowledge, as the others are of their act; what is
// not allowed is a fault of kind conflict.
func (s *Service) Acknowledge(ctx context.Context, number int64, by By) (Incident, error) {
	return s.act(ctx, number, by, ActAcknowledge{})
}

// Unacknowledge is Do of ActUnacknowledge.
func (s *Service) Unacknowledge(ctx context.Context, number int64, by By) (Incident, error) {
	return s.act(ctx, number, by, ActUnacknowledge{})
}

// Resolve is Do of ActResolve.
func (s *Service) Resolve(ctx context.Context, number int64, by By, fixedBy string) (Incident, error) {
	return s.act(ctx, number, by, ActResolve{FixedBy: fixedBy})
}

// UndoResolve is Do of ActUndoResolve.
func (s *Service) UndoResolve(ctx context.Context, number int64, by By) (Incident, error) {
	return s.act(ctx, number, by, ActUndoResolve{})
}

// Reopen is Do of ActReopen.
func (s *Service) Reopen(ctx context.Context, number int64, by By) (Incident, error) {
	return s.act(ctx, number, by, ActReopen{})
}

// SetPriority is Do of ActSetPriority.
func (s *Service) SetPriority(ctx context.Context, number int64, by By, level *int, reason string) (Incident, error) {
	return s.act(ctx, number, by, ActSetPriority{Level: level, Reason: reason})
}

// Escalate is Do of ActEscalate.
func (s *Service) Escalate(ctx context.Context, number int64, by By) (Incident, error) {
	return s.act(ctx, number, by, ActEscalate{})
}

// Note is Do of ActNote.
func (s *Service) Note(ctx context.Context, number int64, by By, text string) (Incident, error) {
	return s.act(ctx, number, by, ActNote{Text: text})
}
