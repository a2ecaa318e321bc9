package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// MaxBody is how large a signal may be, in bytes. A reader that stops one byte
// above it lets Accept see that there was more.
const MaxBody = 512 << 10

// maxStale is how often a signal is resolved anew because the configuration
// changed under it.
const maxStale = 4

// Config gives the configuration.
type Config interface {
	// Snapshot is the picture at hand, which may be old.
	Snapshot(ctx context.Context) (*catalog.Snapshot, error)
	// Reload is the picture as of now. It is asked for whenever a key is unknown
	// or the picture was found old, so it should cost no more than the reading
	// of a version where nothing has changed.
	Reload(ctx context.Context) (*catalog.Snapshot, error)
}

// Submitter makes a signal durable: the Batcher.
type Submitter interface {
	Submit(ctx context.Context, signal Signal) (Result, error)
}

var _ Submitter = (*Batcher)(nil)

// ServiceOptions are what a Service is made of; all are required.
type ServiceOptions struct {
	Config     Config
	Submitter  Submitter
	Rejections Rejections
	HMAC       func(key string) []byte       // as Integration.KeyHMAC was made
	URL        func(incidentNo int64) string // of an incident's page
	Now        func() time.Time
	Log        *slog.Logger
}

// Service accepts signals: it knows the key, resolves what the signal means
// here, and answers once it is durable.
type Service struct {
	opts    ServiceOptions
	limiter limiter
	metrics serviceMetrics
}

// NewService makes a Service.
func NewService(opts ServiceOptions) *Service { return &Service{opts: opts} }

// Request is a signal as it came in.
type Request struct {
	Key         string
	Kind        string // the wire format that the path names: catalog.KindSLO
	ContentType string
	Body        []byte // not to be changed afterwards
	// Read, where it is set, reads Body once the key is known and within its
	// limit, so that whoever has no key can have nothing read. Its error is
	// Accept's; a fault of the sender's is listed with the body that comes with it.
	Read   func() ([]byte, error)
	Remote string // the sender's address
}

// Answer is what the sender of an accepted signal is told.
type Answer struct {
	Status   incident.Result `json:"status"`
	Incident *IncidentRef    `json:"incident,omitempty"` // nil for none
	DedupKey string          `json:"dedup_key"`
	Warnings []string        `json:"warnings"` // never nil
}

// IncidentRef names an incident.
type IncidentRef struct {
	Number int64  `json:"number"`
	URL    string `json:"url"`
}

// Accept takes a signal and answers once it is durable. Faults: Unauthorized
// for a key that nobody knows, of which nothing is kept; TooLarge, Unsupported,
// Malformed and Invalid, which are listed for replay; Limited for a key over
// its limit and Unavailable for an overload, both with RetryAfter.
func (s *Service) Accept(ctx context.Context, req Request) (Answer, error) {
	answer, err := s.accept(ctx, req)
	s.metrics.count(answer.Status, err)
	return answer, err
}

func (s *Service) accept(ctx context.Context, req Request) (Answer, error) {
	integration, err := s.authenticate(ctx, req)
	if err != nil {
		return Answer{}, err
	}
	if integration.RateLimit > 0 {
		if wait, ok := s.limiter.allow(integration.ID, integration.RateLimit, s.opts.Now()); !ok {
			return Answer{}, fault.Limited("This key may send %d signals a minute. Send it again later.", integration.RateLimit).
				Because(&waitError{after: wait})
		}
	}
	if req.Read != nil {
		if req.Body, err = req.Read(); err != nil {
			s.reject(ctx, integration.ID, req, err)
			return Answer{}, err
		}
	}
	answer, err := s.take(ctx, integration.ID, req)
	if err != nil {
		s.reject(ctx, integration.ID, req, err)
	}
	return answer, err
}

// authenticate finds the integration of a key. A key that is not known may be
// newer than the picture at hand.
func (s *Service) authenticate(ctx context.Context, req Request) (catalog.Integration, error) {
	if req.Key == "" {
		return catalog.Integration{}, fault.Unauthorized("A key is needed, in the path or as a bearer token.")
	}
	hmac := s.opts.HMAC(req.Key)
	for _, load := range []func(context.Context) (*catalog.Snapshot, error){s.opts.Config.Snapshot, s.opts.Config.Reload} {
		snapshot, err := load(ctx)
		if err != nil {
			return catalog.Integration{}, unavailable(err)
		}
		if integration, ok := snapshot.IntegrationByKey(hmac); ok && integration.Kind == req.Kind {
			return integration, nil
		}
	}
	return catalog.Integration{}, fault.Unauthorized("Nobody here knows this key.")
}

func unavailable(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return tryAgain("The configuration cannot be read. Send it again in a moment.", err)
}

// take decodes a signal and makes it durable, as its integration stands. The
// integration is looked up with each picture anew, since its service may have
// changed with the rest. What the picture at hand would refuse is looked at again
// by the present one: the service that it does not know may be new. What it only
// warns of needs no second look, since the writer finds an old picture out.
func (s *Service) take(ctx context.Context, integrationID int64, req Request) (Answer, error) {
	if len(req.Body) > MaxBody {
		return Answer{}, fault.TooLarge("The body is larger than %d KiB.", MaxBody>>10)
	}
	breach, err := DecodeSLO(req.Body, req.ContentType)
	if err != nil {
		return Answer{}, err
	}
	signal, err := s.resolve(ctx, s.opts.Config.Snapshot, integrationID, breach)
	if _, _, refused := refusal(err); refused || fault.Is(err, fault.KindUnauthorized) {
		signal, err = s.resolve(ctx, s.opts.Config.Reload, integrationID, breach)
	}
	if err != nil {
		return Answer{}, err
	}
	for range maxStale {
		result, err := s.submit(ctx, &signal)
		if err != nil {
			return Answer{}, err
		}
		if !result.Stale {
			return s.answer(signal, result), nil
		}
		if signal, err = s.resolve(ctx, s.opts.Config.Reload, integrationID, breach); err != nil {
			return Answer{}, err
		}
	}
	return Answer{}, tryAgain("The configuration is changing. Send it again in a moment.", nil)
}

// submit makes a signal durable. A recovery that finds nothing under the key of a
// rule is tried under the one without it, since what fires may have begun before
// there was the rule, or where the rule failed. One that is ignored says why.
func (s *Service) submit(ctx context.Context, signal *Signal) (Result, error) {
	result, err := s.opts.Submitter.Submit(ctx, *signal)
	if err != nil || result.Stale || result.Status != incident.ResultIgnored {
		return result, err
	}
	if signal.KeyWithoutRule == "" {
		if result.Warning != "" {
			signal.Event.Warnings = append(slices.Clip(signal.Event.Warnings), result.Warning)
		}
		return result, nil
	}
	if other := *signal; other.KeyWithoutRule != other.Event.DedupKey {
		other.Event.DedupKey = other.KeyWithoutRule
		again, err := s.opts.Submitter.Submit(ctx, other)
		if err != nil || again.Stale {
			return again, err
		}
		if again.Status != incident.ResultIgnored {
			*signal = other
			return again, nil
		}
	}
	signal.Event.Warnings = append(slices.Clip(signal.Event.Warnings), endedNothing)
	return result, nil
}

// resolve finds what a breach means by the picture that look gives.
func (s *Service) resolve(ctx context.Context, look func(context.Context) (*catalog.Snapshot, error), integrationID int64, breach Breach) (Signal, error) {
	snapshot, err := look(ctx)
	if err != nil {
		return Signal{}, unavailable(err)
	}
	integration, ok := snapshot.Integration(integrationID)
	if !ok {
		return Signal{}, fault.Unauthorized("Nobody here knows this key any more.")
	}
	return Resolve(snapshot, integration, breach, s.now())
}

// now is in the form in which times are stored.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) answer(signal Signal, result Result) Answer {
	a := Answer{Status: result.Status, DedupKey: signal.Event.DedupKey, Warnings: signal.Event.Warnings}
	if a.Warnings == nil {
		a.Warnings = []string{}
	}
	if result.Number != 0 {
		a.Incident = &IncidentRef{Number: result.Number, URL: s.opts.URL(result.Number)}
	}
	return a
}
