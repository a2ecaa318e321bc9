package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tocsin-oncall/tocsin/app/catalog"
	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/incident"
)

// MaxBody is the maximum size of a request's body, in bytes. A reader has to stop one
// byte above it, so that Accept can see that there was more.
const MaxBody = 512 << 10

// maxStale bounds how often a signal is resolved again because the configuration
// changed meanwhile.
const maxStale = 4

// Config gives the configuration.
type Config interface {
	// Snapshot is the cached configuration, which may be outdated.
	Snapshot(ctx context.Context) (*catalog.Snapshot, error)
	// Reload is the current configuration. It is called whenever a key is unknown or
	// the snapshot is outdated, so where nothing has changed it should only read the
	// version.
	Reload(ctx context.Context) (*catalog.Snapshot, error)
}

// Submitter makes the signals of one request durable: the Batcher. It answers
// each at its index.
type Submitter interface {
	Submit(ctx context.Context, signals []Signal) ([]Result, error)
}

var _ Submitter = (*Batcher)(nil)

// ServiceOptions are what a Service is made of; all are required.
type ServiceOptions struct {
	Formats    *Formats
	Config     Config
	Submitter  Submitter
	Changes    Changes
	Reports    Reports
	Rejections Rejections
	HMAC       func(key string) []byte       // as Integration.KeyHMAC was made
	URL        func(incidentNo int64) string // of an incident's page
	Now        func() time.Time
	Log        *slog.Logger
}

// Service accepts signals: it authenticates the key, resolves the events by the
// configuration, and answers once they are durable.
type Service struct {
	opts    ServiceOptions
	limiter limiter
	metrics serviceMetrics
}

// NewService makes a Service.
func NewService(opts ServiceOptions) *Service { return &Service{opts: opts} }

// Request is a request as it came in.
type Request struct {
	Endpoint    string // the path of an endpoint of a registered format
	Key         string // from the path, a bearer token or a header; empty for none
	ContentType string
	Body        []byte // not to be changed afterwards
	// Read, where it is set, reads Body after the key was authenticated and within its
	// rate limit, so that nothing is read for an unknown key; except where the protocol
	// has the key in the body. Accept returns its error; a fault of the sender is
	// listed with the part of the body that was read.
	Read   func() ([]byte, error)
	Remote string // the sender's address
}

// Answer is the result of one event of a request.
type Answer struct {
	Status   incident.Result `json:"status"`
	Incident *IncidentRef    `json:"incident,omitempty"` // nil for none
	DedupKey string          `json:"dedup_key"`
	Warnings []string        `json:"warnings"` // never nil
}

// Results of an event beside those of incident.
const (
	ResultRecorded incident.Result = "recorded" // a change or a report, which pages nobody
	// ResultRefused is an event that was refused while others of its request were
	// accepted; its warning says why. The request is listed for replay.
	ResultRefused incident.Result = "refused"
)

// IncidentRef names an incident.
type IncidentRef struct {
	Number int64  `json:"number"`
	URL    string `json:"url"`
}

// Serve accepts a request and fills reply in its format. Where the format has no reply
// for an error, reply.Status stays 0 and the caller has to answer. reply.Body may have
// capacity, which is used.
func (s *Service) Serve(ctx context.Context, req Request, reply *Reply) error {
	format, answers, err := s.accept(ctx, &req)
	switch {
	case format == nil:
	case err == nil:
		format.Answer(req.input(), answers, reply)
	case format.Refuse != nil:
		if worded, ok := format.Refuse(req.input(), err); ok {
			*reply = worded
		}
	}
	return err
}

// Accept accepts a request and answers each of its events, in their order, once they
// are durable. Faults: Unauthorized for an unknown key, of which nothing is stored;
// TooLarge, Unsupported, Malformed and Invalid, which are listed for replay; Limited
// for a key over its rate limit and Unavailable for an overload, both with
// RetryAfter. An event that cannot be accepted fails its request only where no other
// can; else its answer is ResultRefused.
func (s *Service) Accept(ctx context.Context, req Request) ([]Answer, error) {
	_, answers, err := s.accept(ctx, &req)
	return answers, err
}

func (s *Service) accept(ctx context.Context, req *Request) (*Format, []Answer, error) {
	format, answers, err := s.receive(ctx, req)
	if err != nil {
		s.metrics.refuse(err)
	}
	for i := range answers {
		s.metrics.accept(answers[i].Status)
	}
	return format, answers, err
}

func (s *Service) receive(ctx context.Context, req *Request) (*Format, []Answer, error) {
	format, endpoint, ok := s.opts.Formats.Endpoint(req.Endpoint)
	if !ok {
		return nil, nil, fault.NotFound("Nothing is posted to %s.", req.Endpoint)
	}
	read := req.Read == nil
	var readErr error
	if req.Key == "" && endpoint.Key != nil {
		if read = true; req.Read != nil {
			req.Body, readErr = req.Read()
		}
		if readErr == nil && len(req.Body) <= MaxBody {
			req.Key = endpoint.Key(req.Body)
		}
		if req.Key == "" && readErr != nil {
			return format, nil, readErr
		}
	}
	integration, err := s.authenticate(ctx, format, req.Key)
	if err != nil {
		return format, nil, err
	}
	if integration.RateLimit > 0 {
		if wait, ok := s.limiter.allow(integration.ID, integration.RateLimit, s.opts.Now()); !ok {
			return format, nil, fault.Limited("This key may send %d signals a minute. Send it again later.", integration.RateLimit).
				Because(&waitError{after: wait})
		}
	}
	if !read {
		if req.Body, err = req.Read(); err != nil {
			s.reject(ctx, integration.ID, endpoint, req, err, nil)
			return format, nil, err
		}
	}
	answers, refused, err := s.take(ctx, format, integration.ID, req, nil)
	if err != nil {
		s.reject(ctx, integration.ID, endpoint, req, err, nil)
	} else if len(refused) > 0 {
		s.reject(ctx, integration.ID, endpoint, req, refused[len(refused)-1].why, refused)
	}
	return format, answers, err
}

func (r *Request) input() Input {
	return Input{Endpoint: r.Endpoint, ContentType: r.ContentType, Body: r.Body}
}

// authenticate finds the integration of a key. An unknown key may be newer than the
// cached snapshot, so the current configuration is read before it is refused.
func (s *Service) authenticate(ctx context.Context, format *Format, key string) (catalog.Integration, error) {
	if key == "" {
		return catalog.Integration{}, fault.Unauthorized("A key is needed, in the path or as a bearer token.")
	}
	hmac := s.opts.HMAC(key)
	for _, load := range []func(context.Context) (*catalog.Snapshot, error){s.opts.Config.Snapshot, s.opts.Config.Reload} {
		snapshot, err := load(ctx)
		if err != nil {
			return catalog.Integration{}, unavailable(err)
		}
		if integration, ok := snapshot.IntegrationByKey(hmac); ok && integration.Kind == format.Kind {
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

// now is the time in UTC and whole microseconds, as both databases store it.
func (s *Service) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }
