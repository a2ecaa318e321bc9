package ingest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
)

// Rejection is a signal of a known key that could not be understood, kept so
// that it can be replayed once the fault is mended.
type Rejection struct {
	ID            int64 `gorm:"primaryKey"`
	IntegrationID int64
	ReceivedAt    time.Time
	// Status is what was answered: 400, 413, 415 or 422.
	Status      int
	Reason      string
	Fields      []fault.Field `gorm:"serializer:json"`
	ContentType string
	Remote      string
	// Body is at most MaxBody bytes; that of a 413 is only its beginning.
	Body         []byte
	ReplayedAt   *time.Time
	ReplayedBy   string // an actor
	ReplayResult string // a Result, or why it was rejected again
}

// TableName is where the rejected signals stand.
func (Rejection) TableName() string { return "rejected_signals" }

// Rejections keeps what was rejected. How many per integration is its matter.
type Rejections interface {
	Reject(ctx context.Context, r Rejection) error
	// Rejection is NotFound where there is none with the ID.
	Rejection(ctx context.Context, id int64) (Rejection, error)
	// Replayed notes ReplayedAt, ReplayedBy and ReplayResult.
	Replayed(ctx context.Context, r Rejection) error
}

// refusal finds the fault that a sender has to mend, with the status that it is
// answered. A fault that passes, or is ours, is none.
func refusal(err error) (f *fault.Error, status int, ok bool) {
	if !errors.As(err, &f) {
		return nil, 0, false
	}
	switch f.Kind {
	case fault.KindMalformed:
		return f, http.StatusBadRequest, true
	case fault.KindTooLarge:
		return f, http.StatusRequestEntityTooLarge, true
	case fault.KindUnsupported:
		return f, http.StatusUnsupportedMediaType, true
	case fault.KindInvalid:
		return f, http.StatusUnprocessableEntity, true
	}
	return nil, 0, false
}

// reject lists a refused signal. That it cannot be listed is no reason to
// answer the sender anything else.
func (s *Service) reject(ctx context.Context, integrationID int64, req Request, cause error) {
	f, status, ok := refusal(cause)
	if !ok {
		return
	}
	err := s.opts.Rejections.Reject(context.WithoutCancel(ctx), Rejection{
		IntegrationID: integrationID, ReceivedAt: s.now(), Status: status, Reason: f.Message, Fields: f.Fields,
		ContentType: printable(req.ContentType), Remote: printable(req.Remote), Body: req.Body[:min(len(req.Body), MaxBody)],
	})
	if err != nil {
		s.opts.Log.Error("a rejected signal could not be listed", "integration", integrationID, "reason", f.Message, "error", err)
	}
}

// Replay sends a rejected signal through its integration again, as it stands
// now; what came under a wrong content type is read as JSON. The outcome is noted on it, whichever it is, but for faults that pass.
func (s *Service) Replay(ctx context.Context, rejectionID int64, actor string) (Answer, error) {
	r, err := s.opts.Rejections.Rejection(ctx, rejectionID)
	if err != nil {
		return Answer{}, err
	}
	if r.Status == http.StatusRequestEntityTooLarge {
		return Answer{}, fault.Conflict("Only the beginning of this signal was kept, since it was too large, so it cannot be replayed.")
	}
	if r.ReplayedAt != nil && replayWorked(r.ReplayResult) {
		return Answer{}, fault.Conflict("This signal was replayed by %s already.", r.ReplayedBy)
	}
	answer, err := s.take(ctx, r.IntegrationID, Request{ContentType: "application/json", Body: r.Body, Remote: r.Remote})
	if err != nil {
		f, _, again := refusal(err)
		if !again {
			return Answer{}, err
		}
		r.ReplayResult = f.Message
	} else {
		r.ReplayResult = string(answer.Status)
	}
	at := s.now()
	r.ReplayedAt, r.ReplayedBy = &at, actor
	if noteErr := s.opts.Rejections.Replayed(context.WithoutCancel(ctx), r); noteErr != nil {
		s.opts.Log.Error("a replay could not be noted", "rejection", r.ID, "error", noteErr)
	}
	return answer, err
}

func replayWorked(result string) bool {
	for _, r := range statResults {
		if string(r) == result {
			return true
		}
	}
	return false
}
