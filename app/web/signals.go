package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
)

// Signals accepts what senders post: ingest.Service.
type Signals interface {
	Serve(ctx context.Context, req ingest.Request, reply *ingest.Reply) error
	// Accept is for requests that Tocsin makes up itself.
	Accept(ctx context.Context, req ingest.Request) ([]ingest.Answer, error)
}

// isHook reports whether a path begins with one that senders post to.
func (h *edge) isHook(path string) bool {
	for _, format := range h.Formats.All() {
		for i := range format.Endpoints {
			if strings.HasPrefix(path, format.Endpoints[i].Path) {
				return true
			}
		}
	}
	return false
}

// endpointOf is the absolute address that senders of a kind post to, without the
// key.
func (h *edge) endpointOf(kind string) string {
	if format, ok := h.Formats.Kind(kind); ok {
		return h.PublicURL + format.Endpoints[0].Path
	}
	return h.PublicURL
}

// signalRoutes are the hot path: behind them stand no sessions, no compression
// and nothing else that a sender does not need.
func (h *edge) signalRoutes(r routes) {
	for _, format := range h.Formats.All() {
		for _, e := range format.Endpoints {
			accept := h.accept(e)
			r.add(e.Method, e.Path, accept)
			if e.KeyInPath {
				r.add(e.Method, e.Path+"/:key", accept)
				r.add(e.Method, e.Path+"/:key/", accept)
			}
		}
	}
}

// accept takes what is posted to an endpoint. The key stands in the path, is a
// bearer token or stands where the format has it. The answer is sent once the
// signal is durable.
func (h *edge) accept(endpoint ingest.Endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		key := c.Param("key")
		if key == "" {
			key, _ = bearer(r)
		}
		if key == "" && endpoint.KeyHeader != "" {
			key = r.Header.Get(endpoint.KeyHeader)
		}
		reply, _ := replies.Get().(*ingest.Reply)
		defer replies.Put(reply)
		*reply = ingest.Reply{Body: reply.Body[:0]}
		err := h.Signals.Serve(r.Context(), ingest.Request{
			Endpoint: endpoint.Path, Key: key, ContentType: r.Header.Get("Content-Type"), Remote: c.RealIP(),
			Read: func() ([]byte, error) { return readSignal(r) },
		}, reply)
		header := c.Response().Header()
		switch {
		case err != nil && reply.Status == 0:
			return err
		case err != nil:
			h.logFailure(c, problemOf(err), err)
			if reply.Status == http.StatusTooManyRequests || reply.Status == http.StatusServiceUnavailable {
				header.Set("Retry-After", strconv.Itoa(retryAfter(err, reply.Status)))
			}
		}
		if header["Content-Type"] = jsonType; reply.ContentType != jsonType[0] {
			header["Content-Type"] = []string{reply.ContentType}
		}
		c.Response().WriteHeader(reply.Status)
		_, err = c.Response().Write(reply.Body)
		return err
	}
}

var (
	jsonType = []string{"application/json"}
	replies  = sync.Pool{New: func() any { return new(ingest.Reply) }}
)

// readSignal reads a body, and one byte more where it is too large, so that
// Accept refuses and lists it. A body that was cut off is judged by what came:
// it is listed as one that is no JSON. The memory is the signal's from here on.
// Faults: Unsupported for an encoding other than gzip, Malformed for what is not
// gzip though it says so, both with the body as it was sent; Malformed for what
// broke on its way and Unavailable for what did not arrive in time, with what came.
func readSignal(r *http.Request) ([]byte, error) {
	body, err := readBounded(r)
	encoding := r.Header["Content-Encoding"]
	if err != nil || len(encoding) == 0 || len(body) > ingest.MaxBody {
		return body, err
	}
	switch strings.ToLower(strings.TrimSpace(strings.Join(encoding, ","))) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return unzipped(body)
	}
	return body, fault.Unsupported("The content encoding %q is not read here; send gzip, or the body as it is.", strings.Join(encoding, ", "))
}

// maxRead is what is read of a body, be it as it was sent or unzipped.
const maxRead = ingest.MaxBody + 1

func readBounded(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRead))
		return body, unlessCutOff(err)
	}
	body := make([]byte, min(r.ContentLength, maxRead))
	n, err := io.ReadFull(r.Body, body)
	return body[:n], unlessCutOff(err)
}

// unzipped is no larger than what is read of any body, whatever it was zipped
// from.
func unzipped(body []byte) ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body, fault.Malformed("The body is not gzip, though its Content-Encoding says so.").Because(err)
	}
	plain, err := io.ReadAll(io.LimitReader(zipped, maxRead))
	if err != nil {
		return body, fault.Malformed("The body is gzip that is broken or cut off.").Because(err)
	}
	return plain, nil
}

func unlessCutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil
	}
	return unreceived(err)
}
