// Package hook takes the signals that senders post.
package hook

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/tocsin-oncall/tocsin/app/fault"
	"github.com/tocsin-oncall/tocsin/app/ingest"
	"github.com/tocsin-oncall/tocsin/app/web"
)

// Signals accepts signals: ingest.Service.
type Signals interface {
	Serve(ctx context.Context, req ingest.Request, reply *ingest.Reply) error
}

// Deps is what the routes need.
type Deps struct {
	Formats *ingest.Formats
	Signals Signals
}

// Mount adds the routes of all endpoints of all wire formats.
func Mount(r *web.Router, d Deps) {
	for _, format := range d.Formats.All() {
		for _, e := range format.Endpoints {
			h := handler{d, r, e}
			routes := r.Signals(e.Path)
			routes.Add(e.Method, e.Path, h.accept)
			if e.KeyInPath {
				routes.Add(e.Method, e.Path+"/:key", h.accept)
				routes.Add(e.Method, e.Path+"/:key/", h.accept)
			}
		}
	}
}

// handler is that of one endpoint.
type handler struct {
	Deps
	router   *web.Router
	endpoint ingest.Endpoint
}

// accept takes a request to the endpoint. The key is in the path, is a bearer
// token or is where the format has it; unless that is the body, it is checked before
// the body is read. The answer is sent once the signal is durable, in the words of
// the format.
func (h handler) accept(c echo.Context) error {
	r := c.Request()
	key := c.Param("key")
	if key == "" {
		key, _ = web.BearerToken(r)
	}
	if key == "" && h.endpoint.KeyHeader != "" {
		key = r.Header.Get(h.endpoint.KeyHeader)
	}
	reply, _ := replies.Get().(*ingest.Reply)
	defer replies.Put(reply)
	*reply = ingest.Reply{Body: reply.Body[:0]}
	err := h.Signals.Serve(r.Context(), ingest.Request{
		Endpoint: h.endpoint.Path, Key: key, ContentType: r.Header.Get("Content-Type"), Remote: c.RealIP(),
		Read: func() ([]byte, error) { return readSignal(r) },
	}, reply)
	if err != nil && reply.Status == 0 {
		return err
	}
	if err != nil {
		h.router.Failed(c, reply.Status, err)
	}
	header := c.Response().Header()
	if header["Content-Type"] = jsonType; reply.ContentType != jsonType[0] {
		header["Content-Type"] = []string{reply.ContentType}
	}
	c.Response().WriteHeader(reply.Status)
	_, err = c.Response().Write(reply.Body)
	return err
}

var (
	jsonType = []string{"application/json"}
	replies  = sync.Pool{New: func() any { return new(ingest.Reply) }}
)

// readSignal reads a body, and one byte more than allowed where it is too large,
// so that Accept rejects and lists it. A body that was cut off is returned as far
// as it came: Accept lists it as invalid JSON. The signal owns the memory. Faults:
// Unsupported for an encoding other than gzip, Malformed for a body that is not
// gzip though its encoding says so, both with the body as it was sent; Malformed
// for a broken connection and Unavailable for a timeout, with what was read.
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
		return gunzip(body)
	}
	return body, fault.Unsupported("The content encoding %q is not read here; send gzip, or the body as it is.", strings.Join(encoding, ", "))
}

// maxRead bounds what is read of a body, as sent and unzipped, in bytes.
const maxRead = ingest.MaxBody + 1

func readBounded(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRead))
		return body, ignoreEOF(err)
	}
	body := make([]byte, min(r.ContentLength, maxRead))
	n, err := io.ReadFull(r.Body, body)
	return body[:n], ignoreEOF(err)
}

// gunzip unzips at most maxRead bytes, however large the content is.
func gunzip(body []byte) ([]byte, error) {
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

func ignoreEOF(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil
	}
	return web.BodyError(err)
}
