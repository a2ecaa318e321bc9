package ingest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
	"github.com/tocsin-oncall/tocsin/app/ingest/document"
)

// Rejection is a request of a known key that was refused. It is stored so that it can be
// replayed once the cause is fixed.
type Rejection struct {
	ID            int64 `gorm:"primaryKey"`
	IntegrationID int64
	Endpoint      string // the path that it was posted to, without the key
	ReceivedAt    time.Time
	// Status is what was answered: 400, 413, 415 or 422.
	Status      int
	Reason      string
	Fields      []RejectedField `gorm:"serializer:json"`
	ContentType string
	Remote      string
	// Body is at most MaxBody bytes; that of a 413 is truncated. Keys in it are
	// redacted: a replay needs none.
	Body         []byte
	ReplayedAt   *time.Time
	ReplayedBy   string // an actor
	ReplayResult string // a Result, or why it was rejected again
}

// RejectedField is a field error of a request, or of one event of it.
type RejectedField struct {
	fault.Field // without a Path where no field is named
	// Event is the number of the event in its request, from 1, where other events of
	// the request were accepted: a replay takes only the events that are named here.
	// 0 stands for the whole request.
	Event int `json:"event,omitempty"`
}

// TableName implements gorm's Tabler.
func (Rejection) TableName() string { return "rejected_signals" }

// Rejections stores rejections, and decides how many it keeps for each integration.
type Rejections interface {
	Reject(ctx context.Context, r Rejection) error
	// Rejection is NotFound where there is none with the ID.
	Rejection(ctx context.Context, id int64) (Rejection, error)
	// Replayed updates ReplayedAt, ReplayedBy, ReplayResult and Fields.
	Replayed(ctx context.Context, r Rejection) error
}

// refusal returns the fault that the sender has to fix, with its HTTP status. It is
// false for temporary faults and for those of this server.
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

// minHiddenKey is the minimum length in bytes of a key in the body that is redacted,
// where the request was authenticated by another key. Replacing a shorter text would
// damage the rest of the body, and no real key is as short.
const minHiddenKey = 16

// reject lists a refused signal; events are those that were refused where others
// were accepted, else nil. The sender is answered the same where it cannot be
// listed.
func (s *Service) reject(ctx context.Context, integrationID int64, endpoint *Endpoint, req *Request, cause error, events []refusedEvent) {
	f, status, ok := refusal(cause)
	if !ok {
		return
	}
	fields := rejectedFields(events)
	if len(events) == 0 {
		for _, field := range f.Fields {
			fields = append(fields, RejectedField{Field: field})
		}
	}
	err := s.opts.Rejections.Reject(context.WithoutCancel(ctx), Rejection{
		IntegrationID: integrationID, Endpoint: req.Endpoint, ReceivedAt: s.now(), Status: status, Reason: f.Message, Fields: fields,
		ContentType: document.Printable(req.ContentType), Remote: document.Printable(req.Remote), Body: withoutKeys(endpoint, req),
	})
	if err != nil {
		s.opts.Log.Error("store rejection failed", "integration", integrationID, "reason", f.Message, "error", err)
	}
}

// rejectedFields are the fields of events, at least one of each event.
func rejectedFields(events []refusedEvent) []RejectedField {
	var fields []RejectedField
	for _, event := range events {
		f, _, _ := refusal(event.why)
		for _, field := range f.Fields {
			fields = append(fields, RejectedField{Field: field, Event: event.number})
		}
		if len(f.Fields) == 0 {
			fields = append(fields, RejectedField{Field: fault.Field{Message: f.Message}, Event: event.number})
		}
	}
	return fields
}

// refusedNumbers are the events that a replay takes; nil for all.
func (r *Rejection) refusedNumbers() []int {
	var numbers []int
	for _, field := range r.Fields {
		if field.Event > 0 && !slices.Contains(numbers, field.Event) {
			numbers = append(numbers, field.Event)
		}
	}
	return numbers
}

// withoutKeys is the first MaxBody bytes of a body, with the key of the request and the
// keys in the body redacted. They differ where the request has a key outside of its body
// too, or where the body names several.
func withoutKeys(endpoint *Endpoint, req *Request) []byte {
	body := req.Body[:min(len(req.Body), MaxBody)]
	if endpoint.Key == nil {
		return body
	}
	bodyKey := endpoint.Key(body)
	body = endpoint.Redact(body)
	for _, key := range []string{bodyKey, req.Key} {
		if len(key) >= minHiddenKey || key != "" && key == req.Key {
			body = bytes.ReplaceAll(body, []byte(key), []byte("***"))
		}
	}
	return body
}

// Replay accepts a rejected request again, by the present configuration of its
// integration and the format of the endpoint that it was posted to; its content type
// is taken to be JSON. Of a request that was accepted in part, only the refused
// events are taken, and the answers are theirs. The outcome is stored with the
// rejection, except for temporary faults.
func (s *Service) Replay(ctx context.Context, rejectionID int64, actor string) ([]Answer, error) {
	r, err := s.opts.Rejections.Rejection(ctx, rejectionID)
	if err != nil {
		return nil, err
	}
	if r.Status == http.StatusRequestEntityTooLarge {
		return nil, fault.Conflict("Only the beginning of this signal was kept, since it was too large, so it cannot be replayed.")
	}
	if r.ReplayedAt != nil && replayWorked(r.ReplayResult) {
		return nil, fault.Conflict("This signal was replayed by %s already.", r.ReplayedBy)
	}
	format, _, ok := s.opts.Formats.Endpoint(r.Endpoint)
	if !ok {
		return nil, fault.Conflict("This version of Tocsin reads nothing that is posted to %s, so it cannot be replayed.", r.Endpoint)
	}
	req := Request{Endpoint: r.Endpoint, ContentType: "application/json", Body: r.Body, Remote: r.Remote}
	answers, refused, err := s.take(ctx, format, r.IntegrationID, &req, r.refusedNumbers())
	if err == nil && len(refused) > 0 {
		err = refused[len(refused)-1].why
		r.Fields = rejectedFields(refused)
	}
	if err != nil {
		f, _, again := refusal(err)
		if !again {
			return nil, err
		}
		r.ReplayResult = f.Message
	} else {
		r.ReplayResult = resultOf(answers)
	}
	at := s.now()
	r.ReplayedAt, r.ReplayedBy = &at, actor
	if noteErr := s.opts.Rejections.Replayed(context.WithoutCancel(ctx), r); noteErr != nil {
		s.opts.Log.Error("record replay failed", "rejection", r.ID, "error", noteErr)
	}
	return answers, err
}

// resultOf is the result of a request: the results of its events, of which the first in
// the order of statResults is taken.
func resultOf(answers []Answer) string {
	for _, r := range statResults {
		for i := range answers {
			if answers[i].Status == r {
				return string(r)
			}
		}
	}
	return string(incident.ResultIgnored)
}

func replayWorked(result string) bool {
	for _, r := range statResults {
		if string(r) == result {
			return true
		}
	}
	return false
}
